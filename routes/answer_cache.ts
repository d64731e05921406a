/** Keeps encoded answers of the snapshot being served, within a number of bytes. */

import { LRUCache } from "lru-cache";
import type { Metric } from "../db/model/metric.ts";
import type { Snapshot } from "../db/store.ts";

/** An encoded answer. */
export interface Kept {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly is_gzip: boolean;
}

/** The share of the bytes for requests, and for the largest answer. */
const EIGHTH = 1 / 8;
/** The bytes that an entry takes beside its texts and its body, about. */
const ENTRY_BYTES = 512;

/**
 * The most recent answers, and the requests for them, of one snapshot only.
 * `Understood` is the parsed form of a request.
 */
export class AnswerCache<Understood extends object> {
  readonly #answers: LRUCache<string, Kept> | null = null;
  readonly #requests: LRUCache<string, Understood> | null = null;
  #is_keeping = true;
  #hits = 0;
  #misses = 0;
  // Texts and not the snapshot, which they would keep in memory after its end.
  #data_version = "";
  #loaded_at = "";

  /** Keeps at most `max_bytes`; nothing when that is 0. */
  constructor(max_bytes: number) {
    if (max_bytes === 0) return;
    this.#answers = new LRUCache({
      maxSize: Math.ceil(max_bytes * (1 - EIGHTH)),
      maxEntrySize: Math.ceil(max_bytes * EIGHTH),
      sizeCalculation: ({ body }, key) =>
        body.length + 2 * key.length + ENTRY_BYTES,
    });
    this.#requests = new LRUCache({
      maxSize: Math.ceil(max_bytes * EIGHTH),
      sizeCalculation: (_, request) => 2 * request.length + ENTRY_BYTES,
    });
  }

  /** The answer if it is kept. A snapshot that was not asked before empties the cache. */
  get(snapshot: Snapshot, key: string): Kept | undefined {
    this.#turnTo(snapshot);
    const kept = this.#answers?.get(key);
    if (kept) this.#hits++;
    return kept;
  }

  /** Counts an answer that has to be made, since it is not kept. */
  countMiss(): void {
    this.#misses++;
  }

  /** Its size. */
  get bytes(): number {
    return (this.#answers?.calculatedSize ?? 0) +
      (this.#requests?.calculatedSize ?? 0);
  }

  /** Whether it keeps anything from now on; when it must not, it is emptied. */
  keep(is_keeping: boolean): void {
    if (!is_keeping && this.#is_keeping) this.#clear();
    this.#is_keeping = is_keeping;
  }

  /** Its use and its size. */
  get metrics(): readonly Metric[] {
    const metric = (
      name: string,
      { read, ...metric }: Pick<Metric, "help" | "type"> & { read(): number },
    ): Metric => ({ name, ...metric, samples: () => [{ value: read() }] });
    return [
      metric("tally_cache_hits_total", {
        help: "Answers that came from the answer cache.",
        type: "counter",
        read: () => this.#hits,
      }),
      metric("tally_cache_misses_total", {
        help: "Answers that had to be made by a query.",
        type: "counter",
        read: () => this.#misses,
      }),
      metric("tally_cache_bytes", {
        help: "Size of the answer cache in bytes.",
        type: "gauge",
        read: () => this.bytes,
      }),
    ];
  }

  /** Keeps an answer, unless another snapshot is served now. */
  set(
    snapshot: Snapshot,
    { key, answer }: { readonly key: string; readonly answer: Kept },
  ): void {
    if (!this.#is_keeping || !this.#isOf(snapshot)) return;
    this.#answers?.set(key, answer);
  }

  /** The parsed form of a request with this text; undefined when it is not kept. */
  understood(snapshot: Snapshot, request: string): Understood | undefined {
    this.#turnTo(snapshot);
    return this.#requests?.get(request);
  }

  /** Keeps the parsed form of a request; `snapshot` is the served one. */
  understand(
    snapshot: Snapshot,
    { request, as }: { readonly request: string; readonly as: Understood },
  ): void {
    this.#turnTo(snapshot);
    if (this.#is_keeping) this.#requests?.set(request, as);
  }

  #turnTo(snapshot: Snapshot): void {
    if (this.#isOf(snapshot)) return;
    this.#clear();
    this.#data_version = snapshot.data_version;
    this.#loaded_at = snapshot.loaded_at;
  }

  // Also when the same files are loaded again, it is another one.
  #isOf({ data_version, loaded_at }: Snapshot): boolean {
    return this.#data_version === data_version && this.#loaded_at === loaded_at;
  }

  #clear(): void {
    this.#answers?.clear();
    this.#requests?.clear();
  }
}

/** A name that no other snapshot has, also when the same files are loaded again. */
export function nameOf({ data_version, loaded_at }: Snapshot): string {
  return `${data_version} ${loaded_at}`;
}
