/** Keeps encoded answers of the snapshot being served, within a number of bytes. */

import { LRUCache } from "lru-cache";
import type { Snapshot } from "../../db/store.ts";

/** An encoded answer. */
export interface Kept {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly is_gzip: boolean;
}

/** The largest answer that is kept, as a share of the whole. */
const LARGEST_SHARE = 1 / 8;
/** What an entry takes beside body and key, about. */
const ENTRY_BYTES = 256;

/** The answers that are asked for most lately; those of one snapshot only. */
export class AnswerCache {
  readonly #answers: LRUCache<string, Kept> | null;
  // A text and not the snapshot, which it would keep in memory after its end.
  #snapshot = "";

  /** Keeps at most `max_bytes`; nothing when that is 0. */
  constructor(max_bytes: number) {
    this.#answers = max_bytes === 0 ? null : new LRUCache({
      maxSize: max_bytes,
      maxEntrySize: Math.ceil(max_bytes * LARGEST_SHARE),
      sizeCalculation: ({ body }, key) =>
        body.length + 2 * key.length + ENTRY_BYTES,
    });
  }

  /** The answer if it is kept. A snapshot that was not asked before empties the cache. */
  get(snapshot: Snapshot, key: string): Kept | undefined {
    const name = nameOf(snapshot);
    if (this.#snapshot === name) return this.#answers?.get(key);
    this.#answers?.clear();
    this.#snapshot = name;
  }

  /** Keeps an answer, unless another snapshot is being served by now. */
  set(snapshot: Snapshot, key: string, answer: Kept): void {
    if (this.#snapshot === nameOf(snapshot)) this.#answers?.set(key, answer);
  }
}

/** What tells a snapshot from every other: the same files may be loaded again. */
export function nameOf({ data_version, loaded_at }: Snapshot): string {
  return `${data_version} ${loaded_at}`;
}
