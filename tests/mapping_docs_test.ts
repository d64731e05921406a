/** docs/file-contract.md on tally.toml: its examples load, its tables are true; docs/tally.schema.json is that of the code. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Ajv } from "ajv";
import { parse } from "smol-toml";
import { readMapping, type Source } from "../db/mapping/mapping.ts";
import { mappingJsonSchema } from "../db/mapping/mapping_file.ts";
import { NAMED_FORMATS, patternProblem } from "../db/mapping/time_format.ts";
import { csv, type Files } from "./support/data_folder.ts";
import {
  loadTables,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
} from "./support/load_folder.ts";
import { sheetOf, xlsx } from "./support/xlsx_files.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const contract = await read("docs/file-contract.md");
const part = contract.slice(
  contract.indexOf("\n## tally.toml\n"),
  contract.indexOf("\n## Cells and rows\n"),
);
const examplesIn = (text: string) =>
  Array.from(text.matchAll(/^```toml\n([^]*?)^```$/gm), ([, text]) => text);
const examples = examplesIn(part);
/** The README, and the pages of docs/exports/. */
const others = ["README.md"];
for await (const { name } of Deno.readDir(new URL("docs/exports", ROOT))) {
  others.push(`docs/exports/${name}`);
}
const validate = new Ajv({ strict: false }).compile(mappingJsonSchema());

/** What a source needs, with keys that an example may replace. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  customers: { files: "made*.csv", id: "Id" },
  interactions: {
    files: "made*.csv",
    customer: "Who",
    time: "When",
    channel: "Kind",
  },
  products: { files: "made*.csv", date: "Month", product: "Product" },
};

/** An example as a whole tally.toml: some are keys of a table, which their first line names. */
function whole(example: string): string {
  const table = /^# of \[+(\w+)\]+\n/.exec(example)?.[1];
  if (table === undefined) return example;
  const given = parse(example);
  const needed = Object.entries(NEEDED[table])
    .filter(([key]) => !(key in given))
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  return `[[${table}]]\n${needed.join("")}${example}`;
}

/** Files with a header and no rows that the sources of a tally.toml take, and what a load needs besides. */
function filesFor(toml: string): Files {
  const { sources, matches, needs_customers } = readMapping(toml);
  const files: Record<string, string | Uint8Array> = {};
  const by_glob = Map.groupBy(sources, ({ files }) => files);
  for (const [glob, sharing] of by_glob) {
    const [{ sheet, header_row = 1 }] = sharing;
    const headers = headersOf(sharing);
    const name = glob.replaceAll("*", "_1").replaceAll("?", "1");
    const above = Array(header_row - 1).fill(["A title"]);
    files[name] = sheet
      ? xlsx({ [sheet]: sheetOf(...above, headers), Other: sheetOf(["x"]) })
      : name.endsWith(".xlsx")
      ? xlsx({ Only: sheetOf(...above, headers) })
      : csv(...above, headers);
  }
  const has = (table: string) => sources.some((one) => one.table === table);
  if (!has("interactions")) files["interactions.csv"] = NO_INTERACTIONS;
  if (!has("customers") && needs_customers) {
    files["customers.csv"] = [
      NO_CUSTOMERS.trim(),
      ...matches.map(({ header }) => header),
    ].join(",") + "\n";
  }
  return { ...files, "tally.toml": toml };
}

function headersOf(sources: readonly Source[]): string[] {
  const headers = sources.flatMap(({ layout }) =>
    layout.columns.map(({ headers }) => headers[0])
  );
  return [...new Set(headers)];
}

Deno.test("every example loads, and fits the schema", async (t) => {
  assert(examples.length > 15, `found only ${examples.length}`);
  const in_others = (await Promise.all(others.sort().map(read)))
    .flatMap(examplesIn);
  assert(in_others.length > 11, `found only ${in_others.length}`);
  for (const example of [...examples, ...in_others]) {
    await t.step(example, async () => {
      const toml = whole(example);
      const fits = validate(parse(toml));
      assert(fits, JSON.stringify(validate.errors));
      const { sources } = readMapping(toml);
      await using loaded = await loadTables(filesFor(toml));
      const used = loaded.report.files.flatMap(({ source }) => source ?? []);
      assertEquals(used.sort(), sources.map(({ key }) => key).sort());
    });
  }
});

Deno.test("the whole example reads the files that are shown as it says", async () => {
  const files = Object.fromEntries(
    Array.from(
      part.matchAll(/^```csv (\S+)\n([^]*?)^```$/gm),
      ([, name, text]) => [name, text],
    ),
  );
  assertEquals(Object.keys(files).length, 3);
  await using loaded = await loadTables({
    ...files,
    "tally.toml": examples[0],
  });
  const { report } = loaded;
  assertEquals(
    report.files.map((one) => [
      one.file,
      one.source,
      one.rows_kept,
      one.rows_passed_over,
    ]),
    [
      ["contacts_2024.csv", "customers", 2, 0],
      ["activities_2024.csv", "interactions[1]", 1, 1],
      ["calls_2024.csv", "interactions[2]", 2, 0],
    ],
  );
  assertEquals(report.set_aside_listed, []);
  const rows = await loaded.query(
    `select id, channel::varchar as channel, date_start::varchar as time
from interactions join ids using (customer_id) order by time, id`,
  );
  assertEquals(rows.map((row) => Object.values(row)), [
    ["C-00123", "Meeting", "2024-12-31 21:05:00"],
    ["C-00124", "Meeting", "2024-12-31 21:05:00"],
    ["C-00124", "Call", "2025-01-01 00:00:00"],
    ["C-00123", "Call", "2025-01-01 01:00:00"],
  ]);
});

