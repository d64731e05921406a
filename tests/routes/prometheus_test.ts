/** `/metrics`: what was asked is counted by route and status, in a bounded number of lines, for the administrator. */

import { assert, assertEquals } from "@std/assert";
import { createAdminPort } from "../../routes/admin_port.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256, keyFile } from "../support/keys.ts";
import { scraped } from "../support/metric_lines.ts";
import { openApp } from "../support/open_app.ts";
import { exportsOf } from "../support/watched_store.ts";

type Opened = Awaited<ReturnType<typeof openApp>>;

async function scrape({ app }: Opened) {
  const answer = await app.request("/metrics");
  assertEquals(answer.status, 200);
  return scraped(await answer.text()).samples;
}

function requests(route: string, status: number, method = "GET"): string {
  return `tally_http_requests_total{method="${method}",route="${route}",status="${status}"}`;
}

const CUSTOMER = "/api/v1/interactions/:customer_id";

Deno.test("requests are counted by route, method and status; unknown paths have one label", async () => {
  await using opened = await openApp(exportsOf(3), {
    ADMIN_KEY_SHA256,
    ALLOWED_HOSTS: "*",
  });
  const { app } = opened;
  const headers = { Authorization: `Bearer ${ADMIN_KEY}` };
  const asked: [string, RequestInit?][] = [
    ["/api/v1/interactions/1"],
    ["/api/v1/interactions/1?start_date=2020-01-01"],
    ["/api/v1/interactions/2"],
    ["/api/v1/interactions/x"],
    ["/api/v1/interactions/1?nonsense=1"],
    ["/api/v1/metrics/interactions?by=year"],
    ["/api/v1/metrics/interactions?by=year"],
    ["/api/v1/metrics/interactions?by=nonsense"],
    ["/healthz", { method: "POST" }],
    ["/api/v1/data/refresh", { method: "POST" }],
    ["/api/v1/data/refresh", { method: "POST", headers }],
    ...["/a", "/b", "/c%0a", '/"d', "/api/v1/x"].map((
      path,
    ): [string] => [path]),
  ];
  for (const [url, init] of asked) {
    await (await app.request(url, init)).body?.cancel();
  }
  const answer = await app.request("/metrics", { headers });
  assertEquals(
    answer.headers.get("Content-Type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  assertEquals(answer.headers.get("Cache-Control"), "no-store");
  const { samples } = scraped(await answer.text());
  const expected: [string, number][] = [
    [requests(CUSTOMER, 200), 2],
    [requests(CUSTOMER, 404), 1],
    [requests(CUSTOMER, 400), 2],
    [requests("/api/v1/metrics/interactions", 200), 2],
    [requests("/api/v1/metrics/interactions", 400), 1],
    [requests("/api/v1/data/refresh", 401, "POST"), 1],
    [requests("/api/v1/data/refresh", 202, "POST"), 1],
    [requests("unknown", 404, "ANY"), 5],
    [requests("unknown", 405, "ANY"), 1],
    ["tally_cache_misses_total", 1],
    ["tally_cache_hits_total", 1],
  ];
  for (const [series, value] of expected) {
    assertEquals(samples.get(series), value, series);
  }
  const labels = `method="GET",route="${CUSTOMER}"`;
  const name = "tally_http_request_duration_seconds";
  assertEquals(samples.get(`${name}_count{${labels}}`), 5);
  const buckets = [...samples].filter(([series]) =>
    series.startsWith(`${name}_bucket{${labels},`)
  ).map(([, value]) => value);
  assertEquals(buckets, buckets.toSorted((a, b) => a - b));
  assertEquals(buckets.at(-1), 5);
  assert(samples.get(`${name}_sum{${labels}}`)! > 0);
  const routes = new Set(
    [...samples.keys()].flatMap((series) =>
      /route="([^"]*)"/.exec(series)?.[1] ?? []
    ),
  );
  assert(!routes.has("/a") && routes.size < 10, [...routes].join());
});

Deno.test("answers from memory, from the cache and without a body are counted too", async () => {
  await using opened = await openApp(exportsOf(3));
  const { app } = opened;
  const url = "/api/v1/interactions/1";
  const first = await app.request(url);
  await first.body?.cancel();
  const tags = { "If-None-Match": first.headers.get("ETag")! };
  await app.request(url, { headers: tags });
  // The second one is answered before it is read.
  for (let i = 0; i < 2; i++) {
    const list = await app.request("/api/v1/customers");
    await list.body?.cancel();
  }
  const samples = await scrape(opened);
  assertEquals(samples.get(requests(CUSTOMER, 200)), 1);
  assertEquals(samples.get(requests(CUSTOMER, 304)), 1);
  assertEquals(samples.get(requests("/api/v1/customers", 200)), 2);
  assertEquals(samples.get("tally_cache_hits_total"), 1);
  assert(samples.get("tally_cache_bytes")! > 0);
});

Deno.test("what the page at / asks for itself is no request", async () => {
  await using opened = await openApp(exportsOf(3));
  const page = await opened.app.request("/");
  await page.body?.cancel();
  const samples = await scrape(opened);
  assertEquals(samples.get(requests("/", 200)), 1);
  const api = [...samples.keys()].filter((series) =>
    series.includes('route="/api/')
  );
  assertEquals(api, []);
});

Deno.test("who may read it: anyone without keys, else the administrator", async (t) => {
  const { file, keys } = keyFile({
    reader: { scopes: ["read", "download"] },
    admin: { scopes: ["admin"] },
  });
  const table: [string, Parameters<typeof openApp>[1], {
    readonly key_file?: typeof file;
  }, [string | null, number][]][] = [
    ["no key", {}, {}, [[null, 200], ["wrong", 403]]],
    ["only the administrator's", { ADMIN_KEY_SHA256 }, {}, [
      [null, 401],
      ["wrong", 401],
      [ADMIN_KEY, 200],
    ]],
    ["a key file", {}, { key_file: file }, [
      [null, 401],
      ["wrong", 401],
      [keys.reader, 403],
      [keys.admin, 200],
    ]],
  ];
  for (const [name, settings, options, callers] of table) {
    await t.step(name, async () => {
      await using opened = await openApp(exportsOf(1), settings, options);
      for (const [key, status] of callers) {
        const answer = await opened.app.request("/metrics", {
          headers: key === null ? {} : { Authorization: `Bearer ${key}` },
        });
        await answer.body?.cancel();
        assertEquals(answer.status, status, key ?? "none");
      }
    });
  }
});

Deno.test("ADMIN_PORT answers three paths, and nothing of the data", async () => {
  await using opened = await openApp(exportsOf(1), { ADMIN_KEY_SHA256 });
  const answer = createAdminPort(opened.app, {
    text: () => Promise.resolve("text"),
  });
  const table: [string, number, RequestInit?][] = [
    ["/metrics", 200],
    ["/metrics?x=1", 200],
    ["/metrics", 405, { method: "POST" }],
    ["/healthz", 200],
    ["/readyz", 200],
    ["/", 404],
    ["/metrics/", 404],
    ["/api/v1/interactions/1", 404],
    ["/api/v1/data", 404],
  ];
  for (const [path, status, init] of table) {
    const request = new Request(`http://10.0.0.1:9${path}`, init);
    const { status: found, body } = await answer(request);
    await body?.cancel();
    assertEquals(found, status, path);
  }
});
