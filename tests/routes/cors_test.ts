/** Pages of other origins: what they may read, on every way to an answer. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { listen } from "../../operator/listening.ts";
import { keyFile } from "../support/keys.ts";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";
import { rawExchange } from "../support/raw_exchange.ts";

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
  "interactions.csv": "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n",
};
const NAMED = "https://www.example.com";
const ALSO = "http://b.example:8080";
const OTHERS = [
  "https://evil.example",
  "https://www.example.com.evil.example",
  "http://www.example.com",
  "null",
  "*",
];
/** All headers. */
const EXPOSED = "*";

/** Every way to an answer: past Hono, through it, kept, refused. */
const REQUESTS: [
  path: string,
  init: RequestInit,
  status: number,
  vary: string | null,
][] = [
  ["/api/v1/interactions/1", {}, 200, null],
  ["/%61pi/v1/interactions/1", {}, 200, null],
  ["/api/v1/stats/interactions/1?end_date=2020-03-05", {}, 200, null],
  ["/api/v1/interactions/1", { headers: { "If-None-Match": "*" } }, 304, null],
  ["/api/v1/interactions/1?topic=x", {}, 400, null],
  ["/api/v1/interactions/9", {}, 404, null],
  ["/api/v1/interactions/0", {}, 400, null],
  [`/api/v1/interactions/1?topic=${"x".repeat(3_000)}`, {}, 414, null],
  ["/api/v1/interactions", {}, 200, "Accept, Accept-Encoding"],
  // The second time it is kept.
  ["/api/v1/interactions", {}, 200, "Accept, Accept-Encoding"],
  [
    "/api/v1/interactions",
    { headers: { "If-None-Match": "*" } },
    304,
    "Accept, Accept-Encoding",
  ],
  ["/api/v1/interactions?format=csv", {}, 200, "Accept, Accept-Encoding"],
  ["/api/v1/interactions?page=1", {}, 400, null],
  ["/api/v1/interactions/9/topics", {}, 404, null],
  ["/api/v1/stats/customers", {}, 200, null],
  ["/api/v1/data", {}, 200, null],
  ["/api/v1/data/set-aside?format=csv", {}, 200, null],
  ["/api/v1/data/files", {}, 403, null],
  ["/api/v1/data/events", {}, 200, null],
  ["/healthz", {}, 200, null],
  ["/openapi.json", {}, 200, null],
  ["/nowhere", {}, 404, null],
];

type App = ReturnType<typeof appOn>["app"];

async function ask(
  app: App,
  [path, init]: [string, RequestInit],
  origin?: string,
) {
  const answer = await app.request(path, {
    ...init,
    headers: {
      ...init.headers as Record<string, string>,
      ...origin && { Origin: origin },
    },
  });
  await answer.body?.cancel();
  const { headers } = answer;
  return {
    status: answer.status,
    allowed: headers.get("Access-Control-Allow-Origin"),
    vary: headers.get("Vary"),
    exposed: headers.get("Access-Control-Expose-Headers"),
    has_id: headers.has("X-Request-Id"),
  };
}

function also(vary: string | null, more: string): string {
  return vary === null ? more : `${vary}, ${more}`;
}

Deno.test("origins that are named, others, and none, on every way to an answer", async (t) => {
  await using opened = await openApp(FILES);
  const { app } = appOn(opened.store, { CORS_ORIGINS: `${NAMED}, ${ALSO}` });
  for (const [path, init, status, vary] of REQUESTS) {
    const name = `${init.method ?? "GET"} ${path.slice(0, 60)} ${status}`;
    await t.step(name, async () => {
      for (const origin of [NAMED, ALSO, ...OTHERS, undefined]) {
        assertEquals(await ask(app, [path, init], origin), {
          status,
          allowed: origin === NAMED || origin === ALSO ? origin : null,
          vary: also(vary, "Origin"),
          exposed: EXPOSED,
          has_id: true,
        });
      }
    });
  }
});

