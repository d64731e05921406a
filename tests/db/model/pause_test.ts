/** Pauses: others are answered between pieces of work, and small pieces cost next to nothing. */

import { assert } from "@std/assert";
import { createPause } from "../../../db/model/pause.ts";

function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

Deno.test("pause, ten at work for half a second: requests are answered meanwhile", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("ok"),
  );
  let is_done = false;
  let answers = 0;
  const asking = (async () => {
    while (!is_done) {
      await (await fetch(`http://127.0.0.1:${server.addr.port}`)).text();
      answers++;
    }
  })();
  await Promise.all(Array.from({ length: 10 }, async () => {
    const pause = createPause();
    for (const end = performance.now() + 500; performance.now() < end;) {
      work(1);
      await pause();
    }
  }));
  is_done = true;
  await asking;
  // A request and its answer are some turns of the loop, each of 5 ms of one's work:
  // of all ten it would be 50 ms.
  assert(answers >= 5, `${answers} answers`);
});

Deno.test("pause, often: next to nothing until there was some work", async () => {
  const pause = createPause();
  const began = performance.now();
  for (let i = 0; i < 100_000; i++) await pause();
  assert(performance.now() - began < 2_000);
});
