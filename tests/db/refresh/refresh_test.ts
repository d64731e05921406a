/** Refreshes: what is picked up and when, what goes live, what is held, what stays. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";
import {
  exportsOf,
  type WatchedStore,
  watchedStore,
} from "../../support/watched_store.ts";
import { sheetOf, xlsx } from "../../support/xlsx_files.ts";

const HASH_OF_KEY = createHash("sha256").update("key").digest("hex");
/** Longer than two looks take. */
const TWO_LOOKS_MS = 1_800;

function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

async function live(watched: WatchedStore, interactions: number) {
  const refresh = await watched.next();
  assertEquals(refresh.state, "serving", refresh.reasons.join());
  assertEquals(watched.snapshot.row_counts.interactions, interactions);
  return refresh;
}

/** Nothing new goes live while two looks could have seen it. */
async function staysFor(
  watched: WatchedStore,
  action: () => void | Promise<void>,
) {
  const { history } = watched.store.refreshes;
  const before = history.length;
  const { data_version } = watched.snapshot;
  await action();
  await pause(TWO_LOOKS_MS);
  assertEquals(watched.snapshot.data_version, data_version);
  assertEquals(history.length, before);
}

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

Deno.test("a file that grows is never served in part", async () => {
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "2",
  });
  await live(watched, 1);
  const file = `${watched.folder.path}/interactions.csv`;
  const seen = new Set<number>();
  const watching = setInterval(
    () => seen.add(watched.snapshot.row_counts.interactions),
    5,
  );
  using growing = await Deno.open(file, { append: true });
  const write = async (text: string, pause_ms: number) => {
    await growing.write(new TextEncoder().encode(text));
    await pause(pause_ms);
  };
  const line = "01/02/2020,Email,1\n";
  // Quick steps, then pauses as long as several looks, behind whole lines and within.
  for (let i = 0; i < 6; i++) await write(line, 250);
  for (let i = 0; i < 3; i++) {
    await write(line, 1_200);
    await write(line.slice(0, 12), 1_200);
    await write(line.slice(12), 250);
  }
  await live(watched, 13);
  clearInterval(watching);
  assertEquals([...seen].sort(), [1, 13].slice(0, seen.size));
});

Deno.test("a text without a line break at its end waits, then is taken with a warning", async () => {
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "2",
  });
  await live(watched, 1);
  const file = `${watched.folder.path}/interactions.csv`;
  const began = performance.now();
  await Deno.writeTextFile(
    file,
    "Date Start,Interaction,Customers\n01/02/2020,Email,1\n01/02/2020,Email,1",
  );
  await watched.until(() => watched.store.refreshes.waiting.length > 0);
  const refresh = await watched.next();
  assert(performance.now() - began >= 2_000);
  assertEquals(refresh.state, "serving");
  assertEquals(refresh.reasons, [
    "interactions.csv: no line break at its end, so it may be cut",
  ]);
  assertEquals(watched.snapshot.row_counts.interactions, 2);
});

Deno.test("CSV_FINAL_NEWLINE=required refuses it", async () => {
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "1",
    CSV_FINAL_NEWLINE: "required",
  });
  await live(watched, 1);
  await watched.folder.write({ "customers.csv": "Customer_Id\n1\n2" });
  const refresh = await watched.next();
  assertEquals(refresh.state, "failed");
  assertEquals(refresh.reasons, [
    "customers.csv: no line break at its end, so it may be cut. End its last line with a line break, or set CSV_FINAL_NEWLINE=optional.",
  ]);
  assertEquals(watched.snapshot.row_counts.customers, 1);
});

Deno.test("a .sha256 beside a file must match", async () => {
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "1",
  });
  await live(watched, 1);
  const next = exportsOf(2)["interactions.csv"] as string;
  await watched.folder.write({
    "interactions.csv.sha256": `${hashOf(next)}  interactions.csv\n`,
  });
  const refresh = await watched.next();
  assertEquals(refresh.state, "failed");
  assertEquals(refresh.reasons, [
    "interactions.csv: not the bytes that interactions.csv.sha256 tells of. Deliver the file and its .sha256 again.",
  ]);
  await watched.folder.write({ "interactions.csv": next });
  await live(watched, 2);
});