Deno.test("* lets in every origin, and no answer depends on which", async () => {
  await using opened = await openApp(FILES);
  const { app } = appOn(opened.store, { CORS_ORIGINS: "*" });
  for (const [path, init, status, vary] of REQUESTS) {
    for (const origin of [NAMED, undefined]) {
      assertEquals(await ask(app, [path, init], origin), {
        status,
        allowed: "*",
        vary,
        exposed: EXPOSED,
        has_id: true,
      });
    }
  }
});

Deno.test("an answer about a customer, with all headers, has no more bytes than Deno sends in one piece", async () => {
  const channels = ["Bird", "Boat", "Call", "Email", "Post"];
  await using opened = await openApp({
    "customers.csv": "Customer_Id,Occupation,Type\n1000000,Jedi,Red\n",
    "interactions.csv": "Date Start,Interaction,Customers\n" +
      channels.map((name) => `05/03/2020,${name},1000000\n`).join(""),
    "products.csv": "Date,Product\n03-2020,Sand\n",
  });
  const { app } = appOn(opened.store, { CORS_ORIGINS: NAMED });
  const listener = listen({
    hostname: "127.0.0.1",
    port: 0,
    answer: app.fetch,
    log: () => {},
  });
  using connection = await Deno.connect({ port: listener.port });
  const path =
    "/api/v1/interactions/1000000?start_date=2019-01-01&end_date=2021-12-31&topic=Sand";
  await connection.write(new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nOrigin: ${NAMED}\r\nConnection: close\r\n\r\n`,
  ));
  const text = await new Response(connection.readable).text();
  assertMatch(text, /^HTTP\/1.1 200 /);
  const kept_open = text.replace(/connection: close\r\n/i, "");
  assert(kept_open.length <= 512, kept_open);
  await listener.close();
});

Deno.test("what an answer depends on is in one line, of which some caches read the last only", async (t) => {
  const { file: key_file, keys } = keyFile({
    all: { scopes: ["read", "download"] },
  });
  await using opened = await openApp(FILES);
  const { app } = appOn(opened.store, { CORS_ORIGINS: NAMED }, { key_file });
  const listener = listen({
    hostname: "127.0.0.1",
    port: 0,
    answer: app.fetch,
    log: () => {},
  });
  for (
    const [path, line] of [
      [
        "/api/v1/interactions",
        "Accept, Accept-Encoding, Authorization, X-API-Key, Origin",
      ],
      [
        "/api/v1/interactions?format=csv",
        "Accept, Accept-Encoding, Authorization, X-API-Key, Origin",
      ],
      ["/api/v1/interactions/1", "Authorization, X-API-Key, Origin"],
      ["/assets/dashboard.js", "Accept-Encoding, Origin"],
      ["/readyz", "Origin"],
    ]
  ) {
    await t.step(path, async () => {
      const { text } = await rawExchange(
        `http://127.0.0.1:${listener.port}`,
        new TextEncoder().encode(
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${keys.all}\r\nConnection: close\r\n\r\n`,
        ),
      );
      assertEquals(
        Array.from(text.matchAll(/^vary: (.*)\r$/gim), ([, names]) => names),
        [line],
        text.slice(0, 1_000),
      );
    });
  }
  await listener.close();
});

Deno.test("without the setting nothing is said", async () => {
  await using opened = await openApp(FILES);
  for (const [path, init, status, vary] of REQUESTS) {
    assertEquals(await ask(opened.app, [path, init], NAMED), {
      status,
      allowed: null,
      vary,
      exposed: null,
      has_id: true,
    });
  }
});

/** An administrator's request from a page, if any; 401 means that the page may send it. */
const CHANGES: [
  name: string,
  headers: Record<string, string>,
  settings: Record<string, string>,
  status: number,
][] = [
  ["no page", {}, {}, 401],
  ["a page of its own", { Origin: "http://tally.example" }, {}, 401],
  ["its own, behind TLS", { Origin: "https://tally.example" }, {}, 401],
  ["its own by its port", { Origin: "http://tally.example:80" }, {}, 401],
  ["another port", { Origin: "http://tally.example:8080" }, {}, 403],
  ["another host", { Origin: NAMED }, {}, 403],
  ["a page without an origin", { Origin: "null" }, {}, 403],
  ["no origin at all", { Origin: "x" }, {}, 403],
  [
    "its own, where a proxy changes the host",
    {
      Origin: "https://www.example.com",
      "Sec-Fetch-Site": "same-origin",
    },
    {},
    401,
  ],
  [
    "another one of the same site",
    {
      Origin: "https://shop.example.com",
      "Sec-Fetch-Site": "same-site",
    },
    {},
    403,
  ],
  ["named", { Origin: NAMED }, { CORS_ORIGINS: NAMED }, 401],
  ["not named", { Origin: ALSO }, { CORS_ORIGINS: NAMED }, 403],
  ["all are", { Origin: ALSO }, { CORS_ORIGINS: "*" }, 401],
];

Deno.test("who may change something from a page", async (t) => {
  for (const [name, headers, settings, status] of CHANGES) {
    await t.step(`${name}: ${status}`, async () => {
      const { app } = appOn(emptyStore(), {
        ADMIN_KEY_SHA256: "0".repeat(64),
        ...settings,
      });
      for (
        const [method, path] of [
          ["POST", "/api/v1/data/discard"],
          ["PUT", "/api/v1/data/files/customers.csv"],
          ["DELETE", "/api/v1/data/files/customers.csv"],
          ["POST", "/api/v1/data/check/customers.csv"],
        ]
      ) {
        const answer = await app.request(path, {
          method,
          headers: { Host: "tally.example", ...headers },
        });
        const { error } = await answer.json();
        assertEquals(answer.status, status, `${method}: ${error}`);
        if (status === 403) assertMatch(error, /CORS_ORIGINS/);
      }
      // A question changes nothing: whether the page may read the answer is CORS.
      const asked = await app.request("/healthz", { headers });
      assertEquals(asked.status, 200);
      await asked.body?.cancel();
    });
  }
});

Deno.test("what browsers ask beforehand", async (t) => {
  const store = emptyStore();
  const { app } = appOn(store, { CORS_ORIGINS: NAMED });
  const preflight = async (on: App, path: string, origin?: string) => {
    const answer = await on.request(path, {
      method: "OPTIONS",
      headers: {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "If-None-Match, X-Request-Id",
        ...origin && { Origin: origin },
      },
    });
    assertEquals(await answer.text(), "");
    const { headers } = answer;
    return {
      status: answer.status,
      allowed: headers.get("Access-Control-Allow-Origin"),
      methods: headers.get("Access-Control-Allow-Methods"),
      sent: headers.get("Access-Control-Allow-Headers")?.replaceAll(" ", ""),
      max_age: headers.get("Access-Control-Max-Age"),
      vary: headers.get("Vary"),
    };
  };
  for (const path of ["/api/v1/interactions/1", "/readyz", "/nowhere"]) {
    for (const origin of [NAMED, ...OTHERS, undefined]) {
      await t.step(`${path} ${origin}`, async () => {
        assertEquals(await preflight(app, path, origin), {
          status: 204,
          allowed: origin === NAMED ? NAMED : null,
          methods: "GET,HEAD,POST,PUT,DELETE",
          sent:
            "Authorization,Content-Type,If-Match,If-None-Match,Last-Event-ID,X-API-Key,X-Request-Id",
          max_age: "7200",
          vary: "Origin",
        });
      });
    }
  }
  await t.step("*", async () => {
    const open = appOn(store, { CORS_ORIGINS: "*" }).app;
    const { allowed, vary } = await preflight(open, "/readyz", NAMED);
    assertEquals(allowed, "*");
    assertEquals(vary, null);
  });
  await t.step("without the setting: 405", async () => {
    const closed = appOn(store).app;
    const answer = await closed.request("/api/v1/interactions/1", {
      method: "OPTIONS",
      headers: { Origin: NAMED, "Access-Control-Request-Method": "GET" },
    });
    assertEquals(answer.status, 405);
    await answer.body?.cancel();
  });
});
