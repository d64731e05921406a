/** Measures what tally.toml costs: loading under it against the same files without, questions by attributes, and ids that are texts against numbers, in turns. */

import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { readAnswer, readConstant } from "./constant.ts";
import { generateExports } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  measureStart,
  settle_ms,
  type Start,
  startConstant,
  startServer,
  type Usage,
} from "./server.ts";
import {
  formatMiss,
  formatRates,
  measureInTurn,
  median,
  p99Ratio,
  requireWrk,
  row,
} from "./wrk.ts";

const before = "/api/v1/interactions/";
/** Ids of 18 characters, as Salesforce has them: these, and eight digits. */
const text_ids = { prefix: "0015g00000", digits: 8 };
const text_rss_peak_gb = 1.2;
const text_target_ratio = 0.85;
const text_p99_target_ratio = 1.5;

interface Case {
  title: string;
  /** The column of times, in TOML. */
  time?: string;
  /** Further lines of `[interactions]`. */
  more?: string;
  /** Whether the interactions have ids. */
  has_ids?: true;
  /** Attributes of customers, by name the number of their values. */
  attributes?: Readonly<Record<string, number>>;
  target_ratio?: number;
}

const zone = 'zone = "America/New_York"';
const pattern = 'format = "%d/%m/%Y %H:%M"';
const cases: Case[] = [
  { title: "tally.toml", target_ratio: 1.15 },
  {
    title: "A pattern of strptime",
    time: `{ column = "Date Start", ${pattern} }`,
    target_ratio: 1.4,
  },
  {
    title: "A zone",
    time: `{ column = "Date Start", ${zone} }`,
    target_ratio: 1.4,
  },
  { title: "Both", time: `{ column = "Date Start", ${pattern}, ${zone} }` },
  {
    title: "Ids of interactions",
    more: 'id = "Id"',
    has_ids: true,
    target_ratio: 2,
  },
  {
    title: "Two attributes of 100 values",
    attributes: { area: 100, owner: 100 },
    target_ratio: 1.2,
  },
];

/** Questions by an attribute of 200 values. */
const by_attribute = { area: 200 };
const attribute_questions = [
  { title: "area, channel", query: "by=area,channel", target_ms: 100 },
  {
    title: "area, channel, with dates",
    query: "by=area,channel&start_date=2020-01-15&end_date=2021-12-31",
    target_ms: 250,
  },
];

/** The columns of customers.csv with attributes, whose values are spread over the ids. */
function attributeColumns(
  attributes: Readonly<Record<string, number>>,
): string {
  const columns = Object.entries(attributes).map(([name, values], i) =>
    `'${name} ' || ("Customer_Id"::bigint * ${
      7919 + i
    } // 7 % ${values}) as "${name}"`
  );
  return ["*", ...columns].join(", ");
}

function mappingOf(
  { time = '"Date Start"', more = "", attributes }: Omit<Case, "title">,
): string {
  const names = Object.keys(attributes ?? {});
  const customers = attributes === undefined ? "" : `[customers]
files = "customers.csv"
id = "Customer_Id"
occupation = "Occupation"
type = "Type"
attributes = { ${names.map((name) => `${name} = "${name}"`).join(", ")} }

`;
  return `${customers}[interactions]
files = "interactions.csv"
time = ${time}
channel = "Interaction"
customer = "Customers"
${more}
`;
}

const text_mapping = `[customers]
files = "customers.csv"
id = { column = "Customer_Id", kind = "text" }
occupation = "Occupation"
type = "Type"
`;
const textId = (column: string) =>
  `'${text_ids.prefix}' || lpad("${column}", ${text_ids.digits}, '0') as "${column}"`;

