/** The log of requests: which ones, what it says of them, and what it never says. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { LogEntry, RequestRecord } from "../../db/model/log.ts";
import { requestLine, requestText } from "../../operator/log.ts";
import type { Exchange } from "../../routes/exchange.ts";
import { createRequestLog } from "../../routes/request_log.ts";
import { watched } from "../../routes/sending.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256, keyFile } from "../support/keys.ts";
import { openApp } from "../support/open_app.ts";
import { exportsOf } from "../support/watched_store.ts";

const CUSTOMER = "/api/v1/interactions/:customer_id";
const { file, keys } = keyFile({ reader: { scopes: ["read", "download"] } });
const READER = { Authorization: `Bearer ${keys.reader}` };

type Asked = readonly [string, RequestInit?];

async function ask(
  { app }: Pick<Awaited<ReturnType<typeof openApp>>, "app">,
  ...asked: readonly Asked[]
): Promise<void> {
  for (const [url, init] of asked) await (await app.request(url, init)).text();
}

const MANY: readonly Asked[] = [
  ["/api/v1/interactions/1"],
  ["/api/v1/interactions/12345"],
  ["/api/v1/interactions/1?nonsense=1"],
  ["/api/v1/interactions/x"],
  ["/healthz"],
  ["/wp-login.php"],
  ["/.env", { method: "POST" }],
  ["/api/v1/data/refresh", { method: "POST" }],
];

Deno.test("off, errors and all", async (t) => {
  const table: [string, [string, string, number][]][] = [
    ["off", []],
    ["errors", [
      ["GET", CUSTOMER, 400],
      ["GET", CUSTOMER, 400],
      ["POST", "/api/v1/data/refresh", 403],
    ]],
    ["all", [
      ["GET", CUSTOMER, 200],
      ["GET", CUSTOMER, 404],
      ["GET", CUSTOMER, 400],
      ["GET", CUSTOMER, 400],
      ["GET", "/healthz", 200],
      ["GET", "unknown", 404],
      ["POST", "unknown", 404],
      ["POST", "/api/v1/data/refresh", 403],
    ]],
  ];
  for (const [LOG_REQUESTS, expected] of table) {
    await t.step(LOG_REQUESTS, async () => {
      await using opened = await openApp(exportsOf(3), { LOG_REQUESTS });
      await ask(opened, ...MANY);
      assertEquals(
        opened.records().map(({ method, route, status }) => [
          method,
          route,
          status,
        ]),
        expected,
      );
    });
  }
});

Deno.test("a record has what is known of the request, but not the customer", async () => {
  await using opened = await openApp(exportsOf(3), {
    LOG_REQUESTS: "all",
    ADMIN_KEY_SHA256,
  }, { key_file: file });
  const answer = await opened.app.request("/api/v1/interactions/1", {
    headers: { ...READER, "X-Request-Id": "request-7" },
  });
  const { length } = await answer.bytes();
  const { data_version } = opened.snapshot;
  const [record] = opened.records();
  const { time_ms, ms, ...rest } = record;
  assertEquals(rest, {
    id: "request-7",
    method: "GET",
    route: CUSTOMER,
    status: 200,
    bytes: length,
    key_id: file.keys[0].id,
    data_version,
  });
  assert(Math.abs(Date.now() - time_ms) < 10_000);
  assert(ms > 0 && ms < 10_000);
  assertMatch(
    requestText(record),
    /^[\d-]+ [\d:]+ GET \/api\/v1\/interactions\/:customer_id 200 after [\d.]+ ms, request request-7$/,
  );

  await ask(opened, ["/api/v1/data", {
    headers: { "X-API-Key": ADMIN_KEY },
  }], ["/api/v1/data"]);
  const [, admin, stranger] = opened.records();
  assertEquals([admin.key_id, admin.status], ["admin", 200]);
  assertEquals([stranger.key_id, stranger.status], [null, 401]);
});

Deno.test("customer ids are there only with LOG_CUSTOMER_IDS, and never a secret", async (t) => {
  const asked: [string, string | null][] = [
    ["/api/v1/interactions/4711471147114711", "4711471147114711"],
    ["/api/v1/interactions/4711471147114711/timeline", "4711471147114711"],
    ["/api/v1/customers/4711471147114711", "4711471147114711"],
    [
      "/api/v1/interactions?customer_id=4711471147114711,4711471147114712",
      "4711471147114711,4711471147114712",
    ],
    ["/api/v1/interactions", null],
    [`/api/v1/interactions/${keys.reader}`, null],
    [`/api/v1/interactions?customer_id=${keys.reader}`, null],
  ];
  for (const LOG_CUSTOMER_IDS of ["off", "on"]) {
    await t.step(LOG_CUSTOMER_IDS, async () => {
      await using opened = await openApp(exportsOf(3), {
        LOG_REQUESTS: "all",
        LOG_CUSTOMER_IDS,
      }, { key_file: file });
      await ask(
        opened,
        ...asked.map(([url]): Asked => [url, { headers: READER }]),
      );
      const records = opened.records();
      assertEquals(records.length, asked.length);
      const text = records.map(requestLine).join("\n");
      assert(!text.includes(keys.reader), text);
      if (LOG_CUSTOMER_IDS === "off") {
        assert(
          !text.includes("471147114711471") && !text.includes('"customer_id"'),
          text,
        );
        return;
      }
      assertEquals(
        records.map(({ customer_id }) => customer_id),
        asked.map(([, customer_id]) => customer_id),
      );
    });
  }
});

Deno.test("the bytes are those that are sent: of lists, of gzip, of streams to their end", async (t) => {
  await using opened = await openApp(exportsOf(30), {
    LOG_REQUESTS: "all",
    ADMIN_KEY_SHA256,
  });
  const answers: [string, Record<string, string>, number][] = [
    ["/api/v1/customers", {}, 200],
    [
      "/api/v1/metrics/interactions?by=day",
      { "Accept-Encoding": "gzip" },
      200,
    ],
    ["/api/v1/customers?format=csv", {}, 200],
    ["/api/v1/data/set-aside?format=csv", {
      Authorization: `Bearer ${ADMIN_KEY}`,
    }, 200],
    ["/api/v1/nothing", {}, 404],
    ["/", {}, 200],
  ];
  for (const [url, headers, status] of answers) {
    await t.step(url, async () => {
      const answer = await opened.app.request(url, { headers });
      const { length } = await answer.bytes();
      const { bytes, status: logged } = opened.records().at(-1)!;
      assertEquals([logged, bytes], [status, length]);
      assert(length > 0);
    });
  }
  await t.step("a 304 has none", async () => {
    const first = await opened.app.request("/api/v1/interactions/1");
    await first.text();
    const headers = { "If-None-Match": first.headers.get("ETag")! };
    await opened.app.request("/api/v1/interactions/1", { headers });
    const { status, bytes } = opened.records().at(-1)!;
    assertEquals([status, bytes], [304, 0]);
  });
  await t.step("a stream of events that its client leaves", async () => {
    const before = opened.records().length;
    const answer = await opened.app.request("/api/v1/data/events");
    const reader = answer.body!.getReader();
    const { value } = await reader.read();
    assertEquals(opened.records().length, before);
    await reader.cancel();
    const { route, bytes } = opened.records().at(-1)!;
    assertEquals([route, bytes], ["/api/v1/data/events", value!.length]);
  });
});

/** Takes the first piece of a body, and leaves it while the next one is read. */
async function leave(body: ReadableStream<Uint8Array>): Promise<number> {
  const reader = body.getReader();
  const { value } = await reader.read();
  const next = reader.read();
  await delay(0);
  await reader.cancel();
  await next;
  // What the body makes of it comes after that.
  await delay(0);
  return value!.length;
}