Deno.test("a set with a manifest is taken whole or not at all", async () => {
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "2",
  });
  await live(watched, 1);
  const files = exportsOf(3, "Call") as Record<string, string>;
  const listed = Object.entries(files).map(([file, text]) => ({
    file,
    sha256: hashOf(text),
    bytes: text.length,
    rows: text.split("\n").length - 2,
  }));
  const { "customers.csv": customers, "interactions.csv": interactions } =
    files;
  await staysFor(watched, async () => {
    await watched.folder.write({
      "manifest.json": JSON.stringify({ files: listed }),
    });
    await watched.folder.write({ "customers.csv": `${customers}2,,\n` });
  });
  assertStringIncludes(
    watched.store.refreshes.waiting.join("\n"),
    "manifest.json, interactions.csv",
  );
  await watched.folder.write({ "customers.csv": customers });
  await watched.folder.write({ "interactions.csv": interactions });
  await live(watched, 3);

  listed[1].rows = 4;
  await watched.folder.write({
    "manifest.json": JSON.stringify({ files: listed }),
    "interactions.csv": interactions.replace("Call", "Bird"),
  });
  const refresh = await watched.next();
  assertEquals(refresh.state, "failed");
  assertStringIncludes(refresh.reasons.join("\n"), "manifest.json");
  assertEquals(watched.snapshot.row_counts.interactions, 3);
});

Deno.test("a workbook that is half copied is refused, and read again when it changes", async () => {
  await using watched = await watchedStore(exportsOf(2), {
    SETTLE_SECONDS: "60",
  });
  await live(watched, 2);
  const book = xlsx({
    interactions: sheetOf(
      ["Date Start", "Interaction", "Customers"],
      ...Array(3).fill(["01/02/2020", "Call", 1]),
    ),
  });
  const file = `${watched.folder.path}/interactions_2.xlsx`;
  await Deno.writeFile(file, book.subarray(0, book.length / 2));
  const { state, reasons } = await watched.next();
  assertEquals(state, "failed");
  assertStringIncludes(
    reasons.join(),
    "interactions_2.xlsx: not a sound .xlsx workbook: the zip: ",
  );
  assertEquals(watched.snapshot.row_counts.interactions, 2);
  await Deno.writeFile(file, book.subarray(book.length / 2), { append: true });
  await live(watched, 5);
});

Deno.test("with a .sha256, a file cut at any of 200 places is never served", async () => {
  const whole = exportsOf(400)["interactions.csv"] as string;
  const bytes = new TextEncoder().encode(whole);
  await using watched = await watchedStore({
    ...exportsOf(400),
    "interactions.csv.sha256": hashOf(bytes),
  }, { SETTLE_SECONDS: "1" });
  await live(watched, 400);
  const file = `${watched.folder.path}/interactions.csv`;
  for (let i = 0; i < 200; i++) {
    const length = Math.floor(Math.random() * bytes.length);
    await Deno.writeFile(`${file}.part`, bytes.subarray(0, length));
    await Deno.rename(`${file}.part`, file);
    // Some are looked at once, some twice, some until they are judged.
    await pause(i % 40 === 0 ? TWO_LOOKS_MS : 20);
    assertEquals(watched.snapshot.row_counts.interactions, 400);
  }
  await Deno.writeFile(file, bytes);
  await watched.until(() => watched.store.refreshes.state === "serving");
  assert(
    watched.store.refreshes.history.every(({ state, report }) =>
      state === "failed" || report!.interactions === 400
    ),
  );
});

