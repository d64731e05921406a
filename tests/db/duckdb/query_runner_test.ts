/** Queries for requests: their cells, their end by an AbortSignal, one at a time in a turn. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Database } from "../../../db/duckdb/database.ts";
import { QueryRunner } from "../../../db/duckdb/query_runner.ts";
import { StoreError } from "../../../db/model/problems.ts";
import type { Cell } from "../../../db/model/questions.ts";
import { withEmptyDatabase } from "../../support/empty_database.ts";
import { turn } from "../../support/turn.ts";

/** Runs for minutes and answers one row. */
const ENDLESS =
  "select count(*) from range(10000000) a, range(10000000) b where (a.range * b.range) % 7 = 3";

function withRunner(
  use: (runner: QueryRunner, database: Database) => Promise<void>,
): Promise<void> {
  return withEmptyDatabase((database) =>
    use(new QueryRunner(database), database)
  );
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
        runner.query(`select ${cells}`, {
          values: { x: "é'\"" },
          run: await turn(),
        }),
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
      runner.query("select range from range(10000)", {
        values: {},
        run: await turn(),
      }),
    );
    assertEquals(many, Array.from({ length: 10_000 }, (_, i) => [i]));
    assertEquals(
      await read(
        runner.query("select 1 limit 0", { values: {}, run: await turn() }),
      ),
      [],
    );
  });
});

Deno.test("query, aborted while DuckDB works: it is interrupted", async (t) => {
  await withRunner(async (runner) => {
    for (const after_ms of [0, 1, 100]) {
      await t.step(`after ${after_ms} ms`, async () => {
        const gone = new AbortController();
        const reason = new StoreError("timeout", "too long");
        setTimeout(() => gone.abort(reason), after_ms);
        const began = performance.now();
        const error = await assertRejects(async () =>
          read(
            runner.query(ENDLESS, { values: {}, run: await turn(gone.signal) }),
          )
        );
        assertEquals(error, reason);
        assert(performance.now() - began < after_ms + 2_000);
        assertEquals(
          await read(
            runner.query("select 1", { values: {}, run: await turn() }),
          ),
          [[1]],
        );
      });
    }
    await t.step("before it began", async () => {
      const gone = new AbortController();
      const run = await turn(gone.signal);
      gone.abort(new Error("gone"));
      await assertRejects(
        () => read(runner.query(ENDLESS, { values: {}, run })),
        Error,
        "gone",
      );
    });
  });
});

Deno.test("query, aborted between two batches: the next one throws", async () => {
  await withRunner(async (runner) => {
    const gone = new AbortController();
    const rows = runner.query("select range from range(100000000)", {
      values: {},
      run: await turn(gone.signal),
    });
    await rows.next();
    gone.abort(new Error("gone"));
    await assertRejects(() => rows.next(), Error, "gone");
    assertEquals(
      await read(runner.query("select 1", { values: {}, run: await turn() })),
      [[1]],
    );
  });
});

Deno.test("query, left half read: its memory is given back", async () => {
  await withRunner(async (runner, database) => {
    const before = await memoryOf(database);
    for await (
      const rows of runner.query(
        "select range from range(3000000) order by hash(range)",
        { values: {}, run: await turn() },
      )
    ) {
      assert(rows.length > 0);
      assert(await memoryOf(database) > before + 20);
      break;
    }
    assert(await memoryOf(database) < before + 5);
    assertEquals(
      await read(runner.query("select 1", { values: {}, run: await turn() })),
      [[1]],
    );
  });
});

Deno.test("query, read whole: its memory is given back, and its connection serves the next", async () => {
  await withRunner(async (runner, database) => {
    const connections = async () => {
      const [{ count }] = await database.run(
        "select count::integer as count from duckdb_connection_count()",
      );
      return count as number;
    };
    const before = await memoryOf(database);
    const at_first = await connections();
    for (let i = 0; i < 5; i++) {
      const sorted = runner.query(
        "select range from range(1000000) order by hash(range)",
        { values: {}, run: await turn() },
      );
      assertEquals((await read(sorted)).length, 1_000_000);
      assert(await memoryOf(database) < before + 5);
      assertEquals(await connections(), at_first + 1);
    }
  });
});

