/** `deno task check-data DIR`: the report of a load, its exit code, and that it changes nothing. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { dataFolder, type Files, namesIn } from "./support/data_folder.ts";
import { loadFolder, type Settings } from "./support/load_folder.ts";
import { sheetOf, xlsx } from "./support/xlsx_files.ts";

const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
);

const CLEAN: Files = {
  "customers.csv": "Customer_Id,Type\n1,Red\n2,Blue\n",
  "interactions.csv":
    "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n2020-03-06T10:00Z,Call,3\n",
  "notes.txt": "not an export\n",
};
const DIRTY: Files = {
  ...CLEAN,
  "interactions.csv":
    `Date Start,Interaction,Customers\n05/03/2020,Bird,1\n"31/02/2020",Call,\x1b[2J2\n`,
};

async function checkData(
  args: readonly string[],
  settings: Settings = {},
): Promise<{ code: number; out: string; error: string }> {
  await using staging = await dataFolder();
  const [, ...command] = tasks["check-data"].command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...command, ...args],
    cwd: new URL("../", import.meta.url),
    env: { STAGING_DIR: staging.path, ...settings },
  }).output();
  const left = await Array.fromAsync(Deno.readDir(staging.path));
  assertEquals(left, [], "working files are left");
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}

/** Every file below a folder with its bytes and times. */
async function contents(path: string): Promise<unknown[]> {
  const names = await namesIn(path);
  return await Promise.all(
    names.map(async (name) => {
      const { mtime, mode } = await Deno.stat(`${path}/${name}`);
      return [name, mtime, mode, await Deno.readFile(`${path}/${name}`)];
    }),
  );
}

Deno.test("a folder fit to serve: its report, 0, and nothing changed", async () => {
  await using folder = await dataFolder(CLEAN);
  const before = await contents(folder.path);
  const { code, out, error } = await checkData([folder.path]);
  assertEquals(error, "");
  assertEquals(code, 0);
  assertEquals(await contents(folder.path), before);
  assertEquals(
    out.replaceAll(/\b[0-9a-f]{12,16}\b/g, "#").replaceAll(
      / 0\.\d {2}/g,
      " #  ",
    )
      .split("\n").map((line) => line.trimEnd()),
    [
      "Fit to serve, data version #",
      "",
      "File              table         rows read  kept  set aside  merged  bytes  seconds  sha-256       encoding  delimiter  header  dates",
      "customers.csv     customers             2     2          0       0     30      #  #  utf-8     comma      line 1",
      "interactions.csv  interactions          2     2          0       0     76      #  #  utf-8     comma      line 1  1 D/M/YYYY, 1 YYYY-MM-DD with an offset",
      "",
      "Notes",
      "  customers known only from interactions, so without type and occupation: 1",
      "  interactions without a topic, because no file names a product: 2",
      "  files that are not read: 1 (notes.txt: not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip)",
      "",
      "Totals",
      "  customers     3, 1 of them only in interactions",
      "  interactions  2, from 2020-03-05 to 2020-03-06",
      "  channels      Bird, Call",
      "  topics        none",
      "  types         Blue, Red",
      "",
    ],
  );
});

Deno.test("rows set aside are shown with their reason, and are no failure", async () => {
  await using folder = await dataFolder(DIRTY);
  const { code, out } = await checkData([folder.path]);
  assertEquals(code, 0);
  assertStringIncludes(
    out,
    `
Set aside
  interactions.csv, date_start, no such day or time: 1
    line 3, date_start "31/02/2020": no such day or time
`,
  );
});

Deno.test("what speaks for and against the order of the dates is shown", async () => {
  const rows = ["05/03/2020", "31/12/2019", "30/12/2019", "12/31/2019"]
    .map((date) => `${date},Call,1\n`).join("");
  await using folder = await dataFolder({
    ...CLEAN,
    "interactions.csv": `Date Start,Interaction,Customers\n${rows}`,
  });
  const { out } = await checkData([folder.path]);
  assertStringIncludes(
    out,
    "  3 D/M/YYYY (2 fit only this order, 1 only M/D/YYYY)\n",
  );
});

