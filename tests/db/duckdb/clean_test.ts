/** Cleaning for an engine elsewhere: passing MEMORY_LIMIT_MB ends it at any of its steps, until its rows are handed over. */

import { assertEquals, assertRejects } from "@std/assert";
import { readConfig } from "../../../config.ts";
import { loadSettings } from "../../../create_store.ts";
import { createClean } from "../../../db/duckdb/clean.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { stageFolder } from "../../support/stage_folder.ts";
import { exportsOf } from "../../support/watched_store.ts";

/** Cleans and hands over; passes the limit at the step of that number. Returns the steps. */
async function clean(at: number): Promise<readonly string[]> {
  await using folder = await dataFolder(exportsOf(2));
  await using work = await dataFolder();
  const settings = { DATA_DIR: folder.path };
  await using exports = await stageFolder(`${work.path}/exports`, settings);
  const loads = new Set<AbortController>();
  const beginLoad = () => {
    const load = new AbortController();
    loads.add(load);
    return {
      signal: load.signal,
      [Symbol.dispose]: () => void loads.delete(load),
    };
  };
  const steps: string[] = [];
  const progress = (step: string) => {
    if (steps.push(step) !== at) return;
    for (const load of loads) load.abort(new StoreError("full", "too much"));
  };
  try {
    const cleaned = await createClean({
      ...loadSettings(readConfig(settings)),
      memory_limit: "300MB",
      threads: 1,
      pressure: { beginLoad },
    })(exports, {
      folder: work.path,
      strict: true,
      beside_readers: false,
      progress,
      signal: new AbortController().signal,
    });
    try {
      for await (const { table } of cleaned.pieces()) {
        progress(`sending ${table}`);
      }
      progress("checking the sums");
      await cleaned.sumsOf("interactions");
    } finally {
      cleaned.close();
    }
  } finally {
    assertEquals(loads.size, 0);
  }
  return steps;
}

Deno.test("cleaning that passes MEMORY_LIMIT_MB at the beginning of any of its steps fails", async (t) => {
  const steps = await clean(0);
  for (const [i, step] of steps.entries()) {
    await t.step(step, async () => {
      await assertRejects(() => clean(i + 1), StoreError, "too much");
    });
  }
});
