/** The webhook: what is sent, how it is signed, and how often it is tried. */

import { assertEquals, assertMatch } from "@std/assert";
import { createHmac } from "node:crypto";
import type { Refresh } from "../../db/model/report.ts";
import { createWebhook } from "../../operator/webhook.ts";

const FAILED: Refresh = {
  sequence: 1,
  started_at: "2024-05-01T10:00:00.000Z",
  ended_at: "2024-05-01T10:00:01.000Z",
  state: "failed",
  reasons: ["customers.csv: a quote that is never closed."],
  report: null,
  changes: null,
};
const BODY =
  '{"state":"failed","started_at":"2024-05-01T10:00:00.000Z","ended_at":"2024-05-01T10:00:01.000Z","reasons":["customers.csv: a quote that is never closed."],"data_version":null,"customers":null,"interactions":null,"rows_set_aside":null}';

/** A service that answers with each of `statuses` in turn; 0 lets the client wait. */
function receiver(...statuses: number[]) {
  const received: { body: string; signature: string | null }[] = [];
  const waiting = Promise.withResolvers<void>();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    received.push({
      body: await request.text(),
      signature: request.headers.get("X-Tally-Signature"),
    });
    const status = statuses.shift() ?? 500;
    if (status === 0) await waiting.promise;
    return new Response(null, {
      status: status || 200,
      headers: status === 302 ? { Location: "/elsewhere" } : {},
    });
  });
  return {
    received,
    url: `http://127.0.0.1:${server.addr.port}/hook`,
    async [Symbol.asyncDispose]() {
      waiting.resolve();
      await server.shutdown();
    },
  };
}

async function sendTo(url: string, secret?: string) {
  const logged: string[] = [];
  await createWebhook({
    url,
    secret,
    log: (text) => void logged.push(text),
    timeout_ms: 200,
    waits_ms: [1, 1],
  })(FAILED);
  return logged;
}

Deno.test("a report is sent once, signed with the secret", async () => {
  await using service = receiver(204);
  assertEquals(await sendTo(service.url, "key"), []);
  const hmac = createHmac("sha256", "key").update(BODY).digest("hex");
  assertEquals(service.received, [{ body: BODY, signature: `sha256=${hmac}` }]);
});

Deno.test("without a secret there is no signature", async () => {
  await using service = receiver(200);
  await sendTo(service.url);
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
      const logged = await sendTo(service.url);
      assertEquals(service.received.length, tries);
      assertEquals(logged.length, log ? 1 : 0);
      if (log) assertMatch(logged[0], log);
    });
  }
});

Deno.test("nobody there is logged and not thrown", async () => {
  const { url } = await (async () => {
    await using service = receiver();
    return service;
  })();
  assertMatch((await sendTo(url))[0], /^REFRESH_WEBHOOK_URL did not take/);
});
