/** Slots: so many at once, so many wait in order, who cannot end in time is refused at once. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { StoreError } from "../../../db/model/problems.ts";
import type { Limit, Run } from "../../../db/model/run.ts";
import { QuestionSlots } from "../../../db/serving/slots.ts";
import { Deadline } from "../../../routes/deadline.ts";
import { type Clock, takeClock } from "../../support/clock.ts";

const never = new AbortController().signal;
const patient: Limit = { signal: never, ends_at_ms: Infinity };

function within(time_ms: number): Limit {
  return { signal: never, ends_at_ms: performance.now() + time_ms };
}

function end(run: Run): void {
  run[Symbol.dispose]();
}

async function busy(waiting: Promise<Run>): Promise<StoreError> {
  const error = await assertRejects(() => waiting, StoreError);
  assertEquals(error.kind, "busy");
  return error;
}

Deno.test("take, more than may run: they wait in the order they came", async () => {
  const slots = new QuestionSlots({ concurrency: 2, queue: 3 });
  const order: string[] = [];
  const take = async (name: string) => {
    const run = await slots.take(patient);
    order.push(name);
    return run;
  };
  const [a, b] = await Promise.all([take("a"), take("b")]);
  const waiting = [take("c"), take("d"), take("e")];
  await busy(slots.take(patient));
  assertEquals(order, ["a", "b"]);

  end(a);
  end(a);
  const c = await waiting[0];
  // A slot given back twice is one slot.
  assertEquals(order, ["a", "b", "c"]);
  end(b);
  end(c);
  const rest = await Promise.all(waiting.slice(1));
  assertEquals(order, ["a", "b", "c", "d", "e"]);
  rest.forEach(end);
  using _first = await slots.take(patient);
  using _second = await slots.take(patient);
});

Deno.test("take, nobody may wait: refused at once", async () => {
  const slots = new QuestionSlots({ concurrency: 1, queue: 0 });
  const run = await slots.take(patient);
  await busy(slots.take(patient));
  end(run);
  using _ = await slots.take(patient);
});

Deno.test("take, aborted while waiting: it leaves its place to others", async () => {
  const slots = new QuestionSlots({ concurrency: 1, queue: 1 });
  const run = await slots.take(patient);
  const gone = new AbortController();
  const limit = { ...patient, signal: gone.signal };
  const waiting = slots.take(limit);
  gone.abort(new StoreError("cancelled", "gone"));
  await assertRejects(() => waiting, StoreError, "gone");
  await assertRejects(() => slots.take(limit), StoreError, "gone");
  const next = slots.take(patient);
  end(run);
  using _ = await next;
});

Deno.test("take, its time ends: the question is blamed only for what it took itself", async () => {
  using clock = takeClock({ stands: true });
  const slots = new QuestionSlots({ concurrency: 1, queue: 1 });
  // Waits for 300 ms of its 500, for 100, or for ever, and then takes too long.
  for (
    const [waits_ms, kind] of [[0, "timeout"], [100, "timeout"], [
      300,
      "busy",
    ], [Infinity, "busy"]] as const
  ) {
    const before = await slots.take(patient);
    const deadline = new Deadline(500);
    const ended = Promise.withResolvers<void>();
    deadline.signal.addEventListener("abort", () => ended.resolve());
    const taken = slots.take(deadline).then(end, () => {});
    if (waits_ms < Infinity) {
      clock.advance(waits_ms);
      end(before);
      await taken;
    }
    await ended.promise;
    assertEquals(deadline.signal.reason.kind, kind, `${waits_ms}`);
    await taken;
    end(before);
  }
});

/** Takes all four slots, holds them for 300 ms, and tells of each when it is free. */
async function holdFour(
  slots: QuestionSlots,
  { clock, limit = patient }: { clock: Clock; limit?: Limit },
): Promise<Run[]> {
  const runs = await Promise.all(
    Array.from({ length: 4 }, () => slots.take(limit)),
  );
  clock.advance(300);
  return runs;
}

