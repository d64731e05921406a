/** What rivals of bench/rivals.ts have in common: the exports as rows, the questions in SQL, and the text of an answer. */

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

/** Counts of the first question, by the position of the channel. */
export interface ChannelCount {
  channel: number;
  n: number;
}

/** A row of the metrics or of the matrix. */
export type Row = Readonly<Record<string, string | number>>;

/** One load of the exports, ready to be asked. */
export interface Dataset {
  /** The text of an answer; undefined for a customer that is not there. */
  customer(id: number): Promise<string | undefined> | string | undefined;
  /** Interactions by month and channel. */
  metrics(): Promise<Row[]> | Row[];
  /** The 100 customers with most interactions of two years, with a count for each channel. */
  matrix(): Promise<Row[]> | Row[];
  close(): Promise<void> | void;
}

/** A rival: makes a dataset of the exports in `dir`, with files of its own in `temp`. */
export type Load = (options: {
  readonly dir: string;
  readonly temp: string;
}) => Promise<Dataset>;

/** DuckDB with the exports in `dir` as the views `source_interactions` and `source_customers`. */
export interface Source {
  readonly instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
  /** In the order of answers. */
  readonly channels: readonly string[];
  close(): void;
}

/** The columns of both tables, which are the same in each rival. */
export const columns = {
  interactions:
    "customer_id integer, channel smallint, day integer, month integer",
  customers: "customer_id integer primary key, occupation text, type text",
};

/** Opens the exports in `dir`, with the tables of a rival in the file `path`, if it is DuckDB itself. */
export async function openSource(
  dir: string,
  path = ":memory:",
): Promise<Source> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const file = (name: string) => `'${dir.replaceAll("'", "''")}/${name}'`;
  await connection.run(
    `create temp table names as select "Channel" as name, row_number() over (order by "Channel") - 1 as position
       from read_csv(${file("channels.csv")}, all_varchar = true);
     create temp view source_interactions as select "Customers"::integer as customer_id, position::smallint as channel,
       "Date Start"::date - date '1970-01-01' as day,
       (year("Date Start") * 100 + month("Date Start"))::integer as month
       from read_parquet(${
      file("interactions.parquet")
    }) join names on name = "Interaction";
     create temp view source_customers as select "Customer_Id"::integer as customer_id, "Occupation" as occupation, "Type" as type
       from read_csv(${file("customers.csv")}, all_varchar = true);`,
  );
  const names = await connection.runAndReadAll(
    "select name from names order by position",
  );
  return {
    instance,
    connection,
    channels: names.getRowsJS().map(([name]) => String(name)),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** The questions in SQL that all rivals understand; parameters are $1, $2. */
export const customer_sql =
  "select channel, cast(count(*) as integer) as n from interactions where customer_id = $1 group by channel";
export const known_sql = "select 1 from customers where customer_id = $1";
export const metrics_sql =
  "select month, channel, cast(count(*) as integer) as n from interactions group by month, channel order by month, channel";
const first_day = Date.UTC(2020, 0, 1) / 86_400_000;
const last_day = Date.UTC(2021, 11, 31) / 86_400_000;

/** The matrix, by the number of channels. */
export function matrixSql(channels: number): string {
  const counts = Array.from(
    { length: channels },
    (_, i) =>
      `cast(count(*) filter (where channel = ${i}) as integer) as c${i}`,
  );
  return `select customer_id, ${
    counts.map((_, i) => `c${i}`).join(", ")
  }, total, occupation, type
    from (select customer_id, ${
    counts.join(", ")
  }, cast(count(*) as integer) as total
      from interactions where day between ${first_day} and ${last_day}
      group by customer_id order by total desc, customer_id limit 100) as page
    join customers using (customer_id) order by total desc, customer_id`;
}

/** The text of an answer about a customer, every channel in it. */
export function answerText(
  customer_id: number,
  { channels, counts }: {
    readonly channels: readonly string[];
    readonly counts: readonly ChannelCount[];
  },
): string {
  const by_channel: Record<string, number> = {};
  for (const name of channels) by_channel[name] = 0;
  for (const { channel, n } of counts) by_channel[channels[channel]] = n;
  return JSON.stringify({ data: { customer_id, interactions: by_channel } });
}
