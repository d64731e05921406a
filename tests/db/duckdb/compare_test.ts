/** What differs between two snapshots, counted independently. */

import { assertEquals } from "@std/assert";
import {
  textFiles,
  type TextInteraction,
  type TextRecord,
} from "../../support/text_ids.ts";
import { watchedStore } from "../../support/watched_store.ts";

Deno.test("a refresh tells what was added and what is gone", async () => {
  await using watched = await watchedStore({
    "customers.csv":
      "Customer_Id,Occupation,Type\n1,Jedi,Red\n2,Baker,Blue\n3,Smith,Blue\n",
    "interactions.csv":
      "Date Start,Interaction,Customers\n01/02/2020,Email,1\n01/02/2020,Email,1\n02/02/2020,Call,2\n03/02/2020,Boat,9\n",
    "products.csv": "Date,Product\n02-2020,Sand\n03-2020,Salt\n",
  });
  assertEquals((await watched.next()).changes, null);
  const { data_version } = watched.snapshot;
  await watched.folder.write({
    // 2 changed, 3 is gone, 4 is new.
    "customers.csv":
      "Customer_Id,Occupation,Type\n1,Jedi,Red\n2,Baker,Green\n4,Smith,Red\n",
    // One Email of 1 less, one on another day more; 9 is gone with the boat.
    "interactions.csv":
      "Date Start,Interaction,Customers\n01/02/2020,Email,1\n05/03/2020,Email,1\n02/02/2020,Call,2\n02/02/2020,Bird,2\n",
    "products.csv": "Date,Product\n02-2020,Sand\n04-2020,Sand\n",
  });
  const { changes } = await watched.next();
  assertEquals(changes, {
    previous_data_version: data_version,
    tables: {
      customers: { rows_added: 2, rows_gone: 2 },
      interactions: { rows_added: 2, rows_gone: 2 },
      products: { rows_added: 1, rows_gone: 1 },
    },
    new_customers: 1,
    vanished_customers: 2,
    new_channels: ["Bird"],
    vanished_channels: ["Boat"],
    new_types: ["Green"],
    vanished_types: ["Blue"],
    new_topics: [],
    new_attributes: [],
    vanished_attributes: [],
    vanished_topics: ["Salt"],
    date_range: { first: "2020-02-01", last: "2020-03-05" },
    previous_date_range: { first: "2020-02-01", last: "2020-02-03" },
  });
});

Deno.test("names in another spelling are neither new nor gone", async () => {
  const files = (of: (name: string) => string) => ({
    "customers.csv": `Customer_Id,Type\n1,${of("Red")}\n`,
    "interactions.csv": `Date Start,Interaction,Customers\n01/02/2020,${
      of("Email")
    },1\n`,
    "products.csv": `Date,Product\n02-2020,${of("Sand")}\n`,
  });
  await using watched = await watchedStore(files((name) => name));
  await watched.next();
  await watched.folder.write(files((name) => name.toUpperCase()));
  const { changes } = await watched.next();
  const { tables: _, previous_data_version: __, ...rest } = changes!;
  assertEquals(rest, {
    new_customers: 0,
    vanished_customers: 0,
    new_channels: [],
    vanished_channels: [],
    new_types: [],
    vanished_types: [],
    new_topics: [],
    vanished_topics: [],
    new_attributes: [],
    vanished_attributes: [],
    date_range: { first: "2020-02-01", last: "2020-02-01" },
    previous_date_range: { first: "2020-02-01", last: "2020-02-01" },
  });
});

const RECORDS: readonly TextRecord[] = [
  ["b", "Bea", "Jedi", "Red"],
  ["c", "", "", "Blue"],
  ["d", "Dan", "Sith", "Blue"],
];
const TALKS: readonly TextInteraction[] = [
  ["2020-01-01", "Call", ["b"]],
  ["2020-01-02", "Call", ["c", "d"]],
  ["2020-01-03", "Letter", ["e"]],
];

