/** Waits for what a running server does by itself. */

import { assert } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";

/** Waits until something holds; fails after `seconds`, which are more than SETTLE_SECONDS and a busy machine take. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { seconds = 60 }: { readonly seconds?: number } = {},
): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  while (!await holds()) {
    assert(performance.now() < end, "waited in vain");
    await delay(10);
  }
}
