/** Waiting: what is expected of it, and when it is in vain. */

import { assertEquals } from "@std/assert";
import {
  canBegin,
  expectedWaitMs,
  isHopeless,
  median,
} from "../../../db/serving/waiting.ts";

Deno.test("expectedWaitMs: those ahead, as many at once as may run", () => {
  const table: [ahead: number, concurrency: number, ms: number | null][] = [
    [0, 4, 200],
    [1, 4, 200],
    [8, 4, 200],
    [8, 1, 200],
    [8, 4, null],
  ];
  assertEquals(
    table.map(([ahead, concurrency, service_ms]) =>
      expectedWaitMs({ ahead, concurrency, service_ms })
    ),
    [0, 50, 400, 1_600, 0],
  );
});

Deno.test("isHopeless: only what cannot end in time, even if those ahead take less than expected", async (t) => {
  const table: [
    what: string,
    ahead: number,
    service_ms: number | null,
    left_ms: number,
    hopeless: boolean,
  ][] = [
    ["nothing is known", 1_000, null, 1, false],
    ["nothing is known, but its time is over", 0, null, 0, true],
    // Alone it takes two fifths of 200.
    ["it begins now and has just enough time", 0, 200, 81, false],
    ["it begins now and has too little time", 0, 200, 80, true],
    ["its time is long over", 0, 200, -5, true],
    ["it waits, and has time for that", 30, 200, 2_000, false],
    // 0.6 of 40 x 200 / 4 = 1,200, and 80 of its own.
    ["it waits, and would have to be lucky", 40, 200, 1_281, false],
    ["it waits, and would have to be luckier", 40, 200, 1_280, true],
    ["it waits in vain", 64, 200, 2_000, true],
  ];
  for (const [what, ahead, service_ms, left_ms, hopeless] of table) {
    await t.step(what, () => {
      const place = { ahead, concurrency: 4, service_ms, left_ms };
      assertEquals(isHopeless(place), hopeless);
    });
  }
});

Deno.test("canBegin: the more run at once, the longer each takes", () => {
  const ends = (left_ms: number) =>
    [1, 2, 3, 4].map((running) =>
      canBegin({ concurrency: 4, service_ms: 200, left_ms }, running)
    );
  assertEquals(ends(80), [false, false, false, false]);
  assertEquals(ends(81), [true, false, false, false]);
  assertEquals(ends(121), [true, true, false, false]);
  assertEquals(ends(201), [true, true, true, true]);
  const alone = { concurrency: 1, service_ms: 200 };
  assertEquals(canBegin({ ...alone, left_ms: 201 }, 1), true);
  assertEquals(canBegin({ ...alone, left_ms: 200 }, 1), false);
  const unknown = { concurrency: 4, service_ms: null };
  assertEquals(canBegin({ ...unknown, left_ms: 1 }, 4), true);
});

Deno.test("median: one slow question among others is not the pace", () => {
  assertEquals(median([]), null);
  assertEquals(median([7]), 7);
  assertEquals(median([20, 2_000, 10]), 20);
  assertEquals(median([4, 1, 3, 2]), 3);
});
