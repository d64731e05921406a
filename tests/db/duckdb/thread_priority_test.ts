/** Threads give way in a server whose event loop was late beside a download: their priorities, as the system shows them. */

import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { availableParallelism } from "node:os";
import { createThreadList } from "../../../db/duckdb/thread_priority.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { failingDuckDb } from "../../support/failing_duckdb.ts";
import { beginDownload, largeExports } from "../../support/large_download.ts";
import {
  type Start,
  startServer,
  waitFor,
} from "../../support/start_server.ts";
import { until } from "../../support/until.ts";

/** What `nice` says of each thread of a process, the first one first. */
async function priorities(pid: number): Promise<number[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `cat /proc/${pid}/task/*/stat`],
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n")
    // The name of a thread, in brackets, may have spaces.
    .map((line) => line.split(/^(\d+) \(.*\) /).slice(1))
    .map(([thread, rest]) => [Number(thread), Number(rest.split(" ")[16])])
    .sort(([a], [b]) => a - b)
    .map(([, nice]) => nice);
}

/** Stops the process for a moment, so that its event loop is late, while a download waits for its reader. */
async function beLate(
  start: Start,
  check: (pid: number) => Promise<void>,
): Promise<void> {
  await using folder = await dataFolder(largeExports());
  await using server = await startServer({ DATA_DIR: folder.path }, start);
  const { base_url, pid } = server;
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
  // Beside a download, a loop that was late by itself lowers them.
  assertEquals(new Set(await priorities(pid)), new Set([0]));
  const download = await beginDownload(base_url);
  Deno.kill(pid, "SIGSTOP");
  await delay(100);
  Deno.kill(pid, "SIGCONT");
  await check(pid);
  await download.rest();
}

const ignore = Deno.build.os !== "linux" || availableParallelism() < 2;

Deno.test({
  name: "all threads but the first one get the lowest priority",
  ignore,
  fn: () =>
    beLate({}, async (pid) => {
      await until(async () => {
        const [first, ...others] = await priorities(pid);
        return first === 0 && others.every((nice) => nice === 19);
      });
    }),
});

Deno.test({
  name: "without the right to set priorities, they stay as they are",
  ignore,
  fn: () =>
    beLate({ deno_flags: ["--deny-sys=setPriority"] }, async (pid) => {
      // As long as it takes with the right, ten times.
      await delay(2_000);
      assertEquals(new Set(await priorities(pid)), new Set([0]));
    }),
});

Deno.test("a list of threads that DuckDB has too little memory for is closed", async (t) => {
  for (const call of ["connect", "runAndReadAll"] as const) {
    await t.step(call, async () => {
      using duckdb = failingDuckDb(call);
      const list = createThreadList();
      await assertRejects(list, Error, "Out of Memory");
      await assertRejects(list, Error, "Out of Memory");
      duckdb[Symbol.dispose]();
      assertEquals(duckdb.instances.length, 2);
      for (const instance of duckdb.instances) {
        await assertRejects(() => instance.connect(), Error, "instance closed");
      }
    });
  }
});
