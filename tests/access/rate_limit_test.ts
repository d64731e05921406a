/** How many requests a client may send, at times that the test sets. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  isScarce,
  rateHeaders,
  RateLimits,
  spend,
} from "../../access/rate_limit.ts";

const RATE = { per_second: 2, burst: 4 };

Deno.test("a burst at once, then so many a second, and after a pause a burst again", () => {
  const limits = new RateLimits(RATE);
  const ask = (at_ms: number) => limits.count("a", at_ms);
  assertEquals([0, 0, 0, 0].map((at) => ask(at).remaining), [3, 2, 1, 0]);
  assertEquals(ask(0), {
    is_allowed: false,
    remaining: 0,
    retry_ms: 500,
    full_ms: 2_000,
  });
  // What is refused costs nothing.
  assertEquals(ask(499).is_allowed, false);
  assertEquals(ask(500).is_allowed, true);
  assertEquals(ask(500).is_allowed, false);
  assertEquals(limits.refused, 3);
  assertEquals(
    [9_000, 9_000, 9_000, 9_000, 9_000].map((at) => ask(at).is_allowed),
    [
      true,
      true,
      true,
      true,
      false,
    ],
  );
});

Deno.test("clients do not slow each other", () => {
  const limits = new RateLimits(RATE);
  for (let i = 0; i < 10; i++) limits.count("a", 0);
  assertEquals(limits.count("b", 0).remaining, 3);
});

Deno.test("in no second more requests than a burst and a second's worth, at any times and rates", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1_000 }),
    fc.integer({ min: 1, max: 100 }),
    fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 300 }),
    (per_second, burst, steps) => {
      const rate = { per_second, burst };
      let now_ms = 0;
      let full_at_ms: number | undefined;
      const allowed: number[] = [];
      for (const step of steps) {
        now_ms += step;
        const { is_allowed, full_ms, remaining, retry_ms } = spend(rate, {
          full_at_ms,
          now_ms,
        });
        assert(remaining >= 0 && remaining < burst);
        assertEquals(retry_ms === 0, is_allowed);
        if (!is_allowed) {
          const later = spend(rate, { full_at_ms, now_ms: now_ms + retry_ms });
          assert(later.is_allowed);
          continue;
        }
        full_at_ms = now_ms + full_ms;
        allowed.push(now_ms);
        const second = allowed.filter((at) => at > now_ms - 1_000).length;
        assert(second <= burst + per_second);
      }
    },
  ));
});

Deno.test("any whole rate: exactly a burst at once", () => {
  for (const per_second of [1, 3, 7, 9, 30, 333, 999, 1_000_000]) {
    for (const burst of [1, 3, 10, 999]) {
      const limits = new RateLimits({ per_second, burst });
      const standings = Array.from(
        { length: burst + 1 },
        () => limits.count("a", 12_345.678),
      );
      assertEquals(standings.map(({ is_allowed }) => is_allowed), [
        ...Array(burst).fill(true),
        false,
      ]);
      assertEquals(standings.map(({ remaining }) => remaining), [
        ...Array.from({ length: burst }, (_, i) => burst - 1 - i),
        0,
      ]);
    }
  }
});

Deno.test("a flood of clients: the table keeps its size, those known keep their limit, new ones share one", () => {
  const limits = new RateLimits(RATE, { most: 100 });
  while (limits.count("greedy", 0).is_allowed);
  for (let i = 0; i < 10_000; i++) limits.count(`flood ${i}`, 1);
  assert(limits.is_full);
  assert(limits.clients <= 101);
  assertEquals(limits.count("greedy", 2).is_allowed, false);
  assertEquals(limits.count("late", 2).is_allowed, false);
  // After it, those whose burst is whole make room.
  for (let i = 0; i < 100; i++) limits.count("again", 100_000 + i * 1_000);
  for (let i = 0; i < 100; i++) limits.count(`new ${i}`, 300_000 + i * 2_000);
  assert(!limits.is_full);
  assertEquals(limits.count("greedy", 600_000).remaining, 3);
});

Deno.test("headers, by the draft; and when a client should know", () => {
  const rate = { per_second: 2, burst: 100 };
  const left = (remaining: number) => ({
    is_allowed: true,
    remaining,
    retry_ms: 0,
    full_ms: 14_900,
  });
  assertEquals(rateHeaders(rate, left(70)), {
    "RateLimit-Policy": '"burst";q=100;w=50',
    "RateLimit": '"burst";r=70;t=15',
  });
  const refused = { ...left(0), is_allowed: false, retry_ms: 300 };
  assertEquals(rateHeaders(rate, refused)["RateLimit"], '"burst";r=0;t=1');
  assertEquals([20, 19].map((n) => isScarce(rate, left(n))), [false, true]);
  assert(isScarce({ per_second: 1, burst: 1 }, left(0)));
});
