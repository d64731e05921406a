/** Refreshes: what is picked up and when, what goes live, what stays. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { gzipSync } from "node:zlib";
import { readConfig } from "../../../config.ts";
import { createStore } from "../../../create_store.ts";
import { takeClock } from "../../support/clock.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { ioError } from "../../support/io_error.ts";
import { until } from "../../support/until.ts";
import {
  exportsOf,
  live,
  staysFor,
  watchedStore,
} from "../../support/watched_store.ts";

Deno.test("every way of changing files is picked up", async (t) => {
  await using watched = await watchedStore(exportsOf(1));
  const { folder } = watched;
  const file = `${folder.path}/interactions.csv`;
  const text = (interactions: number) =>
    exportsOf(interactions)["interactions.csv"] as string;
  const first = await live(watched, 1);
  assertEquals(first.changes, null);

  await t.step("a rewrite in place", async () => {
    await Deno.writeTextFile(file, text(2));
    const { changes } = await live(watched, 2);
    assertEquals(changes!.tables.interactions, { rows_added: 1, rows_gone: 0 });
  });
  await t.step("a rename over it", async () => {
    await Deno.writeTextFile(`${folder.path}/.new`, text(3));
    await Deno.rename(`${folder.path}/.new`, file);
    await live(watched, 3);
  });
  await t.step("a second rename over it", async () => {
    await Deno.writeTextFile(`${folder.path}/.new`, text(4));
    await Deno.rename(`${folder.path}/.new`, file);
    await live(watched, 4);
  });
  await t.step("a file more", async () => {
    await folder.write({
      "interactions_2.csv": text(2).replaceAll("2020", "2021"),
    });
    await live(watched, 6);
  });
  await t.step("a file less", async () => {
    await Deno.remove(`${folder.path}/interactions_2.csv`);
    await live(watched, 4);
  });
  await t.step("a folder of parts", async () => {
    await folder.write({ "interactions/a.csv": text(5) });
    await live(watched, 9);
    await Deno.remove(`${folder.path}/interactions`, { recursive: true });
    await live(watched, 4);
  });
  await t.step("the folder made again", async () => {
    await Deno.remove(folder.path, { recursive: true });
    const gone = await watched.next();
    assertEquals(gone.state, "failed");
    assertStringIncludes(gone.reasons[0], "does not exist");
    assertEquals(watched.snapshot.row_counts.interactions, 4);
    await Deno.mkdir(folder.path);
    await folder.write(exportsOf(5));
    let refresh = await watched.next();
    // Between the two files it may have found one alone.
    if (refresh.state === "failed") refresh = await watched.next();
    assertEquals(watched.snapshot.row_counts.interactions, 5);
  });
  assertEquals(watched.logged, []);
});

Deno.test("a STAGING_DIR that is gone: the version stays, the reason names the setting, and it ends well", async () => {
  await using watched = await watchedStore(exportsOf(3));
  const { staging, folder } = watched;
  await live(watched, 3);
  await Deno.remove(staging.path, { recursive: true });
  await folder.write(exportsOf(4));
  const { state, reasons } = await watched.next();
  assertEquals(state, "failed");
  assertEquals(reasons, [
    `STAGING_DIR="${staging.path}": must be a folder that this process may write (it is not there)`,
  ]);
  assertEquals(watched.snapshot.row_counts.interactions, 3);
  await watched.store.close();
  assertEquals(watched.logged, []);
  // For the end of the test, which removes it.
  await Deno.mkdir(staging.path);
});

Deno.test("a link that is swapped, as Kubernetes mounts files", async () => {
  await using watched = await watchedStore({
    "..2024_1/customers.csv": exportsOf(1)["customers.csv"],
    "..2024_1/interactions.csv": exportsOf(1)["interactions.csv"],
    "..2024_2/customers.csv": exportsOf(2)["customers.csv"],
    "..2024_2/interactions.csv": exportsOf(2)["interactions.csv"],
  });
  const { path } = watched.folder;
  await Deno.symlink("..2024_1", `${path}/..data`);
  for (const name of ["customers.csv", "interactions.csv"]) {
    await Deno.symlink(`..data/${name}`, `${path}/${name}`);
  }
  await watched.until(() => watched.store.snapshot !== null);
  assertEquals(watched.snapshot.row_counts.interactions, 1);
  await Deno.symlink("..2024_2", `${path}/..data_tmp`);
  await Deno.rename(`${path}/..data_tmp`, `${path}/..data`);
  await watched.until(() => watched.snapshot.row_counts.interactions === 2);
});

Deno.test("the same bytes under another time or name change nothing", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await live(watched, 1);
  const { path } = watched.folder;
  await staysFor(watched, async () => {
    await Deno.utime(`${path}/customers.csv`, new Date(), new Date());
    await Deno.rename(`${path}/interactions.csv`, `${path}/interactions_7.csv`);
  });
  assertEquals(watched.store.refreshes.state, "serving");
});

Deno.test("a file that comes and is not read is logged, and no refresh", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await live(watched, 1);
  await staysFor(watched, async () => {
    await watched.folder.write({ "intractions_2.csv": "" });
    watched.store.refreshes.request();
    await watched.until(() => watched.logged.length > 0);
  });
  assertEquals(watched.logged, [
    "New in DATA_DIR and not read: 1. Name exports as docs/file-contract.md says, or let tally.toml name them.",
  ]);
});

Deno.test("changes during a build lead to exactly one more", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await live(watched, 1);
  const file = `${watched.folder.path}/interactions.csv`;
  const write = (interactions: number) =>
    Deno.writeTextFile(
      file,
      exportsOf(interactions)["interactions.csv"] as string,
    );
  await write(300_000);
  await watched.until(() => watched.store.refreshes.state === "building");
  for (const interactions of [2, 3, 4]) await write(interactions);
  const refresh = await watched.next();
  assertEquals(refresh.state, "serving");
  // Where the copy saw the file change under it, there is no first one.
  if (watched.snapshot.row_counts.interactions === 300_000) {
    await watched.next();
  }
  assertEquals(watched.snapshot.row_counts.interactions, 4);
  await staysFor(watched, () => {});
});

Deno.test("files that change under the first load: it is still building, and nothing has failed", async () => {
  await using folder = await dataFolder(exportsOf(1));
  await using staging = await dataFolder();
  const store = createStore(readConfig({
    DATA_DIR: folder.path,
    STAGING_DIR: staging.path,
    REFRESH_SECONDS: "1",
  }));
  await using _ = { [Symbol.asyncDispose]: () => store.close() };
  const file = `${folder.path}/customers.csv`;
  Deno.writeTextFileSync(file, "Number\n1\n");
  let loads = 0;
  store.watch(() => {
    if (++loads > 1) return;
    Deno.writeTextFileSync(file, "Customer_Id\n1\n");
  });
  const states = new Set<string>();
  await until(() => {
    if (!store.snapshot) states.add(store.refreshes.state);
    return store.snapshot !== null;
  });
  assertEquals([...states], ["building"]);
  assertEquals(store.refreshes.history.map(({ state }) => state), ["serving"]);
});

Deno.test("a failure leaves what is served, and says why", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await live(watched, 1);
  await watched.folder.write({ "customers.csv": "Number\n1\n" });
  const refresh = await watched.next();
  assertEquals(refresh.state, "failed");
  assertStringIncludes(refresh.reasons[0], "no column Customer_Id");
  assertEquals(watched.store.refreshes.state, "failed");
  assertEquals(watched.snapshot.row_counts.interactions, 1);
  await watched.folder.write(exportsOf(1));
  await watched.until(() => watched.store.refreshes.state === "serving");
  assertEquals(watched.store.problem, null);
});

Deno.test("with nothing good at the start it goes live when the files are mended", async () => {
  await using watched = await watchedStore({ "customers.csv": "Number\n1\n" });
  assertEquals((await watched.next()).state, "failed");
  assertEquals(watched.store.snapshot, null);
  await watched.folder.write(exportsOf(2));
  await watched.until(() => watched.store.snapshot !== null);
  assertEquals(watched.snapshot.row_counts.interactions, 2);
});

Deno.test("the sample is said to be it, until other files are served", async () => {
  const sample = new URL("../../../data/", import.meta.url);
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(sample)) {
    files[name] = await Deno.readTextFile(new URL(name, sample));
  }
  await using watched = await watchedStore(files);
  await watched.next();
  assertStringIncludes(watched.store.notice!, "This is the sample");
  for (const name of Object.keys(files)) {
    if (name.startsWith(".")) continue;
    await watched.folder.write({ [name]: `${files[name]}\n` });
  }
  await watched.until(() => watched.store.notice === null);
});

Deno.test("a data folder that is away is a notice, and no longer one when it is back", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await live(watched, 1);
  const { path } = watched.folder;
  await Deno.rename(path, `${path}-away`);
  assertEquals((await watched.next()).state, "failed");
  assertStringIncludes(
    watched.store.notice!,
    `DATA_DIR=${path} does not exist`,
  );
  assertEquals(watched.store.problem, null);
  await Deno.rename(`${path}-away`, path);
  assertStringIncludes((await live(watched, 1)).reasons[0], "which is served");
  assertEquals(watched.store.notice, null);
});

Deno.test("a mount that fails under an export: no part goes live, it is said once, and loaded when it is back", async (t) => {
  await using watched = await watchedStore(exportsOf(1));
  const { folder, store } = watched;
  await live(watched, 1);
  const part = "interactions_2.csv.gz";
  const cannotBeRead = [
    `${part}: cannot be read: Input/output error (os error 5). Check the disks and mounts of DATA_DIR and STAGING_DIR.`,
  ];
  await t.step("while it is copied", async () => {
    using clock = takeClock();
    const { read } = Deno.FsFile.prototype;
    let reads = 0;
    Deno.FsFile.prototype.read = () => {
      reads++;
      return Promise.reject(ioError());
    };
    try {
      const { "interactions.csv": text } = exportsOf(2, { day: "01/02/2021" });
      await folder.write({ [part]: gzipSync(text) });
      const { state, reasons } = await watched.next();
      assertEquals([state, reasons], ["failed", cannotBeRead]);
      await staysFor(watched, async () => {
        const before = reads;
        clock.advance(3_600_000);
        await watched.until(() => reads > before);
      });
      Deno.FsFile.prototype.read = read;
      clock.advance(3_600_000);
      await live(watched, 3);
    } finally {
      Deno.FsFile.prototype.read = read;
    }
  });
  for (const name of ["realPath", "stat"] as const) {
    await t.step(`while it is looked for: ${name}`, async () => {
      const works = Deno[name];
      // deno-lint-ignore no-explicit-any
      const of_deno = Deno as any;
      of_deno[name] = (path: string) =>
        path.endsWith(part) ? Promise.reject(ioError()) : works(path);
      try {
        const { state, reasons } = await watched.next();
        assertEquals([state, reasons], ["failed", cannotBeRead]);
        assertEquals(watched.snapshot.row_counts.interactions, 3);
      } finally {
        of_deno[name] = works;
      }
      await live(watched, 3);
    });
  }
  assertEquals([watched.logged, store.notice], [[], null]);
});