Deno.test("--json prints the server's report", async () => {
  await using folder = await dataFolder(DIRTY);
  const { code, out } = await checkData([folder.path, "--json"]);
  assertEquals(code, 0);
  const { data } = JSON.parse(out);
  await using opened = await loadFolder(DIRTY);
  const timeless = (report: object) =>
    JSON.parse(
      JSON.stringify(
        report,
        (key, value) => /^(seconds|loaded_at)$/.test(key) ? undefined : value,
      ),
    );
  assertEquals(
    timeless(data),
    timeless({ reasons: [], topics: [], report: opened.report }),
  );
});

Deno.test("what is not fit to serve ends with 1 and the reason", async (t) => {
  await using refused = await dataFolder({
    ...CLEAN,
    "customers.csv": "Kunde\n1\n",
  });
  await using unfinished = await dataFolder({
    "customers.csv": "Customer_Id\n1\n",
    "interactions.parquet/_temporary/0/part-1.parquet": "",
  });
  const reason =
    'customers.csv, line 1: no column Customer_Id among "Kunde". Name the columns as docs/file-contract.md says.';
  const hint =
    "deno task suggest drafts a tally.toml for files with other names, columns or dates.\n";
  const usage = "Usage: deno task check-data DIR [--json]\n";
  const table: [
    name: string,
    args: string[],
    out: string,
    error: string,
    settings?: Settings,
  ][] = [
    ["for people", [refused.path], `Not fit to serve. ${reason}\n${hint}`, ""],
    [
      "for machines",
      [refused.path, "--json"],
      `${JSON.stringify({ error: reason })}\n`,
      "",
    ],
    [
      "no such folder",
      [`${refused.path}/no`],
      `Not fit to serve. DATA_DIR=${refused.path}/no does not exist. Set DATA_DIR to a folder with the exports that this process may read.\n`,
      "",
    ],
    [
      "a folder that a job of Spark still writes",
      [unfinished.path],
      "Not fit to serve. interactions.parquet: is still being written: _temporary is in it. Finish the job that writes it, or remove _temporary. Check the folder when its files are written.\n",
      "",
      { SETTLE_SECONDS: "1" },
    ],
    ["no folder", [], "", usage],
    ["two folders", [refused.path, refused.path], "", usage],
    [
      "a wrong setting",
      [refused.path],
      "",
      'Wrong setting DATE_ORDER="YMD": must be "DMY" or "MDY"\n',
      { DATE_ORDER: "YMD" },
    ],
    [
      "an unusable STAGING_DIR",
      [refused.path],
      "",
      `Wrong setting STAGING_DIR="${refused.path}/customers.csv": must be a folder that this process may write (it is a file, or below one)\n`,
      { STAGING_DIR: `${refused.path}/customers.csv` },
    ],
    [
      "a misspelt setting",
      [refused.path],
      `Not fit to serve. ${reason}\n${hint}`,
      "DATE_ODER is not a setting; did you mean DATE_ORDER?\n",
      { DATE_ODER: "MDY" },
    ],
  ];
  for (const [name, args, out, error, settings] of table) {
    await t.step(name, async () => {
      assertEquals(await checkData(args, settings), { code: 1, out, error });
    });
  }
  await t.step("an unknown option", async () => {
    const { code, error } = await checkData([refused.path, "--yaml"]);
    assertEquals(code, 1);
    assertStringIncludes(error, "'--yaml'");
    assertStringIncludes(error, usage);
  });
});

