/** `/api/v1/stats/{table}`: rows a table, and no other names. */

import { assertEquals } from "@std/assert";
import { openApp } from "../support/open_app.ts";

Deno.test("rows are counted a table", async (t) => {
  await using opened = await openApp({
    // One customer twice; customer 3 is only in the interactions.
    "customers.csv": "Customer_Id\n1\n2\n2\n",
    "interactions.csv":
      "Date Start,Interaction,Customers\n05/03/2020,Bird,1;2;3\n06/03/2020,Call,1\nnever,Call,1\n",
    "products.csv": "Date,Product\n03-2020,Sand\n03-2020,Sand\n13-2020,Sand\n",
  });
  const table: [string, number, unknown][] = [
    ["customers", 200, { message: "Number of Rows", rows: 2 }],
    ["interactions", 200, { message: "Number of Rows", rows: 4 }],
    ["products", 200, { message: "Number of Rows", rows: 2 }],
    ["channels", 404, { message: "Table name not found" }],
    ["Customers", 404, { message: "Table name not found" }],
    ["toString", 404, { message: "Table name not found" }],
    ["__proto__", 404, { message: "Table name not found" }],
  ];
  for (const [name, status, body] of table) {
    await t.step(name, async () => {
      const answer = await opened.app.request(`/api/v1/stats/${name}`);
      assertEquals(answer.status, status);
      assertEquals(await answer.json(), body);
    });
  }
});