Deno.test("in a manifest's set, a file cut at any of 200 places is never served", async () => {
  const rows = 400;
  const next = exportsOf(rows, "Call") as Record<string, string>;
  const whole = new TextEncoder().encode(next["interactions.csv"]);
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "1",
  });
  await live(watched, 1);
  const { path } = watched.folder;
  const cut = async (length: number) => {
    await Deno.writeFile(`${path}/.new`, whole.subarray(0, length));
    await Deno.rename(`${path}/.new`, `${path}/interactions.csv`);
  };
  await cut(0);
  await watched.folder.write({
    "manifest.json": JSON.stringify({
      files: Object.entries(next).map(([file, text]) => ({
        file,
        sha256: hashOf(text),
        bytes: text.length,
      })),
    }),
  });
  for (let i = 0; i < 200; i++) {
    await cut(Math.floor(Math.random() * whole.length));
    await pause(i % 40 === 0 ? TWO_LOOKS_MS : 20);
    assertEquals(watched.snapshot.row_counts.interactions, 1);
  }
  await cut(whole.length);
  await watched.until(() => watched.snapshot.row_counts.interactions === rows);
  assert(
    watched.store.refreshes.history.every(({ state, report }) =>
      state === "failed" || [1, rows].includes(report!.interactions)
    ),
  );
});

Deno.test("bytes that were put in the place of proven ones are never served", async () => {
  const text = (interactions: number) =>
    exportsOf(interactions)["interactions.csv"] as string;
  // Large enough that it is still being read when another takes its place.
  const large = 200_000;
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "1",
  });
  await live(watched, 1);
  const { path } = watched.folder;
  const file = `${path}/interactions.csv`;
  for (let i = 0; i < 3; i++) {
    await watched.folder.write({
      ".proven": text(large + i),
      ".cut": text(2),
      ".sha256": hashOf(text(large + i)),
    });
    await Deno.rename(`${path}/.sha256`, `${file}.sha256`);
    await Deno.rename(`${path}/.proven`, file);
    await watched.until(() => watched.store.refreshes.state === "building");
    await Deno.rename(`${path}/.cut`, file);
    await watched.until(() => watched.store.refreshes.state !== "building");
    assert([1, large, large + 1, large + 2].includes(
      watched.snapshot.row_counts.interactions,
    ));
  }
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

Deno.test("what looks wrong is held, and accepted, discarded or replaced", async (t) => {
  await using watched = await watchedStore(exportsOf(200), {
    ADMIN_KEY_SHA256: HASH_OF_KEY,
  });
  const { refreshes } = watched.store;
  await live(watched, 200);

  await t.step("held, with the reason", async () => {
    await watched.folder.write(exportsOf(100));
    const refresh = await watched.next();
    assertEquals(refresh.state, "held");
    assertEquals(refresh.reasons, [
      "interactions lost 100 of 200 rows, more than HOLD_DROP=0.3 allows",
    ]);
    assertEquals(refreshes.state, "held");
    assertEquals(refreshes.held, refresh);
    assertEquals(watched.snapshot.row_counts.interactions, 200);
  });
  await t.step("another version is not what is held", async () => {
    for (const decide of [refreshes.accept, refreshes.discard]) {
      try {
        await decide.call(refreshes, "0".repeat(16));
        assert(false);
      } catch (error) {
        assert(error instanceof StoreError && error.kind === "conflict");
      }
    }
  });
  await t.step("discarded, and not built again until it changes", async () => {
    await refreshes.discard(refreshes.held!.report!.data_version);
    assertEquals([refreshes.held, refreshes.state], [null, "serving"]);
    await staysFor(watched, () => refreshes.request());
  });
  await t.step("a failure between changes nothing of that", async () => {
    await watched.folder.write({ "customers.csv": "Number\n1\n" });
    assertEquals((await watched.next()).state, "failed");
    await watched.folder.write(exportsOf(100));
    await watched.until(() => refreshes.state === "serving");
    assertEquals(refreshes.held, null);
  });
  await t.step("replaced by a newer one", async () => {
    await watched.folder.write(exportsOf(90));
    assertEquals((await watched.next()).state, "held");
    await watched.folder.write(exportsOf(80));
    assertEquals((await watched.next()).state, "held");
    assertEquals(refreshes.held!.report!.interactions, 80);
  });
  await t.step("still held after a failure", async () => {
    await watched.folder.write({ "customers.csv": "Number\n1\n" });
    assertEquals((await watched.next()).state, "failed");
    await watched.folder.write(exportsOf(80));
    await watched.until(() => refreshes.state === "held");
    assertEquals(refreshes.held!.report!.interactions, 80);
  });
  await t.step("accepted", async () => {
    await refreshes.accept(refreshes.held!.report!.data_version);
    assertEquals((await watched.next()).state, "serving");
    assertEquals(watched.snapshot.row_counts.interactions, 80);
    assertEquals(refreshes.held, null);
  });
  await t.step("dropped when the files are again what is served", async () => {
    await watched.folder.write(exportsOf(80, "Email", "01/01/2020"));
    assertEquals((await watched.next()).state, "held");
    await watched.folder.write(exportsOf(80));
    await watched.until(() => refreshes.state === "serving");
    assertEquals(refreshes.held, null);
  });
});

