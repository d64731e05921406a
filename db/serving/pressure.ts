/** Measures memory and lag, and carries out what overload.ts decides. */

import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import type { Admission, Cache, Work } from "../model/admission.ts";
import type { Log } from "../model/log.ts";
import type { Metric } from "../model/metric.ts";
import { StoreError } from "../model/problems.ts";
import { LoopLag } from "./loop_lag.ts";
import {
  isCalm,
  type Load,
  memoryStep,
  mustGiveWay,
  type ShedReason,
  shedReason,
  UNWATCHED,
} from "./overload.ts";

/** Between two measurements of the memory, in milliseconds. */
const MEMORY_EVERY_MS = 100;
/** Between two looks whether threads are to give way, in milliseconds. */
const GIVE_WAY_EVERY_MS = 100;
/** Between two full collections of garbage while memory is high; one takes up to 60 ms. */
const COLLECT_EVERY_MS = 10_000;

/** How loaded the process is, and what may begin. */
export class Pressure implements Admission {
  /** How much work was refused, by the reason. */
  readonly shed: Record<ShedReason, number> = { memory: 0, lag: 0 };
  readonly #limit_bytes: number | null;
  readonly #log: Log;
  readonly #giveWay: () => Promise<void>;
  readonly #caches: Cache[] = [];
  readonly #loads = new Set<AbortController>();
  #watch = UNWATCHED;
  #rss_bytes = 0;
  #reserved_bytes = 0;
  #running = 0;
  readonly #lag = new LoopLag();
  #collected_ms = -COLLECT_EVERY_MS;

  /**
   * `limit_bytes` is null for no limit. `giveWay` is called now and then while the event
   * loop is late. Nothing is measured before `start`.
   */
  constructor(
    { limit_bytes, log, giveWay = async () => {} }: {
      readonly limit_bytes: number | null;
      readonly log: Log;
      readonly giveWay?: () => Promise<void>;
    },
  ) {
    this.#limit_bytes = limit_bytes;
    this.#log = log;
    this.#giveWay = giveWay;
  }

  /** Measures until `stopping` is aborted. */
  start(stopping: AbortSignal): void {
    this.#lag.start(stopping);
    const every = (ms: number, look: () => void) => {
      const timer = setInterval(look, ms);
      stopping.addEventListener("abort", () => clearInterval(timer));
    };
    every(GIVE_WAY_EVERY_MS, () => {
      if (mustGiveWay(this.load)) void this.#giveWay();
    });
    if (this.#limit_bytes === null) return;
    every(
      MEMORY_EVERY_MS,
      () => this.measure(Deno.memoryUsage().rss, performance.now()),
    );
  }

  addCache(cache: Cache): void {
    this.#caches.push(cache);
  }

  /** Whether another question may begin beside those that run. */
  get is_calm(): boolean {
    return isCalm(this.load);
  }

  require(work: Work): void {
    this.#require(work, this.load);
  }

  reserve(work: Work): Disposable {
    // It has waited, so that the lag comes too late for it.
    this.#require(work, { ...this.load, lag_ms: 0 });
    this.#reserved_bytes += work.bytes;
    this.#running++;
    return {
      [Symbol.dispose]: () => {
        this.#reserved_bytes -= work.bytes;
        this.#running--;
      },
    };
  }

  #require(work: Work, load: Load): void {
    const reason = shedReason(work, load);
    if (reason === null) return;
    this.shed[reason]++;
    throw new StoreError(
      "busy",
      reason === "memory"
        ? "There is too little memory for this now (MEMORY_LIMIT_MB). Ask again in a moment, or for less."
        : "Too much is being answered. Ask again in a moment.",
      { retry_seconds: reason === "memory" ? 5 : 1 },
    );
  }

  /** A load of data, until the result is disposed. Its signal is aborted when it passes the limit. */
  beginLoad(): Disposable & { readonly signal: AbortSignal } {
    const controller = new AbortController();
    this.#loads.add(controller);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => void this.#loads.delete(controller),
    };
  }

  /** What is known now. */
  get load(): Load {
    return {
      limit_bytes: this.#limit_bytes,
      rss_bytes: this.#rss_bytes,
      reserved_bytes: this.#reserved_bytes,
      is_tolerated: this.#watch.is_tolerated,
      lag_ms: this.#lag.median_ms,
      high_lag_ms: this.#lag.high_ms,
      running: this.#running,
    };
  }

  get notice(): string | null {
    return this.#watch.is_tolerated ? this.#toleratedText() : null;
  }

  /** Takes a measurement, at `now_ms` of `performance.now()`, and does what follows from it. */
  measure(rss_bytes: number, now_ms: number): void {
    this.#rss_bytes = rss_bytes;
    const was_tolerated = this.#watch.is_tolerated;
    const cache_bytes = this.#caches.reduce((sum, { bytes }) => sum + bytes, 0);
    const { watch, keep_answers, end_loads } = memoryStep(this.#watch, {
      ...this.load,
      now_ms,
      cache_bytes,
      loads: this.#loads.size,
    });
    this.#watch = watch;
    for (const cache of this.#caches) cache.keep(keep_answers);
    if (end_loads) {
      const error = new StoreError(
        "full",
        `The load would take more memory than MEMORY_LIMIT_MB allows: the process has ${
          megabytes(rss_bytes)
        } MB of ${
          megabytes(this.#limit_bytes!)
        }. Raise it, or lower DUCKDB_MEMORY_LIMIT or CACHE_BYTES.`,
      );
      for (const load of this.#loads) load.abort(error);
    }
    const may_help = end_loads || !keep_answers;
    if (may_help && now_ms - this.#collected_ms >= COLLECT_EVERY_MS) {
      this.#collected_ms = now_ms;
      collectGarbage();
    }
    if (watch.is_tolerated && !was_tolerated) {
      this.#log({
        level: "warning",
        event: "memory_not_given_back",
        text: this.#toleratedText(),
        rss_bytes,
        limit_bytes: this.#limit_bytes,
      });
    }
  }

  /** Its metrics. */
  get metrics(): readonly Metric[] {
    return [
      {
        name: "tally_overload_shed_total",
        help:
          "Questions and downloads that were refused with 503 before they waited, by reason.",
        type: "counter",
        samples: () =>
          Object.entries(this.shed).map(([reason, value]) => ({
            labels: { reason },
            value,
          })),
      },
      {
        name: "tally_reserved_bytes",
        help: "Memory that the work that runs may take, by estimate.",
        type: "gauge",
        samples: () => [{ value: this.#reserved_bytes }],
      },
      {
        name: "tally_event_loop_lag_seconds",
        help:
          "The longest time in the last one to two minutes that the event loop was late.",
        type: "gauge",
        samples: () => [{ value: this.#lag.longest_ms / 1_000 }],
      },
      {
        name: "tally_memory_limit_bytes",
        help: "What the process may take; 0 for no limit.",
        type: "gauge",
        samples: () => [{ value: this.#limit_bytes ?? 0 }],
      },
    ];
  }

  #toleratedText(): string {
    return `The process has ${
      megabytes(this.#rss_bytes)
    } MB, near MEMORY_LIMIT_MB, although nothing runs and the cache is empty; no request is refused for it any more. A restart gives the memory back, or raise MEMORY_LIMIT_MB.`;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

let collect: (() => void) | undefined;

// What was thrown away counts as taken until it is collected, which V8 puts off.
function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
