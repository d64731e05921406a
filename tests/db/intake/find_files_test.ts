/** Finding the exports: which names are read, which are reported, which are passed over. */

import { assertEquals, assertRejects } from "@std/assert";
import { findFiles } from "../../../db/intake/find_files.ts";
import { sentence } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";

/** What is found in a folder, in short: `file table format[ gzip][ part]`. */
async function found(data_dir: string): Promise<string[]> {
  const { files } = await findFiles(data_dir);
  return files.map((found) => {
    const { file, table, format, part } = found;
    const gzip = format !== "zip" && found.gzip;
    return [file, table, format, gzip && "gzip", part && "part"]
      .filter(Boolean).join(" ");
  });
}

Deno.test("findFiles, a ZIP of any name", async () => {
  await using folder = await dataFolder({
    "Export of May.zip": "",
    "customers.csv.ZIP": "",
    "interactions/jan.zip": "",
  });
  assertEquals(await found(folder.path), [
    "Export of May.zip zip",
    "customers.csv.ZIP zip",
    "interactions/jan.zip interactions zip part",
  ]);
  assertEquals((await findFiles(folder.path)).ignored, []);
});

Deno.test("findFiles, formats and names", async () => {
  await using folder = await dataFolder({
    "channels.csv": "",
    "customers.tsv": "",
    "Customers_2.CSV.GZ": "",
    "EXTERNAL INTERACTIONS.Parquet": "",
    "interactions_2024-01.csv": "",
    "interactions_2024-02.tsv.gz": "",
    "products-of-discussion.csv.gz": "",
  });
  assertEquals(await found(folder.path), [
    "Customers_2.CSV.GZ customers text gzip",
    "EXTERNAL INTERACTIONS.Parquet interactions parquet",
    "channels.csv channels text",
    "customers.tsv customers text",
    "interactions_2024-01.csv interactions text",
    "interactions_2024-02.tsv.gz interactions text gzip",
    "products-of-discussion.csv.gz products text gzip",
  ]);
  assertEquals((await findFiles(folder.path)).ignored, []);
});

Deno.test("findFiles, workbooks: of any name; old ones by their table's name, to be refused", async () => {
  await using folder = await dataFolder({
    "crm.xlsx": "",
    "Customers.XLSX": "",
    "customers_2.xls": "",
    "crm.xls": "",
    "interactions/2024.xlsx": "",
    "~$crm.xlsx": "",
    "crm/customers.xlsx": "",
  });
  await using outside = await dataFolder({ "more.xlsx": "" });
  await Deno.symlink(`${outside.path}/more.xlsx`, `${folder.path}/more.xlsx`);
  assertEquals(await found(folder.path), [
    "Customers.XLSX customers xlsx",
    "crm.xlsx xlsx",
    "customers_2.xls customers xlsx",
    "interactions/2024.xlsx interactions xlsx part",
  ]);
  assertEquals((await findFiles(folder.path)).ignored, [
    { file: "crm", reason: "a folder that is not a table's" },
    {
      file: "crm.xls",
      reason: "not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip",
    },
    { file: "more.xlsx", reason: "a link out of the data folder" },
  ]);
});

Deno.test("findFiles, a folder of parts: every file in it, by name", async () => {
  await using folder = await dataFolder({
    "interactions/part-10.csv": "",
    "interactions/part-2.csv": "",
    "interactions/customers.csv": "",
    "interactions/_SUCCESS": "",
    "interactions/.part-3.csv.crc": "",
    "interactions/deeper/notes.txt": "",
    "interactions/deeper/.part-1.csv": "",
    "interactions_2023/x.parquet": "",
    "customers.csv": "",
  });
  assertEquals(await found(folder.path), [
    "customers.csv customers text",
    "interactions/customers.csv interactions text part",
    "interactions/part-10.csv interactions text part",
    "interactions/part-2.csv interactions text part",
    "interactions_2023/x.parquet interactions parquet part",
  ]);
  assertEquals((await findFiles(folder.path)).ignored, [
    {
      file: "interactions/deeper",
      reason: "a folder that is not a table's",
    },
  ]);
});

Deno.test("findFiles, a folder inside a folder of parts: refused where it may hold parts", async () => {
  await using folder = await dataFolder({
    "customers/old/2020/part-0.csv": "",
    "interactions/part-0.parquet": "",
    "interactions/year=2021/part-0.parquet": "",
    "interactions/year=2022/part-0.parquet": "",
    "products.parquet/Product=a/part-0.parquet": "",
    "products.parquet/_temporary/0/part-0.parquet": "",
    "products.parquet/_SUCCESS": "",
  });
  const { files, ignored, unusable } = await findFiles(folder.path);
  assertEquals(
    unusable.map(({ table, problem }) => [table, sentence(problem)]),
    [
      ["customers", "customers/old"],
      ["interactions", "interactions/year=2021"],
      ["products", "products.parquet/Product=a"],
    ].map(([table, file]) => [
      table,
      `${file}: a folder inside a folder of parts. Export without partitions, or move its files up.`,
    ]),
  );
  assertEquals(files.map(({ file }) => file), ["interactions/part-0.parquet"]);
  assertEquals(ignored, []);
});

