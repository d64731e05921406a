/** `/api/v1/interactions/{customer_id}`: headers, caching, hostile requests, many at once. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n2,Baker,Blue\n",
  "interactions.csv":
    "Date Start,Interaction,Customers\n05/03/2020 11:23,Bird,1\n06/03/2020 09:00,Call,1\n",
  "products.csv": "Date,Product\n03-2020,Sand\n",
  "channels.csv": "Channel\n10\n2\nBird\nCall\n",
};
const PATH = "/api/v1/interactions/1";

Deno.test("an answer names every channel in code-point order", async () => {
  await using opened = await openApp(FILES);
  const answer = await opened.app.request(PATH);
  assertEquals(
    await answer.text(),
    '{"data":{"customer_id":1,"interactions":{"10":0,"2":0,"Bird":1,"Call":1}}}',
  );
});

Deno.test("an answer has the headers that caches need", async () => {
  await using opened = await openApp(FILES, { CACHE_SECONDS: "7" });
  for (
    const path of [
      PATH,
      "/api/v1/stats/interactions/1",
      "/api/v1/stats/customers",
    ]
  ) {
    const { headers } = await opened.app.request(path);
    assertEquals(headers.get("Cache-Control"), "public, max-age=0, s-maxage=7");
    assertEquals(headers.get("Data-Version"), opened.snapshot.data_version);
    assertMatch(headers.get("ETag")!, /^"[0-9a-f]{16}-[\w.-]+"$/);
    assertMatch(headers.get("X-Request-Id")!, /^[\w-]+$/);
    assertEquals(headers.get("Content-Type"), "application/json");
  }
});

Deno.test("ETags are of version and question", async (t) => {
  await using opened = await openApp(FILES);
  const tagOf = async (query: string) =>
    (await opened.app.request(PATH + query)).headers.get("ETag")!;
  const plain = await tagOf("");

  await t.step("equal questions, however written, have one", async () => {
    assertEquals(await tagOf("?"), plain);
    assertEquals(await tagOf("?topic=Sand"), await tagOf("?topic=%20sAND"));
    assertEquals(
      await tagOf("?start_date=2020-01-01&topic=Sand"),
      await tagOf("?topic=sand&start_date=2020-01-01"),
    );
  });
  await t.step("other questions have others", async () => {
    const tags = await Promise.all([
      "",
      "?start_date=2020-01-01",
      "?end_date=2020-01-01",
      "?start_date=2020-01-01&end_date=2020-01-01",
      "?topic=Sand",
      "?topic=Sand&end_date=2020-01-01",
    ].map(tagOf));
    assertEquals(new Set(tags).size, 6);
  });

  const table: [string, string, number][] = [
    ["the same", plain, 304],
    ["weak", `W/${plain}`, 304],
    ["in a list", `"a", ${plain} ,"b"`, 304],
    ["any", "*", 304],
    ["another", '"a"', 200],
    ["without quotes", plain.slice(1, -1), 200],
    ["empty", "", 200],
  ];
  for (const [name, tag, status] of table) {
    await t.step(`If-None-Match: ${name}`, async () => {
      const answer = await opened.app.request(PATH, {
        headers: { "If-None-Match": tag },
      });
      assertEquals(answer.status, status);
      assertEquals(answer.headers.get("ETag"), plain);
      assertEquals(
        answer.headers.get("Data-Version"),
        opened.snapshot.data_version,
      );
      assertEquals((await answer.text()) === "", status === 304);
    });
  }
  await t.step("* asks for something that is there", async () => {
    const answer = await opened.app.request("/api/v1/interactions/9", {
      headers: { "If-None-Match": "*" },
    });
    assertEquals(answer.status, 404);
  });
});

Deno.test("an id of the client's is kept when it is harmless", async (t) => {
  await using opened = await openApp(FILES);
  const table: [string, boolean][] = [
    ["abc-1.2_3", true],
    ["x".repeat(64), true],
    ["x".repeat(65), false],
    ["a b", false],
    ["<script>", false],
  ];
  for (const path of [PATH, "/readyz", "/nowhere", "/api/v1/interactions/0"]) {
    for (const [id, kept] of table) {
      await t.step(`${path} ${id}`, async () => {
        const { headers } = await opened.app.request(path, {
          headers: { "X-Request-Id": id },
        });
        assertEquals(headers.get("X-Request-Id") === id, kept);
        assert(headers.get("X-Request-Id"));
      });
    }
  }
});

Deno.test("hostile requests get an honest status and one error", async (t) => {
  await using opened = await openApp(FILES);
  const long = "a".repeat(2_048 - PATH.length - "?topic=".length);
  const table: [string, string, number, RegExp][] = [
    ["GET", `${PATH}?__proto__=1`, 400, /Unknown query parameter "__proto__"/],
    [
      "GET",
      `${PATH}?constructor=1`,
      400,
      /"constructor".*start_date, end_date/,
    ],
    [
      "GET",
      `${PATH}?topic=Sand&topic=Sand`,
      400,
      /Repeated query parameter "topic"/,
    ],
    ["GET", `${PATH}?TOPIC=Sand`, 400, /Unknown/],
    ["GET", `${PATH}?topic=%FF%00`, 400, /Unknown topic/],
    ["GET", `${PATH}?topic=<b>`, 400, /Unknown topic "<b>"\. Known: Sand\./],
    ["GET", `${PATH}?topic=${long}`, 400, /Unknown topic/],
    ["GET", `${PATH}?topic=${long}a`, 414, /2049 characters/],
    ["GET", `/${"a".repeat(3_000)}`, 414, /3001 characters/],
    ["GET", "/api/v1/interactions/%ZZ", 400, /Invalid customer_id/],
    ["GET", "/api/v1/interactions/1/", 404, /Not found/],
    ["GET", "/api/v1/interactions/", 404, /Not found/],
    ["GET", "//api/v1/interactions/1", 404, /Not found/],
    ["GET", "/api/v1/interactions/1/../../../../etc/passwd", 404, /Not found/],
    ["GET", "/nowhere", 404, /^Not found$/],
    ["POST", PATH, 405, /Allowed: GET, HEAD/],
    ["DELETE", "/api/v1/stats/customers", 405, /Allowed: GET, HEAD/],
    ["POST", "/healthz", 405, /Allowed: GET, HEAD/],
    ["PUT", "/openapi.json", 405, /Allowed: GET, HEAD/],
    ["OPTIONS", PATH, 405, /Allowed: GET, HEAD/],
    ["POST", "/nowhere", 404, /Not found/],
    [
      "GET",
      "/api/v1/stats/customers?limit=1",
      400,
      /Unknown query parameter "limit"/,
    ],
  ];
  for (const [method, path, status, error] of table) {
    await t.step(`${method} ${path.slice(0, 60)}`, async () => {
      const answer = await opened.app.request(path, { method });
      assertEquals(answer.status, status);
      assertEquals(answer.headers.get("Cache-Control"), "no-store");
      assertEquals(
        answer.headers.get("Allow"),
        status === 405 ? "GET, HEAD" : null,
      );
      const body = await answer.json();
      assertEquals(Object.keys(body), ["error"]);
      assertMatch(body.error, error);
    });
  }
  assertEquals(opened.logged, []);
});

Deno.test("HEAD answers as GET does, without the body", async () => {
  await using opened = await openApp(FILES);
  for (const path of [PATH, "/readyz", "/api/v1/stats/customers", "/nowhere"]) {
    const get = await opened.app.request(path);
    const head = await opened.app.request(path, { method: "HEAD" });
    assertEquals(head.status, get.status);
    assertEquals(head.headers.get("ETag"), get.headers.get("ETag"));
    assertEquals(await head.text(), "");
  }
});

Deno.test("pages of other origins are let in only when they are named", async () => {
  const Origin = "https://www.example.com";
  await using closed = await openApp(FILES);
  const refused = await closed.app.request(PATH, { headers: { Origin } });
  assertEquals(refused.headers.get("Access-Control-Allow-Origin"), null);

  await using opened = await openApp(FILES, {
    CORS_ORIGINS: `${Origin}, https://b.example`,
  });
  for (const path of [PATH, "/nowhere", "/api/v1/interactions/0"]) {
    const { headers } = await opened.app.request(path, { headers: { Origin } });
    assertEquals(headers.get("Access-Control-Allow-Origin"), Origin);
    assertEquals(headers.get("Access-Control-Expose-Headers"), "*");
  }
  const asked = await opened.app.request(PATH, {
    method: "OPTIONS",
    headers: { Origin, "Access-Control-Request-Method": "GET" },
  });
  assertEquals(asked.status, 204);
  assertEquals(
    asked.headers.get("Access-Control-Allow-Methods"),
    "GET,HEAD,POST,PUT,DELETE",
  );
  const other = await opened.app.request(PATH, {
    headers: { Origin: "https://evil.example" },
  });
  assertEquals(other.headers.get("Access-Control-Allow-Origin"), null);
});

for (const SERVE_FROM of ["index", "query"]) {
  Deno.test(`400 mixed requests at once, served from the ${SERVE_FROM}`, async () => {
    // Customer n has n interactions in March 2020 and one in April.
    const rows = Array.from({ length: 20 }, (_, i) => i + 1).flatMap((id) => [
      ...Array.from({ length: id }, () => `05/03/2020 11:23,Bird,${id}`),
      `05/04/2020 11:23,Call,${id}`,
    ]);
    await using opened = await openApp({
      ...FILES,
      "interactions.csv": `Date Start,Interaction,Customers\n${
        rows.join("\n")
      }\n`,
    }, { SERVE_FROM });
    const questions = Array.from({ length: 400 }, (_, i) => {
      const id = i % 20 + 1;
      const [query, birds, calls] = [
        ["", id, 1],
        ["?start_date=2020-04-01", 0, 1],
        ["?topic=sand", id, 0],
        ["?end_date=2020-03-05&topic=Sand", id, 0],
      ][i % 4];
      return { id, query, birds, calls };
    });
    await Promise.all(questions.map(async ({ id, query, birds, calls }) => {
      const answer = await opened.app.request(
        `/api/v1/interactions/${id}${query}`,
      );
      assertEquals(
        await answer.text(),
        `{"data":{"customer_id":${id},"interactions":{"10":0,"2":0,"Bird":${birds},"Call":${calls}}}}`,
      );
    }));
  });
}

Deno.test("without data the API answers 503 and says where to look", async () => {
  const { app } = appOn(emptyStore());
  for (const path of [PATH, "/api/v1/stats/customers", "/readyz"]) {
    const answer = await app.request(path);
    assertEquals(answer.status, 503);
    assertEquals(answer.headers.get("Retry-After"), "1");
    assertEquals(answer.headers.get("Cache-Control"), "no-store");
    assertEquals(Object.keys(await answer.json()), ["error"]);
  }
  assertEquals((await app.request("/healthz")).status, 200);
});

Deno.test("a bug is logged with its request id and says nothing outside", async () => {
  await using opened = await openApp(FILES);
  const broken = {
    ...opened.snapshot,
    countByChannel() {
      throw new Error("secret detail");
    },
  };
  const { app, logged } = appOn({
    snapshot: broken,
    problem: null,
    notice: null,
    refreshes: opened.store.refreshes,
    files: opened.store.files,
  });
  const answer = await app.request(PATH, {
    headers: { "X-Request-Id": "request-7" },
  });
  assertEquals(answer.status, 500);
  assertEquals(await answer.json(), { error: "Internal error" });
  assertEquals(logged.length, 1);
  assertEquals(logged[0].text, "Request request-7 failed: secret detail");
  assertEquals(logged[0].id, "request-7");
  assertMatch(logged[0].stack!, /^Error: secret detail\n {4}at /);
});

Deno.test("the way past Hono answers as the mounted route does", async (t) => {
  await using opened = await openApp(FILES);
  const ask = async (path: string) => {
    const answer = await opened.app.request(path, {
      headers: { "X-Request-Id": "1" },
    });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      text: await answer.text(),
    };
  };
  for (
    const path of [
      "1",
      "2?",
      "1?start_date=2020-03-06&topic=sand",
      "1?explain=1",
      "1?topic=nothing",
      "1?topic=",
      "1?start_date=2020-02-30",
      "1?page=2",
      "1?&topic=sand&",
      "9",
      "0",
      "01",
      "9007199254740992",
      "%31",
      "1/",
      "",
      "?topic=Sand",
    ]
  ) {
    await t.step(path, async () => {
      // Hono decodes a path before it is routed; nobody else does.
      assertEquals(
        await ask(`/api/v1/interactions/${path}`),
        await ask(`/%61pi/v1/interactions/${path}`),
      );
    });
  }
  await t.step("a URL that is too long", async () => {
    for (const api of ["api", "%61pi"]) {
      const path = `/${api}/v1/interactions/1?topic=${"x".repeat(2_048)}`;
      assertEquals((await ask(path)).status, 414);
    }
  });
});

Deno.test("counts of some channels, of several topics, and of none", async (t) => {
  const comma = "Lemon, juice";
  await using opened = await openApp({
    ...FILES,
    "products.csv":
      `Date,Product\n03-2020,Sand\n03-2020,"${comma}"\n04-2020,Lemon\n`,
    "interactions.csv":
      "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n06/04/2020,Call,1\n07/05/2020,Call,1\n",
  });
  const table: [query: string, counts: Record<string, number>][] = [
    ["?channel=Call", { Call: 2 }],
    ["?channel=call,10", { 10: 0, Call: 2 }],
    ["?topic=null", { 10: 0, 2: 0, Bird: 0, Call: 1 }],
    ["?topic=sand,null&channel=Call,Bird", { Bird: 1, Call: 1 }],
    // One name first, then a list.
    [`?topic=${comma}&channel=Bird`, { Bird: 1 }],
    [`?topic="${comma}",Lemon&channel=Bird,Call`, { Bird: 1, Call: 1 }],
  ];
  for (const [query, interactions] of table) {
    await t.step(query, async () => {
      const answer = await opened.app.request(encodeURI(PATH + query));
      assertEquals(await answer.json(), {
        data: { customer_id: 1, interactions },
      });
    });
  }
  await t.step("each is another answer to caches", async () => {
    const tags = await Promise.all(
      table.map(async ([query]) =>
        (await opened.app.request(encodeURI(PATH + query))).headers.get("ETag")
      ),
    );
    assertEquals(new Set(tags).size, table.length);
  });
});
