/** A file or a set of files is taken whole or not at all. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Files } from "../../support/data_folder.ts";
import {
  exportsOf,
  live,
  staysFor,
  TWO_LOOKS_MS,
  watchedStore,
} from "../../support/watched_store.ts";
import { sheetOf, xlsx, zipOf } from "../../support/xlsx_files.ts";

function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

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
    "interactions.csv: not the bytes that interactions.csv.sha256 describes. Deliver the file and its .sha256 again.",
  ]);
  await watched.folder.write({ "interactions.csv": next });
  await live(watched, 2);
});

Deno.test("a set with a manifest is taken whole or not at all", async () => {
  await using watched = await watchedStore(exportsOf(1), {
    SETTLE_SECONDS: "6",
  });
  await live(watched, 1);
  const files = exportsOf(3, { channel: "Call" }) as Record<string, string>;
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
  await watched.until(() =>
    watched.store.refreshes.waiting.some((text) =>
      text.startsWith("manifest.json, interactions.csv")
    )
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
  const next = exportsOf(rows, { channel: "Call" }) as Record<string, string>;
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

Deno.test("a folder that a job of Spark writes is waited for, until the job has ended", async () => {
  const part = exportsOf(1)["interactions.csv"];
  const { "customers.csv": customers } = exportsOf(1);
  await using watched = await watchedStore({
    "customers.csv": customers,
    "interactions/part-0.csv": part,
  }, { SETTLE_SECONDS: "1" });
  await live(watched, 1);
  await staysFor(watched, async () => {
    await watched.folder.write({
      "interactions/_temporary/0/task_1/part-1.csv": part,
      "interactions/part-2.csv": part,
    });
  });
  const writing =
    "interactions: is still being written: _temporary is in it. " +
    "Finish the job that writes it, or remove _temporary";
  // No name in DATA_DIR itself has changed, so the look may come late; a later
  // one finds the new part steady.
  await watched.until(() =>
    String(watched.store.refreshes.waiting) === writing
  );
  const { path } = watched.folder;
  await Deno.rename(
    `${path}/interactions/_temporary/0/task_1/part-1.csv`,
    `${path}/interactions/part-1.csv`,
  );
  await Deno.remove(`${path}/interactions/_temporary`, { recursive: true });
  await watched.folder.write({ "interactions/_SUCCESS": "" });
  await live(watched, 3);
  assertEquals(watched.store.refreshes.waiting, []);
});

Deno.test("a folder of parts that becomes a table of a lake is refused, with the same parts in it", async () => {
  const { "customers.csv": customers, "interactions.csv": part } = exportsOf(1);
  await using watched = await watchedStore({
    "customers.csv": customers,
    "interactions/part-0.csv": part,
  });
  await live(watched, 1);
  await watched.folder.write({ "interactions/_delta_log/0.json": "{}" });
  const { state, reasons } = await watched.next();
  assertEquals([state, reasons], ["failed", [
    "interactions: a Delta Lake table, whose folder also has files that no longer count. Export it as plain Parquet.",
  ]]);
  assertEquals(watched.snapshot.row_counts.interactions, 1);
});

function zipped(files: Files): Uint8Array {
  return zipOf(
    Object.entries(files).map(([name, content]) => ({ name, content })),
  );
}

Deno.test("a ZIP that is replaced is picked up; half of one is waited for, then refused", async () => {
  await using watched = await watchedStore(
    { "exports.zip": zipped(exportsOf(1)) },
    { SETTLE_SECONDS: "2" },
  );
  await live(watched, 1);
  await watched.folder.write({ "exports.zip": zipped(exportsOf(2)) });
  await live(watched, 2);

  const next = zipped(exportsOf(3));
  const half = next.length / 2 | 0;
  const path = `${watched.folder.path}/exports.zip`;
  await Deno.writeFile(path, next.subarray(0, half));
  await watched.until(() => watched.store.refreshes.waiting.length > 0);
  await pause(1_200);
  await Deno.writeFile(path, next.subarray(half), { append: true });
  await live(watched, 3);

  await Deno.writeFile(path, next.subarray(0, half));
  const refresh = await watched.next();
  assertEquals([refresh.state, refresh.reasons], ["failed", [
    "exports.zip: no list of its files at its end, so it is cut or no ZIP. Copy it there again, whole.",
  ]]);
  assertEquals(watched.snapshot.row_counts.interactions, 3);

  // Packed in another way, the files are the same ones.
  await watched.folder.write({
    "exports.zip": zipOf(
      Object.entries(exportsOf(3)).map(([name, content]) => ({
        name,
        content,
        method: 0,
      })),
    ),
  });
  assertEquals((await watched.next()).state, "serving");
});

Deno.test("a manifest vouches for a ZIP, with the rows of all files in it", async () => {
  const zip = zipped(exportsOf(2));
  const manifest = (rows: number) =>
    JSON.stringify({
      files: [{
        file: "exports.zip",
        sha256: hashOf(zip),
        bytes: zip.length,
        rows,
      }],
    });
  await using watched = await watchedStore({
    "exports.zip": zip,
    "manifest.json": manifest(4),
  });
  assertEquals((await watched.next()).reasons, [
    "exports.zip: 3 rows, and manifest.json lists 4. Deliver the whole set again, manifest.json last.",
  ]);
  await watched.folder.write({ "manifest.json": manifest(3) });
  await live(watched, 2);
});

Deno.test("the rows of a manifest count where its files are those of a known version", async (t) => {
  await using watched = await watchedStore(exportsOf(200), { HOLD: "on" });
  const { store, folder } = watched;
  await live(watched, 200);

  /** Lists `file`, which has so many rows, with one more, then rightly. */
  async function listWrongly(file: string, rows: number): Promise<string> {
    const text = await Deno.readTextFile(`${folder.path}/${file}`);
    const list = (rows: number) =>
      folder.write({
        "manifest.json": JSON.stringify({
          files: [{ file, sha256: hashOf(text), bytes: text.length, rows }],
        }),
      });
    await list(rows + 1);
    const { state, reasons } = await watched.next();
    assertEquals([state, reasons], ["failed", [
      `${file}: ${rows} rows, and manifest.json lists ${
        rows + 1
      }. Deliver the whole set again, manifest.json last.`,
    ]]);
    assertEquals(watched.snapshot.row_counts.interactions, 200);
    await list(rows);
    return (await watched.next()).state;
  }

  await t.step("the served one", async () => {
    assertEquals(await listWrongly("interactions.csv", 200), "serving");
  });
  await t.step("the served one, by another name", async () => {
    await Deno.remove(`${folder.path}/manifest.json`);
    const renamed = "interactions_2.csv";
    await Deno.rename(
      `${folder.path}/interactions.csv`,
      `${folder.path}/${renamed}`,
    );
    assertEquals(await listWrongly(renamed, 200), "serving");
    await Deno.remove(`${folder.path}/manifest.json`);
    await Deno.remove(`${folder.path}/${renamed}`);
  });
  await t.step("the held one", async () => {
    await folder.write(exportsOf(100));
    await watched.until(() => store.refreshes.state === "held");
    while ((await watched.next()).state !== "held");
    assertEquals(await listWrongly("interactions.csv", 100), "held");
  });
  await t.step("a discarded one", async () => {
    const { data_version } = store.refreshes.held!.report!;
    await store.refreshes.discard(data_version);
    assertEquals((await watched.next()).state, "serving");
    assertEquals(await listWrongly("interactions.csv", 100), "serving");
    assertEquals(store.refreshes.discarded, data_version);
  });
});