Deno.test("findFiles, the folders that Spark writes: parts of one export", async () => {
  await using folder = await dataFolder({
    "interactions.parquet/part-00000-5f1c.snappy.parquet": "",
    "interactions.parquet/.part-00000-5f1c.snappy.parquet.crc": "",
    "interactions.parquet/part-00001-5f1c.snappy.parquet": "",
    "interactions.parquet/_SUCCESS": "",
    "interactions.parquet/._SUCCESS.crc": "",
    "interactions.parquet/_metadata": "",
    "interactions.parquet/_committed_7263": "",
    "interactions.parquet/_old.txt": "",
    "customer.csv/part-00000.csv.gz": "",
    "customer.csv/_SUCCESS": "",
    "customers_2.csv/part-00000.csv": "",
    "crm.xlsx/part.csv": "",
    "sales.parquet/part.parquet": "",
  });
  assertEquals(await found(folder.path), [
    "customer.csv/part-00000.csv.gz customers text gzip part",
    "interactions.parquet/part-00000-5f1c.snappy.parquet interactions parquet part",
    "interactions.parquet/part-00001-5f1c.snappy.parquet interactions parquet part",
  ]);
  assertEquals(
    (await findFiles(folder.path)).ignored.map(({ file }) => file),
    [
      "crm.xlsx",
      "customers_2.csv",
      "interactions.parquet/_old.txt",
      "sales.parquet",
    ],
  );
});

Deno.test("findFiles, a folder that a job of Spark still writes: named, until it has ended", async (t) => {
  const cases: [name: string, file: string, marks: string[], by?: string][] = [
    [
      "Parquet",
      "interactions.parquet/part-0.parquet",
      ["_temporary/0/task_1/part-1.parquet"],
      "_temporary",
    ],
    ["text", "interactions.csv/part-0.csv", ["_temporary/0/x"], "_temporary"],
    [
      "a folder of any parts",
      "interactions/0.csv",
      ["_temporary/x"],
      "_temporary",
    ],
    ["a job that has ended", "interactions.parquet/part-0.parquet", [
      "_SUCCESS",
    ]],
    ["a job after it", "interactions.parquet/part-0.parquet", [
      "_SUCCESS",
      "_temporary/0/x",
    ], "_temporary"],
    [
      "a second job",
      "interactions.parquet/part-0.parquet",
      ["_started_1", "_committed_1", "_started_22"],
      "_started_22",
    ],
    ["jobs that have ended", "interactions.parquet/part-0.parquet", [
      "_started_1",
      "_committed_1",
      "_committed_22",
    ]],
  ];
  for (const [name, file, marks, by] of cases) {
    await t.step(name, async () => {
      const parts = file.slice(0, file.indexOf("/"));
      await using folder = await dataFolder({
        [file]: "",
        ...Object.fromEntries(marks.map((mark) => [`${parts}/${mark}`, ""])),
      });
      const { unfinished, ignored } = await findFiles(folder.path);
      assertEquals(
        unfinished.map(({ table, problem: { file, problem } }) => [
          table,
          `${file}: ${problem}`,
        ]),
        by
          ? [[
            "interactions",
            `${parts}: is still being written: ${by} is in it`,
          ]]
          : [],
      );
      assertEquals(ignored, []);
    });
  }
});

Deno.test("findFiles, what is not read: named with the reason", async () => {
  const no_format = "not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip";
  const no_table = "not the name of a table";
  await using folder = await dataFolder({
    "customers (1).csv": "",
    "interactions_old.csv": "",
    "sales.parquet": "",
    "__proto__.csv": "",
    "customers.txt": "",
    "sales.xls": "",
    "customers.csv.7z": "",
    "customers.parquet.gz": "",
    "customers": "",
    "README.md": "",
    "archive/customers.csv": "",
    "customers.csv/part.csv": "",
  });
  await Deno.symlink(`${folder.path}/nowhere`, `${folder.path}/products.csv`);
  await new Deno.Command("mkfifo", { args: [`${folder.path}/customers_2.csv`] })
    .output();

  const { files, ignored } = await findFiles(folder.path);
  assertEquals(files, []);
  assertEquals(
    Object.fromEntries(ignored.map(({ file, reason }) => [file, reason])),
    {
      "customers (1).csv": no_table,
      "interactions_old.csv": no_table,
      "sales.parquet": no_table,
      ["__proto__.csv"]: no_table,
      "customers.txt": no_format,
      "sales.xls": no_format,
      "customers.csv.7z": no_format,
      "customers.parquet.gz": no_format,
      "customers": no_format,
      "README.md": no_format,
      "archive": "a folder that is not a table's",
      "customers.csv":
        "no _SUCCESS in it, so its job has not ended, or it is no folder of Spark",
      "products.csv": "a link to nothing",
      "customers_2.csv": "not a regular file",
    },
  );
});