Deno.test("query, after one that was interrupted: on another connection, and whole", async () => {
  await withRunner(async (runner) => {
    for (let i = 0; i < 20; i++) {
      const ending = new AbortController();
      const reason = new Error("too late");
      const ended = read(
        runner.query(ENDLESS, { values: {}, run: await turn(ending.signal) }),
      );
      setTimeout(() => ending.abort(reason), i);
      await assertRejects(() => ended, Error, "too late");
      assertEquals(
        await read(
          runner.query(
            "select count(*) from range(100000) where random() < 2",
            {
              values: {},
              run: await turn(),
            },
          ),
        ),
        [[100_000]],
      );
    }
  });
});

Deno.test("query, a statement that fails: its own error", async () => {
  await withRunner(async (runner) => {
    await assertRejects(
      async () =>
        read(
          runner.query("select no_such_column", {
            values: {},
            run: await turn(),
          }),
        ),
      Error,
      "Binder Error",
    );
    // It fails when rows were answered already; DuckDB then ends the stream as if
    // there were no more.
    await assertRejects(
      async () =>
        read(
          runner.query(
            "select case when range = 900000 then error('late') end from range(1000000)",
            { values: {}, run: await turn() },
          ),
        ),
      Error,
      "DuckDB failed while",
    );
    assertEquals(
      await read(runner.query("select 1", { values: {}, run: await turn() })),
      [[1]],
    );
  });
});

Deno.test("query, in a turn that has one: refused, and possible when that has ended", async () => {
  await withRunner(async (runner) => {
    using run = await turn();
    const first = runner.query("select 1", { values: {}, run });
    await first.next();
    await assertRejects(
      () => read(runner.query("select 2", { values: {}, run })),
      Error,
      "alone in it",
    );
    await first.return(undefined);
    const third = runner.query("select 3", { values: {}, run });
    assertEquals(await read(third), [[3]]);
  });
});

Deno.test("query, rows of 1,000 columns or of long texts: a few at a time", async () => {
  await withRunner(async (runner) => {
    const wide = `select ${
      Array.from({ length: 1_000 }, (_, i) => `range + ${i}`).join(", ")
    } from range(3000)`;
    let rows = 0;
    for await (
      const batch of runner.query(wide, { values: {}, run: await turn() })
    ) {
      assert(batch.length <= 20);
      for (const row of batch) {
        assertEquals([row[0], row[999]], [rows, rows + 999]);
        rows++;
      }
    }
    assertEquals(rows, 3_000);

    const long = "select repeat('x', 10000) from range(3000)";
    const lengths: number[] = [];
    for await (
      const batch of runner.query(long, { values: {}, run: await turn() })
    ) {
      lengths.push(batch.length);
    }
    assertEquals(lengths.reduce((sum, length) => sum + length), 3_000);
    // How long they are is known when the first are read.
    assert(lengths.slice(1).every((length) => length <= 50));
  });
});

Deno.test("out of memory: only the query that needs too much fails, and its message names the setting", async () => {
  await withRunner(async (runner, database) => {
    await database.run("set memory_limit = '30MB'");
    const greedy = async () =>
      await read(runner.query(
        // A list cannot go to disk.
        "select len(list(range)) as n from range(30000000)",
        { values: {}, run: await turn() },
      ));
    const modest = async () =>
      await read(runner.query("select count(*) from range(1000)", {
        values: {},
        run: await turn(),
      }));
    const [failed, answered] = await Promise.allSettled([greedy(), modest()]);
    assertEquals(answered, { status: "fulfilled", value: [[1_000]] });
    assertEquals(failed.status, "rejected");
    const { reason } = failed as PromiseRejectedResult;
    assert(reason instanceof StoreError, `${reason}`);
    assertEquals(reason.kind, "busy");
    assertStringIncludes(reason.message, "DUCKDB_MEMORY_LIMIT");
    assertEquals(await modest(), [[1_000]]);
  });
});
