/** Bytes seen four at a time, where the machine can read them so. */

/** The words of an array of bytes, and the bytes before and behind them. */
export interface Words {
  readonly words: Int32Array;
  /** Where the words begin. */
  readonly head: number;
  /** Where they end. */
  readonly tail: number;
}

/** Splits `bytes` into words and the few bytes around them; nothing is copied. */
export function wordsOf(bytes: Uint8Array): Words {
  const { buffer, byteOffset, length } = bytes;
  const head = Math.min((4 - byteOffset % 4) % 4, length);
  const count = (length - head) >> 2;
  return {
    words: count > 0
      ? new Int32Array(buffer, byteOffset + head, count)
      : new Int32Array(),
    head,
    tail: head + 4 * count,
  };
}
