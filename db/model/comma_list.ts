/** Reads and writes lists separated by commas, whose elements may have commas and quotes of their own. */

// No two repetitions side by side match the same characters: 1,900 spaces and a quote
// would otherwise take seconds.
const ELEMENT = /(?:\s*"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/y;

/** The elements of a list; one with a comma or quote is in double quotes. Null where it is no list. */
export function splitElements(text: string): string[] | null {
  const elements: string[] = [];
  ELEMENT.lastIndex = 0;
  for (;;) {
    const match = ELEMENT.exec(text);
    const element = match?.[1]?.replaceAll('""', '"') ?? match?.[2].trim();
    if (!match || !element) return null;
    elements.push(element);
    if (match[3] === "") return elements;
  }
}

/** A text as an element of a list. */
export function listElement(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
