/** Overload over HTTP: what is refused when memory is short or the event loop is late, and what never is. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { hold } from "../support/hold.ts";
import { openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": `Customer_Id,Occupation,Type\n${
    Array.from({ length: 3_000 }, (_, i) => `${i + 1},Jedi,Red\n`).join("")
  }`,
  "interactions.csv": "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n",
};
const LIST = "/api/v1/interactions?sort=-total";
const DOWNLOAD = "/api/v1/interactions?format=csv";
const MB = 1e6;

Deno.test("memory: the cache is emptied, then downloads are refused, then questions; page views never", async () => {
  await using opened = await openApp(FILES, { MEMORY_LIMIT_MB: "1000" });
  const { app, pressure } = opened;
  const ask = async (path: string) => {
    const answer = await app.request(path);
    const text = await answer.text();
    return { status: answer.status, text, headers: answer.headers };
  };
  const statuses = async (n: number) => [
    (await ask(`${LIST}&limit=${n}`)).status,
    (await ask(`${DOWNLOAD}&limit=${n}`)).status,
    (await ask("/api/v1/interactions/1")).status,
  ];
  const at = (rss_mb: number) =>
    pressure.measure(rss_mb * MB, performance.now());

  at(500);
  assertEquals(await statuses(10), [200, 200, 200]);
  at(880);
  assertEquals(await statuses(11), [200, 503, 200]);
  // What was kept is gone too.
  assertEquals(await statuses(10), [200, 503, 200]);
  at(999.999);
  assertEquals(await statuses(12), [503, 503, 200]);
  const { headers, text } = await ask(`${DOWNLOAD}&limit=13`);
  assertStringIncludes(text, "MEMORY_LIMIT_MB");
  assertEquals(headers.get("Retry-After"), "5");
  assertEquals(pressure.shed, { memory: 5, lag: 0 });
  assertEquals((await ask("/healthz")).status, 200);
  assertEquals((await ask("/api/v1/interactions?customer_id=1,2")).status, 200);
  // Each gives back what it took.
  assertEquals(pressure.load.reserved_bytes, 0);
  assertEquals(pressure.load.running, 0);
  at(500);
  assertEquals(await statuses(14), [200, 200, 200]);
});

Deno.test("memory that is not given back: a minute later nothing is refused for it, and log and /readyz say so", async () => {
  await using opened = await openApp(FILES, { MEMORY_LIMIT_MB: "1000" });
  const { app, pressure, logged } = opened;
  const readiness = async () => await (await app.request("/readyz")).json();
  for (let second = 0; second < 60; second++) {
    pressure.measure(1_100 * MB, second * 1_000);
  }
  assertEquals((await app.request(LIST)).status, 503);
  assertEquals((await readiness()).notice, undefined);
  pressure.measure(1_100 * MB, 60_000);
  assertEquals((await app.request(LIST)).status, 200);
  assertEquals((await app.request(DOWNLOAD)).status, 200);
  assertMatch((await readiness()).notice, /1100 MB.*MEMORY_LIMIT_MB/);
  pressure.measure(1_100 * MB, 61_000);
  assertEquals(logged.map(({ event }) => event), ["memory_not_given_back"]);
  pressure.measure(500 * MB, 62_000);
  assertEquals((await readiness()).notice, undefined);
});

Deno.test("reserved: a wide question takes more than a narrow one, a download by its columns", async () => {
  const channels = Array.from({ length: 900 }, (_, i) => `Channel ${i}`);
  await using opened = await openApp({
    ...FILES,
    "channels.csv": `Channel\n${channels.join("\n")}\n`,
  }, {
    MEMORY_LIMIT_MB: "1000",
    MAX_CHANNELS: "1000",
    QUERY_TIMEOUT_MS: "60000",
  });
  const { app, pressure } = opened;
  // Of a page of 10,000 rows with 900 names each, 32 MiB are answered at most.
  pressure.measure(870 * MB, performance.now());
  const status = async (path: string) => {
    const answer = await app.request(path);
    await answer.body?.cancel();
    return answer.status;
  };
  assertEquals(await status(`${LIST}&limit=300`), 200);
  assertEquals(await status(`${LIST}&limit=10000`), 503);
  assertEquals(await status(`${LIST}&limit=10000&channel=Channel 1`), 200);
  pressure.measure(800 * MB, performance.now());
  assertEquals(await status(DOWNLOAD), 503);
  assertEquals(await status(`${DOWNLOAD}&channel=Channel 1`), 200);
});

Deno.test("lag: nothing is refused while nothing runs, however late the event loop is", async () => {
  await using opened = await openApp(FILES);
  const { app, pressure } = opened;
  const stopping = new AbortController();
  pressure.start(stopping.signal);
  const beLate = async () => {
    for (let i = 0; i < 12; i++) {
      await new Promise((wake) => setTimeout(wake, 0));
      hold(150);
    }
    await new Promise((wake) => setTimeout(wake, 0));
  };
  try {
    await beLate();
    assert(pressure.load.lag_ms > 25, `${pressure.load.lag_ms}`);
    assertEquals(pressure.is_calm, false);
    assertEquals((await app.request(LIST)).status, 200);
    using _running = pressure.reserve({ kind: "question", bytes: 0 });
    await beLate();
    const answer = await app.request(DOWNLOAD);
    assertEquals(answer.status, 503);
    assertEquals(answer.headers.get("Retry-After"), "1");
    assertEquals((await app.request("/api/v1/interactions/1")).status, 200);
  } finally {
    stopping.abort();
  }
});
