/** Kept versions of customers called by texts: reopened and gone back to, also over a change of what an id is. */

import { assertEquals } from "@std/assert";
import { dataFolder } from "../../support/data_folder.ts";
import { textFiles } from "../../support/text_ids.ts";
import {
  live,
  type WatchedStore,
  watchedStore,
} from "../../support/watched_store.ts";

const IDS = ["a/b", "x,y", "é"];
const TEXTS = textFiles({
  records: IDS.map((id) => [id, `Ann ${id}`, "Jedi", "Red"]),
  interactions: IDS.map((id) => ["2020-01-01", "Call", [id]]),
});
const NUMBERS = textFiles({
  kind: "integer",
  names: false,
  records: [["7", "", "Jedi", "Red"]],
  interactions: [["2020-01-01", "Call", ["7"]], ["2020-01-02", "Call", ["7"]]],
});

/** The id, the name and the number of calls of each customer, by a query. */
async function customersOf({ snapshot }: WatchedStore) {
  const { signal } = new AbortController();
  using run = await snapshot.begin({ signal, ends_at_ms: Infinity });
  const question = { kind: "customers", filter: {} } as const;
  const rows = [];
  const { columns, batches } = snapshot.ask(question, run);
  const at = (name: string) => columns.findIndex((one) => one.name === name);
  for await (const batch of batches) {
    for (const row of batch) {
      const name = at("name") < 0 ? [] : [row[at("name")]];
      rows.push([row[0], ...name, row.at(-1)]);
    }
  }
  const recalled = snapshot.recall({
    kind: "customers",
    filter: {
      customer_ids: rows.map(([id]) => snapshot.customers.numberOf(id!)),
    },
  })!;
  assertEquals(recalled.map((row) => row[0]), rows.map((row) => row[0]));
  return rows;
}

Deno.test("versions with ids that are texts are kept, reopened and rolled back to", async (t) => {
  await using state = await dataFolder();
  const settings = { STATE_DIR: state.path };
  const texts = IDS.map((id) => [id, `Ann ${id}`, 1]);
  const numbers = [[7, 2]];
  await t.step("texts, then numbers, then back", async () => {
    await using watched = await watchedStore(TEXTS, settings);
    await live(watched, 3);
    assertEquals(await customersOf(watched), texts);
    await watched.folder.write(NUMBERS);
    await live(watched, 2);
    assertEquals(await customersOf(watched), numbers);
    // Beside them is the lock.
    await watched.until(() => [...Deno.readDirSync(state.path)].length === 3);
    await watched.store.refreshes.rollback(watched.snapshot.data_version);
    assertEquals(await customersOf(watched), texts);
  });
  await t.step("broken exports: the last good ones", async () => {
    await using watched = await watchedStore({
      "customers.csv": "broken",
    }, settings);
    await live(watched, 3);
    assertEquals(await customersOf(watched), texts);
    assertEquals(watched.snapshot.customers.numberOf("x,y"), 2);
    assertEquals(watched.snapshot.customers.numberOf("x"), -1);
  });
});
