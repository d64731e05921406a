/** A ZIP of exports: the files in it are read as those beside it, and a hostile one is refused, soon and with a way out. */

import { assert, assertEquals } from "@std/assert";
import { Zip as PackedZip, ZipDeflate } from "fflate";
import { dataFolder, type Files, namesIn } from "../../support/data_folder.ts";
import {
  loadTables,
  messageOfRefusal,
  openStore,
  refusalOf,
} from "../../support/load_folder.ts";
import { parquetFiles } from "../../support/parquet_files.ts";
import {
  sheetOf,
  xlsx,
  zipOf,
  type ZipPart,
} from "../../support/xlsx_files.ts";

const CUSTOMERS = "Customer_Id,Type\n1,Red\n2,Blue\n";
const INTERACTIONS =
  "Date Start,Interaction,Customers\n01/02/2020,Email,1\n02/02/2020,Call,2\n";
const BOTH: readonly ZipPart[] = [
  { name: "customers.csv", content: CUSTOMERS },
  { name: "interactions.csv", content: INTERACTIONS },
];

/** The files that were read and not read, in short. */
async function read(files: Files, settings = {}): Promise<string[]> {
  await using loaded = await loadTables(files, settings);
  const { report } = loaded;
  return [
    ...report.files.map(({ file, table, rows_kept }) =>
      `${file}: ${table} ${rows_kept}`
    ),
    ...report.ignored.map(({ file, reason }) => `${file} (${reason})`),
  ];
}

const versionOf = async (files: Files) => {
  await using loaded = await loadTables(files);
  return loaded.report.data_version;
};

Deno.test("a ZIP of exports stands for its files", async () => {
  const files = [
    "customers.csv: customers 2",
    "interactions.csv: interactions 2",
  ];
  const plain = {
    "customers.csv": CUSTOMERS,
    "interactions.csv": INTERACTIONS,
  };
  assertEquals(await read(plain), files);
  const packed = { "Exports of May.ZIP": zipOf(BOTH) };
  assertEquals(
    await read(packed),
    files.map((one) => `Exports of May.ZIP/${one}`),
  );
  // The answers depend on what is in it, not on how it is packed.
  assertEquals(await versionOf(packed), await versionOf(plain));
});

Deno.test("a ZIP, written in other ways", async (t) => {
  const stored = BOTH.map((part) => ({ ...part, method: 0 }));
  const by_unix = BOTH.map((part) => ({ ...part, mode: 0o100644 }));
  const zips: [string, Uint8Array][] = [
    ["not packed", zipOf(stored)],
    ["by Unix", zipOf(by_unix)],
    ["ZIP64", zipOf(BOTH, { zip64: true })],
    ["as a stream: sizes stand behind the bytes", streamed(BOTH)],
    ["with a comment", withComment(zipOf(BOTH), "of May")],
  ];
  for (const [name, bytes] of zips) {
    await t.step(name, async () => {
      assertEquals(await read({ "a.zip": bytes }), [
        "a.zip/customers.csv: customers 2",
        "a.zip/interactions.csv: interactions 2",
      ]);
    });
  }
});

Deno.test("every format, and every place in a ZIP", async () => {
  const tsv = CUSTOMERS.replaceAll(",", "\t");
  const book = xlsx({
    "interactions 2020": sheetOf(
      ["Date Start", "Interaction", "Customers"],
      ["05/02/2020", "Post", 1],
    ),
  });
  const products = await parquetFiles({
    "products.parquet": "select date '2020-02-01' as date, 'Boat' as product",
  });
  const zip = zipOf([
    { name: "export/customers.tsv", content: tsv },
    // A workbook that is not packed makes the ZIP look like one.
    { name: "crm.xlsx", content: book, method: 0 },
    { name: "2020/interactions/", content: "" },
    { name: "2020/interactions/jan/a.csv", content: INTERACTIONS },
    { name: "2020/interactions/_SUCCESS", content: "" },
    {
      name: "products.parquet",
      content: products["products.parquet"],
    },
    { name: "__MACOSX/._customers.csv", content: "x" },
    { name: ".DS_Store", content: "x" },
    { name: "export/.git/customers.csv", content: "x" },
    { name: "~$crm.xlsx", content: "x" },
    { name: "channels.csv.part", content: "x" },
    { name: "readme.txt", content: "x" },
    { name: "sales.csv", content: "x" },
    { name: "customers.csv.sha256", content: "x" },
    { name: "tally.toml", content: "x" },
  ]);
  assertEquals(await read({ "a.zip": zip, "customers.csv": "id\n3\n" }), [
    "a.zip/products.parquet: products 1",
    "customers.csv: customers 1",
    "a.zip/export/customers.tsv: customers 2",
    "a.zip/crm.xlsx, sheet interactions 2020: interactions 1",
    "a.zip/2020/interactions/jan/a.csv: interactions 2",
    "a.zip/customers.csv.sha256 (read only beside the ZIP)",
    "a.zip/readme.txt (not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip)",
    "a.zip/sales.csv (not the name of a table)",
    "a.zip/tally.toml (read only beside the ZIP)",
  ]);
});

