/** Pauses between pieces of work: others have their turn while something is served. */

import { assertEquals } from "@std/assert";
import { createPace } from "../../db/pace.ts";
import { hold } from "../support/hold.ts";

Deno.test("a pace pauses only while something is served", async (t) => {
  for (const is_serving of [false, true]) {
    await t.step(is_serving ? "serving" : "not serving", async () => {
      const order: string[] = [];
      const pace = createPace(() => is_serving);
      const working = (async () => {
        for (const piece of ["first", "second"]) {
          order.push(piece);
          hold(2);
          await pace();
        }
      })();
      const answering = new Promise<void>((done) =>
        setTimeout(() => void done(void order.push("answer")))
      );
      await Promise.all([working, answering]);
      assertEquals(
        order,
        is_serving
          ? ["first", "answer", "second"]
          : ["first", "second", "answer"],
      );
    });
  }
});
