/** Loads that take too much memory: they fail with the setting's name, and what is served stays. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Pressure } from "../../../db/serving/pressure.ts";
import { exportsOf, live, watchedStore } from "../../support/watched_store.ts";

Deno.test("a load that passes MEMORY_LIMIT_MB fails, the served data stays, and a smaller one goes live", async () => {
  const pressure = new Pressure({ limit_bytes: 1e9, log() {} });
  await using watched = await watchedStore(exportsOf(1), {}, { pressure });
  pressure.measure(0.9e9, 0);
  await live(watched, 1);

  const timer = setInterval(() => pressure.measure(1.1e9, 0), 1);
  try {
    await watched.folder.write(exportsOf(200_000));
    const refresh = await watched.next();
    assertEquals(refresh.state, "failed");
    assertStringIncludes(refresh.reasons[0], "MEMORY_LIMIT_MB");
    assertStringIncludes(refresh.reasons[0], "1100 MB of 1000");
    assertEquals(watched.snapshot.row_counts.interactions, 1);
  } finally {
    clearInterval(timer);
  }
  assertEquals(watched.logged, []);

  pressure.measure(0.5e9, 1);
  await watched.folder.write(exportsOf(2));
  await live(watched, 2);
});
