/** The proxies of deploy/ in front of two servers: what they cut, what they pass on unchanged, and what they ask twice. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { dataFolder } from "../../tests/support/data_folder.ts";
import { freePort } from "../../tests/support/free_port.ts";
import {
  type RunningServer,
  startServer,
  waitFor,
} from "../../tests/support/start_server.ts";
import { caddy, nginx, type Proxy } from "./proxies.ts";

const ADMIN_KEY = "a key of our own";
const CUSTOMERS = 250_000;
const ONE = "/api/v1/interactions/7";
const LIST = "/api/v1/interactions?format=csv&limit=1000";
const DOWNLOAD = "/api/v1/interactions?format=ndjson";
const EVENTS = "/api/v1/data/events";
const MB = 1e6;

const encoder = new TextEncoder();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const hostOf = ({ base_url }: { readonly base_url: string }) =>
  new URL(base_url).host;

/** Exports with so many customers that all of them take more room than sockets have. */
async function manyCustomers() {
  const folder = await dataFolder();
  const ids = Array.from({ length: CUSTOMERS }, (_, i) => i + 1);
  await folder.write({
    "customers.csv": `Customer_Id\n${ids.join("\n")}\n`,
    "interactions.csv": `Date Start,Interaction,Customers\n${
      ids.map((id) => `2024-03-01,${id % 2 ? "Call" : "Email"},${id}\n`)
        .join("")
    }`,
  });
  return folder;
}

