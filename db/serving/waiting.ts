/** How long a question waits for a slot, and whether it can still end in time: from what ended lately. */

/** What ended lately. */
export interface Pace {
  /** Questions that run at once at most. */
  readonly concurrency: number;
  /**
   * How long a question holds its slot while all others are held too, in
   * milliseconds; null while that is not known.
   */
  readonly service_ms: number | null;
}

/** Where a question stands that waits for a slot. */
export interface Place extends Pace {
  /** Questions that end before it begins; 0 when a slot is free for it. */
  readonly ahead: number;
  /** Until its time is over, in milliseconds. */
  readonly left_ms: number;
}

/**
 * The share of the expected wait that is taken as certain. The first questions of a
 * burst take up to a third longer than those that follow.
 */
const CERTAIN_SHARE = 0.6;

/** How long a question waits for its slot, in milliseconds; 0 while that is not known. */
export function expectedWaitMs(
  { ahead, concurrency, service_ms }: Pick<Place, "ahead" | keyof Pace>,
): number {
  return ahead * (service_ms ?? 0) / concurrency;
}

/** Whether a question cannot end in time, even if it runs alone. */
export function isHopeless(place: Place): boolean {
  const wait_ms = CERTAIN_SHARE * expectedWaitMs(place);
  return wait_ms + ownTimeMs(place, 1) >= place.left_ms;
}

/** Whether a question ends in time that begins now and makes `running` at once. */
export function canBegin(
  place: Pace & Pick<Place, "left_ms">,
  running: number,
): boolean {
  return ownTimeMs(place, running) < place.left_ms;
}

// They share the cores, but not all of their time is on one: of four a list took
// 184 ms, and 63 alone.
function ownTimeMs({ concurrency, service_ms }: Pace, running: number): number {
  return (service_ms ?? 0) * (running + 1) / (concurrency + 1);
}

/** The middle one of some numbers; null of none. */
export function median(numbers: readonly number[]): number | null {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? null;
}
