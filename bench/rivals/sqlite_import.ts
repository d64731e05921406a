/** A worker that writes the exports to a file of SQLite, so that its server goes on answering meanwhile. */

import { DatabaseSync } from "node:sqlite";
import {
  answerText,
  type ChannelCount,
  columns,
  openSource,
} from "./dataset.ts";

/** What the worker is sent. */
export interface Import {
  dir: string;
  path: string;
  /** Whether each answer about a customer is computed too. */
  with_texts: boolean;
}

async function importExports({ dir, path, with_texts }: Import) {
  const source = await openSource(dir);
  const { channels } = source;
  const database = new DatabaseSync(path);
  // Nobody reads it before it is whole, and nothing is lost with it.
  database.exec(
    `pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -200000;
     create table interactions (${columns.interactions});
     create table customers (${columns.customers});
     create table channels (name text);
     create table texts (customer_id integer primary key, text text);
     begin;`,
  );
  const insertAll = async (table: string, sql: string) => {
    const result = await source.connection.stream(sql);
    const marks = result.columnNames().map(() => "?").join(", ");
    const insert = database.prepare(`insert into ${table} values (${marks})`);
    for await (const rows of result.yieldRowsJs()) {
      for (const row of rows) insert.run(...row as (string | number)[]);
    }
  };
  for (const name of channels) {
    database.prepare("insert into channels values (?)").run(name);
  }
  await insertAll("customers", "from source_customers order by customer_id");
  await insertAll(
    "interactions",
    "from source_interactions order by customer_id, channel, day",
  );
  if (with_texts) {
    const insert = database.prepare("insert into texts values (?, ?)");
    const result = await source.connection.stream(
      `select customer_id, list(channel order by channel), list(n order by channel) from (
         select customer_id, channel, count(i.customer_id)::integer as n
         from source_customers left join source_interactions i using (customer_id)
         group by all) group by customer_id order by customer_id`,
    );
    for await (const rows of result.yieldRowsJs()) {
      for (
        const [id, positions, numbers] of rows as [
          number,
          (number | null)[],
          number[],
        ][]
      ) {
        const counts: ChannelCount[] = [];
        positions.forEach((channel, i) => {
          if (channel !== null) counts.push({ channel, n: numbers[i] });
        });
        insert.run(id, answerText(id, { channels, counts }));
      }
    }
  }
  database.exec(
    `commit;
     create index by_customer on interactions (customer_id, channel, day);
     create index by_month on interactions (month, channel);
     analyze;`,
  );
  database.close();
  source.close();
}

const worker = self as unknown as {
  onmessage: (event: MessageEvent<Import>) => void;
  postMessage(done: true): void;
};
worker.onmessage = async ({ data }) => {
  await importExports(data);
  worker.postMessage(true);
};
