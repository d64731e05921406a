/** Loads that take too much memory: they fail with the setting's name, and what is served stays. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readConfig } from "../../../config.ts";
import { createStore } from "../../../create_store.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { Pressure } from "../../../db/serving/pressure.ts";
import { dataFolder, namesIn } from "../../support/data_folder.ts";
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

Deno.test("a load fails that passes MEMORY_LIMIT_MB at the beginning of any of its steps", async (t) => {
  await using folder = await dataFolder(exportsOf(1));
  await using staging = await dataFolder();
  /** Loads the folder, and passes the limit at the step of that number. */
  async function load(at: number): Promise<readonly string[]> {
    const pressure = new Pressure({ limit_bytes: 1e9, log() {} });
    const store = createStore(
      readConfig({
        DATA_DIR: folder.path,
        STAGING_DIR: staging.path,
        DUCKDB_THREADS: "1",
      }),
      { pressure, log() {} },
    );
    const steps: string[] = [];
    try {
      await store.load((step) => {
        if (steps.push(step) === at) pressure.measure(1.1e9, 0);
      });
    } finally {
      await store.close();
    }
    return steps;
  }

  const steps = await load(0);
  for (const [i, step] of steps.entries()) {
    await t.step(step, async () => {
      await assertRejects(() => load(i + 1), StoreError, "MEMORY_LIMIT_MB");
      assertEquals(await namesIn(staging.path), []);
    });
  }
});
