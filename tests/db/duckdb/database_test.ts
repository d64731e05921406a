/** The hardened instance: SQL reaches its own folder and nothing else, and cannot loosen that; its streams are whole or fail. */

import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Database, openDatabase } from "../../../db/duckdb/database.ts";
import { dataFolder, namesIn } from "../../support/data_folder.ts";
import { failingDuckDb } from "../../support/failing_duckdb.ts";

const LIMITS = { memory_limit: "600MB", threads: 2 };

async function withDatabase(
  folder: string,
  use: (database: Database) => Promise<void>,
): Promise<void> {
  const database = await openDatabase(folder, LIMITS);
  try {
    await database.lock(LIMITS.threads);
    await use(database);
  } finally {
    database.close();
  }
}

Deno.test("openDatabase, SQL outside its folder: refused, nothing written", async (t) => {
  await using parent = await dataFolder({
    "data/customers.csv": "Customer_Id\n1\n",
    "data/customers.parquet": "PAR1",
    "work/own.csv": "x\n1\n",
    "work-2/other.csv": "x\n1\n",
  });
  const { path } = parent;
  const work = `${path}/work`;
  const before = await namesIn(path);

  await withDatabase(work, async (database) => {
    const cases: [name: string, sql: string][] = [
      ["read a system file", "select * from read_text('/etc/passwd')"],
      ["read it as bytes", "select * from read_blob('/etc/passwd')"],
      ["read it as CSV", "select * from read_csv('/etc/passwd')"],
      ["read it as JSON", "select * from read_json('/etc/passwd')"],
      ["read it by its name", "select * from '/etc/passwd.csv'"],
      ["sniff it", "from sniff_csv('/etc/passwd')"],
      [
        "read the process's environment",
        "select * from read_blob('/proc/self/environ')",
      ],
      ["list files", "select * from glob('/etc/*')"],
      [
        "read the data folder",
        `select * from read_csv('${path}/data/customers.csv')`,
      ],
      ["list the data folder", `select * from glob('${path}/data/*')`],
      [
        "read Parquet of the data folder",
        `select * from read_parquet('${path}/data/*.parquet')`,
      ],
      [
        "read through ..",
        `select * from read_text('${work}/../data/customers.csv')`,
      ],
      [
        "read a folder whose name begins alike",
        `select * from read_text('${path}/work-2/other.csv')`,
      ],
      ["read a relative path", "select * from read_text('deno.json')"],
      [
        "read a file: URL",
        `select * from read_text('file://${path}/data/customers.csv')`,
      ],
      [
        "read from the network",
        "select * from read_csv('https://example.com/x.csv')",
      ],
      [
        "copy from outside",
        "create table t (x text); copy t from '/etc/passwd'",
      ],
      ["copy to outside", `copy (select 1) to '${path}/copied.csv'`],
      ["copy to the data folder", `copy (select 1) to '${path}/data/x.csv'`],
      ["copy through ..", `copy (select 1) to '${work}/../copied.csv'`],
      [
        "copy partitions",
        `copy (select 1 as x, 2 as y) to '${path}/parts' (partition_by x)`,
      ],
      ["copy to standard output", "copy (select 1) to '/dev/stdout'"],
      ["export", `export database '${path}/exported'`],
      ["import", `import database '${path}/data'`],
      ["attach a new file", `attach '${path}/attached.duckdb'`],
      ["attach a file that is there", `attach '${path}/data/customers.csv'`],
      ["attach sqlite", `attach '${path}/x.sqlite' (type sqlite)`],
      ["install an extension", "install httpfs"],
      ["install a community extension", "install h3 from community"],
      ["install from a path", `install '${path}/data/x.duckdb_extension'`],
      ["load an extension", "load httpfs"],
      ["load from a path", `load '${path}/data/x.duckdb_extension'`],
      [
        "keep a secret in the home folder",
        "create persistent secret s (type http, bearer_token 'x')",
      ],
      ["allow access again", "set enable_external_access = true"],
      ["allow another folder", "set allowed_directories = ['/']"],
      ["allow a file", "set allowed_paths = ['/etc/passwd']"],
      ["unlock the settings", "set lock_configuration = false"],
      ["reset a setting", "reset lock_configuration"],
      ["raise the memory limit", "set memory_limit = '100GB'"],
      ["take more threads", "set threads = 64"],
      ["spill elsewhere", `set temp_directory = '${path}/data'`],
      ["look for extensions elsewhere", `set extension_directory = '${path}'`],
      ["take unsigned extensions", "set allow_unsigned_extensions = true"],
      [
        "write a profile",
        `pragma profiling_output = '${path}/profile.json'`,
      ],
      ["write a log of queries", `set log_query_path = '${path}/log'`],
    ];
    for (const [name, sql] of cases) {
      await t.step(name, async () => {
        const { message } = await assertRejects(() => database.run(sql), Error);
        assertMatch(
          message,
          /^Permission Error: |configuration has been locked/,
        );
      });
    }
    await t.step("nothing was written", async () => {
      assertEquals(await namesIn(path), before);
      assertEquals(await namesIn(`${path}/data`), [
        "customers.csv",
        "customers.parquet",
      ]);
    });
  });
});

