/** Slots: how many questions run at once and how many wait; who cannot end in time is refused at once. */

import type { Metric } from "../model/metric.ts";
import { StoreError, tooMany } from "../model/problems.ts";
import { type Limit, Run } from "../model/run.ts";
import { canBegin, expectedWaitMs, isHopeless, median } from "./waiting.ts";

/** The bounds, in questions. */
export interface SlotLimits {
  readonly concurrency: number;
  readonly queue: number;
  /** Whether those that wait may begin beside others; always where it is left out. */
  readonly isCalm?: () => boolean;
}

/** How busy the slots are. */
export interface SlotCounts {
  readonly running: number;
  readonly waiting: number;
  readonly shed: number;
}

/** Of so many questions that ended last the time is kept. */
const TIMES_KEPT = 16;
/** Fewer say too little: the first ones of a burst take up to twice as long as others. */
const TIMES_LEAST = 4;

/** A question that waits. */
interface Waiting {
  readonly ends_at_ms: number;
  start(): void;
  refuse(left_ms: number): void;
}

/** Slots that questions take in the order they come. */
export class QuestionSlots {
  readonly #limits: SlotLimits;
  #taken = 0;
  #shed = 0;
  // In the order of arrival; an aborted one takes itself out.
  readonly #waiting = new Set<Waiting>();
  // How long the last ones held their slots, in milliseconds, since a slot was
  // free: one slow question in a quiet hour says nothing of a later burst.
  #times_ms: number[] = [];

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** The numbers of questions: that run, that wait, and that were refused so far. */
  get counts(): SlotCounts {
    return {
      running: this.#taken,
      waiting: this.#waiting.size,
      shed: this.#shed,
    };
  }

  /**
   * Waits for a slot and gives the turn that holds it until it is disposed. Throws a
   * StoreError "busy" as soon as it is certain that the question cannot end in time,
   * or at once when the queue is full; and the signal's reason when it is aborted.
   * Tells the limit how long the question waited for it.
   */
  async take(limit: Limit): Promise<Run> {
    const { signal } = limit;
    signal.throwIfAborted();
    const { concurrency } = this.#limits;
    const came = performance.now();
    const is_free = this.#taken < concurrency && this.#waiting.size === 0;
    if (is_free) this.#taken++;
    else await this.#wait(limit);
    const began = performance.now();
    limit.begin?.(is_free ? 0 : began - came);
    return new Run(signal, () => {
      // How long an answer would have taken that nobody waits for is not known.
      if (!isCancelled(signal)) {
        this.#times_ms.push(performance.now() - began);
        if (this.#times_ms.length > TIMES_KEPT) this.#times_ms.shift();
      }
      this.#taken--;
      this.#advance();
    });
  }

  #wait({ signal, ends_at_ms }: Limit): Promise<void> {
    const ahead = this.#waiting.size + 1;
    const left_ms = ends_at_ms - performance.now();
    if (
      this.#waiting.size >= this.#limits.queue ||
      isHopeless({ ...this.#pace(), ahead, left_ms })
    ) throw this.#busy(left_ms);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      signal.removeEventListener("abort", onAbort);
      this.#waiting.delete(waiting);
    };
    const waiting: Waiting = {
      ends_at_ms,
      start: () => {
        leave();
        resolve();
      },
      refuse: (left_ms) => {
        leave();
        reject(this.#busy(left_ms));
      },
    };
    const onAbort = () => {
      leave();
      reject(signal.reason);
      this.#advance();
    };
    this.#waiting.add(waiting);
    signal.addEventListener("abort", onAbort);
    return promise;
  }

  // Slots go to those who wait longest. One stays free where the next question ends
  // in time only if it shares the cores with fewer: it begins when one of these ends.
  #advance(): void {
    const pace = this.#pace();
    const now_ms = performance.now();
    let ahead = 0;
    for (const waiting of this.#waiting) {
      const left_ms = waiting.ends_at_ms - now_ms;
      if (isHopeless({ ...pace, ahead, left_ms })) waiting.refuse(left_ms);
      else ahead++;
    }
    for (const waiting of this.#waiting) {
      const left_ms = waiting.ends_at_ms - now_ms;
      if (this.#taken === this.#limits.concurrency) return;
      // One at a time still may, so that none waits for what others do.
      if (this.#taken > 0 && this.#limits.isCalm?.() === false) return;
      if (!canBegin({ ...pace, left_ms }, this.#taken + 1)) return;
      this.#taken++;
      waiting.start();
    }
    if (this.#taken < this.#limits.concurrency) this.#times_ms = [];
  }

  #pace() {
    const { concurrency } = this.#limits;
    // The quickest end first: less than a round of them says too little as well.
    const least = Math.max(TIMES_LEAST, concurrency);
    const is_known = this.#times_ms.length >= least;
    return {
      concurrency,
      service_ms: is_known ? median(this.#times_ms) : null,
    };
  }

  #busy(left_ms: number): StoreError {
    this.#shed++;
    const ahead = this.#waiting.size + 1;
    // Who comes after those that wait now begins when the time of these is over.
    const wait_ms = Math.min(
      expectedWaitMs({ ...this.#pace(), ahead }),
      left_ms,
    );
    return tooMany(Math.max(1, Math.ceil(wait_ms / 1_000)));
  }
}

function isCancelled({ reason }: AbortSignal): boolean {
  return reason instanceof StoreError && reason.kind === "cancelled";
}

/** The slots of a process, whichever snapshot is asked. */
export interface Slots {
  readonly questions: QuestionSlots;
  /** A download waits for its client, for minutes if need be. */
  readonly downloads: QuestionSlots;
  /** For the prepared query of one customer, which runs once at a time. */
  readonly customers: QuestionSlots;
}

/** The metrics of slots, by their name in `slots`. */
export function slotMetrics(slots: Slots): Metric[] {
  const samples = (count: keyof SlotCounts) => () =>
    Object.entries(slots).map(([queue, one]: [string, QuestionSlots]) => ({
      labels: { queue },
      value: one.counts[count],
    }));
  return [
    {
      name: "tally_queue_length",
      help: "Questions that wait for a slot, by queue.",
      type: "gauge",
      samples: samples("waiting"),
    },
    {
      name: "tally_questions_running",
      help: "Questions that have a slot, by queue.",
      type: "gauge",
      samples: samples("running"),
    },
    {
      name: "tally_shed_requests_total",
      help:
        "Requests that were refused because they could not end in time, or the queue was full, by queue.",
      type: "counter",
      samples: samples("shed"),
    },
  ];
}

/** The settings that bound how many questions there are. */
export interface SlotSettings {
  readonly QUERY_CONCURRENCY: number;
  readonly DOWNLOAD_CONCURRENCY: number;
  readonly QUERY_QUEUE: number;
}

/** Customers' questions that wait. Each takes 1.4 ms at most, so the last waits 1.4 s. */
const CUSTOMERS_QUEUE = 1_000;

/** Makes the slots of a process. */
export function createSlots(
  settings: SlotSettings,
  { isCalm }: Pick<SlotLimits, "isCalm"> = {},
): Slots {
  const queue = settings.QUERY_QUEUE;
  return {
    questions: new QuestionSlots({
      concurrency: settings.QUERY_CONCURRENCY,
      queue,
      isCalm,
    }),
    downloads: new QuestionSlots({
      concurrency: settings.DOWNLOAD_CONCURRENCY,
      queue,
      isCalm,
    }),
    customers: new QuestionSlots({ concurrency: 1, queue: CUSTOMERS_QUEUE }),
  };
}
