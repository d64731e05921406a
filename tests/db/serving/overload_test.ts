/** What is shed, in every state: memory that work may take, memory that is not given back, and lag. */

import { assertEquals } from "@std/assert";
import type { Work } from "../../../db/model/admission.ts";
import {
  isCalm,
  type Load,
  type Measured,
  memoryStep,
  type MemoryWatch,
  mustGiveWay,
  shedReason,
  UNWATCHED,
} from "../../../db/serving/overload.ts";

const MB = 1e6;
const LOAD: Load = {
  limit_bytes: 800 * MB,
  rss_bytes: 400 * MB,
  reserved_bytes: 0,
  is_tolerated: false,
  lag_ms: 0,
  high_lag_ms: 0,
  running: 0,
};

Deno.test("shedReason: downloads first, at seven eighths of the memory; questions at all of it; by what they take", async (t) => {
  const cases: [
    name: string,
    load: Partial<Load>,
    work: Work,
    reason: string | null,
  ][] = [
    ["room", {}, { kind: "download", bytes: 300 * MB }, null],
    ["just too much", {}, { kind: "download", bytes: 301 * MB }, "memory"],
    ["a question has more", {}, { kind: "question", bytes: 400 * MB }, null],
    ["not more than all", {}, { kind: "question", bytes: 401 * MB }, "memory"],
    [
      "what runs counts",
      { reserved_bytes: 380 * MB },
      { kind: "question", bytes: 21 * MB },
      "memory",
    ],
    [
      "a small one still may",
      { reserved_bytes: 380 * MB },
      { kind: "question", bytes: 20 * MB },
      null,
    ],
    [
      "tolerated: measured memory does not count",
      { is_tolerated: true, rss_bytes: 790 * MB },
      { kind: "download", bytes: 20 * MB },
      null,
    ],
    [
      "tolerated: what runs still does",
      { is_tolerated: true, reserved_bytes: 790 * MB },
      { kind: "question", bytes: 20 * MB },
      "memory",
    ],
    [
      "no limit",
      { limit_bytes: null, rss_bytes: 1e12, reserved_bytes: 1e12 },
      { kind: "download", bytes: 1e12 },
      null,
    ],
    ["lag", { lag_ms: 101, running: 1 }, { kind: "download", bytes: 0 }, "lag"],
    ["less for a question", { lag_ms: 250, running: 1 }, {
      kind: "question",
      bytes: 0,
    }, null],
    [
      "more lag",
      { lag_ms: 251, running: 1 },
      { kind: "question", bytes: 0 },
      "lag",
    ],
    [
      "lag that is not ours",
      { lag_ms: 900 },
      { kind: "download", bytes: 0 },
      null,
    ],
  ];
  for (const [name, load, work, reason] of cases) {
    await t.step(name, () => {
      assertEquals(shedReason(work, { ...LOAD, ...load }), reason);
    });
  }
  assertEquals([5, 6].map((lag_ms) => isCalm({ lag_ms })), [true, false]);
});

Deno.test("mustGiveWay: above 5 ms of lag, while something runs that could", () => {
  for (const running of [0, 1]) {
    assertEquals(
      [5, 6].map((high_lag_ms) => mustGiveWay({ high_lag_ms, running })),
      [false, running === 1],
    );
  }
});

const IDLE: Measured = {
  ...LOAD,
  now_ms: 0,
  cache_bytes: 0,
  loads: 0,
};

Deno.test("memoryStep: the cache first, then the loads; nothing without a limit", () => {
  const step = (measured: Partial<Measured>) => {
    const { keep_answers, end_loads } = memoryStep(UNWATCHED, {
      ...IDLE,
      loads: 1,
      ...measured,
    });
    return { keep_answers, end_loads };
  };
  assertEquals(step({ rss_bytes: 700 * MB }), {
    keep_answers: true,
    end_loads: false,
  });
  assertEquals(step({ rss_bytes: 701 * MB }), {
    keep_answers: false,
    end_loads: false,
  });
  // What runs may take it.
  assertEquals(step({ rss_bytes: 500 * MB, reserved_bytes: 201 * MB }), {
    keep_answers: false,
    end_loads: false,
  });
  assertEquals(step({ rss_bytes: 801 * MB, cache_bytes: 1 }), {
    keep_answers: false,
    end_loads: false,
  });
  assertEquals(step({ rss_bytes: 801 * MB }), {
    keep_answers: false,
    end_loads: true,
  });
  assertEquals(step({ rss_bytes: 801 * MB, loads: 0 }).end_loads, false);
  assertEquals(step({ limit_bytes: null, rss_bytes: 1e12 }), {
    keep_answers: true,
    end_loads: false,
  });
});

Deno.test("memoryStep: tolerated after a minute in which nothing could be given back, until it is", () => {
  let watch: MemoryWatch = UNWATCHED;
  const at = (seconds: number, measured: Partial<Measured> = {}) => {
    const step = memoryStep(watch, {
      ...IDLE,
      rss_bytes: 750 * MB,
      now_ms: seconds * 1_000,
      ...measured,
    });
    watch = step.watch;
    return watch.is_tolerated;
  };
  assertEquals(at(0), false);
  assertEquals(at(59), false);
  // Work, a cache or a load begins the minute anew.
  assertEquals(at(59.5, { running: 1 }), false);
  assertEquals(at(60), false);
  assertEquals(at(100, { cache_bytes: 1 }), false);
  assertEquals(at(101, { loads: 1 }), false);
  assertEquals(at(102), false);
  assertEquals(at(161.9), false);
  assertEquals(at(162), true);
  // It stays so while work runs and answers are kept again.
  assertEquals(at(163, { running: 3, cache_bytes: 5 * MB }), true);
  assertEquals(
    memoryStep(watch, { ...IDLE, rss_bytes: 750 * MB }).keep_answers,
    true,
  );
  // A load that passes the whole limit fails even then.
  assertEquals(
    memoryStep(watch, {
      ...IDLE,
      rss_bytes: 801 * MB,
      cache_bytes: 5,
      loads: 1,
    }).end_loads,
    true,
  );
  assertEquals(at(164, { rss_bytes: 700 * MB }), false);
  assertEquals(at(165), false);
});