Deno.test("openDatabase, SQL in its folder: reads and writes", async () => {
  await using folder = await dataFolder({ "own.csv": "x,y\n1,a\n2,b\n" });
  const { path } = folder;
  await withDatabase(path, async (database) => {
    assertEquals(
      await database.run(`select * from read_csv('${path}/own.csv')`),
      [{ x: 1n, y: "a" }, { x: 2n, y: "b" }],
    );
    await database.run(`copy (select 3 as x) to '${path}/out.parquet'`);
    assertEquals(await database.run(`from '${path}/out.parquet'`), [{ x: 3 }]);
    await database.run("create table t as select 4 as x");
    assertEquals(await database.run("from t"), [{ x: 4 }]);
  });
});

Deno.test("openDatabase, more than its memory holds: spilled to its folder", async () => {
  await using folder = await dataFolder();
  const database = await openDatabase(folder.path, {
    memory_limit: "40MB",
    threads: 2,
  });
  try {
    const [{ rows }] = await database.run(
      `select count(*)::integer as rows from (
         select md5(i::varchar) as text from range(800000) as numbers (i)
         order by text offset 1)`,
    );
    assertEquals(rows, 799_999);
  } finally {
    database.close();
  }
});

Deno.test("a stream: all rows in order, an error in the middle is told, and it may be left at any time", async (t) => {
  await using folder = await dataFolder();
  const counted = (then = "i") => ({
    sql: `select (${then})::uinteger as n from range(500000) as rows (i)`,
  });

  await t.step("read slowly, it is whole", async () => {
    await withDatabase(folder.path, async (database) => {
      let read = 0;
      for await (const [numbers] of database.streamNumbers(counted())) {
        if (read % 20_480 === 0) await delay(1);
        for (const number of numbers) {
          if (number !== read++) throw new Error(`${number} is not next`);
        }
      }
      assertEquals(read, 500_000);
    });
  });

  await t.step("an error in the middle", async () => {
    const failing = counted("case when i = 400000 then error('no') else i end");
    await withDatabase(folder.path, async (database) => {
      let read = 0;
      await assertRejects(
        async () => {
          for await (const [numbers] of database.streamNumbers(failing)) {
            read += numbers.length;
            await delay(1);
          }
        },
        Error,
        "DuckDB failed while the rows of a query were read",
      );
      assert(read < 500_000);
      assertEquals(await database.run("select 1 as x"), [{ x: 1 }]);
    });
  });

  for (const ends of ["break", "throw"]) {
    await t.step(`left by ${ends}, and closed at once`, async () => {
      for (let n = 1; n < 20; n++) {
        await withDatabase(folder.path, async (database) => {
          let chunks = 0;
          const leave = async () => {
            for await (const _ of database.streamNumbers(counted())) {
              if (++chunks < n) continue;
              if (ends === "break") break;
              throw new Error("left");
            }
          };
          if (ends === "break") await leave();
          else await assertRejects(leave, Error, "left");
          assertEquals(chunks, n);
        });
      }
    });
  }
});