Deno.test("a draft of tally.toml is named only where it may be the cure", async (t) => {
  const header = "Date Start,Interaction,Customers\n";
  const table: [name: string, Files, is_named: boolean][] = [
    ["other files", { "calls.csv": header }, true],
    ["other ids", { ...CLEAN, "customers.csv": "Customer_Id\nC-1\n" }, true],
    [
      "other dates",
      { ...CLEAN, "interactions.csv": `${header}12/31/2020,Bird,1\n` },
      true,
    ],
    [
      "other names in a tally.toml",
      { ...CLEAN, "tally.toml": '[customers]\nfiles = "c*"\nid = "No"\n' },
      false,
    ],
    ["a mistake in a tally.toml", { ...CLEAN, "tally.toml": "a = 1" }, false],
    ["a damaged ZIP", { ...CLEAN, "more.zip": "PK\x03\x04" }, false],
    [
      "a quote that is never closed",
      { ...CLEAN, "customers.csv": 'Customer_Id,Type\n1,"a\n' },
      false,
    ],
  ];
  for (const [name, files, is_named] of table) {
    await t.step(name, async () => {
      await using folder = await dataFolder(files);
      const { code, out } = await checkData([folder.path]);
      assertEquals(code, 1);
      assertEquals(out.includes("deno task suggest"), is_named, out);
    });
  }
});

Deno.test("what vouches for a file is heeded, as the server does", async (t) => {
  await using folder = await dataFolder(CLEAN);
  const interactions = CLEAN["interactions.csv"] as string;
  const sha256 = (text: string) =>
    createHash("sha256").update(text).digest("hex");
  const manifest = (rows: number) =>
    JSON.stringify({
      files: [{
        file: "interactions.csv",
        sha256: sha256(interactions),
        bytes: interactions.length,
        rows,
      }],
    });
  const table: [name: string, Files, code: number, told: string][] = [
    [
      "a wrong hash",
      { "interactions.csv.sha256": sha256("another") },
      1,
      "Not fit to serve. interactions.csv: not the bytes that interactions.csv.sha256 describes.",
    ],
    [
      "the right hash",
      { "interactions.csv.sha256": sha256(interactions) },
      0,
      "Fit to serve",
    ],
    ["other rows than listed", { "manifest.json": manifest(3) }, 1, "2 rows"],
    ["the rows listed", { "manifest.json": manifest(2) }, 0, "Fit to serve"],
    [
      "a last line that may be cut",
      { "customers.csv": "Customer_Id\n1" },
      0,
      "Notes\n  customers.csv: no line break at its end, so it may be cut\n",
    ],
  ];
  for (const [name, files, code, told] of table) {
    await t.step(name, async () => {
      await folder.write(files);
      const checked = await checkData([folder.path]);
      assertStringIncludes(checked.out, told);
      assertEquals(checked.code, code);
    });
  }
  await t.step("and none may be cut where the setting says so", async () => {
    const { code, out } = await checkData([folder.path], {
      CSV_FINAL_NEWLINE: "required",
    });
    assertEquals(code, 1);
    assertStringIncludes(out, "End its last line with a line break");
  });
});

Deno.test("a manifest's rows of a workbook are those of its sheets that are read", async (t) => {
  const book = xlsx({
    customers: sheetOf(["Customer_Id"], [1], [2]),
    interactions: sheetOf(
      ["Date Start", "Interaction", "Customers"],
      ["01/02/2020", "Email", 1],
      [],
      ["01/02/2020", "Call", 2],
      ["01/02/2020", "Call", 1],
    ),
    notes: sheetOf(["a note"], ["another"]),
  });
  for (
    const [rows, code, told] of <[number, number, string][]> [
      [5, 0, "Fit to serve"],
      [3, 1, "crm.xlsx: 5 rows, and manifest.json lists 3."],
    ]
  ) {
    await t.step(`${rows}`, async () => {
      await using folder = await dataFolder({
        "crm.xlsx": book,
        "manifest.json": JSON.stringify({
          files: [{
            file: "crm.xlsx",
            sha256: createHash("sha256").update(book).digest("hex"),
            bytes: book.length,
            rows,
          }],
        }),
      });
      const checked = await checkData([folder.path]);
      assertStringIncludes(checked.out, told);
      assertEquals(checked.code, code);
    });
  }
});

Deno.test("the server's last good data is left alone", async () => {
  await using folder = await dataFolder(CLEAN);
  await using state = await dataFolder();
  const { code } = await checkData([folder.path], { STATE_DIR: state.path });
  assertEquals(code, 0);
  assertEquals(await contents(state.path), []);
});