Deno.test("a stream that its client leaves while a piece is read is one record", async (t) => {
  await t.step("of events", async () => {
    await using opened = await openApp(exportsOf(3), { LOG_REQUESTS: "all" });
    const answer = await opened.app.request("/api/v1/data/events");
    const length = await leave(answer.body!);
    assertEquals(
      opened.records().map(({ route, bytes }) => [route, bytes]),
      [["/api/v1/data/events", length]],
    );
  });
  await t.step("of a download", async () => {
    const printed: RequestRecord[] = [];
    const requests = createRequestLog(
      { LOG_REQUESTS: "all", LOG_CUSTOMER_IDS: "off" },
      { print: (records) => void printed.push(...records), log() {} },
    )!;
    const left = Promise.withResolvers<void>();
    const body = watched(
      (async function* () {
        yield new Uint8Array(10);
        await left.promise;
        yield new Uint8Array(20);
      })(),
      { stall_ms: 60_000, onCancel: left.resolve, onBroken() {} },
    );
    const [exchange] = failing(200);
    const answer = requests.add({ ...exchange, body }, {
      answer: new Response(body),
      status: 200,
    });
    await leave(answer.body!);
    requests.flush();
    assertEquals(printed.map(({ bytes }) => bytes), [10]);
  });
});

/** An exchange and its answer, as `errors` sees them. */
function failing(status: number, route = CUSTOMER) {
  const exchange = {
    request: new Request("http://localhost/api/v1/interactions/1"),
    id: "1",
    caller: { key_id: null },
    came_ms: performance.now(),
    route: { path: route },
    body: null,
  } as unknown as Exchange;
  const answer = new Response(null, { status: status === 499 ? 503 : status });
  return [exchange, { answer, status }] as const;
}