Deno.test("the order of files, and so the later row, is that of a folder without the ZIP", async (t) => {
  const interactions = { "interactions.csv": INTERACTIONS };
  const typed = (type: string) => `Customer_Id,Type\n1,${type}\n`;
  const first = { name: "customers_1.csv", content: typed("First") };
  const second = { name: "customers_2.csv", content: typed("Second") };
  const cases: [string, Files][] = [
    ["whatever the name of the ZIP", {
      "a.zip": zipOf([second]),
      "customers_1.csv": first.content,
    }],
    ["whatever the folders in it", {
      "a.zip": zipOf([
        { ...first, name: "z/customers_1.csv" },
        { ...second, name: "a/customers_2.csv" },
      ]),
    }],
    ["in two ZIPs", { "a.zip": zipOf([second]), "b.zip": zipOf([first]) }],
    ["a folder of parts counts by its own name", {
      "a.zip": zipOf([{ name: "customers_2/0.csv", content: second.content }]),
      "customers_1/1.csv": first.content,
    }],
    ["a ZIP among parts", {
      "customers/a.zip": zipOf([{ name: "c.csv", content: second.content }]),
      "customers/b.csv": first.content,
    }],
  ];
  for (const [name, files] of cases) {
    await t.step(name, async () => {
      await using loaded = await loadTables({ ...files, ...interactions });
      const { types } = loaded.report;
      assertEquals(types, ["Second"]);
    });
  }
});

Deno.test("a ZIP in a folder of parts: its files are parts, with any name", async () => {
  assertEquals(
    await read({
      "customers.csv": CUSTOMERS,
      "interactions/jan.zip": zipOf([{ name: "x.csv", content: INTERACTIONS }]),
    }),
    [
      "customers.csv: customers 2",
      "interactions/jan.zip/x.csv: interactions 2",
    ],
  );
});

Deno.test("tally.toml names the files in a ZIP as those beside it", async () => {
  const mapping = `[[interactions]]
files = "calls*.csv"
customer = "Who"
time = "When"
channel = { value = "Call" }
`;
  const calls = "Who,When\n1,2020-02-01\n";
  assertEquals(
    await read({
      "tally.toml": mapping,
      "customers.csv": CUSTOMERS,
      "calls.zip": zipOf([
        { name: "calls_1.csv", content: calls },
        { name: "other/calls_2.csv", content: calls },
        { name: "visits.csv", content: calls },
      ]),
    }),
    [
      "customers.csv: customers 2",
      "calls.zip/calls_1.csv: interactions 1",
      "calls.zip/other/calls_2.csv: interactions 1",
      "calls.zip/visits.csv (not the name of a table)",
    ],
  );
});

Deno.test("rows set aside are named by the file in the ZIP and its line", async () => {
  await using loaded = await loadTables({
    "a.zip": zipOf([
      BOTH[0],
      { name: "interactions.csv", content: `${INTERACTIONS}x,Email,1\n` },
    ]),
  });
  const [row] = loaded.report.set_aside_listed;
  assertEquals([row.file, row.line], ["a.zip/interactions.csv", 4]);
});

