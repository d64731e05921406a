/** Makes globs for the names of files, which take those and no other file of the folder. */

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
  const others = all.filter((name) => !own.includes(name));
  const glob = globOf(own);
  if (glob !== null && !others.some((name) => fits(name, glob))) {
    return [{ glob, names: own }];
  }
  // Each by itself, in dates that are not those of the others.
  return own.map((name) => {
    const one = globOf([name])!;
    const rest = all.filter((other) => other !== name);
    return {
      glob: rest.some((other) => fits(other, one)) ? name : one,
      names: [name],
    };
  });
}

/** What the names have in common, with a star for dates and numbers; null where that is nothing. */
function globOf(names: readonly string[]): string | null {
  const globs = new Set(names.map((name) => {
    const [, stem, ending] = /^(.*?)((?:\.csv|\.tsv)?\.\w+)$/.exec(name) ??
      ["", name, ""];
    const begin = stem.replace(/\d[\d\s_.:-]*([AP]M)?(?=\D*$).*$|\d[^]*$/i, "");
    // A name of digits alone says nothing: it stands for itself.
    if (begin.length < 3) return name;
    return begin === stem ? name : `${begin}*${ending}`;
  }));
  return globs.size === 1 ? [...globs][0] : null;
}

function fits(name: string, glob: string): boolean {
  const shape = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*").replaceAll("?", ".");
  return RegExp(`^${shape}$`, "is").test(name);
}