Deno.test("errors: a flood of failures does not fill the log, and what is left out is counted", () => {
  let now = 1_000_000;
  const printed: RequestRecord[] = [];
  const logged: LogEntry[] = [];
  const requests = createRequestLog(
    { LOG_REQUESTS: "errors", LOG_CUSTOMER_IDS: "off" },
    {
      print: (records) => void printed.push(...records),
      log: (entry) => void logged.push(entry),
      now: () => now,
    },
  )!;
  const flood = (number: number, status: number) => {
    for (let i = 0; i < number; i++) requests.add(...failing(status));
  };
  flood(1_000, 401);
  flood(70, 503);
  flood(5, 499);
  requests.add(...failing(503, "/readyz"));
  requests.add(...failing(405, "unknown"));
  requests.flush();
  const kinds = () => [
    printed.filter(({ status }) => status === 401).length,
    printed.filter(({ status }) => status === 503).length,
  ];
  assertEquals([kinds(), printed.length], [[60, 60], 120]);
  assertEquals(logged, []);

  now += 60_000;
  requests.flush();
  assertEquals(
    logged.map(({ event, status, requests }) => [event, status, requests]),
    [
      ["requests_not_logged", "4xx", 940],
      ["requests_not_logged", "5xx", 10],
    ],
  );
  flood(61, 500);
  requests.end();
  assertEquals(kinds(), [60, 60]);
  assertEquals(printed.length, 180);
  assertEquals(logged.at(-1)!.requests, 1);

  // The clock is set back by a day, and nothing is silenced for so long.
  flood(60, 500);
  now -= 86_400_000;
  flood(1, 401);
  flood(1, 500);
  requests.flush();
  assertEquals(printed.slice(-2).map(({ status }) => status), [401, 500]);
});

Deno.test("all: many requests are printed in batches, in their order", () => {
  const batches: number[] = [];
  const requests = createRequestLog(
    { LOG_REQUESTS: "all", LOG_CUSTOMER_IDS: "off" },
    { print: (records) => void batches.push(records.length), log() {} },
  )!;
  for (let i = 0; i < 600; i++) requests.add(...failing(200));
  requests.flush();
  requests.flush();
  assertEquals(batches, [256, 256, 88]);
});
