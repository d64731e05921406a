/** Makes globs for the names of files, which take those and no other file of the folder. */

import { fitsGlob } from "../mapping/glob.ts";

/** A glob, and the files that it takes. */
export interface Glob {
  readonly glob: string;
  readonly names: readonly string[];
}

/** Globs for `own` files, that the next exports will fit too; `all` are those of the folder. */
export function globsOf(
  own: readonly string[],
  all: readonly string[],
): Glob[] {
  const globFor = (names: readonly string[]): Glob[] => {
    const glob = globOf(names);
    const takes_others = glob === null ||
      all.some((name) => !names.includes(name) && fitsGlob(name, glob));
    return takes_others ? [] : [{ glob, names }];
  };
  const glob = globFor(own);
  if (glob.length > 0) return glob;
  // By themselves, in dates that are not those of the others.
  return [...Map.groupBy(own, undated).values()].flatMap((alike) => {
    const glob = globFor(alike);
    return glob.length > 0
      ? glob
      : alike.map((name) => ({ glob: name, names: [name] }));
  });
}

/** The name of a file with a star in place of dates and numbers. */
export function undated(name: string): string {
  const [, stem, ending] = ENDING.exec(name) ?? ["", name, ""];
  const begin = stem.replace(/\d[\d\s_.:-]*([AP]M)?(?=\D*$).*$|\d[^]*$/i, "");
  // A name of digits alone says nothing: it stands for itself.
  if (begin.length < 3) return name;
  return begin === stem ? name : `${begin}*${ending}`;
}

const ENDING = /^(.*?)((?:\.csv|\.tsv)?\.\w+)$/;
/** Fewer letters than these are in the names of other files, too. */
const LEAST_LETTERS = 3;

/** What the names have in common, with a star for the rest; null where that is nothing. */
function globOf(names: readonly string[]): string | null {
  const globs = [...new Set(names.map(undated))];
  if (globs.length === 1) return globs[0];
  const parts = commonParts(globs);
  return parts && `${parts.before}*${parts.after}`;
}

/**
 * A regular expression on the names of files whose group is the word that differs among
 * them, such as `^(.*)_campaign`; null where there is none.
 */
export function wordPattern(names: readonly string[]): string | null {
  const parts = commonParts([...new Set(names.map(undated))]);
  if (!parts) return null;
  const [before, after] = [parts.before, parts.after].map((text) =>
    text.replace(/[.+^${}()|[\]\\?]/g, "\\$&").replaceAll("*", ".*")
  );
  return `^${before}(.*)${after}$`;
}

/** The words that all names begin and end with; null where a star for the rest would take other files. */
function commonParts(
  names: readonly string[],
): { readonly before: string; readonly after: string } | null {
  const [first, ...others] = names.map(wordsOf);
  if (others.length === 0) return null;
  const shared = (from: (words: readonly string[], i: number) => string) => {
    const shortest = Math.min(first.length, ...others.map((one) => one.length));
    let count = 0;
    while (
      count < shortest &&
      others.every((one) => from(one, count) === from(first, count))
    ) count++;
    return count;
  };
  const before = first.slice(0, shared((words, i) => words[i])).join("");
  const after = first.slice(
    first.length - shared((words, i) => words[words.length - 1 - i]),
  ).join("");
  if (names.some((name) => name.length <= before.length + after.length)) {
    return null;
  }
  const letters = (text: string) => text.match(/\p{L}/gu)?.length ?? 0;
  return letters(before) >= LEAST_LETTERS ||
      letters(after.replace(ENDING, "$1")) >= LEAST_LETTERS
    ? { before, after }
    : null;
}

/** A name in words, and what is between them: three of `calls_May`. */
function wordsOf(name: string): string[] {
  return name.match(/\p{Lu}*\p{Ll}+|\p{L}+|\p{N}+|[^\p{L}\p{N}]/gu) ?? [];
}
