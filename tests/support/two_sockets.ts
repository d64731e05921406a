/** A process with two sockets, as main.ts has with ADMIN_PORT, whose answers are slow: they come after the end has begun. */

import { setTimeout as delay } from "node:timers/promises";
import { readConfig } from "../../config.ts";
import { createStore } from "../../create_store.ts";
import { listen } from "../../operator/listening.ts";
import { printEntry } from "../../operator/log.ts";
import { createEnding, stopOnSignals } from "../../operator/stopping.ts";
import { Underway } from "../../routes/underway.ts";

/** Of each socket: the second one ends last. */
const SLOW_MS = [0, 500];

const ending = createEnding();
const { signal } = ending.finishing;
const listeners = SLOW_MS.map((slow_ms) =>
  listen({
    hostname: "127.0.0.1",
    port: 0,
    async answer() {
      console.log("asked");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await delay(slow_ms);
      return new Response("whole");
    },
    log: printEntry,
  })
);
const store = createStore(readConfig());
await store.open();
stopOnSignals({
  ending,
  drain_ms: 0,
  store,
  webhook: null,
  listeners,
  underway: new Underway(),
  requests: null,
  log: printEntry,
});
console.log(listeners.map(({ port }) => port).join(" "));