Deno.test("a new customer whose id comes first changes no other one", async () => {
  await using watched = await watchedStore(
    textFiles({ records: RECORDS, interactions: TALKS }),
  );
  assertEquals((await watched.next()).changes, null);
  await watched.folder.write(textFiles({
    // d is gone with its record, and b has another name.
    records: [
      ["a", "Ann", "Jedi", "Red"],
      ["b", "Bo", "Jedi", "Red"],
      RECORDS[1],
    ],
    interactions: [
      ["2020-01-01", "Call", ["a", "b"]],
      ["2020-01-02", "Call", ["c"]],
      ["2020-01-03", "Letter", ["e"]],
    ],
  }));
  const { changes } = await watched.next();
  assertEquals(changes!.tables, {
    customers: { rows_added: 2, rows_gone: 2 },
    interactions: { rows_added: 1, rows_gone: 1 },
    products: { rows_added: 0, rows_gone: 0 },
  });
  assertEquals(changes!.new_customers, 1);
  assertEquals(changes!.vanished_customers, 1);
});

Deno.test("numbers that become texts, and texts that become numbers, are the same customers", async () => {
  const ids = ["2", "10", "9007199254740991"];
  const of = (kind: "integer" | "text", more: readonly string[] = []) =>
    textFiles({
      kind,
      names: kind === "text",
      records: ids.map((id) => [id, "", "Jedi", "Red"]),
      interactions: [...ids, ...more].map((id) => ["2020-01-01", "Call", [id]]),
    });
  await using watched = await watchedStore(of("integer", ["3"]));
  await watched.next();
  await watched.folder.write(of("text", ["A"]));
  const { changes: to_text } = await watched.next();
  await watched.folder.write(of("integer"));
  const { changes: back } = await watched.next();
  for (
    const [changes, added, gone] of [[to_text, 1, 1], [back, 0, 1]] as const
  ) {
    assertEquals(changes!.tables.customers, { rows_added: 0, rows_gone: 0 });
    assertEquals(changes!.tables.interactions, {
      rows_added: added,
      rows_gone: gone,
    });
    assertEquals(
      [changes!.new_customers, changes!.vanished_customers],
      [added, gone],
    );
  }
});

Deno.test("names that come and go are changes of the records that have one", async () => {
  const of = (names: boolean) =>
    textFiles({ records: RECORDS, interactions: TALKS, names });
  await using watched = await watchedStore(of(false));
  await watched.next();
  for (const names of [true, false]) {
    await watched.folder.write(of(names));
    const { changes } = await watched.next();
    assertEquals(changes!.tables.customers, { rows_added: 2, rows_gone: 2 });
    assertEquals(changes!.new_customers, 0);
  }
});

Deno.test("interactions of nobody who is known are added and gone like others", async () => {
  const of = (...calls: readonly string[]) => ({
    "tally.toml": `[customers]
files = "customers.csv"
id = "Id"

[interactions]
files = "calls.csv"
time = "Time"
channel = "Channel"
customer = { column = "To", match = "Phone", unmatched = "anonymous" }
`,
    "customers.csv": "Id,Phone\n1,5\n",
    "calls.csv": ["To,Time,Channel", "5,2020-01-01,Call", ...calls, ""].join(
      "\n",
    ),
  });
  await using watched = await watchedStore(of());
  await watched.next();
  const steps: [calls: string[], added: number, gone: number][] = [
    [["8,2020-01-02,Call", "9,2020-01-02,Call"], 2, 0],
    [["7,2020-01-02,Call", "9,2020-01-03,Call"], 1, 1],
    [[], 0, 2],
  ];
  for (const [calls, rows_added, rows_gone] of steps) {
    await watched.folder.write(of(...calls));
    const { changes } = await watched.next();
    assertEquals(changes!.tables.interactions, { rows_added, rows_gone });
    assertEquals([changes!.new_customers, changes!.vanished_customers], [0, 0]);
  }
});
