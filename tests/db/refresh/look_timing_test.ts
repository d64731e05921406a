/** Tests what follows a look at the data folder: a load, a rest, or another look soon. */

import { assertEquals } from "@std/assert";
import { STEADY_MS } from "../../../db/intake/export_watch.ts";
import {
  type AfterLook,
  afterLook,
  type Looked,
  NOT_LOOKED,
} from "../../../db/refresh/look_timing.ts";

/** Looks in turn, each at a time; what is loaded is done. */
function follow(
  looks: readonly {
    readonly identity: string;
    readonly time: number;
    readonly waiting?: readonly string[];
  }[],
  before: Looked = NOT_LOOKED,
): { looked: Looked; then: AfterLook[] } {
  let looked = before;
  const then = looks.map(({ time, waiting = [], ...look }) => {
    const after = afterLook(looked, { look: { ...look, waiting }, time });
    looked = after.looked;
    if (after.then === "load" || after.then === "retry") {
      looked = { ...looked, done: look.identity, retry_at: Infinity };
    }
    return after.then;
  });
  return { looked, then };
}

Deno.test("files that are there at the start are loaded at once, and once", () => {
  const { then } = follow([
    { identity: "a", time: 0 },
    { identity: "a", time: 10 },
  ]);
  assertEquals(then, ["load", "rest"]);
});

Deno.test("files that change are loaded when two looks apart saw the same", () => {
  const { then } = follow([
    { identity: "a", time: 0 },
    { identity: "b", time: 1_000 },
    { identity: "c", time: 1_000 + STEADY_MS },
    { identity: "c", time: 1_000 + 2 * STEADY_MS - 1 },
    { identity: "c", time: 1_000 + 2 * STEADY_MS },
  ]);
  assertEquals(then, ["load", "soon", "soon", "soon", "load"]);
});

Deno.test("files that are not complete are looked at again soon, also at the start", () => {
  const { then } = follow([
    { identity: "a", time: 0, waiting: ["a.csv grows"] },
    { identity: "a", time: STEADY_MS },
  ]);
  assertEquals(then, ["soon", "load"]);
});

Deno.test("what failed for want of a disk is loaded again at its time, also after a look that waits", () => {
  const { looked } = follow([{ identity: "a", time: 0 }]);
  const { then } = follow([
    { identity: "a", time: 29_999 },
    { identity: "a", time: 30_000, waiting: ["b.csv grows"] },
    { identity: "a", time: 30_001 },
    { identity: "a", time: 30_002 },
  ], { ...looked, retry_at: 30_000 });
  assertEquals(then, ["rest", "soon", "retry", "rest"]);
});

Deno.test("a request for a refresh loads the same files again", () => {
  const { looked } = follow([{ identity: "a", time: 0 }]);
  const { then } = follow(
    [{ identity: "a", time: 1 }],
    { ...looked, done: null },
  );
  assertEquals(then, ["load"]);
});
