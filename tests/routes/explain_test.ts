/** `explain=1`: which filters, files, rows set aside and SQL an answer is from. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
  "interactions.csv":
    "Date Start,Interaction,Customers\n05/03/2020 11:23,Bird,1\n05/03/2020 11:23,,1\n",
  "products.csv": "Date,Product\n03-2020,Sand\n",
};

Deno.test("every endpoint explains its answer", async (t) => {
  await using opened = await openApp(FILES);
  const table: [path: string, filters: unknown, sql: string[]][] = [
    [
      "/api/v1/interactions/1?topic=sand&end_date=2020-03-05",
      { customer_ids: [1], end_date: "2020-03-05", topics: ["Sand"] },
      ["queries/customer_interactions"],
    ],
    ["/api/v1/stats/interactions/1", { customer_ids: [1] }, [
      "queries/customer_interactions",
    ]],
    ["/api/v1/interactions?customer_id=1", { customer_ids: [1] }, [
      "queries/interactions",
    ]],
    ["/api/v1/interactions?channel=BIRD", { channels: ["Bird"] }, [
      "queries/interactions_filtered",
    ]],
    ["/api/v1/interactions/1/timeline", { customer_ids: [1] }, [
      "queries/timeline",
    ]],
    ["/api/v1/interactions/1/topics?topic=null", {
      topics: [null],
      customer_ids: [1],
    }, ["queries/topics"]],
    ["/api/v1/metrics/interactions?type=null,red&by=day", {
      types: ["Red", null],
    }, ["metrics"]],
    ["/api/v1/metrics", {}, []],
    ["/api/v1/metrics/customers?by=type", {}, ["queries/customer_count"]],
    ["/api/v1/customers", {}, ["queries/customers"]],
    ["/api/v1/customers?q=1", { q: "1" }, ["queries/customers"]],
    ["/api/v1/customers/1", { customer_ids: [1] }, ["queries/customers"]],
    ["/api/v1/dimensions", {}, [
      "metrics",
      "metrics",
      "metrics",
      "queries/customer_count",
      "metrics",
      "queries/customer_count",
    ]],
  ];
  for (const [path, filters, sql] of table) {
    await t.step(path, async () => {
      const plain = await opened.app.request(path);
      const answer = await opened.app.request(
        `${path}${path.includes("?") ? "&" : "?"}explain=1`,
      );
      assert(plain.headers.get("ETag") !== answer.headers.get("ETag"));
      const { data, meta } = await answer.json();
      assertEquals(data, (await plain.json()).data);
      const { explain } = meta;
      assertEquals(explain.filters, filters);
      assertEquals(
        explain.files.map((file: Record<string, unknown>) => [
          file.file,
          file.rows_kept,
          file.rows_set_aside,
        ]),
        [
          ["products.csv", 1, 0],
          ["customers.csv", 1, 0],
          ["interactions.csv", 1, 1],
        ],
      );
      assertEquals(explain.set_aside, [{
        file: "interactions.csv",
        column: "interaction",
        reason: "no value",
        rows: 1,
      }]);
      assertEquals(
        explain.sql.map(({ name }: { name: string }) => name),
        sql,
      );
      for (const { text } of explain.sql) assertMatch(text, /\b(from|pivot)\b/);
    });
  }
});

Deno.test("a download is not explained, instead of losing the explanation", async () => {
  await using opened = await openApp(FILES);
  for (const format of ["csv", "ndjson", "xlsx", "parquet", "arrow"]) {
    const answer = await opened.app.request(
      `/api/v1/interactions?explain=1&format=${format}`,
    );
    assertEquals([answer.status, await answer.json()], [400, {
      error: `explain is for format=json only, not for ${format}.`,
    }]);
  }
});

Deno.test("an unknown customer is not explained", async () => {
  await using opened = await openApp(FILES);
  const answer = await opened.app.request("/api/v1/interactions/9?explain=1");
  assertEquals(answer.status, 404);
});
