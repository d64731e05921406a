/** Pauses: whoever waits at a socket is answered within a few of them. */

import { assert } from "@std/assert";
import { createPause } from "../../../db/model/pause.ts";

/** A request and its answer are some ten events of sockets. */
const MOST_PAUSES = 40;

Deno.test("a request is answered while long work goes on beside it", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("here"),
  );
  let is_answered = false;
  const asked = fetch(`http://127.0.0.1:${server.addr.port}/`)
    .then((answer) => answer.text())
    .then(() => is_answered = true);
  const pause = createPause();
  let pauses = 0;
  while (!is_answered && pauses < 10 * MOST_PAUSES) {
    const resumed_at = performance.now();
    while (performance.now() - resumed_at < 10);
    await pause();
    pauses++;
  }
  await asked;
  assert(pauses <= MOST_PAUSES, `answered after ${pauses} pauses`);
});
