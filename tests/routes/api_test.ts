/** The typed client: the API's type, with Hono's client, against the real application. */

import { assertEquals } from "@std/assert";
import { hc } from "hono/client";
import type { Api } from "../../routes/api.ts";
import { endpoints } from "../../routes/app.ts";
import { dataFolder } from "../support/data_folder.ts";
import { keyFile } from "../support/keys.ts";
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

Deno.test("Hono's client calls every endpoint", async () => {
  const { file: key_file, keys: { admin } } = keyFile({
    admin: { scopes: ["admin"] },
  });
  await using folder = await dataFolder(FILES);
  await using opened = await openApp(folder.path, {}, { key_file });
  const called: string[] = [];
  const { api, healthz, readyz } = hc<Api>("http://localhost", {
    headers: { Authorization: `Bearer ${admin}` },
    async fetch(input: string | URL | Request, init?: RequestInit) {
      const answer = await opened.app.request(input as string, init);
      called.push(`${init!.method} ${new URL(input as string).pathname}`);
      return answer;
    },
  });
  const { v1 } = api;
  const one = { param: { customer_id: "1" } };
  const data_version = "0".repeat(16);
  const name = "customers.csv";

  const statuses = [
    await v1.interactions.$get(),
    await v1.interactions[":customer_id"].$get(one),
    await v1.stats.interactions[":customer_id"].$get(one),
    await v1.interactions[":customer_id"].timeline.$get({
      ...one,
      query: { interval: "day" },
    }),
    await v1.interactions[":customer_id"].topics.$get(one),
    await v1.metrics.interactions.$get({ query: { by: "type" } }),
    await v1.metrics.customers.$get(),
    await v1.metrics.$get(),
    await v1.customers.$get({ query: { q: "J" } }),
    await v1.customers[":customer_id"].$get(one),
    await v1.dimensions.$get(),
    await v1.stats[":table"].$get({ param: { table: "customers" } }),
    await v1.data.$get(),
    await v1.data["set-aside"].$get({ query: { table: "customers" } }),
    await v1.data.history.$get(),
    await v1.data.refresh.$post(),
    await v1.data.accept.$post({ json: { data_version } }),
    await v1.data.discard.$post({ json: { data_version } }),
    await v1.data.rollback.$post({ json: { data_version } }),
    await v1.data.files.$get(),
    // A body that is no JSON goes beside what the schemas describe.
    await v1.data.files[":name"].$put({ param: { name } }, {
      init: { body: FILES[name] },
    }),
    await v1.data.check[":name"].$post({ param: { name } }, {
      init: { body: FILES[name] },
    }),
    await v1.data.files[":name"].$delete({ param: { name } }),
    await v1.data.events.$get(),
    await v1.tokens.$post({ json: { customer_id: 1, minutes: 10 } }),
    await healthz.$get(),
    await readyz.$get(),
  ].map((answer) => {
    answer.body?.cancel();
    return answer.status;
  });
  assertEquals(statuses, [
    ...Array(15).fill(200),
    202,
    409,
    409,
    409,
    200,
    202,
    200,
    202,
    200,
    201,
    200,
    200,
  ]);

  const matching = endpoints.filter(({ method, path }) => {
    const pattern = new RegExp(
      `^${method.toUpperCase()} ${path.replaceAll(/:\w+/g, "[^/]+")}$`,
    );
    return called.some((call) => pattern.test(call));
  });
  assertEquals(matching, [...endpoints]);
  assertEquals(called.length, endpoints.length);

  const files = await v1.data.files.$get();
  if (files.status !== 200) throw new Error((await files.json()).error);
  const [file] = (await files.json()).data;
  const bytes: number = file.bytes;
  assertEquals([file.name, bytes], ["interactions.csv", 57]);

  // @ts-expect-error what decides on held data takes a body
  const without = {} satisfies Parameters<typeof v1.data.accept.$post>[0];
  // @ts-expect-error there is no such method
  assertEquals([without, typeof v1.data.refresh.$delete], [{}, "function"]);
});
