/** The webhook: what is sent, how it is signed, in which order, and how often it is tried. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHmac } from "node:crypto";
import type { Refresh } from "../../db/model/report.ts";
import { createWebhook, type WebhookOptions } from "../../operator/webhook.ts";
import { freePort } from "../support/free_port.ts";

const FAILED: Refresh = {
  sequence: 7,
  started_at: "2024-05-01T10:00:00.000Z",
  ended_at: "2024-05-01T10:00:01.000Z",
  state: "failed",
  reasons: ["customers.csv: a quote that is never closed."],
  report: null,
  changes: null,
};
const BODY =
  '{"sequence":7,"state":"failed","started_at":"2024-05-01T10:00:00.000Z","ended_at":"2024-05-01T10:00:01.000Z","reasons":["customers.csv: a quote that is never closed."],"data_version":null,"customers":null,"interactions":null,"rows_set_aside":null}';

/** A service that answers with each of `statuses` in turn, then with 500; 0 lets the client wait. */
function receiver(...statuses: number[]) {
  const received: { body: string; signature: string | null }[] = [];
  const waiting = Promise.withResolvers<void>();
  const at_once = { now: 0, most: 0 };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    at_once.most = Math.max(at_once.most, ++at_once.now);
    received.push({
      body: await request.text(),
      signature: request.headers.get("X-Tally-Signature"),
    });
    const status = statuses.shift() ?? 500;
    if (status === 0) await waiting.promise;
    else await new Promise((resolve) => setTimeout(resolve, 5));
    at_once.now--;
    return new Response(null, {
      status: status || 200,
      headers: status === 302 ? { Location: "/elsewhere" } : {},
    });
  });
  return {
    received,
    at_once,
    /** The `sequence` of each report received, in the order they came. */
    get sequences() {
      return received.map(({ body }) => JSON.parse(body).sequence);
    },
    url: `http://127.0.0.1:${server.addr.port}/hook`,
    async [Symbol.asyncDispose]() {
      waiting.resolve();
      await server.shutdown();
    },
  };
}

