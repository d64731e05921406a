/** Pages of other origins: what they may read, on every way to an answer. */

import { assertEquals } from "@std/assert";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";

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
const EXPOSED = "Content-Disposition,Data-Version,ETag,X-Request-Id";

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
  ["/api/v1/interactions/1", { method: "POST" }, 405, null],
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
      vary: new Set(headers.get("Vary")?.split(/, */)),
    };
  };
  for (const path of ["/api/v1/interactions/1", "/readyz", "/nowhere"]) {
    for (const origin of [NAMED, ...OTHERS, undefined]) {
      await t.step(`${path} ${origin}`, async () => {
        assertEquals(await preflight(app, path, origin), {
          status: 204,
          allowed: origin === NAMED ? NAMED : null,
          methods: "GET,HEAD",
          sent: "If-None-Match,X-Request-Id",
          vary: new Set(["Origin", "Access-Control-Request-Headers"]),
        });
      });
    }
  }
  await t.step("*", async () => {
    const open = appOn(store, { CORS_ORIGINS: "*" }).app;
    const { allowed, vary } = await preflight(open, "/readyz", NAMED);
    assertEquals(allowed, "*");
    assertEquals(vary, new Set(["Access-Control-Request-Headers"]));
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
