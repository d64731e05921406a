/** Queries for requests: their cells, their end by an AbortSignal, their slots. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Database, openDatabase } from "../../../db/duckdb/database.ts";
import { createSlots, QueryRunner } from "../../../db/duckdb/query_runner.ts";
import { StoreError } from "../../../db/model/problems.ts";
import type { Cell } from "../../../db/model/questions.ts";
import { dataFolder } from "../../support/data_folder.ts";

/** Runs for minutes and answers one row. */
const ENDLESS =
  "select count(*) from range(10000000) a, range(10000000) b where (a.range * b.range) % 7 = 3";
const never = new AbortController().signal;

async function withRunner(
  use: (runner: QueryRunner, database: Database) => Promise<void>,
  limits: Partial<Record<string, number>> = {},
): Promise<void> {
  await using folder = await dataFolder();
  const database = await openDatabase(folder.path, {
    memory_limit: "600MB",
    threads: 2,
  });
  const slots = createSlots({
    QUERY_CONCURRENCY: 1,
    DOWNLOAD_CONCURRENCY: 1,
    QUERY_QUEUE: 0,
    ...limits,
  });
  try {
    await use(new QueryRunner(database, slots), database);
  } finally {
    database.close();
  }
}

async function read(rows: AsyncIterable<Cell[][]>): Promise<Cell[][]> {
  return (await Array.fromAsync(rows)).flat();
}

async function memoryOf(database: Database): Promise<number> {
  const [{ mb }] = await database.run(
    "select (sum(memory_usage_bytes) / 1e6)::double as mb from duckdb_memory()",
  );
  return mb as number;
}

Deno.test("query, every type of cell: text, numbers and null", async () => {
  await withRunner(async (runner, database) => {
    await database.run("create type color as enum ('Red', 'Blue')");
    const cells = `'Blue'::color, '', null, 'a' || chr(0) || 'b', 1::utinyint,
      -1::integer, 9007199254740991, sum(2)::hugeint, 0.5::double, $x`;
    assertEquals(
      await read(
        runner.query(`select ${cells}`, { x: "é'\"" }, { signal: never }),
      ),
      [[
        "Blue",
        "",
        null,
        "a\0b",
        1,
        -1,
        Number.MAX_SAFE_INTEGER,
        2,
        0.5,
        "é'\"",
      ]],
    );
    const many = await read(
      runner.query("select range from range(10000)", {}, { signal: never }),
    );
    assertEquals(many, Array.from({ length: 10_000 }, (_, i) => [i]));
    assertEquals(
      await read(runner.query("select 1 limit 0", {}, { signal: never })),
      [],
    );
  });
});

Deno.test("query, aborted while DuckDB works: it is interrupted, and the slot is free", async (t) => {
  await withRunner(async (runner) => {
    for (const after_ms of [0, 1, 100]) {
      await t.step(`after ${after_ms} ms`, async () => {
        const gone = new AbortController();
        const reason = new StoreError("timeout", "too long");
        setTimeout(() => gone.abort(reason), after_ms);
        const began = performance.now();
        const error = await assertRejects(() =>
          read(runner.query(ENDLESS, {}, { signal: gone.signal }))
        );
        assertEquals(error, reason);
        assert(performance.now() - began < after_ms + 2_000);
        assertEquals(
          await read(runner.query("select 1", {}, { signal: never })),
          [[1]],
        );
      });
    }
    await t.step("before it began", async () => {
      const signal = AbortSignal.abort(new Error("gone"));
      await assertRejects(
        () => read(runner.query(ENDLESS, {}, { signal })),
        Error,
        "gone",
      );
    });
  });
});

Deno.test("query, aborted between two batches: the next one throws", async () => {
  await withRunner(async (runner) => {
    const gone = new AbortController();
    const rows = runner.query(
      "select range from range(100000000)",
      {},
      { signal: gone.signal },
    );
    await rows.next();
    gone.abort(new Error("gone"));
    await assertRejects(() => rows.next(), Error, "gone");
    assertEquals(
      await read(runner.query("select 1", {}, { signal: never })),
      [[1]],
    );
  });
});

Deno.test("query, left half read: its memory and its slot are given back", async () => {
  await withRunner(async (runner, database) => {
    const before = await memoryOf(database);
    for await (
      const rows of runner.query(
        "select range from range(3000000) order by hash(range)",
        {},
        { signal: never },
      )
    ) {
      assert(rows.length > 0);
      assert(await memoryOf(database) > before + 20);
      break;
    }
    assert(await memoryOf(database) < before + 5);
    assertEquals(
      await read(runner.query("select 1", {}, { signal: never })),
      [[1]],
    );
  });
});

Deno.test("query, a statement that fails: its own error, and the slot is free", async () => {
  await withRunner(async (runner) => {
    await assertRejects(
      () => read(runner.query("select no_such_column", {}, { signal: never })),
      Error,
      "Binder Error",
    );
    // It fails when rows were answered already; DuckDB then ends the stream as if
    // there were no more.
    await assertRejects(
      () =>
        read(runner.query(
          "select case when range = 900000 then error('late') end from range(1000000)",
          {},
          { signal: never },
        )),
      Error,
      "DuckDB failed while",
    );
    assertEquals(
      await read(runner.query("select 1", {}, { signal: never })),
      [[1]],
    );
  });
});

Deno.test("query, more than run and wait: busy; exports have slots of their own", async () => {
  await withRunner(async (runner) => {
    const first = runner.query("select 1", {}, { signal: never });
    await first.next();
    const second = runner.query("select 2", {}, { signal: never }).next();
    const error = await assertRejects(
      () => read(runner.query("select 3", {}, { signal: never })),
      StoreError,
    );
    assertEquals(error.kind, "busy");
    assertEquals(
      await read(runner.query("select 4", {}, { signal: never, whole: true })),
      [[4]],
    );
    await first.return(undefined);
    assertEquals((await second).value, [[2]]);
  }, { QUERY_QUEUE: 1 });
});
