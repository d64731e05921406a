/** Shared work: once for all who wait, ended with the last of them, never shared with later ones. */

import { assertEquals, assertRejects } from "@std/assert";
import { StoreError } from "../../db/model/problems.ts";
import type { Deadline } from "../../routes/deadline.ts";
import { SharedWork } from "../../routes/shared_work.ts";

/** Work that ends when it is told to, or with its deadline. */
function manual() {
  const started: PromiseWithResolvers<string>[] = [];
  return {
    started,
    work(deadline: Deadline): Promise<string> {
      deadline.begin(0);
      const own = Promise.withResolvers<string>();
      started.push(own);
      deadline.signal.addEventListener(
        "abort",
        () => own.reject(deadline.signal.reason),
      );
      return own.promise.finally(() => deadline[Symbol.dispose]());
    },
  };
}

const stays = () => new AbortController().signal;

Deno.test("run, equal keys at the same time: once; later: again", async () => {
  const { started, work } = manual();
  const shared = new SharedWork<string>();
  const run = (key: string) =>
    shared.run(key, { client: stays(), timeout_ms: 5_000, work });
  const two = [run("a"), run("a")];
  const other = run("b");
  assertEquals(started.length, 2);
  started[0].resolve("one");
  started[1].resolve("two");
  assertEquals(await Promise.all([...two, other]), ["one", "one", "two"]);
  const later = run("a");
  assertEquals(started.length, 3);
  started[2].resolve("three");
  assertEquals(await later, "three");
});

Deno.test("run, some leave: the others are answered; all leave: it is aborted", async () => {
  const { started, work } = manual();
  const shared = new SharedWork<string>();
  const clients = [new AbortController(), new AbortController()];
  const runs = clients.map(({ signal }) =>
    shared.run("a", { client: signal, timeout_ms: 5_000, work })
  );
  clients[0].abort();
  const error = await assertRejects(() => runs[0], StoreError);
  assertEquals(error.kind, "cancelled");
  started[0].resolve("one");
  assertEquals(await runs[1], "one");

  const gone = new AbortController();
  const alone = shared.run("a", {
    client: gone.signal,
    timeout_ms: 5_000,
    work,
  });
  gone.abort();
  // Who comes right after does not get what is being aborted.
  const next = shared.run("a", { client: stays(), timeout_ms: 5_000, work });
  await assertRejects(() => alone, StoreError);
  assertEquals(started.length, 3);
  started[2].resolve("three");
  assertEquals(await next, "three");
});

Deno.test("run, too slow: all who wait get the timeout; a client gone before: nothing runs", async () => {
  const { started, work } = manual();
  const shared = new SharedWork<string>();
  const runs = [1, 2].map(() =>
    shared.run("a", { client: stays(), timeout_ms: 20, work })
  );
  for (const run of runs) {
    const error = await assertRejects(() => run, StoreError);
    assertEquals(error.kind, "timeout");
  }
  await assertRejects(
    () =>
      shared.run("b", { client: AbortSignal.abort(), timeout_ms: 20, work }),
    StoreError,
  );
  assertEquals(started.length, 1);
});