Deno.test("the signal: a statement and a stream end with its reason, whenever it is aborted", async (t) => {
  const endless =
    "select sum(hash(a.range + b.range))::double as n from range(10000000) a, range(10000000) b";
  const rows = "select range::double as n from range(500000)";
  const reason = new Error("enough");
  type Work = (database: Database, abort: () => void) => Promise<unknown>;
  const cases: [name: string, work: Work][] = [
    ["before a statement", (database, abort) => {
      abort();
      return database.run("select 1");
    }],
    ["as one begins", (database, abort) => {
      const ended = database.run(endless);
      abort();
      return ended;
    }],
    ["while one runs", (database, abort) => {
      setTimeout(abort, 100);
      return database.run(endless);
    }],
    ["while a stream begins", (database, abort) => {
      setTimeout(abort, 100);
      return database.streamNumbers({ sql: endless }).next();
    }],
    ["between two batches", async (database, abort) => {
      for await (const _ of database.streamNumbers({ sql: rows })) abort();
    }],
    ["at its end", async (database, abort) => {
      const ended = database.lock(1);
      abort();
      await ended;
    }],
  ];
  for (const [name, work] of cases) {
    await t.step(name, async () => {
      await using folder = await dataFolder();
      const ending = new AbortController();
      const { signal } = ending;
      const database = await openDatabase(folder.path, { ...LIMITS, signal });
      try {
        await assertRejects(
          () => work(database, () => ending.abort(reason)),
          Error,
          "enough",
        );
      } finally {
        database.close();
      }
    });
  }
});

Deno.test("openDatabase, folders with unusual names", async (t) => {
  const names = ["with space", "it's", "[a]*", "ünï 🐦", '"quoted"', "a,b;c"];
  await using parent = await dataFolder(
    Object.fromEntries(names.map((name) => [`${name}/own.csv`, "x\n1\n"])),
  );
  for (const name of names) {
    await t.step(name, async () => {
      const folder = `${parent.path}/${name}`;
      await withDatabase(folder, async (database) => {
        await database.run("create table t as select 1 as x");
        assertEquals(await database.run("from t"), [{ x: 1 }]);
        await assertRejects(() =>
          database.run("select * from read_text('/etc/passwd')")
        );
      });
      assert((await namesIn(folder)).includes("tally.duckdb"));
    });
  }
});

Deno.test("openDatabase, a folder that is not there: an error", async () => {
  await using folder = await dataFolder();
  await assertRejects(() => openDatabase(`${folder.path}/nowhere`, LIMITS));
});

Deno.test("DuckDB has too little memory to open a connection: nothing stays open", async (t) => {
  await using folder = await dataFolder();
  await t.step("the first one", async () => {
    using duckdb = failingDuckDb("connect");
    await assertRejects(
      () => openDatabase(folder.path, LIMITS),
      Error,
      "Out of Memory",
    );
    const [instance] = duckdb.instances;
    duckdb[Symbol.dispose]();
    await assertRejects(() => instance.connect(), Error, "instance closed");
  });
  await t.step("another one", async () => {
    await withDatabase(folder.path, async (database) => {
      using duckdb = failingDuckDb("run", {
        when: (sql) => sql === "use tally",
      });
      await assertRejects(() => database.connect(), Error, "Out of Memory");
      const [connection] = duckdb.connections;
      await assertRejects(
        () => connection.run("select 1"),
        Error,
        "disconnected",
      );
    });
  });
});
