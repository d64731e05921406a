/** Writes made-up exports of any size, the same ones on every run: rows are hashes of their number. */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import writeExcelFile, { type SheetData } from "write-excel-file/node";

const formats = ["csv", "csv.gz", "parquet", "xlsx"] as const;

/** What to write: how many rows and names, in which format, and the share of bad rows (0 to 1). */
export interface ExportOptions {
  interactions: number;
  customers: number;
  occupations: number;
  format: typeof formats[number];
  faults: number;
}

// The size that the targets are stated for.
const target_size: ExportOptions = {
  interactions: 10_000_000,
  customers: 1_000_000,
  occupations: 4,
  format: "csv",
  faults: 0,
};

// All but the header.
const max_sheet_rows = 1_048_575;

const copy_options = {
  "csv": "format csv, header",
  "csv.gz": "format csv, header, compression gzip",
  "parquet": "format parquet",
};

// A constant name beside the row number gives each column its own hash.
const clean_sql = `
  select
    timestamp '2019-01-01'
      + to_minutes((hash(i, 'date') % (1826 * 24 * 60))::bigint) as date_start,
    [
      'Email', 'Email', 'Email', 'Email', 'Call', 'Call', 'Call', 'Bird',
      'Boat', 'Post'
    ][1 + (hash(i, 'channel') % 10)::bigint] as channel,
    1 + (hash(i, 'customer') % getvariable('customers'))::bigint as customer,
    case when hash(i, 'bad') % 1000000 < getvariable('bad_per_million')
      then hash(i, 'reason') % 5 end as reason
  from range(getvariable('interactions')) rows(i)`;

const native_sql = `
  select
    date_start as "Date Start", channel as "Interaction",
    customer as "Customers"
  from (${clean_sql})`;

const text_sql = `
  select
    case reason
      when 0 then '31/02/2020 09:00'
      when 1 then '12/31/2020 09:00'
      else strftime(date_start, '%d/%m/%Y %H:%M') end as "Date Start",
    case when reason is distinct from 2 then channel end as "Interaction",
    case reason
      when 3 then 'abc'
      when 4 then '1,234'
      else customer::varchar end as "Customers"
  from (${clean_sql})`;

const customers_sql = `
  select
    1 + i as "Customer_Id",
    coalesce(['Jedi', 'Batman', 'Doctor', 'Plumber'][occupation],
      'Occupation ' || occupation) as "Occupation",
    ['Red', 'Orange', 'Blue'][
      1 + (hash(i, 'type') % 3)::bigint
    ] as "Type"
  from (
    select i, 1 + (hash(i, 'occupation') % getvariable('occupations'))::bigint
      as occupation
    from range(getvariable('customers')) rows(i))`;

// Each month has none to three of the four products.
const products_sql = `
  select strftime(month, '%m-%Y') as "Date", product as "Product"
  from range(timestamp '2019-01-01', timestamp '2024-01-01', interval 1 month)
    months(month),
    (values ('Sand'), ('Orange'), ('Wood'), ('Salt')) products(product)
  qualify row_number() over (
    partition by month order by hash(month::varchar, product), product
  ) <= hash(month::varchar) % 4
  order by month, product`;

const channels_sql = `
  select unnest(['Email', 'Call', 'Bird', 'Boat', 'Post']) as "Channel"`;

// DuckDB's own writer of workbooks is an extension that would be downloaded.
async function writeWorkbook(
  path: string,
  rows: AsyncIterable<readonly (readonly [number, string, number])[]>,
): Promise<void> {
  const header = ["Date Start", "Interaction", "Customers"];
  const data: SheetData = [
    header.map((value) => ({ value, type: String })),
  ];
  for await (const chunk of rows) {
    for (const [ms, channel, customer] of chunk) {
      data.push([
        { value: new Date(ms), type: Date, format: "dd/mm/yyyy hh:mm" },
        { value: channel, type: String },
        { value: customer, type: Number },
      ]);
    }
  }
  await (await writeExcelFile(data, { sheet: "Export" })).toFile(path);
}

