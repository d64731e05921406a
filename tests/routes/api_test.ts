/** The typed client: the API's type, with Hono's client, against the real application. */

import { assertEquals } from "@std/assert";
import { hc } from "hono/client";
import type { Api } from "../../routes/api.ts";
import { openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
  "interactions.csv":
    "Date Start,Interaction,Customers\n05/03/2020 11:23,Bird,1\n",
};

Deno.test("Hono's client knows paths, parameters and answers", async () => {
  await using opened = await openApp(FILES);
  const client = hc<Api>("http://localhost", { fetch: opened.app.request });

  const one = await client.api.v1.interactions[":customer_id"].$get({
    param: { customer_id: "1" },
    query: { start_date: "2020-01-01" },
  });
  assertEquals(one.status, 200);
  if (one.status !== 200) return;
  const { data } = await one.json();
  const birds: number = data.interactions.Bird;
  assertEquals([data.customer_id, birds], [1, 1]);

  const matrix = await client.api.v1.interactions.$get({
    query: { sort: "-total", limit: "1" },
  });
  if (matrix.status !== 200) throw new Error((await matrix.json()).error);
  const body = await matrix.json();
  const [row] = body.data;
  const type: string | null = row.type;
  const next: string | null = body.meta.next;
  assertEquals([type, row.total, next], ["Red", 1, null]);

  const wrong = await client.api.v1.metrics.interactions.$get({
    query: { by: "colour" },
  });
  assertEquals(wrong.status, 400);
  if (wrong.status === 400) {
    const { error }: { error: string } = await wrong.json();
    assertEquals(error.startsWith("Unknown dimension"), true);
  }

  // @ts-expect-error a parameter that the endpoint has not
  const unknown = { query: { colour: "Red" } } satisfies Parameters<
    typeof client.api.v1.metrics.interactions.$get
  >[0];
  assertEquals(Object.keys(unknown), ["query"]);
});
