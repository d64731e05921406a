/** The store as it is put together: what it says before, after and without a snapshot, and what it leaves behind. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readConfig } from "../config.ts";
import { createStore } from "../create_store.ts";
import { StoreError } from "../db/model/problems.ts";
import { requireSnapshot } from "../db/store.ts";
import { failingDuckDb } from "./support/failing_duckdb.ts";
import { dataFolder, type Files } from "./support/data_folder.ts";
import {
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  type Settings,
} from "./support/load_folder.ts";

const FILES: Files = {
  "customers.csv": "Customer_Id\n1\n",
  "interactions.csv": NO_INTERACTIONS + "01/01/2020,Email,1\n",
};

/** A store on `files` that is not loaded yet. */
async function makeStore(files: Files, settings: Settings = {}) {
  const data = await dataFolder(files);
  const staging = await dataFolder();
  const store = createStore(readConfig({
    DATA_DIR: data.path,
    STAGING_DIR: staging.path,
    ...settings,
  }));
  let closed: Promise<void> | undefined;
  const close = () => closed ??= store.close();
  return {
    store,
    data,
    staging,
    close,
    async [Symbol.asyncDispose]() {
      await close();
      await data[Symbol.asyncDispose]();
      await staging[Symbol.asyncDispose]();
    },
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await filesBelow(path));
    else found.push(name);
  }
  return found.sort();
}

Deno.test("createStore, before a load: nothing to serve and no problem", async () => {
  await using made = await makeStore(FILES);
  assertEquals([made.store.snapshot, made.store.problem], [null, null]);
  const error = assertThrows(() => requireSnapshot(made.store), StoreError);
  assertEquals(error.kind, "unavailable");
  assertEquals(await filesBelow(made.staging.path), []);
});

Deno.test("createStore, after a load: a snapshot", async () => {
  await using made = await makeStore(FILES);
  const steps: string[] = [];
  const snapshot = await made.store.load((step) => steps.push(step));
  assertEquals(made.store.snapshot, snapshot);
  assertEquals(made.store.problem, null);
  assertEquals(requireSnapshot(made.store), snapshot);
  assert(steps.some((step) => step.includes("interactions.csv")), `${steps}`);
  // A time in UTC, not after now.
  assert(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(snapshot.loaded_at));
  assert(snapshot.loaded_at <= new Date().toISOString());
  // The data folder is only read.
  assertEquals(await filesBelow(made.data.path), Object.keys(FILES));
  for (const [name, content] of Object.entries(FILES)) {
    const text = await Deno.readTextFile(`${made.data.path}/${name}`);
    assertEquals(text, content);
  }
});

Deno.test("createStore, working files: no copies after a load, nothing after closing", async (t) => {
  await t.step("a load that serves", async () => {
    await using made = await makeStore(FILES);
    await made.store.load(() => {});
    const left = await filesBelow(made.staging.path);
    assertEquals(
      left.filter((name) => !/^(lock|tally\.duckdb(\.wal)?)$/.test(name)),
      [],
    );
    await made.close();
    assertEquals(await filesBelow(made.staging.path), []);
  });
  await t.step("a load that is refused", async () => {
    await using made = await makeStore({ ...FILES, "products.csv": "x\n" });
    await assertRejects(() => made.store.load(() => {}), StoreError);
    await made.close();
    assertEquals(await filesBelow(made.staging.path), []);
  });
});

Deno.test("createStore, a refused load: the problem stays to be told", async () => {
  await using made = await makeStore({ "customers.csv": NO_CUSTOMERS });
  const error = await assertRejects(
    () => made.store.load(() => {}),
    StoreError,
  );
  assertEquals(error.kind, "refused");
  assertEquals(made.store.problem, error.message);
  assertEquals(made.store.snapshot, null);
  assert(error.message.includes("no file of interactions"), error.message);
});

Deno.test("createStore, folders and files with unusual names", async () => {
  const name = `it's "1" [a]* ünï 🐦`;
  await using parent = await dataFolder({
    [`data ${name}/customers.csv`]: NO_CUSTOMERS,
    [`data ${name}/interactions/${name}.csv`]: NO_INTERACTIONS +
      "01/01/2020,Email,1\n",
  });
  const store = createStore(readConfig({
    DATA_DIR: `${parent.path}/data ${name}`,
    STAGING_DIR: `${parent.path}/staging ${name}`,
  }));
  try {
    const { report } = await store.load(() => {});
    assertEquals(report.files[1].file, `interactions/${name}.csv`);
    assertEquals(report.interactions, 1);
  } finally {
    await store.close();
  }
});

Deno.test("createStore, two in one process: each its own", async () => {
  await using one = await makeStore(FILES);
  await using two = await makeStore({
    ...FILES,
    "interactions.csv": NO_INTERACTIONS + "01/01/2020,Call,1;2\n",
  });
  const [first, second] = await Promise.all([
    one.store.load(() => {}),
    two.store.load(() => {}),
  ]);
  assertEquals(first.channels, ["Email"]);
  assertEquals(second.channels, ["Call"]);
  await one.close();
  assertEquals(
    Array.from((await second.countByChannel({ customer_id: 2 }))!),
    [1],
  );
});

Deno.test("createStore, closed while it answers: every answer is given", async () => {
  await using made = await makeStore(FILES, { SERVE_FROM: "query" });
  const snapshot = await made.store.load(() => {});
  const answers = Array.from(
    { length: 50 },
    (_, i) => snapshot.countByChannel({ customer_id: 1 + i % 2 }),
  );
  await made.close();
  const counts = (await Promise.all(answers)).map((one) => one && one[0]);
  assertEquals(counts, Array(25).fill([1, null]).flat());
});

Deno.test("createStore, closed twice: closed", async () => {
  await using made = await makeStore(FILES);
  await made.store.load(() => {});
  await made.close();
  await made.store.close();
});

Deno.test("createStore, too little memory: refused, naming the setting", async () => {
  await using made = await makeStore(FILES, { DUCKDB_MEMORY_LIMIT: "1MB" });
  const error = await assertRejects(
    () => made.store.load(() => {}),
    StoreError,
  );
  assertEquals(
    error.message,
    "DuckDB has too little memory for this data. Raise DUCKDB_MEMORY_LIMIT.",
  );
});

Deno.test("createStore, a disk that fails under DuckDB: a load and questions say so, without its folders", async (t) => {
  await using made = await makeStore(FILES, { SERVE_FROM: "query" });
  const message =
    'IO Error: Could not read from file "/tmp/tally-1/tally.duckdb": Input/output error';
  const said = async (action: () => Promise<unknown>) => {
    const error = await assertRejects(action, StoreError);
    assertEquals([error.kind, error.message], [
      "unavailable",
      'DuckDB cannot use STAGING_DIR: Could not read from file "tally.duckdb": Input/output error. Check its disk and its mount.',
    ]);
  };
  await t.step("a load", async () => {
    using _ = failingDuckDb("run", { message });
    await said(() => made.store.load(() => {}));
  });
  const snapshot = await made.store.load(() => {});
  await t.step("the question of a customer", async () => {
    using _ = failingDuckDb("runPrepared", { message });
    await said(async () => await snapshot.countByChannel({ customer_id: 1 }));
  });
  await t.step("another question", async () => {
    using _ = failingDuckDb("prepare", { message });
    using run = await snapshot.begin({
      signal: new AbortController().signal,
      ends_at_ms: Infinity,
    });
    await said(() =>
      Array.fromAsync(
        snapshot.ask({ kind: "metrics", by: [], filter: {} }, run).batches,
      )
    );
  });
});