/** The rows of the table whose first column has this head; an empty first cell repeats the one above. */
function tableWith(head: string): string[][] {
  const [table] = part.split("\n\n")
    .filter((block) => RegExp(`^\\| ${head} +\\|`).test(block));
  assert(table, `no table whose first column is ${head}`);
  let first = "";
  return table.trim().split("\n").slice(2).map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
      .map((cell) => cell.trim().replaceAll(/^`|`$/g, ""));
    first = cells[0] || first;
    return [first, ...cells.slice(1)];
  });
}

/** Loads one row for each time, and returns them as they are read; null for those set aside. */
async function readTimes(
  times: readonly { readonly cell: string; readonly how: string }[],
): Promise<(string | null)[]> {
  const sources = times.map(({ how }, i) =>
    `[[interactions]]
files = "t${i}.csv"
customer = "Who"
channel = { value = "${i}" }
time = { column = "When", ${how} }
`
  );
  const files = times.map(({ cell }, i) => [
    `t${i}.csv`,
    csv(["When", "Who"], [cell, "1"]),
  ]);
  await using loaded = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "tally.toml": sources.join(""),
    ...Object.fromEntries(files),
  });
  const rows = await loaded.query(
    "select channel::varchar as i, date_start::varchar as time from interactions",
  );
  const by_row = new Map(
    rows.map(({ i, time }) => [Number(i), time as string]),
  );
  return times.map((_, i) => by_row.get(i) ?? null);
}

Deno.test("times are read as the table of formats says", async () => {
  const rows = tableWith("`format`");
  assertEquals([...new Set(rows.map(([format]) => format))], [
    ...NAMED_FORMATS,
  ]);
  const found = await readTimes(
    rows.map(([format, cell]) => ({ cell, how: `format = "${format}"` })),
  );
  assertEquals(found, rows.map(([, , time]) => time));
});

Deno.test("times of a zone are read as the table of its changes says", async () => {
  const rows = tableWith("in `America/New_York`");
  assert(rows.length > 5);
  const found = await readTimes(
    rows.map(([cell]) => ({ cell, how: 'zone = "America/New_York"' })),
  );
  assertEquals(found, rows.map(([, time]) => `${time}:00`));
});

Deno.test("the directives are those of patterns", () => {
  const listed = Array.from(
    tableWith("directive").map(([names]) => names).join(" ")
      .matchAll(/%[\w%]/g),
    ([name]) => name,
  );
  const [, known] = /among (.+)$/.exec(patternProblem("%Q")!)!;
  assertEquals(listed.sort(), known.split(" ").sort());
});

/** A part of the JSON Schema. */
interface Node {
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
}

const { definitions } = mappingJsonSchema() as {
  readonly definitions: Readonly<Record<string, Node>>;
};

Deno.test("the keys of each table are those of the schema", () => {
  const listed = tableWith("table").map(([table, key, more]) => ({
    table,
    key: key.replaceAll(/[`\\*]/g, ""),
    required: key.includes("*"),
    more: Array.from(
      more.matchAll(/`?(\w+)`?(?=,|;| and| instead|$)/g),
      ([, name]) => name,
    ).filter((name) => name !== "column").sort(),
  }));
  const keysOf = (node: Node): string[] => [
    ...Object.keys(node.properties ?? {}),
    ...(node.anyOf ?? []).flatMap(keysOf),
  ];
  const shared = [
    "files",
    "sheet",
    "header_row",
    "footer_rows",
    "skip_where",
    "keep_where",
  ];
  const known = Object.entries(definitions).flatMap(([table, node]) =>
    Object.entries(node.properties!)
      .filter(([key]) => !shared.includes(key))
      .map(([key, column]) => ({
        table,
        key,
        required: node.required!.includes(key),
        more: [...new Set(keysOf(column))].filter((one) => one !== "column")
          .sort(),
      }))
  );
  const byKey = (rows: typeof listed) =>
    rows.map((row) => JSON.stringify(row)).sort();
  assertEquals(byKey(listed), byKey(known));
  for (const key of shared) assertStringIncludes(part, `\`${key}\``);
});

Deno.test("the kinds of ids are those of the schema", () => {
  const { enum: kinds } = (mappingJsonSchema() as Node).properties!.ids;
  assertEquals(tableWith("`kind`").map(([kind]) => kind), [...kinds!]);
});

Deno.test("docs/tally.schema.json is that of the code", async () => {
  assertEquals(
    await read("docs/tally.schema.json"),
    `${JSON.stringify(mappingJsonSchema(), null, 2)}\n`,
    "run `deno task schema`",
  );
});

Deno.test("the schema refuses what a tally.toml may not have", () => {
  const { $id } = mappingJsonSchema();
  assert(URL.canParse($id as string), "Taplo refuses a relative $id");
  const source = "files = 'a'\ncustomer = 'b'\ntime = 'c'\nchannel = 'd'\n";
  for (
    const toml of [
      "interaction = 1",
      `[[interactions]]\n${source}skip = 1`,
      `[[interactions]]\n${source}header_row = 0`,
      `[[interactions]]\n${source.replace("time", "times")}`,
      "customers = true",
    ]
  ) {
    assert(!validate(parse(toml)), toml);
  }
  assert(validate(parse(`[interactions]\n${source}`)));
});