/** Writes the four tables into `dir`, which must be empty or not there yet. */
export async function generateExports(
  dir: string,
  options: Partial<ExportOptions> = {},
): Promise<void> {
  const { interactions, customers, occupations, format, faults } = {
    ...target_size,
    ...options,
  };
  if (faults > 0 && (format === "parquet" || format === "xlsx")) {
    throw new Error(
      "--faults needs a text format: the native dates and ids of others are " +
        "never bad. Use --format=csv or --format=csv.gz.",
    );
  }
  if (format === "xlsx" && interactions > max_sheet_rows) {
    throw new Error(`a sheet has at most ${max_sheet_rows} interactions.`);
  }
  await Deno.mkdir(dir, { recursive: true });
  // A second interactions file would be part of the same table.
  if ([...Deno.readDirSync(dir)].length > 0) {
    throw new Error(`"${dir}" is not empty: name a new folder.`);
  }
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const copy = async (
    sql: string,
    { file, copyOptions }: {
      readonly file: string;
      readonly copyOptions: string;
    },
  ) => {
    const path = `${dir}/${file}`.replaceAll("'", "''");
    await connection.run(`copy (${sql}) to '${path}' (${copyOptions})`);
  };
  try {
    await connection.run(
      `set variable interactions = ${interactions};
       set variable customers = ${customers};
       set variable occupations = ${occupations};
       set variable bad_per_million = ${Math.round(faults * 1e6)};`,
    );
    await copy(customers_sql, {
      file: "customers.csv",
      copyOptions: copy_options.csv,
    });
    await copy(products_sql, {
      file: "products.csv",
      copyOptions: copy_options.csv,
    });
    await copy(channels_sql, {
      file: "channels.csv",
      copyOptions: copy_options.csv,
    });
    if (format === "xlsx") {
      const result = await connection.stream(
        `select epoch_ms("Date Start")::double, "Interaction",
          "Customers"::double
        from (${native_sql})`,
      );
      await writeWorkbook(
        `${dir}/interactions.xlsx`,
        result.yieldRowsJs() as AsyncIterable<[number, string, number][]>,
      );
      return;
    }
    await copy(format === "parquet" ? native_sql : text_sql, {
      file: `interactions.${format}`,
      copyOptions: copy_options[format],
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function readOptions(): { dir: string; options: ExportOptions } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      interactions: { type: "string", default: `${target_size.interactions}` },
      customers: { type: "string", default: `${target_size.customers}` },
      occupations: { type: "string", default: `${target_size.occupations}` },
      format: { type: "string", default: target_size.format },
      faults: { type: "string", default: `${target_size.faults}` },
    },
  });
  const format = formats.find((name) => name === values.format);
  if (positionals.length !== 1 || !format) {
    throw new Error(
      "usage: deno run -P=bench bench/generate.ts DIR [--interactions=10000000] " +
        `[--customers=1000000] [--occupations=4] [--format=${
          formats.join("|")
        }] [--faults=0]`,
    );
  }
  return {
    dir: positionals[0],
    options: {
      interactions: readNumber("--interactions", {
        text: values.interactions,
        shape: /^\d+$/,
      }),
      customers: readNumber("--customers", {
        text: values.customers,
        shape: /^[1-9]\d*$/,
      }),
      occupations: readNumber("--occupations", {
        text: values.occupations,
        shape: /^[1-9]\d*$/,
      }),
      format,
      faults: readNumber("--faults", {
        text: values.faults,
        shape: /^(0|1|0?\.\d+)$/,
      }),
    },
  };
}

function readNumber(
  name: string,
  { text, shape }: { readonly text: string; readonly shape: RegExp },
): number {
  if (!shape.test(text)) throw new Error(`${name}="${text}" is not possible.`);
  return Number(text);
}

/** The folder that a benchmark loads: `given`, or else `made`, filled with Parquet files. */
export async function exportsToMeasure(
  given: string | undefined,
  { made, ...options }:
    & { readonly made: string }
    & Partial<Pick<ExportOptions, "interactions" | "customers">>,
): Promise<string> {
  if (given !== undefined) return resolve(given);
  console.error("generating parquet …");
  await generateExports(made, { ...options, format: "parquet" });
  return made;
}

/** The products of generated exports, in which no name needs quotes. */
export async function readTopics(dir: string): Promise<string[]> {
  const text = await Deno.readTextFile(resolve(dir, "products.csv"));
  const lines = text.trim().split("\n").slice(1);
  return [...new Set(lines.map((line) => line.split(",")[1]))];
}

if (import.meta.main) {
  const { dir, options } = readOptions();
  await generateExports(dir, options);
}