Deno.test("a ZIP that is not sound, or hostile: refused", async (t) => {
  const good = zipOf(BOTH);
  const [customers, interactions] = BOTH;
  const other = (part: Partial<ZipPart>) =>
    zipOf([customers, { ...interactions, ...part }]);
  const again = "Pack the files again, and replace it whole.";
  const unsound = (detail: string) =>
    `a.zip: not a sound ZIP: ${detail}. ${again}`;
  const flipped = good.slice();
  flipped[50] ^= 0xff;
  const far = unsound("it names bytes beyond its end");
  const cases: [string, Uint8Array, string][] = [
    ["ZIP64, its last record far beyond its end", farZip("PK\x06\x07", 8), far],
    ["ZIP64, its list far beyond its end", farZip("PK\x06\x06", 48), far],
    [
      "ZIP64, a file far beyond its end",
      farZip("PK\x01\x02", 46 + customers.name.length + 4 + 16),
      far,
    ],
    [
      "cut",
      good.slice(0, -30),
      unsound(
        "the zip: End of central directory record signature not found. Either not a zip file, or file is truncated",
      ),
    ],
    [
      "out of it",
      other({ name: "../interactions.csv" }),
      unsound(
        "the zip: invalid relative path: ../interactions.csv",
      ),
    ],
    [
      "out of it, as Windows writes it",
      other({ name: "a\\..\\..\\interactions.csv" }),
      unsound(
        "the zip: invalid relative path: a/../../interactions.csv",
      ),
    ],
    [
      "absolute",
      other({ name: "/interactions.csv" }),
      unsound("the zip: absolute path: /interactions.csv"),
    ],
    [
      "of a drive",
      other({ name: "C:\\interactions.csv" }),
      unsound("the zip: absolute path: C:/interactions.csv"),
    ],
    [
      "NUL in a name",
      other({ name: "interactions.csv\0.txt" }),
      unsound("a control character in the name of a file"),
    ],
    [
      "a long name",
      other({ name: `${"a".repeat(988)}.csv/interactions.csv` }),
      unsound("a name of more than 1000 characters"),
    ],
    [
      "a long name, before it is compared with others",
      zipOf([...BOTH, { name: "b".repeat(1_001), content: "" }, {
        name: "a\0",
        content: "",
      }]),
      unsound("a name of more than 1000 characters"),
    ],
    [
      "one name twice",
      zipOf([...BOTH, interactions]),
      unsound('two files "interactions.csv" in it'),
    ],
    [
      "one name twice, but for case",
      zipOf([...BOTH, { ...interactions, name: "Interactions.CSV" }]),
      unsound('two files "Interactions.CSV" in it'),
    ],
    [
      "shared bytes",
      zipOf([...BOTH, {
        ...interactions,
        name: "interactions_2.csv",
        shares_bytes: true,
      }]),
      unsound("files in it overlap each other"),
    ],
    [
      "a link",
      other({ mode: 0o120777 }),
      "a.zip/interactions.csv: a link or the like, not a file. Pack the file itself.",
    ],
    [
      "a pipe",
      other({ mode: 0o010644 }),
      "a.zip/interactions.csv: a link or the like, not a file. Pack the file itself.",
    ],
    [
      "a password",
      other({ encrypted: true }),
      "a.zip/interactions.csv: packed with a password. Pack it again without one.",
    ],
    [
      "another method",
      other({ method: 9 }),
      "a.zip/interactions.csv: packed by method 9, not by Deflate. Pack it again as an ordinary ZIP, or deliver the file itself.",
    ],
    [
      "a ZIP in it",
      other({ name: "more/interactions.zip" }),
      "a.zip/more/interactions.zip: a ZIP in a ZIP. Pack the files themselves, or deliver it beside the other.",
    ],
    [
      "claims too little",
      other({ claimed_bytes: 10 }),
      unsound(
        "interactions.csv: too many bytes in the stream. expected 10. got at least 70",
      ),
    ],
    [
      "claims too much",
      other({ claimed_bytes: 1000 }),
      unsound(
        "interactions.csv: not enough bytes in the stream. expected 1000. got only 70",
      ),
    ],
    [
      "another checksum",
      other({ crc: 1 }),
      unsound("interactions.csv is damaged"),
    ],
    [
      "an Excel workbook",
      xlsx({ customers: sheetOf(["id"]) }),
      "a.zip: its name ends in .zip, but it is an Excel workbook. Rename it to a.xlsx, or export it again.",
    ],
    [
      "a text",
      new TextEncoder().encode(CUSTOMERS),
      "a.zip: its name ends in .zip, but it is text. Rename it to a.csv, or export it again.",
    ],
  ];
  for (const [name, bytes, message] of cases) {
    await t.step(name, async () => {
      assertEquals(await refusalOf({ "a.zip": bytes }), message);
    });
  }
  await t.step("damaged bytes", async () => {
    const message = await refusalOf({ "a.zip": flipped });
    assert(message.startsWith("a.zip: not a sound ZIP: "), message);
  });
});

Deno.test("a file in a ZIP that is of no table is not looked at", async () => {
  const zip = zipOf([
    ...BOTH,
    { name: "secret.txt", content: "x", encrypted: true },
    { name: "link", content: "/etc/passwd", mode: 0o120777 },
    { name: "film.bin", content: "x", claimed_bytes: 0xfffffff0 },
  ]);
  assertEquals((await read({ "a.zip": zip })).length, 5);
});

