/** Texts and names in lines that fit a width, for pictures, in which nothing wraps by itself. */

/** A text in lines; a word that is wider than a line is cut. */
export function linesOf(
  text: string,
  { width, widthOf }: {
    readonly width: number;
    readonly widthOf: (text: string) => number;
  },
): string[] {
  const lines: string[] = [];
  let line = "";
  const isTooWide = (text: string) => widthOf(text) > width;
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (!isTooWide(longer)) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = "";
    for (const letter of word) {
      if (line !== "" && isTooWide(line + letter)) {
        lines.push(line);
        line = "";
      }
      line += letter;
    }
  }
  return [...lines, line];
}

/** Where a thing stands: from the left, and in which line. */
export interface Place {
  readonly x: number;
  readonly line: number;
}

/** The places of things of these widths, one after the other in lines. */
export function placesOf(widths: readonly number[], width: number): Place[] {
  let [x, line] = [0, 0];
  return widths.map((own) => {
    if (x > 0 && x + own > width) [x, line] = [0, line + 1];
    const place = { x, line };
    x += own;
    return place;
  });
}
