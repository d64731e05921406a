/** Finds files by globs of tally.toml. */

/**
 * Whether a name fits a glob: `*` is any text, `?` any character; case does not matter,
 * nor whether letters and their marks are composed, which macOS does not.
 */
export function fitsGlob(name: string, glob: string): boolean {
  const [text, wanted] = [name, glob].map((of) =>
    Array.from(of.normalize("NFC").toLowerCase())
  );
  // The last * may take one character more whenever what follows it does not fit: a
  // regular expression with many stars would try every way to share the text out.
  let star = -1;
  let taken = 0;
  let at = 0;
  for (let i = 0; i < text.length;) {
    if (wanted[at] === "*") {
      star = at++;
      taken = i;
    } else if (wanted[at] === "?" || wanted[at] === text[i]) {
      at++;
      i++;
    } else if (star < 0) return false;
    else {
      at = star + 1;
      i = ++taken;
    }
  }
  return wanted.slice(at).every((char) => char === "*");
}
