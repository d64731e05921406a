/** Counts of requests: which answers are timed, and which count as the one before them. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  countAnswer,
  createRequestCounts,
} from "../../routes/request_counts.ts";

const ROUTE = { method: "GET", path: "/" };

Deno.test("an answer that was awaited is timed; of the others one in eight, and the next seven count as it does", () => {
  const counts = createRequestCounts().of(ROUTE);
  const count = (seconds: number, was_awaited: boolean) => {
    const before = counts.time[0];
    const came_ms = performance.now() - seconds * 1_000;
    countAnswer(counts, { status: 200, came_ms, was_awaited });
    return counts.time[0] - before;
  };
  const NEARLY = 10;
  assertAlmostEquals(count(100, false), 100, NEARLY);
  assertAlmostEquals(count(300, true), 300, NEARLY);
  assertAlmostEquals(count(200, false), 100, NEARLY);
  assertAlmostEquals(count(400, true), 400, NEARLY);
  for (let i = 4; i < 8; i++) {
    assertAlmostEquals(count(200, false), 100, NEARLY);
  }
  assertAlmostEquals(count(200, false), 200, NEARLY);
  assertAlmostEquals(count(500, false), 200, NEARLY);
  assertEquals(counts.by_status[200], 10);
  assertEquals(counts.by_bucket.reduce((sum, one) => sum + one), 10);
});

Deno.test("the first answer without a wait is timed, however many were awaited", () => {
  const counts = createRequestCounts().of(ROUTE);
  const came_ms = performance.now() - 100_000;
  const now_ms = performance.now();
  countAnswer(counts, { status: 200, came_ms: now_ms, was_awaited: true });
  countAnswer(counts, { status: 200, came_ms, was_awaited: false });
  assertAlmostEquals(counts.time[0], 100, 10);
});
