/** Pauses: others are answered between pieces of work, and small pieces cost next to nothing. */

import { assert } from "@std/assert";
import { createPause, noteRequest } from "../../../db/model/pause.ts";
import { hold } from "../../support/hold.ts";

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
      hold(1);
      await pause();
    }
  }));
  is_done = true;
  await asking;
  // A request and its answer are some turns of the loop, each of 5 ms of one's work:
  // of all ten it would be 50 ms.
  assert(answers >= 5, `${answers} answers`);
});

/** How often the event loop turns while a work pauses once. */
async function turnsOfPause(inEachTurn: () => void): Promise<number> {
  let turns = 0;
  let is_over = false;
  (function turn() {
    inEachTurn();
    turns++;
    if (!is_over) setTimeout(turn, 0);
  })();
  const pause = createPause();
  hold(10);
  await pause();
  is_over = true;
  return turns;
}

Deno.test("pause, while requests keep coming: they have some turns of the loop, and not all", async () => {
  const alone = await turnsOfPause(() => {});
  assert(alone < 8, `${alone} turns without requests`);
  const beside = await turnsOfPause(noteRequest);
  assert(beside >= 8 && beside < 30, `${beside} turns beside requests`);
});

Deno.test("pause, often: next to nothing until there was some work", async () => {
  const pause = createPause();
  const began = performance.now();
  for (let i = 0; i < 100_000; i++) await pause();
  assert(performance.now() - began < 2_000);
});