Deno.test("findFiles, files that are being written or hidden: passed over", async () => {
  await using folder = await dataFolder({
    "customers.csv.part": "",
    "customers.csv.tmp": "",
    "customers.csv.TMP": "",
    "customers.csv.crdownload": "",
    "customers.csv~": "",
    ".customers.csv": "",
    ".customers.csv.swp": "",
    "~$customers.csv": "",
    ".git/customers.csv": "",
    "interactions/part-1.csv.part": "",
  });
  assertEquals(await findFiles(folder.path), {
    files: [],
    ignored: [],
    unfinished: [],
    unusable: [],
    proofs: [],
    mapping: null,
    mapping_file: null,
  });
});

Deno.test("findFiles, links: within the folder followed, out of it never", async () => {
  await using outside = await dataFolder({
    "customers.csv": "",
    "interactions/part-1.csv": "",
  });
  await using folder = await dataFolder({
    ".v2/customers.csv": "",
    "products/part-1.csv": "",
  });
  const link = (target: string, name: string) =>
    Deno.symlink(target, `${folder.path}/${name}`);
  await link(".v2/customers.csv", "customers.csv");
  await link(`${outside.path}/customers.csv`, "customers_2.csv");
  await link("/etc/passwd", "channels.csv");
  await link("/dev/zero", "channels_2.csv");
  await link(`${outside.path}/interactions`, "interactions");
  await link(".", "interactions_2");
  await link("/", "interactions_3");
  await link(`${outside.path}/customers.csv`, "products/part-2.csv");
  await link("../..", "products/up");

  assertEquals(await found(folder.path), [
    "customers.csv customers text",
    "products/part-1.csv products text part",
  ]);
  const out = "a link out of the data folder";
  assertEquals((await findFiles(folder.path)).ignored, [
    { file: "channels.csv", reason: out },
    { file: "channels_2.csv", reason: out },
    { file: "customers_2.csv", reason: out },
    { file: "interactions", reason: out },
    { file: "interactions_2", reason: out },
    { file: "interactions_3", reason: out },
    { file: "products/part-2.csv", reason: out },
    { file: "products/up", reason: out },
  ]);
});

Deno.test("findFiles, a data folder that is itself a link: followed", async () => {
  await using folder = await dataFolder({ "real/customers.csv": "" });
  await Deno.symlink("real", `${folder.path}/link`);
  assertEquals(await found(`${folder.path}/link`), [
    "customers.csv customers text",
  ]);
});

Deno.test("findFiles, the order: by code point, not by UTF-16 or language", async () => {
  await using folder = await dataFolder({
    "interactions/\u{1f426}.csv": "",
    "interactions/\uff5e.csv": "",
    "interactions/ä.csv": "",
    "interactions/z.csv": "",
    "interactions/Z.csv": "",
    "interactions/1.csv": "",
    "interactions/10.csv": "",
  });
  const { files } = await findFiles(folder.path);
  assertEquals(files.map(({ file }) => file.slice("interactions/".length)), [
    "1.csv",
    "10.csv",
    "Z.csv",
    "z.csv",
    "ä.csv",
    "\uff5e.csv",
    "\u{1f426}.csv",
  ]);
});

Deno.test("findFiles, an empty folder and none", async () => {
  await using folder = await dataFolder();
  assertEquals(await findFiles(folder.path), {
    files: [],
    ignored: [],
    unfinished: [],
    unusable: [],
    proofs: [],
    mapping: null,
    mapping_file: null,
  });
  await assertRejects(
    () => findFiles(`${folder.path}/nowhere`),
    Deno.errors.NotFound,
  );
});

Deno.test("a file from elsewhere counts as one of the folder, there or not", async () => {
  await using folder = await dataFolder({
    "customers.csv": "",
    "interactions.csv": "",
    "calls.csv": "",
  });
  await using elsewhere = await dataFolder({
    "other": "",
    "mapping":
      '[[interactions]]\nfiles = "calls.csv"\ncustomer = "Who"\ntime = "When"\nchannel = "How"\n',
  });
  const other = `${elsewhere.path}/other`;
  const placesWith = async (file: string, path = other) => {
    const { files, ignored } = await findFiles(folder.path, {
      replacement: { file, path },
    });
    const of_folder = (path: string) => path.replace(`${folder.path}/`, "");
    return {
      files: files.map(({ file, path }) => [file, of_folder(path)]),
      ignored: ignored.map(({ file }) => file),
    };
  };
  assertEquals(await placesWith("interactions.csv"), {
    files: [["customers.csv", "customers.csv"], ["interactions.csv", other]],
    ignored: ["calls.csv"],
  });
  assertEquals(await placesWith("customers_2.csv"), {
    files: [
      ["customers.csv", "customers.csv"],
      ["customers_2.csv", other],
      ["interactions.csv", "interactions.csv"],
    ],
    ignored: ["calls.csv"],
  });
  assertEquals(
    await placesWith("tally.toml", `${elsewhere.path}/mapping`),
    {
      files: [
        ["calls.csv", "calls.csv"],
        ["customers.csv", "customers.csv"],
        ["interactions.csv", "interactions.csv"],
      ],
      ignored: [],
    },
  );
});
