/** `/timeline` and `/topics` of one customer. */

import { assertEquals, assertMatch } from "@std/assert";
import { openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": "Customer_Id\n1\n2\n",
  "interactions.csv": `Date Start,Interaction,Customers
31/12/2019 23:59,Bird,1
01/01/2020 00:00,Call,1
05/03/2020 11:23,Bird,1
05/03/2020 11:24,Bird,1
`,
  "products.csv": "Date,Product\n03-2020,Sand\n03-2020,Orange\n01-2020,Wood\n",
};
const PATH = "/api/v1/interactions/1";

Deno.test("a timeline has every period, silent ones with zeros", async (t) => {
  await using opened = await openApp(FILES);
  const table: [query: string, periods: [string, number, number][]][] = [
    ["?interval=year", [["2019", 1, 0], ["2020", 2, 1]]],
    ["?interval=quarter", [["2019-Q4", 1, 0], ["2020-Q1", 2, 1]]],
    ["", [
      ["2019-12", 1, 0],
      ["2020-01", 0, 1],
      ["2020-02", 0, 0],
      ["2020-03", 2, 0],
    ]],
    ["?interval=week&end_date=2020-01-12", [["2020-W01", 1, 1]]],
    [
      "?interval=week&start_date=2019-12-29&end_date=2020-01-12",
      [["2019-W52", 0, 0], ["2020-W01", 1, 1], ["2020-W02", 0, 0]],
    ],
    [
      "?interval=day&start_date=2019-12-30&end_date=2020-01-02",
      [
        ["2019-12-30", 0, 0],
        ["2019-12-31", 1, 0],
        ["2020-01-01", 0, 1],
        ["2020-01-02", 0, 0],
      ],
    ],
    ["?topic=sand,wood&interval=month&start_date=2020-03-01", [
      ["2020-03", 2, 0],
    ]],
    ["?interval=year&start_date=0001-01-01&end_date=1901-01-01", [
      ["1900", 0, 0],
      ["1901", 0, 0],
    ]],
    ["?interval=year&start_date=2078-01-01&end_date=9999-12-31", [
      ["2078", 0, 0],
    ]],
    ["?start_date=2021-01-01", []],
  ];
  for (const [query, periods] of table) {
    await t.step(query, async () => {
      const answer = await opened.app.request(`${PATH}/timeline${query}`);
      const { data, meta } = await answer.json();
      // deno-lint-ignore no-explicit-any
      const told = data.map(({ period, interactions, total }: any) => {
        assertEquals(total, interactions.Bird + interactions.Call);
        return [period, interactions.Bird, interactions.Call];
      });
      // A week query that has only an end begins with the first contact.
      assertEquals(
        told.filter(([, bird, call]: [string, number, number]) =>
          !query.startsWith("?interval=week&end_date") || bird + call
        ),
        periods,
      );
      assertEquals(
        meta.interactions,
        periods.reduce((sum, [, bird, call]) => sum + bird + call, 0),
      );
    });
  }
  await t.step("a channel filter narrows the columns", async () => {
    const answer = await opened.app.request(
      `${PATH}/timeline?interval=year&channel=call`,
    );
    assertEquals((await answer.json()).data, [
      { period: "2020", interactions: { Call: 1 }, total: 1 },
    ]);
  });
  await t.step("a customer without contacts has no periods", async () => {
    const answer = await opened.app.request("/api/v1/interactions/2/timeline");
    assertEquals((await answer.json()).data, []);
  });
});

Deno.test("topics overlap as meta says", async (t) => {
  await using opened = await openApp(FILES);
  const table: [query: string, data: unknown[], overlap: number][] = [
    ["", [
      { topic: "Orange", interactions: { Bird: 2, Call: 0 }, total: 2 },
      { topic: "Sand", interactions: { Bird: 2, Call: 0 }, total: 2 },
      { topic: "Wood", interactions: { Bird: 0, Call: 1 }, total: 1 },
      { topic: null, interactions: { Bird: 1, Call: 0 }, total: 1 },
    ], 2],
    ["?topic=null,sand&channel=bird", [
      { topic: "Sand", interactions: { Bird: 2 }, total: 2 },
      { topic: null, interactions: { Bird: 1 }, total: 1 },
    ], 0],
    ["?start_date=2021-01-01", [], 0],
  ];
  for (const [query, data, overlap] of table) {
    await t.step(query, async () => {
      const answer = await opened.app.request(`${PATH}/topics${query}`);
      const body = await answer.json();
      assertEquals(body.data, data);
      assertEquals(body.meta.overlap, overlap);
    });
  }
});

Deno.test("wrong parameters are refused, unknown customers are not found", async (t) => {
  await using opened = await openApp(FILES);
  const table: [path: string, status: number, error: RegExp][] = [
    ["1/timeline?interval=hour", 400, /interval must be one of day, week/],
    ["1/timeline?type=Red", 400, /Unknown query parameter "type"/],
    ["1/topics?interval=day", 400, /Unknown query parameter "interval"/],
    [
      "1/timeline?interval=day&start_date=1900-01-01",
      400,
      /more than 10000 rows.*format=csv/,
    ],
    ["0/timeline", 400, /Invalid customer_id/],
    ["9/timeline", 404, /Customer not found/],
    ["9/topics", 404, /Customer not found/],
    ["9/topics?topic=x", 400, /Unknown topic/],
  ];
  for (const [path, status, error] of table) {
    await t.step(path, async () => {
      const answer = await opened.app.request(`/api/v1/interactions/${path}`);
      assertEquals(answer.status, status);
      assertMatch((await answer.json()).error, error);
    });
  }
});