/** A webhook with short waits, closed at the end of its block. */
function opened(options: Partial<WebhookOptions> & { readonly url: string }) {
  const logged: string[] = [];
  const webhook = createWebhook({
    secret: undefined,
    log: ({ text }) => void logged.push(text),
    timeout_ms: 10_000,
    waits_ms: [1, 1],
    ...options,
  });
  return {
    ...webhook,
    logged,
    send: (sequence = 7) => webhook.send({ ...FAILED, sequence }),
    [Symbol.asyncDispose]: () => webhook.close(),
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    assert(waited < 10_000, "waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const rest = () => new Promise((resolve) => setTimeout(resolve, 50));

Deno.test("a report is sent once, signed with the secret", async () => {
  await using service = receiver(204);
  await using webhook = opened({ url: service.url, secret: "key" });
  webhook.send();
  await until(() => service.received.length > 0);
  await rest();
  const hmac = createHmac("sha256", "key").update(BODY).digest("hex");
  assertEquals(service.received, [{ body: BODY, signature: `sha256=${hmac}` }]);
  assertEquals(webhook.logged, []);
});

Deno.test("without a secret there is no signature", async () => {
  await using service = receiver(200);
  await using webhook = opened({ url: service.url });
  webhook.send();
  await until(() => service.received.length > 0);
  assertEquals(service.received[0].signature, null);
});

Deno.test("what is not taken is sent again, three times in all", async (t) => {
  const table: [string, number[], number, RegExp | null][] = [
    ["taken at the third try", [500, 503, 200], 3, null],
    ["never taken", [500, 500, 500, 200], 3, /tried 3 times: it answered 500$/],
    ["a redirect is not followed", [302, 302, 302], 3, /it answered 302$/],
    ["no answer in time", [0, 0, 0], 3, /due to timeout$/],
  ];
  for (const [name, statuses, tries, log] of table) {
    await t.step(name, async () => {
      await using service = receiver(...statuses);
      await using webhook = opened({
        url: service.url,
        ...statuses.includes(0) && { timeout_ms: 200 },
      });
      webhook.send();
      await until(() =>
        log ? webhook.logged.length > 0 : service.received.length === tries
      );
      await rest();
      assertEquals(service.received.length, tries);
      assertEquals(webhook.logged.length, log ? 1 : 0);
      if (log) assertMatch(webhook.logged[0], log);
    });
  }
});

Deno.test("reports are sent in order, one at a time", async () => {
  await using service = receiver(...Array(20).fill(200));
  await using webhook = opened({ url: service.url });
  for (let sequence = 1; sequence <= 20; sequence++) webhook.send(sequence);
  await until(() => service.received.length === 20);
  assertEquals(
    service.sequences,
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  assertEquals(service.at_once.most, 1);
  assertEquals(webhook.logged, []);
});

Deno.test("a retry is dropped when a newer report waits, and the log says so once", async (t) => {
  await t.step("one that waits for its next try", async () => {
    await using service = receiver(500, 200);
    await using webhook = opened({
      url: service.url,
      waits_ms: [60_000, 60_000],
    });
    webhook.send(1);
    await until(() => service.received.length === 1);
    await rest();
    webhook.send(2);
    await until(() => service.received.length === 2);
    await rest();
    assertEquals(service.sequences, [1, 2]);
    assertEquals(webhook.logged, [
      "REFRESH_WEBHOOK_URL did not take report 1: it answered 500. It is not tried again, since a newer report waits.",
    ]);
  });

  await t.step("one that is being tried", async () => {
    await using service = receiver(0, 500, 200);
    await using webhook = opened({ url: service.url, timeout_ms: 2_000 });
    webhook.send(1);
    await until(() => service.received.length === 1);
    webhook.send(2);
    await until(() => service.received.length === 3);
    await rest();
    assertEquals(service.sequences, [1, 2, 2]);
    assertEquals(webhook.logged.length, 1);
    assertMatch(webhook.logged[0], /report 1: .+ a newer report waits\.$/);
  });
});

Deno.test("of more reports than may wait, the oldest are dropped", async () => {
  await using service = receiver(0);
  await using webhook = opened({ url: service.url, timeout_ms: 60_000 });
  webhook.send(0);
  await until(() => service.received.length === 1);
  for (let sequence = 1; sequence <= 52; sequence++) webhook.send(sequence);
  assertEquals(
    webhook.logged,
    [1, 2].map((sequence) =>
      `REFRESH_WEBHOOK_URL does not get report ${sequence}: 50 newer ones wait.`
    ),
  );
});

Deno.test("the log has the cause of a request that failed, and not the URL", async (t) => {
  const url = `http://127.0.0.1:${freePort()}/hook`;
  const table: [string, string, RegExp][] = [
    ["nobody listens", url, /tried 3 times: .*connection refused/i],
    [
      "no such host",
      "http://no-such-host.invalid/secret-path",
      /tried 3 times: dns error: .+/,
    ],
    [
      "credentials",
      url.replace("//", "//user:secret-word@"),
      /tried 3 times: .*connection refused/i,
    ],
    [
      "a port that fetch refuses",
      "http://user:secret-word@127.0.0.1:1/secret-path",
      /tried 3 times: .*port 1 /,
    ],
  ];
  for (const [name, url, text] of table) {
    await t.step(name, async () => {
      await using webhook = opened({ url, timeout_ms: 10_000 });
      webhook.send();
      await until(() => webhook.logged.length > 0);
      assertMatch(webhook.logged[0], text);
      assert(!webhook.logged[0].includes("secret"), webhook.logged[0]);
      assert(!webhook.logged[0].includes("\n"), webhook.logged[0]);
    });
  }
});

Deno.test("closing ends what is under way, and says what was not sent", async (t) => {
  const table: [string, number[], Partial<WebhookOptions>][] = [
    ["a request", [0], { timeout_ms: 60_000 }],
    ["the wait for the next try", [500], { waits_ms: [60_000] }],
  ];
  for (const [name, statuses, options] of table) {
    await t.step(name, async () => {
      await using service = receiver(...statuses);
      const webhook = opened({ url: service.url, ...options });
      webhook.send(1);
      await until(() => service.received.length === 1);
      await rest();
      const began = performance.now();
      await webhook.close();
      assert(performance.now() - began < 1_000);
      webhook.send(2);
      await rest();
      assertEquals(service.sequences, [1]);
      assertEquals(webhook.logged, [
        "REFRESH_WEBHOOK_URL: the process ends before 1 report was delivered.",
      ]);
    });
  }
  await t.step("nothing to send: without a word", async () => {
    await using service = receiver(200);
    const webhook = opened({ url: service.url });
    // What the service has sent, the webhook may not have yet.
    const answered = Promise.withResolvers<void>();
    const { fetch } = globalThis;
    globalThis.fetch = (...args) =>
      fetch(...args).finally(() => answered.resolve());
    webhook.send();
    globalThis.fetch = fetch;
    await answered.promise;
    await rest();
    await webhook.close();
    assertEquals(webhook.logged, []);
  });
});
