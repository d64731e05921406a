/** The exports in a ZIP are looked at as those beside it, within the limits of a load. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadTables } from "../support/load_folder.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { suggest } from "../support/suggest_folder.ts";
import { sheetOf, xlsx, zipOf, type ZipPart } from "../support/xlsx_files.ts";

const CONTACTS = "Contact ID,Full Name,Type\nC-1,Ann,Red\nC-2,Bo,Blue\n";
const CALLS =
  "Call ID,Contact ID,Start Time\nx1,C-1,2024-01-31T10:00:00Z\nx2,C-2,2024-02-01T10:00:00Z\n";
const FILES = { "contacts.csv": CONTACTS, "calls_2024.csv": CALLS };
const PARTS: readonly ZipPart[] = [
  { name: "contacts.csv", content: CONTACTS },
  { name: "out/of/crm/calls_2024.csv", content: CALLS },
];

/** What could not be looked at in a ZIP with these files, `contacts.csv` beside it. */
async function leftOf(
  parts: readonly ZipPart[],
  limits?: Parameters<typeof suggest>[1],
): Promise<string[]> {
  const { left } = await suggest({
    "contacts.csv": CONTACTS,
    "exports.zip": zipOf(parts),
  }, limits);
  return left.map(({ file, reason }) => `${file}: ${reason}`);
}

Deno.test("a ZIP has the draft of the files in it, and loads by it", async () => {
  const { toml, left } = await suggest({ "exports.zip": zipOf(PARTS) });
  assertEquals(left, []);
  assertEquals(toml, (await suggest(FILES)).toml);
  await using loaded = await loadTables({
    "exports.zip": zipOf(PARTS),
    "tally.toml": toml,
  });
  assertEquals(
    loaded.report.files.map(({ file, rows_kept }) => [file, rows_kept]),
    [["exports.zip/contacts.csv", 2], [
      "exports.zip/out/of/crm/calls_2024.csv",
      2,
    ]],
  );
});

Deno.test("files in a ZIP and beside it belong together, whatever their format", async () => {
  const visits = await parquetFiles({
    "visits.parquet":
      "select 'C-1' as contact_id, timestamp '2024-01-31 10:00' as start_time",
  });
  const { sources, left } = await suggest({
    "contacts.csv": CONTACTS,
    "more.zip": zipOf([
      { name: "calls_2023.csv", content: CALLS },
      { name: "visits.parquet", content: visits["visits.parquet"] },
      {
        name: "mails.xlsx",
        content: xlsx({
          Mails: sheetOf(["Contact ID", "Sent at"], ["C-2", "2024-01-31"]),
        }),
      },
    ]),
    "calls_2024.csv": CALLS,
  });
  assertEquals(left, []);
  assertEquals(
    sources.map(({ files, file_names }) => [files, ...file_names]),
    [
      ["contacts.csv", "contacts.csv"],
      ["calls_*.csv", "calls_2024.csv", "calls_2023.csv"],
      ["mails.xlsx", "mails.xlsx"],
      ["visits.parquet", "visits.parquet"],
    ],
  );
});

Deno.test("of a long file in a ZIP, the begin is looked at", async () => {
  const rows = Array.from(
    { length: 200_000 },
    (_, i) => `x${i},C-${i % 2 + 1},2024-01-31T10:00:00Z\n`,
  );
  const long = `Call ID,Contact ID,Start Time\n${rows.join("")}`;
  assert(long.length > 1 << 22);
  const { sources } = await suggest({
    "contacts.csv": CONTACTS,
    "exports.zip": zipOf([
      { name: "calls.csv", content: long },
    ]),
  });
  const calls = sources.find(({ files }) => files === "calls.csv")!;
  assertEquals([calls.is_whole, calls.rows_seen], [false, 10_000]);
});

Deno.test("what is no export in a ZIP is named, and what a load passes over is not", async () => {
  assertEquals(
    await leftOf([
      { name: "__MACOSX/calls.csv", content: "x" },
      { name: ".DS_Store", content: "x" },
      { name: "contacts.csv", content: CONTACTS },
      { name: "interactions/part-1.csv", content: CALLS },
      { name: "readme.txt", content: "x" },
      { name: "tally.toml", content: "x" },
    ]),
    [
      "exports.zip/interactions/part-1.csv: in a folder of parts",
      "exports.zip/readme.txt: not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip",
      "exports.zip/tally.toml: read only beside the ZIP",
      "exports.zip/contacts.csv: another file of this name is looked at",
    ].sort(),
  );
});

Deno.test("a ZIP that a load refuses is not looked into, and the reason is said", async (t) => {
  const calls: ZipPart = { name: "calls.csv", content: CALLS };
  const cases: readonly [
    reason: string,
    parts: readonly ZipPart[],
    limits?: Parameters<typeof suggest>[1],
  ][] = [
    ["a ZIP in a ZIP", [{ name: "more.zip", content: zipOf(PARTS) }]],
    ["packed with a password", [{ ...calls, encrypted: true }]],
    ["a link or the like", [{ ...calls, mode: 0o120777 }]],
    ["damaged", [{ ...calls, crc: 1 }]],
    ["overlap", [calls, { ...calls, name: "b.csv", shares_bytes: true }]],
    ["invalid relative path", [{ ...calls, name: "../calls.csv" }]],
    [
      "more than 50 bytes unpacked",
      [calls],
      { max_file_bytes: 50, zip_max_bytes: 1 << 20 },
    ],
    [
      "more than ZIP_MAX_BYTES=100 bytes unpacked",
      [calls, { ...calls, name: "mails.csv" }],
      { max_file_bytes: 1 << 20, zip_max_bytes: 100 },
    ],
    ["more than 250 times its size", [{ ...calls, claimed_bytes: 1 << 27 }]],
  ];
  for (const [reason, parts, limits] of cases) {
    await t.step(reason, async () => {
      const [left, ...others] = await leftOf(parts, limits);
      assertStringIncludes(left, "exports.zip");
      assertStringIncludes(left, reason);
      assertEquals(others, []);
    });
  }
});
