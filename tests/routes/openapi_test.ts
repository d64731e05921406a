/** `/openapi.json`: describes every route, with the schemas that validate. */

import { assertEquals, assertMatch } from "@std/assert";
import { readConfig } from "../../config.ts";
import { createApp } from "../../routes/app.ts";
import { emptyStore } from "../support/open_app.ts";

const app = createApp({
  store: emptyStore(),
  config: readConfig({}),
  log() {},
});
const document = await (await app.request("/openapi.json")).json();

Deno.test("the document has exactly the routes of the application", () => {
  const routes = app.routes
    .filter(({ method, path }) => method === "GET" && path !== "/openapi.json")
    .map(({ path }) => path.replaceAll(/:(\w+)/g, "{$1}"));
  assertEquals(document.openapi, "3.1.0");
  assertEquals(
    Object.keys(document.paths).sort(),
    [...new Set(routes)].sort(),
  );
});

Deno.test("parameters are those of the schemas", () => {
  const { get } = document.paths["/api/v1/interactions/{customer_id}"];
  assertEquals(
    get.parameters.map((one: Record<string, unknown>) => [
      one.name,
      one.in,
      one.required,
    ]),
    [
      ["customer_id", "path", true],
      ["start_date", "query", false],
      ["end_date", "query", false],
      ["topic", "query", false],
      ["explain", "query", false],
    ],
  );
  assertEquals(get.parameters[0].schema.pattern, "^[1-9][0-9]{0,15}$");
  assertEquals(get.parameters[1].schema.format, "date");
});

Deno.test("every endpoint has a summary and every answer a description", () => {
  for (const path of Object.keys(document.paths)) {
    const { summary, responses } = document.paths[path].get;
    assertMatch(summary, /\w/);
    for (const status of Object.keys(responses)) {
      const { description, content } = responses[status];
      assertMatch(description, /\w/);
      assertEquals(content["application/json"].schema.type, "object");
    }
  }
});
