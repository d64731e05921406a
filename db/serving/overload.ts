/** Decides what is shed when there is too much load: by the memory that work may take, and by how late the event loop is. */

import type { Work } from "../model/admission.ts";

/** How loaded the process is. */
export interface Load {
  /** What the process may take; null for no limit. */
  readonly limit_bytes: number | null;
  /** What it has of the system's memory. */
  readonly rss_bytes: number;
  /** What the work that runs may take yet. */
  readonly reserved_bytes: number;
  /** Whether the measured memory does not count, since nothing can be done about it. */
  readonly is_tolerated: boolean;
  /** How late the event loop is, in milliseconds: the median of the last measurements. */
  readonly lag_ms: number;
  /** The longest one of them. */
  readonly high_lag_ms: number;
  /** Questions and downloads that run. */
  readonly running: number;
}

/** Why work is shed. */
export type ShedReason = "memory" | "lag";

/** The share of the limit above which the cache is emptied and downloads are refused. */
const HIGH = 7 / 8;
/** The lag above which work is refused while other work runs, in milliseconds: a refresh or a neighbour of the machine causes less. */
const MOST_LAG_MS: Readonly<Record<Work["kind"], number>> = {
  download: 100,
  question: 250,
};
/** The lag above which questions wait, although there are slots, and threads give way, in milliseconds. */
const CALM_LAG_MS = 5;

/** Whether another question may begin beside those that run, by the lag. */
export function isCalm({ lag_ms }: Pick<Load, "lag_ms">): boolean {
  return lag_ms <= CALM_LAG_MS;
}

/** Whether the threads that work for questions and downloads are to give way to the one that answers. */
export function mustGiveWay(
  { high_lag_ms, running }: Pick<Load, "high_lag_ms" | "running">,
): boolean {
  return running > 0 && high_lag_ms > CALM_LAG_MS;
}

/** Why work is refused now; null when it may begin. Without other work it always may, by the lag. */
export function shedReason(
  { kind, bytes }: Work,
  load: Load,
): ShedReason | null {
  const { limit_bytes, reserved_bytes, lag_ms, running } = load;
  if (limit_bytes !== null) {
    const taken_bytes = load.is_tolerated ? 0 : load.rss_bytes;
    const most_bytes = limit_bytes * (kind === "download" ? HIGH : 1);
    if (taken_bytes + reserved_bytes + bytes > most_bytes) return "memory";
  }
  return running > 0 && lag_ms > MOST_LAG_MS[kind] ? "lag" : null;
}

/** What is known of the memory over time. */
export interface MemoryWatch {
  /** Since when it has been high although there is nothing that could be given back; null when it is not so. */
  readonly idle_high_since_ms: number | null;
  readonly is_tolerated: boolean;
}

/** The watch of a process that has just begun. */
export const UNWATCHED: MemoryWatch = {
  idle_high_since_ms: null,
  is_tolerated: false,
};

/** What was measured, beside the load. */
export interface Measured
  extends
    Pick<Load, "limit_bytes" | "rss_bytes" | "reserved_bytes" | "running"> {
  readonly now_ms: number;
  readonly cache_bytes: number;
  /** Loads of data that run. */
  readonly loads: number;
}

/** What is done about the memory. */
export interface MemoryStep {
  readonly watch: MemoryWatch;
  /** Whether answers are kept; if not, the cache is emptied. */
  readonly keep_answers: boolean;
  /** Whether the loads that run fail. */
  readonly end_loads: boolean;
}

/** How long memory stays high, with nothing to give back, until it is tolerated, in milliseconds. */
const TOLERATED_AFTER_MS = 60_000;

/** What is done about the memory after a measurement. */
export function memoryStep(
  { idle_high_since_ms, is_tolerated }: MemoryWatch,
  measured: Measured,
): MemoryStep {
  const { now_ms, limit_bytes, rss_bytes, cache_bytes, loads } = measured;
  const high_bytes = limit_bytes === null ? Infinity : limit_bytes * HIGH;
  const is_high = rss_bytes > high_bytes;
  const is_short = rss_bytes + measured.reserved_bytes > high_bytes;
  const is_idle = cache_bytes === 0 && measured.running === 0 && loads === 0;
  const since_ms = is_high && is_idle ? idle_high_since_ms ?? now_ms : null;
  // Work that begins then does not end it, only memory that is given back.
  const tolerated = is_high &&
    (is_tolerated ||
      since_ms !== null && now_ms - since_ms >= TOLERATED_AFTER_MS);
  return {
    watch: { idle_high_since_ms: since_ms, is_tolerated: tolerated },
    keep_answers: !is_short || tolerated,
    // The cache is emptied before.
    end_loads: loads > 0 && (cache_bytes === 0 || tolerated) &&
      limit_bytes !== null && rss_bytes > limit_bytes,
  };
}
