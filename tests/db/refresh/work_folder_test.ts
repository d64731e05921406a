/** Work folders: private while held, gone after, and swept up when their process was killed. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { claimWorkFolder } from "../../../db/refresh/work_folder.ts";
import { dataFolder, namesIn } from "../../support/data_folder.ts";

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** A child process that holds a work folder of `parent` until it is told to end. */
async function holdInChild(parent: string) {
  const module = new URL("../../../db/refresh/work_folder.ts", import.meta.url);
  const script = `
    import { claimWorkFolder } from ${JSON.stringify(module.href)};
    const { path } = await claimWorkFolder(${JSON.stringify(parent)});
    await Deno.writeTextFile(path + "/database", "x");
    console.log(path);
    setInterval(() => {}, 1000);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let path = "";
  while (!path.endsWith("\n")) {
    const { value, done } = await reader.read();
    assert(!done, "the child ended before it held a folder");
    path += value;
  }
  return {
    path: path.trim(),
    async kill() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

Deno.test("claimWorkFolder, a released folder: gone with all that is in it", async () => {
  await using parent = await dataFolder();
  const claimed = await claimWorkFolder(parent.path);
  assert(claimed.path.startsWith(`${parent.path}/`));
  await Deno.mkdir(`${claimed.path}/deep/deeper`, { recursive: true });
  await Deno.writeTextFile(`${claimed.path}/deep/deeper/file`, "x");
  await claimed.release();
  assertEquals(await namesIn(parent.path), []);
});

Deno.test("claimWorkFolder, a parent that is not there: made", async () => {
  await using parent = await dataFolder();
  const claimed = await claimWorkFolder(`${parent.path}/a/b`);
  assertEquals(await namesIn(`${parent.path}/a/b`), [nameOf(claimed.path)]);
  await claimed.release();
});

Deno.test("claimWorkFolder, no parent given: in the system's temporary folder", async () => {
  const claimed = await claimWorkFolder();
  assert((await Deno.stat(claimed.path)).isDirectory);
  await claimed.release();
});

Deno.test("claimWorkFolder, a folder that others may not read", async () => {
  await using parent = await dataFolder();
  const claimed = await claimWorkFolder(parent.path);
  const { mode } = await Deno.stat(claimed.path);
  assertEquals(mode! & 0o077, 0);
  await claimed.release();
});

Deno.test("claimWorkFolder, of a killed process: removed by the next claim", async () => {
  await using parent = await dataFolder();
  const child = await holdInChild(parent.path);
  await child.kill();
  assertEquals(await namesIn(parent.path), [nameOf(child.path)]);

  const claimed = await claimWorkFolder(parent.path);
  assertEquals(await namesIn(parent.path), [nameOf(claimed.path)]);
  await claimed.release();
});

Deno.test("claimWorkFolder, of a live process: left alone", async () => {
  await using parent = await dataFolder();
  const child = await holdInChild(parent.path);
  try {
    const claimed = await claimWorkFolder(parent.path);
    await claimed.release();
    assertEquals(await namesIn(parent.path), [nameOf(child.path)]);
    assertEquals(await Deno.readTextFile(`${child.path}/database`), "x");
  } finally {
    await child.kill();
  }
});

Deno.test("claimWorkFolder, many at once: a folder each", async () => {
  await using parent = await dataFolder();
  const claimed = await Promise.all(
    Array.from({ length: 10 }, () => claimWorkFolder(parent.path)),
  );
  assertEquals(
    await namesIn(parent.path),
    claimed.map(({ path }) => nameOf(path)).sort(),
  );
  const [first, ...others] = claimed;
  await first.release();
  assertEquals((await namesIn(parent.path)).length, 9);
  await Promise.all(others.map((folder) => folder.release()));
  assertEquals(await namesIn(parent.path), []);
});

Deno.test("claimWorkFolder, what is not a work folder: left alone", async () => {
  await using parent = await dataFolder({
    "tally-notes": "a file",
    "tally-backup/customers.csv": "no lock in it",
    "other-app/lock": "another program's",
  });
  const before = await namesIn(parent.path);
  const claimed = await claimWorkFolder(parent.path);
  assertNotEquals(await namesIn(parent.path), before);
  await claimed.release();
  assertEquals(await namesIn(parent.path), before);
});
