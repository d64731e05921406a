/** Pressure asks threads to give way while the event loop is late, and not otherwise. */

import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { Pressure } from "../../../db/serving/pressure.ts";
import { hold } from "../../support/hold.ts";

Deno.test("threads are asked to give way when the loop was held beside work, until all is stopped", async () => {
  let asked = 0;
  const pressure = new Pressure({
    limit_bytes: null,
    log() {},
    giveWay: () => Promise.resolve(void asked++),
  });
  const stopping = new AbortController();
  pressure.start(stopping.signal);
  /** Held for 50 ms, then left alone for long enough that it is noticed. */
  const holdOnce = async () => {
    hold(50);
    await delay(150);
  };
  await holdOnce();
  assertEquals(asked, 0, "nothing runs");
  const work = pressure.reserve({ kind: "question", bytes: 0 });
  await holdOnce();
  assert(asked > 0);
  work[Symbol.dispose]();
  stopping.abort();
  asked = 0;
  using _ = pressure.reserve({ kind: "question", bytes: 0 });
  await holdOnce();
  assertEquals(asked, 0, "stopped");
});
