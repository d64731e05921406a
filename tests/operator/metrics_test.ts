/** The metrics of refreshes and of the process, printed for Prometheus. */

import { assert, assertEquals } from "@std/assert";
import { hold } from "../support/hold.ts";
import { setTimeout as delay } from "node:timers/promises";
import { Pressure } from "../../db/serving/pressure.ts";
import {
  createMetrics,
  processMetrics,
  storeMetrics,
} from "../../operator/metrics.ts";
import { scraped } from "../support/metric_lines.ts";
import { exportsOf, live, watchedStore } from "../support/watched_store.ts";

Deno.test("what is served, and what became of each refresh", async () => {
  await using watched = await watchedStore(exportsOf(1_000), {
    HOLD: "on",
    REFRESH_SECONDS: "1",
  });
  const metrics = createMetrics();
  metrics.add(...storeMetrics(watched.store));
  const read = async () => scraped(await metrics.text()).samples;
  const results = async () => {
    const samples = await read();
    return ["served", "unchanged", "held", "failed"].map((result) =>
      samples.get(`tally_refreshes_total{result="${result}"}`)
    );
  };

  const before = await read();
  assertEquals(before.get("tally_data_ready"), 0);
  assertEquals(before.has("tally_data_age_seconds"), false);
  assertEquals(before.has("tally_refresh_last_failed"), false);

  await live(watched, 1_000);
  const { data_version } = watched.snapshot;
  let samples = await read();
  for (
    const [series, value] of [
      ["tally_data_ready", 1],
      [`tally_data_info{data_version="${data_version}"}`, 1],
      ["tally_data_customers", 1],
      ["tally_data_interactions", 1_000],
      ["tally_data_rows_read", 1_001],
      ["tally_data_rows_set_aside", 0],
      ["tally_data_restored", 0],
      ["tally_data_notice", 0],
      ["tally_refresh_held", 0],
      ["tally_refresh_last_failed", 0],
    ] as const
  ) assertEquals(samples.get(series), value, series);
  assert(samples.get("tally_data_age_seconds")! >= 0);
  assert(samples.get("tally_refresh_last_seconds")! > 0);
  assertEquals(await results(), [1, 0, 0, 0]);

  await watched.folder.write({ "interactions.csv": "Nothing\n" });
  assertEquals((await watched.next()).state, "failed");
  assertEquals(await results(), [1, 0, 0, 1]);
  samples = await read();
  assertEquals(samples.get("tally_refresh_last_failed"), 1);
  assertEquals(samples.get("tally_data_notice"), 1);

  await watched.folder.write(exportsOf(1_000));
  await watched.next();
  assertEquals(await results(), [1, 1, 0, 1]);

  await watched.folder.write(exportsOf(2));
  assertEquals((await watched.next()).state, "held");
  assertEquals(await results(), [1, 1, 1, 1]);
  samples = await read();
  assertEquals(samples.get("tally_refresh_held"), 1);
  assertEquals(samples.get("tally_refresh_last_failed"), 0);
});

Deno.test("the event loop's lag is that of its longest delay", async () => {
  const ended = new AbortController();
  const before_ms = Date.now();
  const metrics = createMetrics();
  const pressure = new Pressure({ limit_bytes: null, log() {} });
  pressure.start(ended.signal);
  metrics.add(...pressure.metrics, ...processMetrics());
  try {
    await delay(300);
    hold(400);
    await delay(300);
    const { samples } = scraped(await metrics.text());
    assert(samples.get("tally_event_loop_lag_seconds")! >= 0.25);
    assert(samples.get("process_resident_memory_bytes")! > 10_000_000);
    const started = samples.get("process_start_time_seconds")!;
    assert(Math.abs(before_ms / 1_000 - started) < 60);
  } finally {
    ended.abort();
  }
});
