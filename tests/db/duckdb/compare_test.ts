/** What differs between two snapshots, counted independently. */

import { assertEquals } from "@std/assert";
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
    vanished_topics: ["Salt"],
    date_range: { first: "2020-02-01", last: "2020-03-05" },
    previous_date_range: { first: "2020-02-01", last: "2020-02-03" },
  });
});