Deno.test("take, in vain: refused as soon as those before it have shown how long they take", async () => {
  using clock = takeClock({ stands: true });
  const slots = new QuestionSlots({ concurrency: 4, queue: 100 });
  const limit = within(1_000);
  const runs = holdFour(slots, { clock });
  const refused: StoreError[] = [];
  const waiting = Array.from(
    { length: 40 },
    () => slots.take(limit).catch((error) => void refused.push(error)),
  );
  (await runs).forEach(end);
  await delay(0);
  // Four have begun, and 700 ms are left: 120 for itself alone, and 0.6 x 300 / 4 for
  // each of at most twelve ahead.
  assert(refused.length >= 40 - 4 - 13, `${refused.length}`);
  for (const { kind, retry_seconds } of refused) {
    assertEquals([kind, retry_seconds], ["busy", 1]);
  }
  // And from now on when it arrives.
  await busy(slots.take(limit));
  let ended = 0;
  for (const run of await Promise.all(waiting.slice(0, 4))) {
    if (!run) continue;
    ended++;
    end(run);
  }
  assertEquals(ended, 4);
});

Deno.test("take, too late when its turn comes: refused, and the next one begins", async () => {
  using clock = takeClock({ stands: true });
  const slots = new QuestionSlots({ concurrency: 1, queue: 2 });
  const first = await slots.take(patient);
  const late = busy(slots.take(within(10)));
  const next = slots.take(patient);
  clock.advance(30);
  end(first);
  await late;
  using _ = await next;
});

Deno.test("take, time only for fewer at once: they begin when fewer run, and nobody gets between", async () => {
  using clock = takeClock({ stands: true });
  const slots = new QuestionSlots({ concurrency: 4, queue: 10 });
  const limit = within(600);
  const firsts = holdFour(slots, { clock });
  const seconds = Array.from({ length: 4 }, () => slots.take(patient));
  const order: string[] = [];
  const take = (name: string) =>
    slots.take(limit).then((run) => {
      order.push(name);
      return run;
    });
  const waiting = ["a", "b"].map(take);
  (await firsts).forEach(end);
  const [first, second, third, fourth] = await Promise.all(seconds);
  // Less than 300 ms are left, which each takes of four; of three, 240.
  end(first);
  await delay(0);
  assertEquals(order, []);
  waiting.push(take("c"));
  await delay(0);
  assertEquals(order, []);
  end(second);
  await delay(0);
  assertEquals(order, ["a"]);
  end(third);
  await delay(0);
  assertEquals(order, ["a", "b"]);
  end(fourth);
  for (const run of waiting) end(await run);
  assertEquals(order, ["a", "b", "c"]);
});

Deno.test("take, after slow questions: a free slot is given at once, and what was slow is forgotten", async () => {
  using clock = takeClock({ stands: true });
  const slots = new QuestionSlots({ concurrency: 4, queue: 10 });
  const slow = holdFour(slots, { clock });
  const waiting = Array.from({ length: 4 }, () => slots.take(patient));
  (await slow).forEach(end);
  const runs = await Promise.all(waiting);
  await busy(slots.take(within(150)));
  runs.forEach(end);
  const firsts = await Promise.all(
    Array.from({ length: 4 }, () => slots.take(within(300))),
  );
  const others = Array.from({ length: 5 }, () => slots.take(within(300)));
  firsts.forEach(end);
  for (const other of others) end(await other);
});

Deno.test("take, left by their clients: such questions are no measure of the others", async () => {
  using clock = takeClock({ stands: true });
  const slots = new QuestionSlots({ concurrency: 4, queue: 10 });
  const gone = new AbortController();
  const left = holdFour(slots, {
    clock,
    limit: { ...patient, signal: gone.signal },
  });
  const waiting = Array.from({ length: 6 }, () => slots.take(within(1_000)));
  const runs = await left;
  gone.abort(new StoreError("cancelled", "gone"));
  runs.forEach(end);
  const last = slots.take(within(200));
  for (const run of waiting) end(await run);
  using _ = await last;
});

Deno.test("startQuery: one query of a question at a time, and none after its turn", async () => {
  const slots = new QuestionSlots({ concurrency: 1, queue: 0 });
  const run = await slots.take(patient);
  {
    using _ = run.startQuery();
    assertThrows(() => run.startQuery(), Error, "alone in it");
  }
  run.startQuery()[Symbol.dispose]();
  end(run);
  assertThrows(() => run.startQuery(), Error, "needs a turn");
});

Deno.test("take, how long it waited: nothing where a slot is free, however slow the machine is", async () => {
  const slots = new QuestionSlots({ concurrency: 1, queue: 1 });
  const waited_ms: number[] = [];
  const limit = { ...patient, begin: (ms: number) => void waited_ms.push(ms) };
  const first = await slots.take(limit);
  const second = slots.take(limit);
  await delay(30);
  end(first);
  end(await second);
  assertEquals(waited_ms[0], 0);
  assert(waited_ms[1] >= 25, `${waited_ms[1]}`);
});
