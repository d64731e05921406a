/** The ClickHouse that other trials ask: what its client sends arrives, streams stay streams, and what fails says so. */

import { type ClickHouseClient, createClient } from "@clickhouse/client-web";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { freePort } from "../../tests/support/free_port.ts";
import {
  type ClickHouse,
  startClickHouse,
  suiteClickHouse,
} from "./start_clickhouse.ts";

/** Room for what differs between two runs, far below what is streamed. */
const ROOM_MB = 100;

function clientOf(
  { url, user: username, password }: ClickHouse,
): ClickHouseClient {
  return createClient({ url, username, password });
}

/** A request without the client, as the load makes it. */
function post(
  { url, user, password }: ClickHouse,
  { query, body }: {
    readonly query: string;
    readonly body?: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  },
): Promise<Response> {
  return fetch(`${url}/?query=${encodeURIComponent(query)}`, {
    method: "POST",
    headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
    body,
  });
}

async function rowsOf(
  client: ClickHouseClient,
  { query, params, id }: {
    readonly query: string;
    readonly params?: Record<string, unknown>;
    readonly id?: string;
  },
): Promise<unknown[]> {
  const answer = await client.query({
    query,
    query_params: params,
    query_id: id,
    format: "JSONCompactEachRow",
  });
  return await answer.json();
}

/** Most memory that a process ever had, in MB. */
async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Waits until a query runs. */
async function running(client: ClickHouseClient, id: string): Promise<void> {
  while (true) {
    const rows = await rowsOf(client, {
      query: "SELECT 1 FROM system.processes WHERE query_id = {id:String}",
      params: { id },
    });
    if (rows.length > 0) return;
  }
}

Deno.test("parameters of every kind arrive as they were sent", async () => {
  await using clickhouse = await suiteClickHouse();
  const client = clientOf(clickhouse);
  const texts = [
    "",
    "it's",
    'say "yes"',
    "a\\b\\n",
    "tab\there",
    "line\nline\r\n",
    "🦜 ünï 漢字",
    "\\N",
    "{x:String}",
    "a,b]",
    "\0\b",
  ];
  for (const text of texts) {
    assertEquals(
      await rowsOf(client, {
        query: "SELECT {x:String}",
        params: { x: text },
      }),
      [[text]],
    );
  }
  const params: Record<string, [string, unknown]> = {
    texts: ["Array(String)", texts],
    maybe: ["Array(Nullable(String))", ["a", null]],
    nothing: ["Nullable(String)", null],
    none: ["Array(String)", []],
    number: ["UInt64", Number.MAX_SAFE_INTEGER],
    numbers: ["Array(UInt64)", [1, Number.MAX_SAFE_INTEGER]],
    less: ["Int64", -1],
    real: ["Float64", 0.1],
    yes: ["Bool", true],
    day: ["Date32", "1900-01-01"],
    table: ["Identifier", "one"],
  };
  const { table: [, table], ...values } = params;
  const columns = Object.entries(values)
    .map(([name, [type]]) => `{${name}:${type}}`);
  assertEquals(
    await rowsOf(client, {
      query:
        `SELECT ${columns} FROM system.{table:Identifier} SETTINGS ${"output_format_json_quote_64bit_integers = 0"}`,
      params: {
        table,
        ...Object.fromEntries(
          Object.entries(values).map(([name, [, value]]) => [name, value]),
        ),
      },
    }),
    [Object.values(values).map(([, value]) => value)],
  );
  await client.close();
});

Deno.test("five million rows are streamed in bounded memory", async () => {
  await using clickhouse = await suiteClickHouse();
  const client = clientOf(clickhouse);
  const pid = clickhouse.child?.pid;
  await rowsOf(client, { query: "SELECT 1" });
  const before = pid ? await peakMemory(pid) : 0;
  const answer = await client.query({
    query: "SELECT number, toString(number) FROM numbers(5000000)",
    format: "JSONCompactEachRow",
  });
  let rows = 0;
  let bytes = 0;
  for await (const batch of answer.stream()) {
    for (const row of batch) bytes += row.text.length;
    rows += batch.length;
  }
  assertEquals(rows, 5_000_000);
  assert(bytes > 80e6, `${bytes} bytes`);
  if (pid) {
    const more = await peakMemory(pid) - before;
    assert(more < ROOM_MB, `${more} MB more`);
  }
  await client.close();
});

Deno.test("Parquet is inserted from a stream", async () => {
  await using clickhouse = await suiteClickHouse();
  const client = clientOf(clickhouse);
  const rows = 1_000_000;
  await client.command({
    query: `CREATE OR REPLACE TABLE trial_parquet (
      customer UInt32, day Date32, channel LowCardinality(String),
      topic LowCardinality(Nullable(String))
    ) ENGINE = MergeTree ORDER BY (customer, day)`,
  });
  const file = await post(clickhouse, {
    query: `SELECT toUInt32(number % 1000) AS customer,
      toDate32('1900-01-01') + toUInt16(number % 60000) AS day,
      ['Call', 'Émail', '🦜'][number % 3 + 1] AS channel,
      if(number % 2, 'a', NULL) AS topic
      FROM numbers(${rows}) FORMAT Parquet`,
  });
  assert(file.body);
  const inserted = await post(clickhouse, {
    query: "INSERT INTO trial_parquet FORMAT Parquet",
    body: file.body,
  });
  assertEquals(await inserted.text(), "");
  const summary = JSON.parse(
    inserted.headers.get("X-ClickHouse-Summary") ?? "{}",
  );
  assertEquals(summary.written_rows, String(rows));
  assertEquals(
    await rowsOf(client, {
      query: `SELECT toUInt32(count()), toUInt32(countIf(topic IS NULL)),
        min(day), toUInt32(countIf(channel = '🦜')) FROM trial_parquet`,
    }),
    [[rows, rows / 2, "1900-01-01", 333_333]],
  );
  await client.command({ query: "DROP TABLE trial_parquet SYNC" });
  await client.close();
});

