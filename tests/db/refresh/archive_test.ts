/** Kept snapshots: whole or not there, three at most, never another's bytes. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Loaded } from "../../../db/model/report.ts";
import { StateFolder } from "../../../db/refresh/archive.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder, keptIn } from "../../support/data_folder.ts";
import {
  loadFolder,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
} from "../../support/load_folder.ts";

const VERSIONS = ["a", "b", "c", "d", "e"].map((digit) => digit.repeat(16));

/** What a load of nothing leaves, under another version. */
async function loadedAs(data_version: string): Promise<Loaded> {
  await using opened = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": NO_INTERACTIONS,
  });
  const { channels, topics, row_counts } = opened.snapshot;
  return {
    channels,
    topics,
    row_counts,
    report: { ...opened.report, data_version },
  };
}

/** A state folder that keeps one snapshot, and what it logs. */
async function keptOnce(path: string) {
  await using tables = await dataFolder({ "t.parquet": "PAR1" });
  const logged: string[] = [];
  const state = new StateFolder(path, ({ text }) => void logged.push(text));
  await state.open();
  await state.keep(tables.path, await loadedAs(VERSIONS[0]));
  return { state, logged };
}

async function versions(state: StateFolder): Promise<string[]> {
  const kept = await state.kept();
  return kept.map(({ loaded }) => loaded.report.data_version);
}

Deno.test("the last three snapshots are kept, the latest first", async () => {
  await using folder = await dataFolder();
  await using tables = await dataFolder({
    "t.parquet": "PAR1",
    "load.sql": "",
  });
  const state = new StateFolder(`${folder.path}/state`, console.error);
  await state.open();
  assertEquals(await versions(state), []);
  const loaded = await loadedAs(VERSIONS[0]);
  for (const data_version of VERSIONS) {
    await state.keep(tables.path, {
      ...loaded,
      report: { ...loaded.report, data_version },
    });
  }
  assertEquals(await versions(state), [VERSIONS[4], VERSIONS[3], VERSIONS[2]]);
  const [latest] = await state.kept();
  assertEquals(latest.loaded, {
    ...loaded,
    report: { ...loaded.report, data_version: VERSIONS[4] },
  });
  await state.restore(latest, `${folder.path}/out`);
  assertEquals(await Deno.readTextFile(`${folder.path}/out/t.parquet`), "PAR1");

  // What a killed process left of a version with that name is in nobody's way.
  const rest = `.unfinished-${latest.name}`;
  await Deno.mkdir(`${state.path}/${rest}/rest`, { recursive: true });
  await state.drop(latest.name);
  await state.drop(latest.name);
  assertEquals(await versions(state), [VERSIONS[3], VERSIONS[2]]);
  assertEquals(await state.unfinished(), { writing: [], removing: [rest] });
  await state.keep(tables.path, loaded);
  assertEquals((await state.kept())[0].name, `00000005-${VERSIONS[0]}`);
});

Deno.test("a damaged snapshot is refused, one without a manifest passed over", async () => {
  await using folder = await dataFolder();
  const { state, logged } = await keptOnce(folder.path);
  const [kept] = await state.kept();
  const file = `${folder.path}/${kept.name}/t.parquet`;
  for (
    const damage of [
      () => Deno.writeTextFile(file, "PAR"),
      () => Deno.remove(file),
    ]
  ) {
    await damage();
    const out = `${folder.path}/${crypto.randomUUID()}`;
    const { message } = await assertRejects(
      () => state.restore(kept, out),
      StoreError,
    );
    assertEquals(
      message,
      `${kept.name}/t.parquet: not what was kept in STATE_DIR. Remove that folder from STATE_DIR.`,
    );
  }
  const manifest = `${folder.path}/${kept.name}/snapshot.json`;
  await Deno.writeTextFile(manifest, "{");
  assertEquals(await state.kept(), []);
  await Deno.remove(manifest);
  await Deno.mkdir(manifest);
  assertEquals(await state.kept(), []);
  const [{ name, ...version }] = await state.versions();
  assertEquals(name, kept.name);
  const passed_over = `STATE_DIR: ${name} is passed over: its snapshot.json `;
  assertEquals(logged[0], `${passed_over}is not there, or no JSON`);
  assertStringIncludes(logged[1], `${passed_over}cannot be read: Is a direct`);
  assertEquals("problem" in version, true);
});

Deno.test("a manifest of another build is passed over, whatever it lacks", async (t) => {
  await using folder = await dataFolder();
  const { state, logged } = await keptOnce(folder.path);
  const [{ name }] = await state.kept();
  const path = `${folder.path}/${name}/snapshot.json`;
  const written = await Deno.readTextFile(path);

  /** The path of every value in `value`. */
  const pathsIn = (value: unknown): string[] =>
    Object.entries(value ?? {}).flatMap(([key, inside]) => [
      key,
      ...typeof inside === "object"
        ? pathsIn(inside).map((path) => `${key}.${path}`)
        : [],
    ]);
  const changes: [path: string, change: (key: string) => unknown][] = [
    ...pathsIn(JSON.parse(written)).filter((path) => !/\.\d+$/.test(path)).map(
      (path): typeof changes[number] => [path, () => undefined],
    ),
    ["format", () => 4],
    ["files.0.name", () => "../../t.parquet"],
    ["loaded.report.channels", () => ["Email"]],
  ];
  for (const [path_in, change] of changes) {
    await t.step(path_in, async () => {
      const manifest = JSON.parse(written);
      const keys = path_in.split(".");
      const last = keys.pop()!;
      const inside = keys.reduce((value, key) => value[key], manifest);
      inside[last] = change(last);
      await Deno.writeTextFile(path, JSON.stringify(manifest));
      logged.length = 0;
      assertEquals(await state.kept(), []);
      assertEquals(logged.length, 1);
      assertStringIncludes(
        logged[0],
        `STATE_DIR: ${name} is passed over: its snapshot.json is of another build (${path_in}`,
      );
    });
  }
  await t.step("with fields that are not known here: taken", async () => {
    const manifest = JSON.parse(written);
    manifest.loaded.report.newer = 1;
    await Deno.writeTextFile(path, JSON.stringify(manifest));
    assertEquals(await versions(state), [VERSIONS[0]]);
  });
});

Deno.test("what a killed process left is removed", async () => {
  await using folder = await dataFolder({
    ".unfinished-1/t.parquet": "PAR1",
    ".unfinished-2": "{",
  });
  const state = new StateFolder(folder.path, console.error);
  await state.open();
  assertEquals(await keptIn(folder.path), []);
});

Deno.test("the discarded versions are remembered", async () => {
  await using folder = await dataFolder();
  const state = new StateFolder(folder.path, console.error);
  await state.open();
  assertEquals(await state.discarded(), []);
  await state.markDiscarded(VERSIONS.slice(0, 2));
  assertEquals(
    await new StateFolder(folder.path, console.error).discarded(),
    VERSIONS.slice(0, 2),
  );
  await state.markDiscarded([]);
  assertEquals(await state.discarded(), []);
});

Deno.test("a snapshot that cannot be kept leaves nothing", async () => {
  await using folder = await dataFolder();
  await using tables = await dataFolder({ "a.parquet": "PAR1" });
  await Deno.symlink("nowhere", `${tables.path}/b.parquet`);
  const state = new StateFolder(folder.path, console.error);
  await state.open();
  const loaded = await loadedAs(VERSIONS[0]);
  await assertRejects(() => state.keep(tables.path, loaded));
  assertEquals(await keptIn(folder.path), []);
});