/** Writes `mapping` and the exports of `from` to a new folder, some of them by a SELECT of their columns. */
async function copyExports(
  from: string,
  { to, mapping, columns }: {
    readonly to: string;
    readonly mapping: string;
    /** By file, the columns in SQL; files without are the same ones. */
    readonly columns: Readonly<Record<string, string>>;
  },
): Promise<string> {
  await Deno.mkdir(to);
  await Deno.writeTextFile(`${to}/tally.toml`, mapping);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    for (const { name } of Deno.readDirSync(from)) {
      const selected = columns[name];
      if (selected === undefined) {
        await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
        continue;
      }
      await connection.run(
        `copy (select ${selected} from read_csv('${from}/${name}', all_varchar = true))
         to '${to}/${name}' (format csv, header)`,
      );
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return to;
}

async function measureLoads(
  plain: string,
  { temp, rounds, signal }: {
    readonly temp: string;
    readonly rounds: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  console.log(
    "| Data | Ready (s) | CPU until ready (s) | Ready, ratio (min..max) " +
      "| CPU, ratio (min..max) | Target | RSS peak (GB) |",
  );
  console.log("| --- | ---: | ---: | ---: | ---: | :--- | ---: |");
  for (const test of cases) {
    const dir = await copyExports(plain, {
      to: `${temp}/mapped`,
      mapping: mappingOf(test),
      columns: {
        ...test.has_ids && {
          "interactions.csv":
            `'ACT' || lpad((row_number() over () * 7919 % 99999989)::varchar, 15, '0') as "Id", *`,
        },
        ...test.attributes && {
          "customers.csv": attributeColumns(test.attributes),
        },
      },
    });
    const rounds_of: { mapped: Start; plain: Start }[] = [];
    for (let round = 1; round <= rounds; round++) {
      rounds_of.push({
        mapped: await measureStart({ DATA_DIR: dir }, signal),
        plain: await measureStart({ DATA_DIR: plain }, signal),
      });
      console.error(`${test.title}, ${round}/${rounds}`);
    }
    console.log(formatLoad(test, rounds_of));
    await Deno.remove(dir, { recursive: true });
  }
}

function formatLoad(
  { title, target_ratio }: Case,
  rounds: readonly { mapped: Start; plain: Start }[],
): string {
  const ratioOf = (figure: (start: Start) => number) => {
    const ratios = rounds.map(({ mapped, plain }) =>
      figure(mapped) / figure(plain)
    );
    const range = [Math.min(...ratios), Math.max(...ratios)]
      .map((one) => one.toFixed(2)).join("..");
    const ratio = median(ratios);
    return { ratio, text: `${ratio.toFixed(2)} (${range})` };
  };
  const ready = ratioOf(({ ready_seconds }) => ready_seconds);
  const cpu = ratioOf(({ cpu_seconds }) => cpu_seconds);
  const middle = (figure: (start: Start) => number) =>
    median(rounds.map(({ mapped }) => figure(mapped))).toFixed(2);
  return row(
    title,
    middle(({ ready_seconds }) => ready_seconds),
    middle(({ cpu_seconds }) => cpu_seconds),
    ready.text,
    cpu.text,
    target_ratio === undefined
      ? ""
      : `≤ ${target_ratio}${
        formatMiss(Math.min(ready.ratio, cpu.ratio) <= target_ratio)
      }`,
    peakOf(rounds.map(({ mapped }) => mapped.settled)).toFixed(2),
  );
}

function peakOf(usages: readonly Usage[]): number {
  return Math.max(...usages.map(({ rss_peak_bytes }) => rss_peak_bytes / 1e9));
}

/** The time of questions as a client has it; no answer is kept, so that each is counted anew. */
async function measureAttributes(
  plain: string,
  { temp, rounds, signal }: {
    readonly temp: string;
    readonly rounds: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const dir = await copyExports(plain, {
    to: `${temp}/attributes`,
    mapping: mappingOf({ attributes: by_attribute }),
    columns: { "customers.csv": attributeColumns(by_attribute) },
  });
  await using server = startServer("main.ts", {
    env: { DATA_DIR: dir, CACHE_BYTES: "0" },
    signal,
  });
  await server.waitForReady();
  await delay(settle_ms, undefined, { signal });
  console.log(
    "\n| Question by an attribute of 200 values | p50 (ms) (min..max) " +
      "| CPU (ms) | Target |",
  );
  console.log("| --- | ---: | ---: | :--- |");
  for (const { title, query, target_ms } of attribute_questions) {
    const times: number[] = [];
    const cpu: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const url = `${server.origin}/api/v1/metrics/interactions?${query}`;
      const used = server.readUsage().cpu_seconds;
      const began = performance.now();
      const answer = await fetch(url, { signal });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`${url}: ${text}`);
      times.push(performance.now() - began);
      cpu.push((server.readUsage().cpu_seconds - used) * 1000);
    }
    const p50 = median(times);
    console.log(row(
      title,
      `${p50.toFixed(0)} (${Math.min(...times).toFixed(0)}..${
        Math.max(...times).toFixed(0)
      })`,
      median(cpu).toFixed(0),
      `≤ ${target_ms}${formatMiss(p50 <= target_ms)}`,
    ));
  }
}

async function measureTextIds(
  plain: string,
  { temp, rounds, signal }: {
    readonly temp: string;
    readonly rounds: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const dir = await copyExports(plain, {
    to: `${temp}/texts`,
    mapping: text_mapping,
    columns: {
      "customers.csv": `${textId("Customer_Id")}, "Occupation", "Type"`,
      "interactions.csv": `"Date Start", "Interaction", ${textId("Customers")}`,
    },
  });
  await using numbers = startServer("main.ts", {
    env: { DATA_DIR: plain },
    signal,
  });
  await numbers.waitForReady();
  await using texts = startServer("main.ts", {
    env: { DATA_DIR: dir },
    signal,
  });
  await texts.waitForReady();
  const stats = await readAnswer(`${numbers.origin}/api/v1/stats/customers`);
  const customers: number = (await stats.json()).rows;
  const middle = `${Math.ceil(customers / 2)}`;
  // Of the server of text ids, whose answers are longer.
  const answer = await readConstant(
    `${texts.origin}${before}${text_ids.prefix}${
      middle.padStart(text_ids.digits, "0")
    }`,
    { route: `${before}:customer_id` },
  );
  await using constant = await startConstant(answer, { signal });
  await delay(settle_ms, undefined, { signal });
  const [text_usage, number_usage] = [texts.readUsage(), numbers.readUsage()];
  const measured = await measureInTurn([
    { server: texts, ids: text_ids },
    { server: numbers },
    { server: constant, ids: text_ids },
  ], { before, customers, rounds, signal });
  const pairs = measured.map(([first, second]) => ({ first, second }));
  const beside_constant = measured.map(([first, , second]) => ({
    first,
    second,
  }));
  console.log(
    "\n| Question | Text ids (requests/s) | Numbers (requests/s) " +
      "| Ratio (min..max) | Target |",
  );
  console.log("| --- | ---: | ---: | ---: | :--- |");
  console.log(row("Plain", ...formatRates(text_target_ratio, pairs)));
  const p99_ratio = p99Ratio(beside_constant);
  console.log(
    `\np99 of the constant's, ratio: ${
      p99_ratio.toFixed(2)
    } (≤ ${text_p99_target_ratio}${
      formatMiss(p99_ratio <= text_p99_target_ratio)
    }). RSS peak with text ids: ${
      (text_usage.rss_peak_bytes / 1e9).toFixed(2)
    } GB (≤ ${text_rss_peak_gb}${
      formatMiss(text_usage.rss_peak_bytes / 1e9 <= text_rss_peak_gb)
    }); with numbers ${
      (number_usage.rss_peak_bytes / 1e9).toFixed(2)
    } GB; ready with text ids took ${
      text_usage.cpu_seconds.toFixed(1)
    } s of CPU, with numbers ${number_usage.cpu_seconds.toFixed(1)} s.`,
  );
}

async function measureMapped(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "loads": { type: "string", default: "3" },
      "rounds": { type: "string", default: "9" },
      "only": { type: "string" },
    },
  });
  await requireWrk();
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const plain = values.data ?? `${temp.path}/plain`;
  if (values.data === undefined) {
    console.error("generating csv …");
    await generateExports(plain);
  }
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; ` +
      `loads of ${values.loads} rounds and serving of ${values.rounds}, in turns\n`,
  );
  const where = { temp: temp.path, signal };
  if (values.only === undefined || values.only === "attributes") {
    await measureAttributes(plain, { ...where, rounds: Number(values.rounds) });
  }
  if (values.only === undefined || values.only === "loads") {
    await measureLoads(plain, { ...where, rounds: Number(values.loads) });
  }
  if (values.only === undefined || values.only === "serving") {
    await measureTextIds(plain, { ...where, rounds: Number(values.rounds) });
  }
}

await measureMapped();
