/** Turns of questions that need not wait. */

import type { Run } from "../../db/model/run.ts";
import { QuestionSlots } from "../../db/serving/slots.ts";

/** A turn that `signal` ends, by default never. */
export function turn(
  signal: AbortSignal = new AbortController().signal,
): Promise<Run> {
  const slots = new QuestionSlots({ concurrency: 1, queue: 0 });
  return slots.take({ signal, ends_at_ms: Infinity });
}