Deno.test("HOLD=off goes live with the same text", async () => {
  await using watched = await watchedStore(exportsOf(200), {
    ADMIN_KEY_SHA256: HASH_OF_KEY,
    HOLD: "off",
  });
  await live(watched, 200);
  await watched.folder.write(exportsOf(100));
  const refresh = await watched.next();
  assertEquals(refresh.state, "serving");
  assertEquals(refresh.reasons, [
    "interactions lost 100 of 200 rows, more than HOLD_DROP=0.3 allows",
  ]);
  assertEquals(watched.snapshot.row_counts.interactions, 100);
});

Deno.test("the last good data is served at the start, and rolled back to", async (t) => {
  await using state = await dataFolder();
  const settings = { STATE_DIR: state.path };
  await t.step("what goes live is kept", async () => {
    await using watched = await watchedStore(exportsOf(1), settings);
    await live(watched, 1);
    await watched.folder.write(exportsOf(2, "Call"));
    await live(watched, 2);
    await watched.until(() => [...Deno.readDirSync(state.path)].length === 2);
  });
  await t.step("broken exports: the last good data, and why", async () => {
    await using watched = await watchedStore({
      "customers.csv": "broken",
    }, settings);
    const restored = await watched.next();
    assertEquals(restored.state, "serving");
    assertStringIncludes(restored.reasons[0], "the last good data");
    const { snapshot } = watched;
    assertEquals(snapshot.channels, ["Call"]);
    assertEquals(
      Array.from((await snapshot.countByChannel({ customer_id: 1 }))!),
      [2],
    );
    assertEquals((await watched.next()).state, "failed");
    assertEquals(watched.store.refreshes.restored, true);
    assertEquals(watched.store.snapshot, snapshot);
  });
  await t.step("the same exports: nothing is built", async () => {
    await using watched = await watchedStore(exportsOf(2, "Call"), settings);
    await watched.next();
    await watched.until(() => !watched.store.refreshes.restored);
    assertEquals(watched.store.refreshes.history.length, 1);
    assertEquals(watched.store.refreshes.state, "serving");
  });
  await t.step("rolled back, also over a restart", async () => {
    {
      await using watched = await watchedStore(exportsOf(2, "Call"), settings);
      await watched.next();
      await watched.store.refreshes.rollback();
      assertEquals(watched.snapshot.channels, ["Email"]);
      const { reasons, changes } = await watched.next();
      assertStringIncludes(reasons[0], "rolled back");
      assertEquals(changes!.new_channels, ["Email"]);
      await staysFor(watched, () => watched.store.refreshes.request());
      try {
        await watched.store.refreshes.rollback();
        assert(false);
      } catch (error) {
        assert(error instanceof StoreError && error.kind === "conflict");
      }
    }
    await using watched = await watchedStore(exportsOf(2, "Call"), settings);
    await watched.next();
    assertEquals(watched.snapshot.channels, ["Email"]);
    await staysFor(watched, () => {});
    await watched.folder.write(exportsOf(3, "Bird"));
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
  });
  await t.step("of a build with another report: passed over", async () => {
    for (const { name } of Deno.readDirSync(state.path)) {
      if (!/^\d/.test(name)) continue;
      const path = `${state.path}/${name}/snapshot.json`;
      const manifest = JSON.parse(await Deno.readTextFile(path));
      delete manifest.loaded.report.types;
      await Deno.writeTextFile(path, JSON.stringify(manifest));
    }
    await using watched = await watchedStore(exportsOf(3, "Bird"), settings);
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