async function startTally(
  DATA_DIR: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const server = await startServer({
    DATA_DIR,
    EVENTS_MAX: "2",
    ADMIN_KEY_SHA256: createHash("sha256").update(ADMIN_KEY).digest("hex"),
    ...settings,
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  return server;
}

/** A connection on which some bytes were sent, and its end as the client sees it. */
async function stalled({ base_url }: Proxy, sent: string) {
  const { hostname, port } = new URL(base_url);
  const socket = await Deno.connect({ hostname, port: Number(port) });
  const began = performance.now();
  await socket.write(encoder.encode(sent));
  const ended = (async () => {
    const buffer = new Uint8Array(1 << 12);
    while (await socket.read(buffer).catch(() => null) !== null);
    return (performance.now() - began) / 1000;
  })();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<number>((resolve) =>
    timer = setTimeout(() => resolve(Infinity), 60_000)
  );
  const seconds = Promise.race([ended, late]).finally(() => {
    clearTimeout(timer);
    socket.close();
  });
  return { seconds };
}

/** Sends a whole request as bytes, and reads the status of the answer. */
async function statusOf({ base_url }: Proxy, request: string): Promise<string> {
  const { hostname, port } = new URL(base_url);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  await socket.write(encoder.encode(request));
  const buffer = new Uint8Array(1 << 12);
  const length = await socket.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(9, Math.min(12, length)));
}

async function assertAnswered({ base_url }: Proxy, times: number) {
  for (let i = 0; i < times; i++) {
    const answer = await fetch(base_url + ONE);
    assertEquals(answer.status, 200, await answer.text());
  }
}

/** Opens streams of events until one is refused, and returns that answer. */
async function oneTooMany(
  { base_url }: RunningServer,
  streams: AsyncDisposableStack,
): Promise<Response> {
  for (;;) {
    const answer = await fetch(base_url + EVENTS);
    if (answer.status !== 200) return answer;
    streams.defer(() => answer.body!.cancel());
  }
}

function headersOf(answer: Response) {
  const names = [
    "content-type",
    "etag",
    "cache-control",
    "retry-after",
    "vary",
  ];
  return [
    answer.status,
    ...names.map((name) => answer.headers.get(name)),
  ];
}

/** Caddy before 2.8 ends a body that the server breaks off as if it were whole. */
async function isOldCaddy(): Promise<boolean> {
  const { stdout } = await new Deno.Command("caddy", { args: ["version"] })
    .output();
  const [major, minor] = new TextDecoder().decode(stdout).replace("v", "")
    .split(".").map(Number);
  return major === 2 && minor < 8;
}

for (const program of [nginx, caddy]) {
  Deno.test(`${program.name} cuts slow clients, and passes the rest unchanged`, async (t) => {
    await using data = await manyCustomers();
    await using first = await startTally(data.path);
    await using second = await startTally(data.path);
    await using proxy = await program.start([hostOf(first), hostOf(second)]);

    const head = (target: string, headers: Record<string, string | number>) =>
      `${target} HTTP/1.1\r\nHost: localhost\r\n` +
      Object.entries({ "Content-Type": "application/json", ...headers })
        .map(([name, value]) => `${name}: ${value}\r\n`).join("") +
      "\r\n";
    const authorization = { Authorization: `Bearer ${ADMIN_KEY}` };
    const accept = "POST /api/v1/data/accept";
    const upload = "PUT /api/v1/data/files/products.csv";

    const began = performance.now();
    const events = (await fetch(proxy.base_url + EVENTS)).body!.getReader();
    await using _ended = { [Symbol.asyncDispose]: () => events.cancel() };
    const asked = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    const silent = await stalled(proxy, "");
    const half = await stalled(proxy, `${asked}X-Slow: `);
    const idle = await stalled(proxy, `${asked}\r\n`);
    const half_body = await stalled(
      proxy,
      head(accept, { ...authorization, "Content-Length": 100 }) + '{"data',
    );

    await t.step("an answer is that of Tally, and so is its 304", async () => {
      for (const path of [ONE, LIST]) {
        for (const coding of ["gzip", "identity"]) {
          const headers = { "Accept-Encoding": coding };
          const direct = await fetch(first.base_url + path, { headers });
          const passed = await fetch(proxy.base_url + path, { headers });
          assertEquals(headersOf(passed), headersOf(direct));
          assertEquals(await passed.text(), await direct.text());
          const again = await fetch(proxy.base_url + path, {
            headers: {
              ...headers,
              "If-None-Match": direct.headers.get("etag")!,
            },
          });
          assertEquals(again.status, 304);
          assertEquals(
            again.headers.get("etag"),
            direct.headers.get("etag"),
          );
        }
      }
    });

    await t.step(
      "events come through at once, and one too many is Tally's 503",
      async () => {
        await using streams = new AsyncDisposableStack();
        for (;;) {
          const answer = await fetch(proxy.base_url + EVENTS);
          if (answer.status !== 200) {
            const direct = await oneTooMany(first, streams);
            assertEquals(headersOf(answer), headersOf(direct));
            assertEquals(answer.status, 503);
            assert(Number(answer.headers.get("retry-after")) > 0);
            assertEquals(await answer.json(), await direct.json());
            break;
          }
          const reader = answer.body!.getReader();
          streams.defer(() => reader.cancel());
          // The stream has not ended: a proxy that collects an answer shows nothing yet.
          const { value } = await reader.read();
          assert(
            new TextDecoder().decode(value).startsWith("event: version\n"),
          );
        }
      },
    );

    await t.step(
      "a download waits for its reader, and is on no disk",
      async () => {
        const before = proxy.rss();
        const files = await proxy.files();
        const answer = await fetch(proxy.base_url + DOWNLOAD, {
          headers: { "Accept-Encoding": "identity" },
        });
        const reader = answer.body!.getReader();
        let bytes = (await reader.read()).value!.length;
        // Longer than the time for a request's body.
        await pause(7_000);
        assert(proxy.rss() - before < 10 * MB, `grown to ${proxy.rss()}`);
        assertEquals(await proxy.files(), files);
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          bytes += value.length;
        }
        const direct = await (await fetch(first.base_url + DOWNLOAD)).bytes();
        assertEquals(bytes, direct.length);
        assert(bytes > 20 * MB, `only ${bytes}`);
      },
    );

    await t.step("too large a body is 413", async () => {
      const large = { "Content-Length": 200_000 };
      const spaces = " ".repeat(200_000);
      const requests = [
        head(accept, { ...authorization, ...large }) + spaces,
        head(`GET ${ONE}`, large) + spaces,
      ];
      // Caddy leaves uploads to Tally, which counts what arrives.
      if (program === nginx) {
        requests.push(head(upload, { "Content-Length": 2 ** 31 }));
      }
      for (const request of requests) {
        assertEquals(
          await statusOf(proxy, request),
          "413",
          request.slice(0, 60),
        );
      }
    });

    await t.step("wrong and broken bodies take no Tally out", async () => {
      const { hostname, port } = new URL(proxy.base_url);
      for (let i = 0; i < 4; i++) {
        const refused = await fetch(
          `${proxy.base_url}/api/v1/data/files/products.csv`,
          { method: "PUT", body: new Uint8Array(20 * MB) },
        );
        await refused.body?.cancel();
        assertEquals(refused.status, 401);

        const broken = await Deno.connect({ hostname, port: Number(port) });
        const part = head(upload, { ...authorization, "Content-Length": MB });
        await broken.write(encoder.encode(`${part}Date,Product\n`));
        await pause(50);
        broken.close();

        const chunked = { ...authorization, "Transfer-Encoding": "chunked" };
        const chunk = `9c40\r\n${" ".repeat(40_000)}\r\n0\r\n\r\n`;
        assertEquals(
          await statusOf(proxy, head(accept, chunked) + chunk),
          "413",
        );
        await assertAnswered(proxy, 10);
      }
    });

    await t.step(
      "an upload of more than a JSON body goes through",
      async () => {
        const answer = await fetch(
          `${proxy.base_url}/api/v1/data/files/products.csv`,
          {
            method: "PUT",
            headers: { Authorization: `Bearer ${ADMIN_KEY}` },
            body: `Date,Product\n${"2024-03-01,Red\n".repeat(10_000)}`,
          },
        );
        assertEquals(answer.status, 202, await answer.text());
      },
    );

    await t.step("metrics are not for clients", async () => {
      const answer = await fetch(`${proxy.base_url}/metrics`);
      await answer.body?.cancel();
      assertEquals(answer.status, 404);
      assertEquals(answer.headers.get("x-request-id"), null);
    });

    await t.step("connections without a whole request are cut", async () => {
      const cut = await Promise.all(
        [silent, half, half_body, idle].map(({ seconds }) => seconds),
      );
      assert(cut.every((seconds) => seconds < 45), cut.join(", "));
    });

    await t.step("events go on meanwhile", async () => {
      assert(performance.now() - began > 25_000);
      let text = "";
      while (!text.endsWith(": alive\n\n: alive\n\n")) {
        const { value, done } = await events.read();
        assert(!done, "the stream has ended");
        text += new TextDecoder().decode(value);
      }
    });
  });

  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    Deno.test(`${program.name} loses no GET when a Tally ends by ${signal}`, async () => {
      await using data = await manyCustomers();
      await using first = await startTally(data.path);
      await using second = await startTally(data.path);
      await using proxy = await program.start([hostOf(first), hostOf(second)]);
      let has_ended = false;
      const asking = Promise.all(Array.from({ length: 8 }, async () => {
        while (!has_ended) await assertAnswered(proxy, 20);
        await assertAnswered(proxy, 100);
      }));
      await pause(500);
      await first.stop(signal);
      has_ended = true;
      await asking;
    });
  }

  Deno.test(`${program.name} passes the true address on, and a 429 as it is`, async () => {
    const received: Headers[] = [];
    await using upstream = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      ({ headers, url }) => {
        if (url.endsWith("/readyz")) return new Response();
        received.push(headers);
        return Response.json({ error: "Too many requests." }, {
          status: 429,
          headers: { "Retry-After": "7", "RateLimit": '"burst";r=0;t=7' },
        });
      },
    );
    const address = `127.0.0.1:${upstream.addr.port}`;
    await using proxy = await program.start([address, address]);
    const answer = await fetch(proxy.base_url + ONE, {
      headers: { "X-Forwarded-For": "198.51.100.7, 203.0.113.9" },
    });
    assertEquals(answer.status, 429);
    assertEquals(answer.headers.get("retry-after"), "7");
    assertEquals(answer.headers.get("ratelimit"), '"burst";r=0;t=7');
    assertEquals(await answer.json(), { error: "Too many requests." });
    assertEquals(
      received.map((headers) => headers.get("x-forwarded-for")),
      ["127.0.0.1"],
    );
    assertEquals(received[0].get("host"), hostOf(proxy));
  });

  const ends_whole = program === caddy && await isOldCaddy();
  Deno.test({
    name: `${program.name} cuts a download that Tally cuts${
      ends_whole ? ": SKIPPED, since only Caddy 2.8 and later do" : ""
    }`,
    ignore: ends_whole,
    async fn() {
      await using upstream = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        ({ url }) =>
          url.endsWith("/readyz") ? new Response() : new Response(
            ReadableStream.from((async function* () {
              yield new Uint8Array(MB);
              await pause(200);
              throw new Error("cut");
            })()),
          ),
      );
      const address = `127.0.0.1:${upstream.addr.port}`;
      await using proxy = await program.start([address, address]);
      const answer = await fetch(proxy.base_url + DOWNLOAD);
      assertEquals(answer.status, 200);
      await assertRejects(() => answer.bytes());
    },
  });

  Deno.test(`${program.name} does without a Tally that is not there`, async () => {
    await using data = await manyCustomers();
    await using server = await startTally(data.path);
    await using proxy = await program.start([
      `127.0.0.1:${freePort()}`,
      hostOf(server),
    ]);
    await assertAnswered(proxy, 50);
  });
}

Deno.test("Caddy asks no Tally that is not ready", async () => {
  await using empty = await dataFolder();
  await using data = await manyCustomers();
  await using unready = await startServer({ DATA_DIR: empty.path });
  await using server = await startTally(data.path);
  await using proxy = await caddy.start([hostOf(unready), hostOf(server)]);
  // Its first look at /readyz is at the start.
  await pause(1_500);
  await assertAnswered(proxy, 50);
});
