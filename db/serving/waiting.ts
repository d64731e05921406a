/** How long a question waits for a slot, and whether it can still end in time: from what ended lately. */

/** Where a question stands when it waits for a slot. */
export interface Place {
  /** Questions that end before it begins; 0 when a slot is free for it. */
  readonly ahead: number;
  /** Questions that run at once. */
  readonly concurrency: number;
  /** How long a question holds its slot, in milliseconds; null while that is not known. */
  readonly service_ms: number | null;
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
  { ahead, concurrency, service_ms }: Omit<Place, "left_ms">,
): number {
  return ahead * (service_ms ?? 0) / concurrency;
}

/** Whether a question cannot end in time. */
export function isHopeless(place: Place): boolean {
  const wait_ms = CERTAIN_SHARE * expectedWaitMs(place);
  return wait_ms + (place.service_ms ?? 0) >= place.left_ms;
}

/** The middle one of some numbers; null of none. */
export function median(numbers: readonly number[]): number | null {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? null;
}
