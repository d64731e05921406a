/** Random choices that a seed repeats, for questions that two servers are asked alike. */

/** Choices made one after the other; the same seed makes the same ones. */
export interface Random {
  /** A whole number from 0 to `end` - 1. */
  below(end: number): number;
  /** Whether something happens that has this share of all cases. */
  chance(share: number): boolean;
  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** 1 to `most` elements of a list that is not empty, each once. */
  some<T>(list: readonly T[], most: number): T[];
}

/** Starts at `seed`, a whole number below 2^32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  // Mulberry32: good enough to choose questions, and short.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    chance: (share) => next() < share,
    pick: (list) => list[below(list.length)],
    some(list, most) {
      const left = [...list];
      const count = Math.min(1 + below(most), left.length);
      return Array.from(
        { length: count },
        () => left.splice(below(left.length), 1)[0],
      );
    },
  };
}
