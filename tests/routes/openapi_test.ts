/** `/openapi.json`: describes every route, with the schemas that validate. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";
import { textFiles } from "../support/text_ids.ts";
import { exportsOf } from "../support/watched_store.ts";

const { app } = appOn(emptyStore());
const document = await (await app.request("/openapi.json")).json();

// The document itself, and the dashboard, which is no part of the API.
const OTHERS =
  /^\/(openapi\.json|metrics|assets\/.+|favicon\.ico|robots\.txt)?$/;

Deno.test("the document has exactly the routes of the API", () => {
  const routes = app.routes
    .filter(({ method, path }) => method !== "ALL" && !OTHERS.test(path))
    .map(({ method, path }) =>
      `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`
    );
  const told = Object.keys(document.paths).flatMap((path) =>
    Object.keys(document.paths[path])
      .map((method) => `${method.toUpperCase()} ${path}`)
  );
  assertEquals(document.openapi, "3.1.0");
  assertEquals(told.sort(), [...new Set(routes)].sort());
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
      ["channel", "query", false],
      ["data_version", "query", false],
      ["explain", "query", false],
    ],
  );
  assertEquals(get.parameters[0].schema, {
    type: "integer",
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
  });
  assertEquals(get.parameters[1].schema.format, "date");
});

Deno.test("every endpoint has a summary and every answer a description", () => {
  for (const path of Object.keys(document.paths)) {
    for (const method of Object.keys(document.paths[path])) {
      const { summary, responses } = document.paths[path][method];
      assertMatch(summary, /\w/);
      for (const status of Object.keys(responses)) {
        const { description, content } = responses[status];
        assertMatch(description, /\w/);
        // It has no body.
        if (status === "304") continue;
        const [type] = Object.keys(content);
        const json = type === "application/json";
        const { type: shape, $ref } = content[type].schema;
        if ($ref) assertEquals($ref, "#/components/schemas/Failure");
        else assertEquals(shape, json ? "object" : "string");
      }
    }
  }
});

Deno.test("every answer to a question has an example", () => {
  for (const path of Object.keys(document.paths)) {
    const { get } = document.paths[path];
    if (!get || !/^\/api\/v1\/(?!data)/.test(path)) continue;
    const { content } = get.responses[200];
    assert(content["application/json"].example, path);
  }
});

Deno.test("what is answered before an endpoint is asked, and in other formats, is told", () => {
  const { responses } = document.paths["/api/v1/customers"].get;
  assertEquals(
    Object.keys(responses).join(),
    "200,304,400,401,403,405,406,410,414,421,429,500,503,504",
  );
  assertMatch(responses[400].description, /^A parameter.+\. The Host header/);
  assertEquals(Object.keys(responses[200].content), [
    "application/json",
    "text/csv",
    "application/x-ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.stream",
  ]);
  const set_aside = document.paths["/api/v1/data/set-aside"].get.responses;
  assertEquals(
    Object.keys(set_aside[200].content),
    Object.keys(responses[200].content),
  );
  assertEquals(set_aside[304], undefined);
  const { post } = document.paths["/api/v1/data/refresh"];
  assertMatch(post.responses[403].description, /A page of another origin/);
});

Deno.test("what needs a key says so, always or once keys are on", () => {
  const security = (path: string, method: string) =>
    document.paths[path][method].security;
  const key = [{ bearer: [] }, { api_key: [] }];
  assertEquals(security("/api/v1/data/accept", "post"), key);
  assertEquals(security("/api/v1/data/files", "get"), key);
  assertEquals(security("/api/v1/tokens", "post"), key);
  assertEquals(security("/api/v1/data/set-aside", "get"), [{}, ...key]);
  assertEquals(security("/api/v1/data", "get"), [{}, ...key]);
  assertEquals(security("/readyz", "get"), []);
  const { bearer, api_key } = document.components.securitySchemes;
  assertEquals([bearer.scheme, api_key.name], ["bearer", "X-API-Key"]);
});

Deno.test("every endpoint has a name of its own and a known tag, and what it takes as a body", () => {
  const operations = Object.values<Record<string, Record<string, unknown>>>(
    document.paths,
  ).flatMap((methods) => Object.values(methods));
  const names = operations.map(({ operationId }) => String(operationId));
  for (const name of names) assertMatch(name, /^[a-z]+([A-Z][a-z]+)+$/);
  assertEquals(new Set(names).size, names.length);
  const known = document.tags.map(({ name }: { name: string }) => name);
  const used = operations.flatMap(({ tags }) => tags as string[]);
  assertEquals([...new Set(used)].sort(), known.sort());
  const bodyOf = (path: string, method: string) =>
    Object.keys(document.paths[path][method].requestBody.content);
  assertEquals(bodyOf("/api/v1/tokens", "post"), ["application/json"]);
  for (
    const [path, method] of [
      ["/api/v1/data/files/{name}", "put"],
      ["/api/v1/data/check/{name}", "post"],
    ]
  ) assertEquals(bodyOf(path, method), ["application/octet-stream"]);
});

Deno.test("answers have the headers that the document says", async () => {
  await using opened = await openApp(exportsOf(2));
  for (const path of Object.keys(document.paths)) {
    const { get } = document.paths[path];
    if (!get || path.includes("/data/events") || path.includes("/files")) {
      continue;
    }
    const url = path.replace("{customer_id}", "1").replace(
      "{table}",
      "products",
    );
    const answer = await opened.app.request(url);
    await answer.body?.cancel();
    assertEquals(answer.status, 200, path);
    const told = Object.keys(get.responses[200].headers)
      .filter((name) => name !== "Content-Disposition");
    for (const name of told) {
      assert(answer.headers.has(name), `${path}: ${name}`);
    }
    assertEquals(told.includes("ETag"), answer.headers.has("ETag"), path);
  }
});

Deno.test("what a customer_id is follows the served data, and so does the name", async (t) => {
  const kinds = [
    { kind: "integer", names: false },
    { kind: "integer", names: true },
    { kind: "text", names: false },
    { kind: "text", names: true },
  ] as const;
  for (const { kind, names } of kinds) {
    await t.step(`${kind}, names ${names}`, async () => {
      await using opened = await openApp(textFiles({
        kind,
        names,
        records: [["1", "Ann", "Jedi", "Red"]],
        interactions: [["2020-01-01", "Call", ["1"]]],
      }));
      const served = await (await opened.app.request("/openapi.json")).json();
      assertEquals(
        JSON.stringify(served) === JSON.stringify(document),
        kind === "integer" && !names,
      );
      const { get } = served.paths["/api/v1/interactions/{customer_id}"];
      const [{ schema, description }] = get.parameters;
      const type = kind === "integer" ? "integer" : "string";
      assertEquals(schema.type, type);
      assertMatch(description, kind === "integer" ? /2\^53/ : /encoded/);
      const { example } = get.responses[200].content["application/json"];
      assertEquals(
        example.data.customer_id,
        kind === "integer" ? 4 : "4",
      );
      const { properties } = served.components.schemas.Customer;
      assertEquals(properties.customer_id.type, type);
      assertEquals(Object.keys(properties).includes("name"), names);
      const { data } = await (await opened.app.request("/api/v1/customers/1"))
        .json();
      assertEquals(Object.keys(data), Object.keys(properties));
      const text = JSON.stringify(served);
      assertEquals(/by_ids|only_names/.test(text), false);
      const body = served.paths["/api/v1/tokens"].post.requestBody;
      const minted = body.content["application/json"].schema.properties;
      assertEquals(minted.customer_id.type, type);
    });
  }
});
