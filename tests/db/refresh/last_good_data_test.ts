/** The last good data: kept, served at the start, and gone back to. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";
import {
  exportsOf,
  live,
  staysFor,
  watchedStore,
} from "../../support/watched_store.ts";

Deno.test("the last good data is served at the start, and rolled back to", async (t) => {
  await using state = await dataFolder();
  const settings = { STATE_DIR: state.path };
  await t.step("what goes live is kept", async () => {
    await using watched = await watchedStore(exportsOf(1), settings);
    await live(watched, 1);
    await watched.folder.write(exportsOf(2, { channel: "Ann's call" }));
    await live(watched, 2);
    // Beside them is the lock.
    await watched.until(() => [...Deno.readDirSync(state.path)].length === 3);
  });
  await t.step("broken exports: the last good data, and why", async () => {
    await using watched = await watchedStore({
      "customers.csv": "broken",
    }, settings);
    const restored = await watched.next();
    assertEquals(restored.state, "serving");
    assertStringIncludes(restored.reasons[0], "the last good data");
    const { snapshot } = watched;
    assertEquals(snapshot.channels, ["Ann's call"]);
    assertEquals(
      Array.from((await snapshot.countByChannel({ customer_id: 1 }))!),
      [2],
    );
    assertEquals((await watched.next()).state, "failed");
    assertEquals(watched.store.refreshes.restored, true);
    assertEquals(watched.store.snapshot, snapshot);
  });
  await t.step("the same exports: nothing is built", async () => {
    await using watched = await watchedStore(
      exportsOf(2, { channel: "Ann's call" }),
      settings,
    );
    await live(watched, 2);
    assertEquals(watched.store.refreshes.restored, true);
    assertStringIncludes(watched.store.notice!, "the last good data");
    const { reasons } = await live(watched, 2);
    assertStringIncludes(reasons[0], "which is served");
    assertEquals(watched.store.refreshes.restored, false);
    assertEquals(watched.store.notice, null);
  });
  await t.step("rolled back, also over a restart", async () => {
    {
      await using watched = await watchedStore(
        exportsOf(2, { channel: "Ann's call" }),
        settings,
      );
      await live(watched, 2);
      await live(watched, 2);
      await watched.store.refreshes.rollback(watched.snapshot.data_version);
      assertEquals(watched.snapshot.channels, ["Email"]);
      const { reasons, changes } = await watched.next();
      assertStringIncludes(reasons[0], "rolled back");
      assertEquals(changes!.new_channels, ["Email"]);
      watched.store.refreshes.request();
      assertStringIncludes((await live(watched, 1)).reasons[0], "discarded");
      await staysFor(watched, () => watched.store.refreshes.request());
      assertEquals(
        (await assertRejects(
          () => watched.store.refreshes.rollback(watched.snapshot.data_version),
          StoreError,
        )).message,
        "No earlier data is kept.",
      );
    }
    await using watched = await watchedStore(
      exportsOf(2, { channel: "Ann's call" }),
      settings,
    );
    await live(watched, 1);
    assertEquals(watched.snapshot.channels, ["Email"]);
    assertStringIncludes((await live(watched, 1)).reasons[0], "discarded");
    await staysFor(watched, () => {});
    await watched.folder.write(exportsOf(3, { channel: "Bird" }));
    await watched.next();
    assertEquals(watched.snapshot.channels, ["Bird"]);
  });
  await t.step("damaged: the one before it", async () => {
    const [latest] = [...Deno.readDirSync(state.path)]
      .map(({ name }) => name).filter((name) => /^\d/.test(name)).sort()
      .reverse();
    await Deno.truncate(`${state.path}/${latest}/interactions.parquet`, 10);
    await using watched = await watchedStore({}, settings);
    assertEquals((await watched.next()).state, "failed");
    assertEquals((await watched.next()).state, "serving");
    assertEquals(watched.snapshot.channels, ["Email"]);
    assertEquals(watched.store.problem, null);
  });
  await t.step("of a build with another report: passed over", async () => {
    for (const { name } of Deno.readDirSync(state.path)) {
      if (!/^\d/.test(name)) continue;
      const path = `${state.path}/${name}/snapshot.json`;
      const manifest = JSON.parse(await Deno.readTextFile(path));
      delete manifest.loaded.report.types;
      await Deno.writeTextFile(path, JSON.stringify(manifest));
    }
    await using watched = await watchedStore(
      exportsOf(3, { channel: "Bird" }),
      settings,
    );
    const { state: first, reasons } = await watched.next();
    assertEquals([first, reasons], ["serving", []]);
    assertEquals(watched.snapshot.report.types, ["Red"]);
    assertEquals(watched.logged.length, 2);
    assertStringIncludes(
      watched.logged[0],
      "is passed over: its snapshot.json is of another build (loaded.report.types: ",
    );
  });
});

Deno.test("a rollback to a version that is damaged is a conflict, which names it", async () => {
  await using state = await dataFolder();
  await using watched = await watchedStore(exportsOf(1), {
    STATE_DIR: state.path,
  });
  await live(watched, 1);
  await watched.folder.write(exportsOf(2));
  await live(watched, 2);
  const versions = () =>
    [...Deno.readDirSync(state.path)].map(({ name }) => name)
      .filter((name) => name.startsWith("0000")).sort();
  await watched.until(() => versions().length === 2);
  const [first] = versions();
  const [table] = [...Deno.readDirSync(`${state.path}/${first}`)]
    .filter(({ name }) => name.endsWith(".parquet"));
  await Deno.writeTextFile(`${state.path}/${first}/${table.name}`, "PAR1");
  const { kind, message } = await assertRejects(
    () => watched.store.rollback(watched.snapshot.data_version),
    StoreError,
  );
  assertEquals(kind, "conflict");
  assertStringIncludes(message, `${first}/${table.name}: not what was kept`);
});
