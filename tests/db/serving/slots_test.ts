/** Slots: so many at once, so many wait in order, more are refused at once. */

import { assertEquals, assertRejects } from "@std/assert";
import { QuerySlots } from "../../../db/serving/slots.ts";
import { StoreError } from "../../../db/model/problems.ts";

const never = new AbortController().signal;

Deno.test("take, more than may run: they wait in the order they came", async () => {
  const slots = new QuerySlots({ concurrency: 2, queue: 3 });
  const order: string[] = [];
  const take = async (name: string) => {
    const slot = await slots.take(never);
    order.push(name);
    return slot;
  };
  const [a, b] = await Promise.all([take("a"), take("b")]);
  const waiting = [take("c"), take("d"), take("e")];
  const error = await assertRejects(() => slots.take(never), StoreError);
  assertEquals(error.kind, "busy");
  assertEquals(order, ["a", "b"]);

  a[Symbol.dispose]();
  a[Symbol.dispose]();
  const c = await waiting[0];
  // A slot given back twice is one slot.
  assertEquals(order, ["a", "b", "c"]);
  b[Symbol.dispose]();
  c[Symbol.dispose]();
  const rest = await Promise.all(waiting.slice(1));
  assertEquals(order, ["a", "b", "c", "d", "e"]);
  rest.forEach((slot) => slot[Symbol.dispose]());
  using _first = await slots.take(never);
  using _second = await slots.take(never);
});

Deno.test("take, nobody may wait: refused at once", async () => {
  const slots = new QuerySlots({ concurrency: 1, queue: 0 });
  const slot = await slots.take(never);
  await assertRejects(() => slots.take(never), StoreError);
  slot[Symbol.dispose]();
  using _ = await slots.take(never);
});

Deno.test("take, aborted while waiting: it leaves its place to others", async () => {
  const slots = new QuerySlots({ concurrency: 1, queue: 1 });
  const slot = await slots.take(never);
  const gone = new AbortController();
  const waiting = slots.take(gone.signal);
  gone.abort(new Error("gone"));
  await assertRejects(() => waiting, Error, "gone");
  await assertRejects(() => slots.take(gone.signal), Error, "gone");
  const next = slots.take(never);
  slot[Symbol.dispose]();
  using _ = await next;
});
