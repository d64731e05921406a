/** The order of texts that does not depend on a language: by code point, which is also that of their UTF-8. */

/** Compares two texts, for sorting. */
export function byCodePoint(a: string, b: string): number {
  let at = 0;
  // Nothing is made of the texts: they may be long, and many, and alike at first.
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  // The second halves of two pairs, or one of them: the characters begin before.
  const halves = isSecondHalf(a.charCodeAt(at)) ||
    isSecondHalf(b.charCodeAt(at));
  if (halves && isFirstHalf(a.charCodeAt(at - 1))) at--;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}

function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
