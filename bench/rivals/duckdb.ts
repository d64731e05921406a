/** The rival that asks DuckDB at each request: a sorted table, and a pool of connections with prepared statements. */

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
let loads = 0;

export const loadDuckdb: Load = async ({ dir, temp }) => {
  const path = `${temp}/${++loads}.duckdb`;
  const source = await openSource(dir, path);
  const { instance, connection, channels } = source;
  await connection.run(
    `create table customers (${columns.customers});
     insert into customers from source_customers;
     create table interactions as from source_interactions order by customer_id, day;
     checkpoint;`,
  );
  // Each has one query at a time; others wait for the first that is free.
  const idle = await Promise.all(
    Array.from({ length: pool_size }, async () => {
      const pooled = await instance.connect();
      return {
        pooled,
        customer: await pooled.prepare(customer_sql),
        known: await pooled.prepare(known_sql),
      };
    }),
  );
  const waiting: (() => void)[] = [];
  type Pooled = typeof idle[number];
  const withPooled = async <T>(use: (one: Pooled) => Promise<T>) => {
    while (idle.length === 0) {
      await new Promise<void>((wake) => waiting.push(wake));
    }
    const one = idle.pop()!;
    try {
      return await use(one);
    } finally {
      idle.push(one);
      waiting.shift()?.();
    }
  };
  const rowsOf = (sql: string) =>
    withPooled(async ({ pooled }) =>
      (await pooled.runAndReadAll(sql)).getRowObjectsJS() as unknown as Row[]
    );
  return {
    customer: (id) =>
      withPooled(async ({ customer, known }) => {
        customer.bindInteger(1, id);
        const result = await customer.runAndReadAll();
        const counts = result.getRowObjectsJS() as unknown as ChannelCount[];
        if (counts.length === 0) {
          known.bindInteger(1, id);
          if ((await known.runAndReadAll()).currentRowCount === 0) {
            return undefined;
          }
        }
        return answerText(id, { channels, counts });
      }),
    metrics: () => rowsOf(metrics_sql),
    matrix: () => rowsOf(matrixSql(channels.length)),
    async close() {
      for (const { pooled } of idle) pooled.closeSync();
      source.close();
      await Deno.remove(path);
    },
  };
};
