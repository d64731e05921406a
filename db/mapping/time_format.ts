/** Patterns of strptime: which ones are taken, and the shape that a text must have to fit one. */

/** The forms of times that have a name. */
export const NAMED_FORMATS = [
  "DMY",
  "MDY",
  "YMD",
  "iso",
  "epoch_s",
  "epoch_ms",
  "excel",
] as const;

/** One of them. */
export type NamedFormat = typeof NAMED_FORMATS[number];

/** What each directive stands for in a text, as a regular expression. */
const DIRECTIVES: Readonly<Record<string, string>> = {
  Y: "\\d{4}",
  y: "\\d{2}",
  m: "\\d{1,2}",
  d: "\\d{1,2}",
  b: "[A-Za-z]{3}",
  B: "[A-Za-z]{3,9}",
  a: "[A-Za-z]{3}",
  A: "[A-Za-z]{6,9}",
  H: "\\d{1,2}",
  I: "\\d{1,2}",
  M: "\\d{2}",
  S: "\\d{2}",
  f: "\\d{1,6}",
  p: "[AaPp][Mm]",
  z: "[+-]\\d{2}(?::?\\d{2})?",
  "%": "%",
};

const DIRECTIVE = /%(-?)(.?)/gs;
/** The directives that strptime also takes with -, as %-d, and those that stand for digits. */
const MAY_BE_SHORT = "mdHIMS";
const DIGITS = "YymdHIMSf";

/** Why a pattern is not taken; null when it is. */
export function patternProblem(pattern: string): string | null {
  const used: string[] = [];
  for (const [written, short, letter] of pattern.matchAll(DIRECTIVE)) {
    if (
      !Object.hasOwn(DIRECTIVES, letter) ||
      short && !MAY_BE_SHORT.includes(letter)
    ) {
      return `has ${written}, which is not among ${
        Object.keys(DIRECTIVES).map((one) => `%${one}`).join(" ")
      }`;
    }
    if (letter !== "%" && used.includes(letter)) {
      return `has ${written} twice`;
    }
    used.push(letter);
  }
  const has = (...letters: string[]) =>
    letters.some((letter) => used.includes(letter));
  if (!has("Y", "y")) return "has no year, %Y or %y";
  if (has("Y") && has("y")) return "has two years";
  if (!has("m", "b", "B")) return "has no month, %m, %b or %B";
  if (has("H") && has("I")) return "has two hours";
  if (has("I") !== has("p")) return "needs %I and %p together";
  if (has("M") && !has("H", "I")) return "has minutes without an hour";
  if (has("S") && !has("M")) return "has seconds without minutes";
  if (has("f") && !has("S")) return "has a fraction without seconds";
  return null;
}

/** Whether a pattern has a day of the month: without one it fits months only. */
export function hasDay(pattern: string): boolean {
  return lettersOf(pattern).includes("d");
}

/** Whether a pattern has a time of day. */
export function hasTime(pattern: string): boolean {
  return lettersOf(pattern).some((letter) => "HI".includes(letter));
}

/** Whether a pattern has an offset, so that its times are known in any zone. */
export function hasOffset(pattern: string): boolean {
  return lettersOf(pattern).includes("z");
}

/**
 * The regular expression (RE2) that a text must match in whole to fit a pattern:
 * strptime itself passes over white space, and takes 24 for the year 24. `directive`
 * may change what stands for one.
 */
export function shapeOf(
  pattern: string,
  directive: (letter: string, shape: string) => string = (_, shape) => shape,
): string {
  const text = pattern.trim();
  const directives = Array.from(text.matchAll(DIRECTIVE));
  let shape = "";
  let end = 0;
  for (
    const [i, { 0: written, 1: short, 2: letter, index }] of directives
      .entries()
  ) {
    shape += quoteShape(text.slice(end, index));
    end = index + written.length;
    const touches = [directives[i - 1], directives[i + 1]].some((other) =>
      other !== undefined && DIGITS.includes(other[2]) &&
      (other.index + other[0].length === index || other.index === end)
    );
    // Of 2020112, nobody knows where the month ends.
    const own = !MAY_BE_SHORT.includes(letter)
      ? DIRECTIVES[letter]
      : touches
      ? "\\d{2}"
      : short
      ? "\\d{1,2}"
      : DIRECTIVES[letter];
    shape += directive(letter, own);
  }
  return shape + quoteShape(text.slice(end));
}

function lettersOf(pattern: string): string[] {
  return Array.from(pattern.matchAll(DIRECTIVE), ([, , letter]) => letter);
}

// White space is one space by then.
function quoteShape(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
