/** A queue of actions: in order, one at a time, whatever becomes of those before. */

import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { createInTurn } from "../../../db/model/in_turn.ts";

Deno.test("createInTurn: one at a time, in order, also after one that failed", async () => {
  const inTurn = createInTurn();
  const steps: string[] = [];
  const action = (name: string, ms: number) => async () => {
    steps.push(`${name} begins`);
    await delay(ms);
    steps.push(`${name} ends`);
    return name;
  };
  const slow = inTurn(action("slow", 20));
  const failed = inTurn(() => Promise.reject(new Error("no")));
  const quick = inTurn(action("quick", 0));
  await assertRejects(() => failed, Error, "no");
  assertEquals([await slow, await quick], ["slow", "quick"]);
  assertEquals(steps, [
    "slow begins",
    "slow ends",
    "quick begins",
    "quick ends",
  ]);
});
