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

/** Why a pattern is not taken; null when it is. */
export function patternProblem(pattern: string): string | null {
  const used: string[] = [];
  for (const [written, , letter] of pattern.matchAll(DIRECTIVE)) {
    if (!Object.hasOwn(DIRECTIVES, letter)) {
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
 * strptime itself passes over white space, and takes 24 for the year 24.
 */
export function shapeOf(pattern: string): string {
  let shape = "";
  let end = 0;
  const found = [...pattern.matchAll(DIRECTIVE)];
  const endOf = ({ 0: written, index }: RegExpExecArray) =>
    index + written.length;
  for (const [i, one] of found.entries()) {
    shape += quoteShape(pattern.slice(end, one.index));
    end = endOf(one);
    // 2024112 would be January or November: between digits, a number has them all.
    const is_between_digits = [found[i - 1], found[i + 1]].some((other) =>
      other && isDigits(other) &&
      (endOf(other) === one.index || end === other.index)
    );
    const text = DIRECTIVES[one[2]];
    shape += is_between_digits ? text.replace("{1,2}", "{2}") : text;
  }
  return shape + quoteShape(pattern.slice(end));
}

function isDigits([, , letter]: RegExpExecArray): boolean {
  return DIRECTIVES[letter].startsWith("\\d");
}

function lettersOf(pattern: string): string[] {
  return Array.from(pattern.matchAll(DIRECTIVE), ([, , letter]) => letter);
}

// White space is one space by then.
function quoteShape(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
