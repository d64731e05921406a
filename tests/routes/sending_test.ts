/** Long answers and their readers over real sockets: those that stall are cut, slow ones and slow queries are not. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { afterPart, FRESH, watched } from "../../routes/sending.ts";
import type { Files } from "../support/data_folder.ts";
import { NO_INTERACTIONS } from "../support/load_folder.ts";
import { openApp } from "../support/open_app.ts";
import { until } from "../support/until.ts";

const KIB = 1_024;

Deno.test("patience: 64 KiB begin the time anew, less add to it", () => {
  const slow = { bytes: 16 * KIB, waited_ms: 100 };
  const after = [1, 2, 3].reduce(
    (patience) => afterPart(patience, slow),
    FRESH,
  );
  assertEquals(after, { taken_bytes: 48 * KIB, waited_ms: 300 });
  assertEquals(afterPart(after, slow), FRESH);
  assertEquals(afterPart(FRESH, { bytes: 64 * KIB, waited_ms: 5_000 }), FRESH);
});

/** A body and what became of it. */
function sent(
  pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  stall_ms: number,
) {
  const seen = { ended: 0, broken: "" };
  const body = watched(pieces, {
    stall_ms,
    onEnd: () => void seen.ended++,
    onBroken: (error) => void (seen.broken = (error as Error).message),
  });
  return { body, seen };
}

Deno.test("a body that takes long to make is not cut while its reader waits for it", async () => {
  let returned = false;
  const { body, seen } = sent(
    (async function* () {
      try {
        for (let i = 0; i < 3; i++) {
          await delay(80);
          yield new Uint8Array(10);
        }
      } finally {
        returned = true;
      }
    })(),
    50,
  );
  assertEquals((await new Response(body).bytes()).length, 30);
  assertEquals(seen, { ended: 1, broken: "" });
  assert(returned);
});

Deno.test("a body that nobody reads is cut, and its pieces are ended", async () => {
  let returned = false;
  const { body, seen } = sent(
    (async function* () {
      try {
        for (;;) yield new Uint8Array(100 * KIB);
      } finally {
        returned = true;
      }
    })(),
    50,
  );
  const reader = body.getReader();
  const first = await reader.read();
  assertEquals(first.value?.length, 64 * KIB);
  await delay(120);
  assertEquals(seen.ended, 1);
  assertStringIncludes(seen.broken, "STALL_SECONDS");
  assert(returned);
  const error = await reader.read().then(() => null, (error) => error);
  assertStringIncludes(error.message, "64 KiB");
});

const OCCUPATION = "an occupation of some length";

/** Exports of so many customers of one occupation. */
function exportsOf(customers: number, occupation: string): Files {
  const rows = Array.from(
    { length: customers },
    (_, i) => `${i + 1},${occupation},Red\n`,
  );
  return {
    "customers.csv": `Customer_Id,Occupation,Type\n${rows.join("")}`,
    "interactions.csv": NO_INTERACTIONS,
  };
}

/** Customers whose CSV has 14 MB, more than the buffers of two sockets. */
const FILES = exportsOf(400_000, OCCUPATION);
const CSV = "/api/v1/customers?format=csv";

async function opened(settings: Record<string, string>, files = FILES) {
  const app = await openApp(files, { STALL_SECONDS: "1", ...settings });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    app.app.fetch,
  );
  const { port } = server.addr;
  return {
    ...app,
    origin: `http://127.0.0.1:${port}`,
    /** A client that sends a request and reads nothing. */
    async stalling(path: string) {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port });
      await socket.write(
        new TextEncoder().encode(
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        ),
      );
      return socket;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await app[Symbol.asyncDispose]();
    },
  };
}

Deno.test("two readers that never read stop the downloads of others for STALL_SECONDS only", async () => {
  await using server = await opened({ QUERY_QUEUE: "0" });
  using _one = await server.stalling(CSV);
  using _two = await server.stalling(`${CSV}&bom=1`);
  const statuses = new Set<number>();
  const began = performance.now();
  for (let limit = 5; !statuses.has(503) || !statuses.has(200); limit++) {
    await delay(100);
    assert(performance.now() - began < 20_000, "they hold their slots");
    const answer = await fetch(`${server.origin}${CSV}&limit=${limit}`);
    await answer.body?.cancel();
    // Before both have begun, there is a slot.
    if (answer.status === 503 || statuses.has(503)) statuses.add(answer.status);
  }
  while (server.logged.length < 2) await delay(50);
  for (const { text } of server.logged) {
    assertStringIncludes(text, "STALL_SECONDS");
  }
});

Deno.test("downloads of up to 1 MiB hold no slot while they are sent", async () => {
  await using server = await opened({
    QUERY_QUEUE: "0",
    STALL_SECONDS: "60",
    DOWNLOAD_CONCURRENCY: "1",
  });
  using one = await server.stalling(`${CSV}&limit=20000`);
  // It is made before its first byte is sent.
  await one.read(new Uint8Array(1));
  await until(async () => {
    const next = await fetch(`${server.origin}${CSV}&limit=5`);
    await next.body?.cancel();
    return next.status === 200;
  });
});

Deno.test("a reader that takes a little all the time gets all of a long answer", async () => {
  // Sockets ask for more when megabytes of them are empty: 60 MB come in many steps.
  await using server = await opened(
    { STALL_SECONDS: "3" },
    exportsOf(200_000, OCCUPATION.repeat(10)),
  );
  const answer = await fetch(server.origin + CSV, {
    headers: { "Accept-Encoding": "identity" },
  });
  let bytes = 0;
  let read_ms = performance.now();
  for await (const piece of answer.body!) {
    bytes += piece.length;
    // 6 MB/s, so that it takes three times STALL_SECONDS.
    const due_ms = read_ms + piece.length / 6_000;
    await delay(Math.max(0, due_ms - performance.now()));
    read_ms = Math.max(due_ms, performance.now());
  }
  assertEquals(server.logged, []);
  assert(bytes > 57_000_000, `${bytes}`);
});

Deno.test("a long JSON answer has its length, also for HEAD, and is cut off like a download", async () => {
  await using server = await opened({ QUERY_TIMEOUT_MS: "60000" });
  const path = "/api/v1/customers?limit=10000";
  const url = server.origin + path;
  const headers = { "Accept-Encoding": "identity" };
  const answer = await fetch(url, { headers });
  const length = Number(answer.headers.get("Content-Length"));
  assertEquals((await answer.bytes()).length, length);
  assert(length > 256 * KIB, `${length}`);
  const again = await fetch(url, { headers });
  assertEquals((await again.json()).data.length, 10_000);
  const left = await fetch(url, { headers });
  await left.body!.cancel();
  await delay(1_500);
  assertEquals(server.logged, []);
});
