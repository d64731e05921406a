/** Waits until every file of the data folder is complete. */

import { setTimeout as delay } from "node:timers/promises";
import type { StoreError } from "../model/problems.ts";
import { type ExportWatch, type Look, STEADY_MS } from "./export_watch.ts";

/**
 * A look that finds every file complete. Throws a refusal when one cannot be loaded,
 * and `incomplete` when one is still not complete after `settle_ms`.
 */
export async function lookWhole(
  watch: ExportWatch,
  { settle_ms, signal, incomplete }: {
    readonly settle_ms: number;
    readonly signal?: AbortSignal;
    readonly incomplete: (waiting: string) => StoreError;
  },
): Promise<Look> {
  let look = await watch.look();
  const patient_until = performance.now() + settle_ms;
  while (look.waiting.length > 0) {
    if (performance.now() > patient_until) {
      throw incomplete(look.waiting.join("\n"));
    }
    await delay(STEADY_MS, undefined, { signal });
    look = await watch.look();
  }
  if (look.problem) throw look.problem;
  return look;
}
