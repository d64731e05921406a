/** The rival on node:sqlite: covering indexes, or an answer for each customer that is computed before. */

import { DatabaseSync } from "node:sqlite";
import {
  answerText,
  type ChannelCount,
  customer_sql,
  known_sql,
  type Load,
  matrixSql,
  metrics_sql,
  type Row,
} from "./dataset.ts";
import type { Import } from "./sqlite_import.ts";

/** Whether answers about customers are texts that the import has computed. */
export function loadSqlite(with_texts: boolean): Load {
  let loads = 0;
  return async ({ dir, temp }) => {
    const path = `${temp}/${++loads}.sqlite`;
    await importTo({ dir, path, with_texts });
    const database = new DatabaseSync(path, { readOnly: true });
    database.exec("pragma mmap_size = 8000000000; pragma cache_size = -64000;");
    const prepare = (sql: string) =>
      database.prepare(sql.replaceAll(/\$\d/g, "?"));
    const channels = prepare("select name from channels").all()
      .map(({ name }) => String(name));
    const counts_of = prepare(customer_sql);
    const known = prepare(known_sql);
    const text_of = prepare("select text from texts where customer_id = $1");
    const metrics = prepare(metrics_sql);
    const matrix = prepare(matrixSql(channels.length));
    return {
      customer: with_texts
        ? (id) => text_of.get(id)?.text as string | undefined
        : (id) => {
          const counts = counts_of.all(id) as unknown as ChannelCount[];
          if (counts.length === 0 && !known.get(id)) return undefined;
          return answerText(id, { channels, counts });
        },
      metrics: () => metrics.all() as Row[],
      matrix: () => matrix.all() as Row[],
      async close() {
        database.close();
        await Deno.remove(path);
      },
    };
  };
}

async function importTo(asked: Import): Promise<void> {
  const worker = new Worker(new URL("sqlite_import.ts", import.meta.url), {
    type: "module",
  });
  await new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(asked);
  });
  worker.terminate();
}
