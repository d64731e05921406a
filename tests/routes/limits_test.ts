/** Limits over HTTP: who counts as one client, what is refused and how, and what is never refused. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { App } from "../../routes/app.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256, keyFile } from "../support/keys.ts";
import { type AppOptions, openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n2,Baker,Red\n",
  "interactions.csv": "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n",
};
const ONE = "/api/v1/interactions/1";
const LIMITS = { RATE_LIMIT: "1", RATE_BURST: "10" };

interface Sent {
  readonly from?: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

function ask(
  { app }: { readonly app: App },
  path: string,
  { from = "192.0.2.1", headers = {}, method = "GET" }: Sent = {},
) {
  const request = new Request(`http://localhost${path}`, { headers, method });
  const remoteAddr = { hostname: from, port: 1, transport: "tcp" };
  return app.fetch(request, { remoteAddr });
}

/** The statuses of requests that are sent one after another. */
async function statuses(
  opened: { readonly app: App },
  path: string,
  { times, ...sent }: Sent & { readonly times: number },
) {
  const seen: number[] = [];
  for (let i = 0; i < times; i++) {
    const answer = await ask(opened, path, sent);
    await answer.body?.cancel();
    seen.push(answer.status);
  }
  return seen;
}

function limited(
  settings: Record<string, string> = {},
  options: AppOptions = {},
) {
  // Time stands still unless a test says otherwise.
  return openApp(FILES, { ...LIMITS, ...settings }, {
    now: () => 1_000,
    ...options,
  });
}

const TEN = Array(10).fill(200);

Deno.test("off by default: nothing is refused, no header says anything", async () => {
  await using opened = await openApp(FILES);
  assertEquals(
    new Set(await statuses(opened, ONE, { times: 300 })),
    new Set([200]),
  );
  const { headers } = await ask(opened, ONE);
  assertEquals(headers.get("RateLimit"), null);
});

Deno.test("one too many: 429 with Retry-After and the standing, for pages of other origins too", async () => {
  await using opened = await limited({ CORS_ORIGINS: "*" });
  assertEquals(await statuses(opened, ONE, { times: 8 }), TEN.slice(2));
  const ninth = await ask(opened, ONE);
  assertEquals(ninth.headers.get("RateLimit"), '"burst";r=1;t=9');
  assertEquals(ninth.headers.get("RateLimit-Policy"), '"burst";q=10;w=10');
  await ask(opened, ONE);
  const refused = await ask(opened, ONE);
  assertEquals(refused.status, 429);
  assertEquals(refused.headers.get("Retry-After"), "1");
  assertEquals(refused.headers.get("RateLimit"), '"burst";r=0;t=1');
  assertEquals(refused.headers.get("Cache-Control"), "no-store");
  assertMatch(refused.headers.get("X-Request-Id")!, /./);
  assertEquals(refused.headers.get("Access-Control-Expose-Headers"), "*");
  assertEquals(await refused.json(), {
    error: "Too many requests. Ask again in 1 s, and less often.",
  });
});

Deno.test("a client hears nothing while more than a fifth is left", async () => {
  await using opened = await limited();
  for (let left = 9; left >= 0; left--) {
    const { headers } = await ask(opened, ONE);
    assertEquals(headers.has("RateLimit"), left < 2, `${left}`);
  }
});

Deno.test("all paths count together, with what is kept, 304, 404 and 405; a page is one request", async () => {
  await using opened = await limited();
  const { headers } = await ask(opened, ONE);
  const tag = { "If-None-Match": headers.get("ETag")! };
  assertEquals((await ask(opened, ONE, { headers: tag })).status, 304);
  assertEquals((await ask(opened, "/nowhere")).status, 404);
  assertEquals((await ask(opened, ONE, { method: "DELETE" })).status, 405);
  assertEquals((await ask(opened, "/api/v1/interactions")).status, 200);
  assertEquals((await ask(opened, "/api/v1/interactions")).status, 200);
  assertEquals((await ask(opened, "/")).status, 200);
  assertEquals(await statuses(opened, ONE, { times: 4 }), [200, 200, 200, 429]);
  for (
    const path of ["/", "/nowhere", "/openapi.json", "/api/v1/interactions"]
  ) {
    assertEquals((await ask(opened, path)).status, 429, path);
  }
});

