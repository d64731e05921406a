/** Compares names, ids and headers by what can be seen of them, and says how a name is shown. */

// Zero width, soft hyphen, directional marks, variation selectors. Not the tags
// that make a flag Scotland's: they are all that differs from England's.
const IGNORED = "[\\p{Default_Ignorable_Code_Point}--[\\u{e0020}-\\u{e007f}]]";
const INVISIBLE = RegExp(IGNORED, "gv");

const STANDING_ALONE =
  "Latn Grek Cyrl Armn Geor Hebr Hani Hira Kana Hang Bopo Thai Laoo Zyyy Zinh"
    .split(" ").map((script) => `\\p{sc=${script}}`).join("");
/** A letter or mark of a script in which letters join or make clusters. */
const JOINING = `[[\\p{L}\\p{M}]--[${STANDING_ALONE}]--${IGNORED}]`;
const MARK = `[\\p{M}--[${STANDING_ALONE}]--${IGNORED}]`;
const PICTURE = "[[\\p{Emoji}\\p{Extended_Pictographic}]--[0-9#*]]";
const MONGOLIAN = `[\\p{sc=Mong}--${IGNORED}]`;

/** Invisible characters without which a name would look different. */
const NEEDED = RegExp(
  [
    // A half space, such as in Persian, and the forms of an Indic cluster.
    `(?<=${JOINING})\\u200c(?=${JOINING})`,
    `(?<=${MARK})\\u200c`,
    `(?<=${JOINING})\\u200d`,
    // One picture of several, and the colours of a picture or a digit in a box.
    `(?<=${PICTURE}\\ufe0f?)\\u200d(?=${PICTURE})`,
    `(?<=${PICTURE})[\\ufe0e\\ufe0f]`,
    "(?<=[0-9#*])\\ufe0f(?=\\u20e3)",
    // Variants of ideographs, of letters from Myanmar, and of Mongolian ones.
    "(?<=[\\p{sc=Hani}\\p{sc=Mymr}\\p{sc=Phag}])[\\ufe00-\\ufe0d]",
    "(?<=\\p{sc=Hani})[\\u{e0100}-\\u{e01ef}]",
    `(?<=${MONGOLIAN})[\\u180b-\\u180f]`,
  ].join("|") + `|(${IGNORED})`,
  "gv",
);
/** Changes nothing that is beside it, whatever that is. */
const NEVER_NEEDED = RegExp(
  `[${IGNORED}--[\\u180b-\\u180f\\u200c\\u200d\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]]`,
  "gv",
);
const JOINERS = /([\u200c\u200d])[\u200c\u200d]+/g;
const WHITE_SPACE = /[\s\u0085\ufeff]+/g;

/** What `text` looks like: without invisible characters, full-width ones as plain ones. */
export function seenText(text: string): string {
  return text.replace(INVISIBLE, "").normalize("NFKC");
}

/** The text that names are compared by: what is seen of them, in one case. */
export function nameKey(name: string): string {
  const text = seenText(name).replace(WHITE_SPACE, " ").trim();
  return foldText(text).normalize("NFC");
}

/** A text in one case, as DuckDB's lower(upper(…)) has it. */
export function foldText(text: string): string {
  return Array.from(text, foldCase).join("");
}

/** What the keys of names begin with that begin with `prefix`. */
export function prefixKey(prefix: string): string {
  const key = nameKey(prefix);
  // Nothing that is seen begins no name; nothing at all would begin each.
  if (key === "") return prefix;
  return /\s$/u.test(prefix) ? `${key} ` : key;
}

/** A name as it is shown: without the invisible characters that no script and no emoji needs. */
export function shownName(name: string): string {
  const shown = name.replace(NEVER_NEEDED, "").replace(JOINERS, "$1")
    .replace(NEEDED, (found, not_needed) => not_needed ? "" : found)
    .normalize("NFC").replace(WHITE_SPACE, " ").trim();
  // A letter and its mark may have become one letter, after which nothing is needed.
  return shown === name ? shown : shownName(shown);
}

/** A text for a terminal: control characters but line breaks, which would move its cursor, are U+FFFD. */
export function harmless(text: string): string {
  return text.replaceAll(/(?!\n)\p{Cc}/gu, "\ufffd");
}

/** A text in a message: with `\u{200b}` for what could not be seen in it. */
export function escapeUnseen(text: string): string {
  return text.replace(
    INVISIBLE,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

/**
 * Upper case first, so that the final sigma equals the others; one character for
 * one, so that Straße is not Strasse. DuckDB's lower(upper(…)) does the same.
 */
function foldCase(char: string): string {
  const one = (other: string, same: string) =>
    other.length === same.length ? other : same;
  const upper = one(char.toUpperCase(), char);
  // The dotted capital is the one letter with a longer lower case.
  return upper === "\u0130" ? "i" : one(upper.toLowerCase(), upper);
}

/** Finds the position of a name among those of its dimension, ignoring case; undefined when there is none. */
export function createPositionOf(
  names: Readonly<Record<string, readonly string[] | null>>,
): (dimension: string, name: string) => number | undefined {
  const find = Object.fromEntries(
    Object.entries(names).map(([dimension, known]) => [
      dimension,
      positionsOf(known ?? []),
    ]),
  );
  return (dimension, name) => find[dimension](name);
}

/** Finds the position of a name, ignoring case; undefined when there is none. */
function positionsOf(
  names: readonly string[],
): (name: string) => number | undefined {
  // By exact name too: most questions have it, and then no folding is needed.
  const positions = new Map([
    ...names.map((name, i) => [nameKey(name), i] as const),
    ...names.map((name, i) => [name, i] as const),
  ]);
  return (name) => positions.get(name) ?? positions.get(nameKey(name));
}
