/** How far two words are apart, to find the one that was meant. */

/**
 * How many letters to change, add, leave out or swap with the next make `a` into `b`:
 * the optimal string alignment distance, in UTF-16 units.
 */
export function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const is_same = a[i - 1] === b[j - 1];
      const is_swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] &&
        a[i - 2] === b[j - 1];
      row.push(Math.min(
        row[j - 1] + 1,
        rows[i - 1][j] + 1,
        rows[i - 1][j - 1] + (is_same ? 0 : 1),
        is_swapped ? rows[i - 2][j - 2] + 1 : Infinity,
      ));
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** The word among `words` that was meant by a misspelt one, whatever its case; undefined when none is near. */
export function nearest(
  word: string,
  words: readonly string[],
): string | undefined {
  const limit = 1 + Math.floor(word.length / 4);
  const near = words
    // A longer or shorter word has as many edits at least.
    .filter((one) => Math.abs(one.length - word.length) <= limit)
    .map((one) => ({
      one,
      edits: editDistance(word.toLowerCase(), one.toLowerCase()),
    }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits);
  return near.at(0)?.one;
}