Deno.test("errors have a status, a code and a text", async () => {
  await using clickhouse = await suiteClickHouse();
  const client = clientOf(clickhouse);
  const unknown = await post(clickhouse, { query: "SELECT * FROM nowhere" });
  assertEquals(unknown.status, 404);
  assertEquals(unknown.headers.get("X-ClickHouse-Exception-Code"), "60");
  assertMatch(await unknown.text(), /^Code: 60\. DB::Exception: /);
  const error = await assertRejects(() =>
    client.query({ query: "SELECT * FROM nowhere" })
  );
  assertEquals((error as { code?: string }).code, "60");

  const stranger = { ...clickhouse, password: "wrong" };
  const refused = await post(stranger, { query: "SELECT 1" });
  assertEquals(refused.status, 403);
  assertEquals(refused.headers.get("X-ClickHouse-Exception-Code"), "516");
  await refused.body?.cancel();
  await client.close();
});

Deno.test("an error in the middle of a stream fails the stream", async () => {
  await using clickhouse = await suiteClickHouse();
  const client = clientOf(clickhouse);
  const answer = await client.query({
    query: `SELECT throwIf(number = 9000000, 'too far'), toString(number)
      FROM numbers(10000000)`,
    format: "JSONCompactEachRow",
  });
  let rows = 0;
  // The connection is cut after the text, so that the text may not arrive.
  await assertRejects(async () => {
    for await (const batch of answer.stream()) rows += batch.length;
  });
  assert(rows > 0 && rows <= 9_000_000, `${rows} rows`);
  await client.close();
});

Deno.test("queries run side by side, and one is killed by its id", async () => {
  await using clickhouse = await suiteClickHouse();
  const client = clientOf(clickhouse);
  const id = crypto.randomUUID();
  const endless = rowsOf(client, {
    query: "SELECT count() FROM system.numbers",
    id,
  });
  const ended = assertRejects(() => endless, Error, "cancelled");
  await running(client, id);
  assertEquals(await rowsOf(client, { query: "SELECT 1" }), [[1]]);
  await client.command({
    query: "KILL QUERY WHERE query_id = {id:String} SYNC",
    query_params: { id },
  });
  await ended;
  await client.close();
});

Deno.test("a server that is killed keeps what was committed", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using clickhouse = await startClickHouse({ path: folder });
    const client = clientOf(clickhouse);
    await client.command({
      query: "CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a",
    });
    await client.insert({
      table: "kept",
      values: [[7]],
      format: "JSONCompactEachRow",
    });
    await clickhouse.child.kill();
    await assertRejects(() => rowsOf(client, { query: "SELECT 1" }));
  }
  {
    await using clickhouse = await startClickHouse({ path: folder });
    const client = clientOf(clickhouse);
    assertEquals(await rowsOf(client, { query: "SELECT a FROM kept" }), [[7]]);
    await client.close();
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a question by customer reaches the one shard that has it", async () => {
  const ports = [freePort(), freePort()];
  const cluster = {
    name: "two",
    shards: ports.map((port) => `127.0.0.1:${port}`),
  };
  await using first = await startClickHouse({ tcp_port: ports[0], cluster });
  await using second = await startClickHouse({ tcp_port: ports[1], cluster });
  const clients = [first, second].map(clientOf);
  for (const client of clients) {
    await client.command({
      query: "CREATE TABLE part (a UInt32) ENGINE = MergeTree ORDER BY a",
    });
    await client.command({
      query: `CREATE TABLE whole AS part
        ENGINE = Distributed(two, currentDatabase(), part, cityHash64(a))`,
    });
  }
  const [client] = clients;
  await client.command({
    query: "INSERT INTO whole SELECT number FROM numbers(1000)",
    clickhouse_settings: { distributed_foreground_insert: 1 },
  });
  const count = async (client: ClickHouseClient, table: string) => {
    const [[rows]] = await rowsOf(client, {
      query: `SELECT toUInt32(count()) FROM ${table}`,
    }) as [[number]];
    return rows;
  };
  const counts = await Promise.all(
    clients.map((client) => count(client, "part")),
  );
  assert(counts.every((rows) => rows > 400), String(counts));
  assertEquals(await count(client, "whole"), 1000);

  await second.child.kill();
  const query =
    "SELECT a FROM whole WHERE a = {a:UInt32} SETTINGS optimize_skip_unused_shards = 1";
  const found = { here: 0, gone: 0 };
  for (let a = 0; a < 20; a++) {
    try {
      assertEquals(await rowsOf(client, { query, params: { a } }), [[a]]);
      found.here++;
    } catch (error) {
      assertMatch(String(error), /refused|NETWORK_ERROR|ALL_CONNECTION/i);
      found.gone++;
    }
  }
  assert(found.here > 0 && found.gone > 0, JSON.stringify(found));
  await client.close();
});
