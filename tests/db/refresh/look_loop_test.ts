/** When the data folder is looked at again. */

import { assertEquals } from "@std/assert";
import process from "node:process";
import { LookLoop } from "../../../db/refresh/look_loop.ts";
import { dataFolder } from "../../support/data_folder.ts";

const HOUR_MS = 3_600_000;

/** Looks in a loop whose own pause is an hour, until so many looks were made. */
async function looks(
  { count, look }: {
    readonly count: number;
    readonly look: (loop: LookLoop) => Promise<number>;
  },
): Promise<void> {
  await using folder = await dataFolder();
  const ended = new AbortController();
  const { signal } = ended;
  const loop = new LookLoop({
    data_dir: folder.path,
    refresh_ms: HOUR_MS,
    signal,
  });
  const warned: Error[] = [];
  const warn = (warning: Error) => void warned.push(warning);
  process.on("warning", warn);
  let made = 0;
  await loop.run({
    start: () => Promise.resolve(),
    look: () => {
      if (++made === count) ended.abort();
      return look(loop);
    },
    fail: (error) => Promise.reject(error),
  });
  process.off("warning", warn);
  assertEquals(made, count);
  assertEquals(warned, [], "the runtime warns of no timer");
}

Deno.test("a look is followed by another one at the time that it names", async () => {
  await looks({ count: 3, look: () => Promise.resolve(5) });
});

Deno.test("also when that time is over", async () => {
  await looks({ count: 3, look: () => Promise.resolve(-1_000) });
});

Deno.test("and at once when the loop was woken during it", async () => {
  await looks({
    count: 3,
    look: (loop) => {
      loop.wake();
      return Promise.resolve(Infinity);
    },
  });
});
