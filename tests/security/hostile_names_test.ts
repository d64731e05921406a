/** Hostile names of channels, of files and in files: counted right in every format, and no more than text on the terminal. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { csvCells } from "../support/csv_cells.ts";
import { csv, dataFolder, namesIn } from "../support/data_folder.ts";
import {
  countOf,
  HOSTILE_NAMES,
  hostileExports,
} from "../support/hostile_exports.ts";
import { openApp } from "../support/open_app.ts";
import {
  type Grid,
  readArrow,
  readParquet,
  readXlsx,
} from "../support/read_back.ts";
import { startServer, waitFor } from "../support/start_server.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const text = (bytes: Bytes) => new TextDecoder().decode(bytes);

/** What a spreadsheet would take for a formula has an apostrophe in front. */
const readCsv = (bytes: Bytes): Grid =>
  csvCells(text(bytes)).map((row) =>
    row.map((cell) => cell.replace(/^'(?=[=+@-])/, ""))
  );

const DOWNLOADS = {
  csv: readCsv,
  xlsx: readXlsx,
  parquet: readParquet,
  arrow: readArrow,
};

/** A list in which each name has a row and a column. */
interface Pivoted {
  readonly path: string;
  /** The columns before those of the names. */
  readonly before: readonly string[];
  /** The one of these with the name of the row. */
  readonly row_name: string;
  readonly dimension: "channel" | "topic" | "type";
}

const CUSTOMER = ["customer_id", "occupation", "type"];
const METRICS = "/api/v1/metrics/interactions";
const LISTS: readonly Pivoted[] = [
  {
    path: "/api/v1/interactions",
    before: CUSTOMER,
    row_name: "type",
    dimension: "channel",
  },
  {
    path: "/api/v1/customers",
    before: [...CUSTOMER, "known_from", "first_contact", "last_contact"],
    row_name: "occupation",
    dimension: "channel",
  },
  ...([
    ["occupation", "channel"],
    ["type", "topic"],
    ["topic", "type"],
  ] as const).map(([by, dimension]) => ({
    path: `${METRICS}?by=${by}&pivot=${dimension}`,
    before: [by],
    row_name: by,
    dimension,
  })),
];

Deno.test("hostile names have their counts in every list and every format", async (t) => {
  await using opened = await openApp(hostileExports(HOSTILE_NAMES));
  const { names } = opened.snapshot;
  const ask = async (path: string, format: string) => {
    const url = `${path}${path.includes("?") ? "&" : "?"}format=${format}`;
    const answer = await opened.app.request(url);
    assertEquals(answer.status, 200);
    return await answer.bytes();
  };
  const expected = (name: string, other: string) =>
    name === other ? countOf(HOSTILE_NAMES.indexOf(name)) : 0;

  for (const { path, before, row_name, dimension } of LISTS) {
    const known = names[dimension]!;
    assertEquals(new Set(known), new Set(HOSTILE_NAMES));
    // Where a name is that of another column, the dimension is in front.
    const columns = known.map((name) =>
      [...before, "total"].includes(name) ? `${dimension}_${name}` : name
    );
    for (const [format, read] of Object.entries(DOWNLOADS)) {
      await t.step(`${path} ${format}`, async () => {
        const [header, ...rows] = await read(await ask(path, format));
        assertEquals(rows.length, HOSTILE_NAMES.length);
        const none = header.length - before.length - columns.length - 1;
        assertEquals(header, [
          ...before,
          ...columns,
          ...none ? ["null"] : [],
          "total",
        ]);
        for (const row of rows) {
          const name = String(row[before.indexOf(row_name)]);
          assertEquals(
            row.slice(before.length).map(Number),
            [
              ...known.map((other) => expected(name, other)),
              ...none ? [0] : [],
              expected(name, name),
            ],
          );
        }
      });
    }
    for (const format of ["json", "ndjson"]) {
      await t.step(`${path} ${format}`, async () => {
        const answer = text(await ask(path, format));
        const rows = format === "json"
          ? JSON.parse(answer).data
          : answer.trim().split("\n").map((line) => JSON.parse(line));
        assertEquals(rows.length, HOSTILE_NAMES.length);
        for (const { interactions, total, ...row } of rows) {
          const name = row[row_name];
          const counts = new Map(Object.entries(interactions));
          for (const other of known) {
            assertEquals(counts.get(other), expected(name, other), other);
          }
          assertEquals(total, expected(name, name));
        }
      });
    }
  }
});

const ESCAPES = [
  "\x1b[2J",
  "\x1b]0;title\x07",
  "\u009b2J",
  "\r",
  "\x08",
  "\x7f",
];
const NOT_TEXT = /(?!\n)\p{Cc}/u;
const HEADER = ["Date Start", "Interaction", "Customers"];
const ROW = ["2020-02-01", "Email", "1"];

Deno.test("hostile names of files and in files do nothing on the terminal", async (t) => {
  await using folder = await dataFolder({
    "customers.csv": csv(["Customer_Id", `Type${ESCAPES[0]}`], ["1", "x"]),
    "interactions/a.csv": csv(
      HEADER,
      ROW,
      ...ESCAPES.map((escape) => ["2020-02-02", `name${escape}`, "1"]),
      ...ESCAPES.slice(0, 3).map((escape) => [escape, "Email", `1${escape}`]),
    ),
    "interactions/$(touch pwned).csv": csv(HEADER, ROW),
    "interactions/`touch pwned`;|&.csv": csv(HEADER, ROW),
    "interactions/'a' \"b\" %s%n.csv": csv(HEADER, ROW),
    // 255 bytes.
    [`interactions/${"é".repeat(125)}1.csv`]: csv(HEADER, ROW),
    ...Object.fromEntries(
      ["\n", ...ESCAPES].map((escape) => [
        `interactions/${escape}.csv`,
        csv(HEADER, ROW),
      ]),
    ),
    [`notes${ESCAPES[0]}.txt`]: "",
  });
  await new Deno.Command("bash", {
    args: ["-c", `echo > "$1"/$'interactions/\\xff\\xfe.csv'`, "", folder.path],
  }).output();
  await using server = await startServer({
    DATA_DIR: folder.path,
    MAX_SET_ASIDE: "1",
    REFRESH_SECONDS: "1",
  });
  const { base_url, output } = server;
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();

  await t.step("the rows of files with plain names count", async () => {
    const { rows } =
      await (await fetch(`${base_url}/api/v1/stats/interactions`))
        .json();
    assertEquals(rows, 5 + ESCAPES.length);
    const { data } = await (await fetch(`${base_url}/api/v1/data`)).json();
    assertEquals(data.report.files.length, 6);
    const cwd = await namesIn(".");
    assertEquals(
      [...cwd, ...await namesIn(folder.path)].includes("pwned"),
      false,
    );
  });
  await t.step("the summary is text", () => {
    assertStringIncludes(output.out, "Ready in ");
    assertEquals(NOT_TEXT.exec(output.out), null);
  });
  await t.step("so is a refusal, at a refresh and at the start", async () => {
    const columns = ESCAPES.map((escape) => `column${escape}`);
    await folder.write({ "interactions/a.csv": csv(columns) });
    for (let i = 0; i < 400 && !output.error.includes("failed"); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertStringIncludes(output.error, "Refresh failed");
    assertEquals(NOT_TEXT.exec(output.error), null);
    await using other = await startServer({ DATA_DIR: folder.path });
    for (let i = 0; i < 400 && !other.output.error.includes("column"); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertStringIncludes(other.output.error, "Not ready: ");
    assertEquals(NOT_TEXT.exec(other.output.error), null);
  });
  assertEquals(await server.stop(), 0);
  assertEquals(NOT_TEXT.exec(output.out + output.error), null);
});