Deno.test("a ZIP has limits: files, bytes of one, bytes of all, ratio", async (t) => {
  const much = `${INTERACTIONS}${"01/02/2020,Email,1\n".repeat(5_000)}`;
  const zip = zipOf([BOTH[0], { name: "interactions.csv", content: much }]);
  const limit = String(much.length - 1);
  await t.step("one file", async () => {
    assertEquals(
      await refusalOf({ "a.zip": zip }, { MAX_FILE_BYTES: limit }),
      `a.zip/interactions.csv: more than ${limit} bytes unpacked. Deliver the files themselves, or raise MAX_FILE_BYTES.`,
    );
  });
  await t.step("all", async () => {
    const all = String(much.length + CUSTOMERS.length - 1);
    assertEquals(
      await refusalOf({ "a.zip": zip }, { ZIP_MAX_BYTES: all }),
      `a.zip: more than ZIP_MAX_BYTES=${all} bytes unpacked. Deliver the files themselves, or raise ZIP_MAX_BYTES.`,
    );
    assertEquals(
      (await read({ "a.zip": zip }, { ZIP_MAX_BYTES: String(+all + 1) }))
        .length,
      2,
    );
  });
  await t.step("ratio", async () => {
    const bomb = zipOf([
      BOTH[0],
      { name: "interactions.csv", content: new Uint8Array(70_000_000) },
    ]);
    assertEquals(
      await refusalOf({ "a.zip": bomb }),
      "a.zip: unpacks to more than 250 times its size. Deliver the files themselves.",
    );
  });
  await t.step("files", async () => {
    const parts = Array.from(
      { length: 10_001 },
      (_, i) => ({ name: `${i}.txt`, content: "" }),
    );
    assertEquals(
      await refusalOf({ "a.zip": zipOf(parts) }),
      "a.zip: not a sound ZIP: more than 10000 files in it. Pack the files again, and replace it whole.",
    );
  });
});

Deno.test("what is wrong with a ZIP, and beside it, is named in one go", async () => {
  assertEquals(
    await refusalOf({
      "a.zip": zipOf([{ ...BOTH[0], content: "x\n" }, { ...BOTH[1], crc: 1 }]),
      "b.zip": zipOf([{ name: "crm.xlsx", content: "x" }]),
      "channels.csv": "x\n",
    }),
    [
      "a.zip: not a sound ZIP: interactions.csv is damaged. Pack the files again, and replace it whole.",
      "b.zip/crm.xlsx: its name ends in .xlsx, but it is text. Rename it to crm.csv, or export it again.",
      'channels.csv, line 1: no column Channel among "x". Name the columns as docs/file-contract.md says.',
    ].join("\n"),
  );
});

Deno.test("nothing of a ZIP is left behind, whether it is loaded or refused", async () => {
  await using staging = await dataFolder();
  await using folder = await dataFolder({ "a.zip": zipOf(BOTH) });
  const settings = { STAGING_DIR: staging.path };
  {
    await using opened = await openStore(folder.path, settings);
    assertEquals(opened.report.interactions, 2);
    const [work] = await namesIn(staging.path);
    const left = await namesIn(`${staging.path}/${work}`);
    assert(!left.some((name) => name.startsWith("exports-")), left.join());
  }
  await folder.write({
    "a.zip": zipOf([BOTH[0], { ...BOTH[1], crc: 1 }]),
  });
  await messageOfRefusal(async () => {
    await using _ = await openStore(folder.path, settings);
  });
  assertEquals(await namesIn(staging.path), []);
});

/** A ZIP64 in which the number behind its first such signature is 2 ** 63. */
function farZip(signature: string, at: number): Uint8Array {
  const bytes = zipOf(BOTH, { zip64: true });
  const start = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")
    .indexOf(signature);
  new DataView(bytes.buffer).setBigUint64(start + at, 1n << 63n, true);
  return bytes;
}

function streamed(parts: readonly ZipPart[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  const zip = new PackedZip((error, chunk) => {
    if (error) throw error;
    pieces.push(chunk);
  });
  for (const { name, content } of parts) {
    const file = new ZipDeflate(name);
    zip.add(file);
    file.push(new TextEncoder().encode(content as string), true);
  }
  zip.end();
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function withComment(zip: Uint8Array, comment: string): Uint8Array {
  const bytes = Uint8Array.from([...zip, ...new TextEncoder().encode(comment)]);
  bytes[zip.length - 2] = comment.length;
  return bytes;
}
