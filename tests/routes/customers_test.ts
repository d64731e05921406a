/** `/api/v1/customers` and `/api/v1/dimensions`. */

import { assertEquals, assertMatch } from "@std/assert";
import { openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv":
    "Customer_Id,Occupation,Type\n1,jedi,Red\n2,Jedi,red\n3,Jedi,\n12,Jeweller,Blue\n20,,\n",
  "interactions.csv": `Date Start,Interaction,Customers
05/03/2020 11:23,Bird,1
04/03/2019 11:23,Bird,1
05/03/2020 11:23,Bird,7
`,
  "channels.csv": "Channel\nBird\nCall\n",
};
const PATH = "/api/v1/customers";

Deno.test("customers: record, contacts, totals; found by id or occupation", async (t) => {
  await using opened = await openApp(FILES);
  await t.step("one", async () => {
    const answer = await opened.app.request(`${PATH}/1`);
    assertEquals((await answer.json()).data, {
      customer_id: 1,
      occupation: "Jedi",
      type: "Red",
      known_from: "customers",
      first_contact: "2019-03-04",
      last_contact: "2020-03-05",
      interactions: { Bird: 2, Call: 0 },
      total: 2,
    });
  });
  await t.step(
    "one known only from interactions, one without any",
    async () => {
      const orphan = await (await opened.app.request(`${PATH}/7`)).json();
      assertEquals(orphan.data.known_from, "interactions");
      const silent = await (await opened.app.request(`${PATH}/20`)).json();
      assertEquals(silent.data.first_contact, null);
    },
  );
  const table: [query: string, ids: number[]][] = [
    ["", [1, 2, 3, 7, 12, 20]],
    ["?q=1", [1, 12]],
    ["?q=je", [1, 2, 3, 12]],
    ["?q=JEDI", [1, 2, 3]],
    // Full width, and a zero width space.
    ["?q=%EF%BC%AA%EF%BD%85d%E2%80%8Bi", [1, 2, 3]],
    ["?q=%E2%80%8B", []],
    ["?q=jedi%20", []],
    ["?occupation=%EF%BC%AAe%C2%ADdi", [1, 2, 3]],
    ["?q=%25", []],
    ["?q=je&type=blue", [12]],
    ["?occupation=jedi", [1, 2, 3]],
    ["?type=null", [3, 7, 20]],
  ];
  for (const [query, ids] of table) {
    await t.step(query, async () => {
      const { data } = await (await opened.app.request(PATH + query)).json();
      assertEquals(
        data.map((row: { customer_id: number }) => row.customer_id),
        ids,
      );
    });
  }
  await t.step("in pages", async () => {
    const first = await (await opened.app.request(`${PATH}?limit=4`)).json();
    const next = await opened.app.request(
      `${PATH}?limit=4&cursor=${first.meta.next}`,
    );
    const { data, meta } = await next.json();
    assertEquals(
      data.map((row: { customer_id: number }) => row.customer_id),
      [12, 20],
    );
    assertEquals(meta.next, null);
  });
  const wrong: [path: string, status: number, error: RegExp][] = [
    [`${PATH}?q=`, 400, /q is empty/],
    [`${PATH}?start_date=2020-01-01`, 400, /Unknown query parameter/],
    [`${PATH}/x`, 400, /Invalid customer_id/],
    [`${PATH}/99`, 404, /Customer not found/],
  ];
  for (const [path, status, error] of wrong) {
    await t.step(path, async () => {
      const answer = await opened.app.request(path);
      assertEquals(answer.status, status);
      assertMatch((await answer.json()).error, error);
    });
  }
});

Deno.test("dimensions: every name with its counts", async () => {
  await using opened = await openApp(FILES);
  const answer = await opened.app.request("/api/v1/dimensions");
  assertEquals((await answer.json()).data, {
    channels: [
      { name: "Bird", interactions: 3 },
      { name: "Call", interactions: 0 },
    ],
    topics: [{ name: null, interactions: 3 }],
    types: [
      { name: "Blue", interactions: 0, customers: 1 },
      { name: "Red", interactions: 2, customers: 2 },
      { name: null, interactions: 1, customers: 3 },
    ],
    occupations: [
      { name: "Jedi", interactions: 2, customers: 3 },
      { name: "Jeweller", interactions: 0, customers: 1 },
      { name: null, interactions: 1, customers: 2 },
    ],
    date_range: { first: "2019-03-04", last: "2020-03-05" },
  });
});

Deno.test("the largest page is answered, and one more row has a next page", async () => {
  const ids = Array.from({ length: 10_001 }, (_, i) => i + 1);
  await using opened = await openApp({
    "customers.csv": `Customer_Id\n${ids.join("\n")}\n`,
    "interactions.csv": "Date Start,Interaction,Customers\n",
  });
  for (const path of [PATH, "/api/v1/interactions"]) {
    const answer = await opened.app.request(`${path}?limit=10000`);
    assertEquals(answer.status, 200);
    const { data, meta } = await answer.json();
    assertEquals(data.length, 10_000);
    const rest = await opened.app.request(
      `${path}?limit=10000&cursor=${meta.next}`,
    );
    assertEquals((await rest.json()).data.length, 1);
  }
  const whole = await opened.app.request(
    "/api/v1/metrics/customers?by=occupation",
  );
  assertEquals(whole.status, 200);
});