Deno.test("probes and preflights are neither refused nor counted", async () => {
  await using opened = await limited({ CORS_ORIGINS: "*" });
  for (const path of ["/healthz", "/readyz", "/readyz?"]) {
    const seen = await statuses(opened, path, { times: 50 });
    assertEquals(new Set(seen), new Set([200]));
  }
  const sent = { method: "OPTIONS", times: 50 };
  const seen = await statuses(opened, ONE, sent);
  assertEquals(new Set(seen), new Set([204]));
  assertEquals(await statuses(opened, ONE, { times: 10 }), TEN);
  assertEquals((await statuses(opened, ONE, sent))[0], 204);
  assertEquals((await ask(opened, "/healthz/")).status, 429);
  assertEquals((await ask(opened, "/healthz")).status, 200);
});

Deno.test("time brings requests back", async () => {
  let now_ms = 1_000;
  await using opened = await limited({}, { now: () => now_ms });
  assertEquals(await statuses(opened, ONE, { times: 11 }), [...TEN, 429]);
  now_ms += 3_000;
  assertEquals(await statuses(opened, ONE, { times: 4 }), [200, 200, 200, 429]);
});

Deno.test("without a key: by address, IPv6 by its /64", async () => {
  await using opened = await limited();
  const of = (from: string, times: number) =>
    statuses(opened, ONE, { from, times });
  assertEquals(await of("192.0.2.1", 11), [...TEN, 429]);
  assertEquals(await of("192.0.2.2", 1), [200]);
  assertEquals(await of("2001:db8::1", 5), TEN.slice(5));
  assertEquals(await of("2001:db8::ffff:1", 6), [...TEN.slice(5), 429]);
  assertEquals(await of("2001:db8:0:1::1", 1), [200]);
  assertEquals(await of("::ffff:192.0.2.1", 1), [429]);
});

Deno.test("X-Forwarded-For: not believed by default, by TRUSTED_PROXIES from its end", async () => {
  const spoof = (i: number) => ({ "X-Forwarded-For": `203.0.113.${i}` });
  await using opened = await limited();
  const seen: number[] = [];
  for (let i = 0; i < 11; i++) {
    seen.push((await ask(opened, ONE, { headers: spoof(i) })).status);
  }
  assertEquals(seen, [...TEN, 429]);

  await using behind = await limited({ TRUSTED_PROXIES: "1" });
  const through = (written: number, from: string) => ({
    headers: { "X-Forwarded-For": `203.0.113.${written}, ${from}` },
  });
  for (let i = 0; i < 10; i++) await ask(behind, ONE, through(i, "192.0.2.7"));
  assertEquals((await ask(behind, ONE, through(99, "192.0.2.7"))).status, 429);
  assertEquals((await ask(behind, ONE, through(99, "192.0.2.8"))).status, 200);
});

Deno.test("with keys: by key, tokens by their customer, strangers and wrong keys by address", async () => {
  const { file, keys } = keyFile({
    site: { scopes: ["read", "embed"] },
    other: { scopes: ["read"] },
  });
  await using opened = await limited({ ADMIN_KEY_SHA256 }, { key_file: file });
  const by = (key: string, times: number, from?: string) =>
    statuses(opened, ONE, { times, from, headers: { "X-API-Key": key } });
  const { callers } = opened;
  const minter = await callers.identify(
    new Headers({ "X-API-Key": keys.site }),
  );
  const token = async (customer_id: number) =>
    (await callers.mint(minter, { customer_id, minutes: 5 })).token;
  const [first, second] = [await token(1), await token(2)];

  // From wherever it comes.
  assertEquals(await by(keys.site, 10, "192.0.2.1"), TEN);
  assertEquals(await by(keys.site, 1, "192.0.2.99"), [429]);
  assertEquals(await by(keys.other, 1), [200]);
  assertEquals(await by(ADMIN_KEY, 1), [200]);
  assertEquals(await by(first, 11), [...TEN, 429]);
  assertEquals(await by(second, 1), [404]);
  // Whoever guesses keys is slowed by address.
  const guesses = await by("guess", 11, "192.0.2.50");
  assertEquals(guesses, [...Array(10).fill(401), 429]);
  assertEquals(await statuses(opened, ONE, { from: "192.0.2.50", times: 1 }), [
    429,
  ]);
  assertEquals(await by(keys.other, 1, "192.0.2.50"), [200]);
});

Deno.test("where reading is open, an administrator counts by the key, not by the address", async () => {
  await using opened = await limited({ ADMIN_KEY_SHA256 });
  const headers = { Authorization: `Bearer ${ADMIN_KEY}` };
  assertEquals(await statuses(opened, ONE, { times: 11 }), [...TEN, 429]);
  const answer = await ask(opened, "/api/v1/data/files", { headers });
  assert(answer.status !== 429);
});
