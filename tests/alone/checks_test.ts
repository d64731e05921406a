/** Checks of files, one after the other: they leave no memory, no handle and no file behind. */

import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { namesIn } from "../support/data_folder.ts";
import { exportsOf, live, watchedStore } from "../support/watched_store.ts";

/** The number of files that this process has open. */
async function handles(): Promise<number> {
  // Deno lists /proc itself only with --allow-all, which the tests do without.
  const { stdout } = await new Deno.Command("ls", {
    args: [`/proc/${Deno.pid}/fd`],
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

Deno.test("twenty checks: no memory, no handle and no file more", async () => {
  await using watched = await watchedStore(exportsOf(1_000));
  await live(watched, 1_000);
  const { store, staging } = watched;
  const { signal } = new AbortController();
  const check = async (count: number) => {
    const body = new Blob([exportsOf(count)["interactions.csv"] as string]);
    const { report } = await store.files
      .check("interactions.csv", body.stream(), { signal });
    assertEquals(report!.interactions, count);
  };
  for (let i = 0; i < 4; i++) await check(100_000);
  const before = { rss: Deno.memoryUsage().rss, handles: await handles() };
  for (let i = 0; i < 20; i++) await check(100_000 + i);
  const grown_mb = (Deno.memoryUsage().rss - before.rss) / 2 ** 20;
  assert(grown_mb < 150, `${grown_mb} MB`);
  const more = await handles() - before.handles;
  assert(more < 10, `${more} handles`);
  // The lock, and the database that is served.
  const [folder] = await namesIn(staging.path);
  let left = await namesIn(`${staging.path}/${folder}`);
  for (let i = 0; i < 40 && left.length > 2; i++) {
    await delay(25);
    left = await namesIn(`${staging.path}/${folder}`);
  }
  assertEquals(left.length, 2, left.join());
});
