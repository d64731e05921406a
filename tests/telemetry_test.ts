/** The OpenTelemetry of Deno, as a collector receives it: routes, and nothing of customers or secrets. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { dataFolder } from "./support/data_folder.ts";
import { freePort } from "./support/free_port.ts";
import { keyFile } from "./support/keys.ts";
import { logLines } from "./support/log_lines.ts";
import { runToEnd, startServer, waitFor } from "./support/start_server.ts";

const DATA_DIR = new URL("../data", import.meta.url).pathname;
/** Docker kills a process that has not ended by then. */
const DOCKER_MS = 10_000;
const SECRET = "a-part-of-the-path-that-is-secret";
/** So long that no number of what is measured has the same digits. */
const CUSTOMER_ID = "4711471147114711";

/** What comes before Docker kills the process, or in `limit_ms`. */
async function inTime<T>(
  ended: Promise<T>,
  { limit_ms = DOCKER_MS } = {},
): Promise<T> {
  const timer = Promise.withResolvers<never>();
  const late = setTimeout(() => timer.reject(new Error("late")), limit_ms);
  return await Promise.race([ended, timer.promise])
    .finally(() => clearTimeout(late));
}

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
}

/** A collector that takes OTLP as JSON, and a service with a webhook; both answer after `answer_ms`. */
function collector({ answer_ms = 0 } = {}) {
  const texts: string[] = [];
  const spans: Span[] = [];
  const hooks: string[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    const { pathname } = new URL(request.url);
    const text = await request.text();
    await delay(answer_ms);
    if (!pathname.startsWith("/v1/")) {
      hooks.push(pathname);
      return new Response();
    }
    texts.push(text);
    if (pathname === "/v1/traces") {
      for (const { scopeSpans } of JSON.parse(text).resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
    }
    return Response.json({});
  });
  return {
    texts,
    spans,
    hooks,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const attribute = ({ attributes }: Span, name: string) =>
  attributes.filter(({ key }) => key === name)
    .map(({ value }) => value.stringValue);

Deno.test("spans have the route, and nothing that names a customer or is a secret", async (t) => {
  await using received = collector();
  const { file, keys } = keyFile({ reader: { scopes: ["admin"] } });
  await using folder = await dataFolder({ "keys.json": JSON.stringify(file) });
  const settings = {
    DATA_DIR,
    API_KEYS_FILE: `${folder.path}/keys.json`,
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: received.url,
    OTEL_BSP_SCHEDULE_DELAY: "100",
    OTEL_METRIC_EXPORT_INTERVAL: "500",
    OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
  };
  const hidden = [keys.reader, SECRET, CUSTOMER_ID, "a secret word"];

  async function until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 400 && !condition(); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(condition(), received.spans.map(({ name }) => name).join("\n"));
  }
  const named = (name: string) =>
    received.spans.filter((span) => span.name === name);

  await t.step("requests, and a webhook that is taken", async () => {
    await using server = await startServer({
      ...settings,
      REFRESH_WEBHOOK_URL: `${received.url}/${SECRET}`,
    });
    await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
    const headers = { Authorization: `Bearer ${keys.reader}` };
    for (
      const path of [
        `/api/v1/interactions/${CUSTOMER_ID}`,
        `/api/v1/interactions/${CUSTOMER_ID}/timeline?topic=a%20secret%20word`,
        `/api/v1/interactions?customer_id=${CUSTOMER_ID}`,
        `/api/v1/interactions/4?key=${keys.reader}`,
        `/${CUSTOMER_ID}/${SECRET}`,
      ]
    ) {
      const answer = await fetch(`${server.base_url}${path}`, { headers });
      await answer.body?.cancel();
    }
    await until(() =>
      named("GET /api/v1/interactions").length > 0 &&
      named("GET /api/v1/interactions/:customer_id").length === 2 &&
      named("GET").length > 0 && named("POST").length > 0 &&
      received.hooks.length > 0
    );
    const [span] = named("GET /api/v1/interactions/:customer_id");
    assertEquals(attribute(span, "http.route"), [
      "/api/v1/interactions/:customer_id",
    ]);
    assertEquals(attribute(span, "http.response.status_code"), ["404"]);
    // A path that is no endpoint has no route.
    assertEquals(attribute(named("GET")[0], "http.route"), []);
    await until(() =>
      received.texts.some((text) =>
        text.includes("http.server.request.duration") &&
        text.includes("/api/v1/interactions/:customer_id")
      )
    );
    assertEquals(server.output.error, "");
    assertEquals(await server.stop(), 0);
  });

  await t.step("a webhook that cannot be reached", async () => {
    const before = named("POST").length;
    await using server = await startServer({
      ...settings,
      REFRESH_WEBHOOK_URL: `http://127.0.0.1:${freePort()}/${SECRET}`,
    });
    await until(() => named("POST").length > before);
    await server.stop();
  });

  const all = received.texts.join("\n");
  assertStringIncludes(all, "Ready in ");
  for (const text of hidden) assert(!all.includes(text), text);
});

Deno.test("a collector that takes connections and never answers: the process ends all the same", async (t) => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const taking = (async () => {
    for await (const one of silent) taken.push(one);
  })();
  const { env } = /ENV .*OTEL_EXPORTER_OTLP_TIMEOUT=(?<env>\d+)/.exec(
    await Deno.readTextFile(new URL("../Dockerfile", import.meta.url)),
  )!.groups!;
  const settings = {
    DATA_DIR,
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${silent.addr.port}`,
    // With Deno's own, an end is three times as long.
    OTEL_EXPORTER_OTLP_TIMEOUT: env,
  };
  await t.step("SIGTERM, with a connection open", async () => {
    await using server = await startServer(settings);
    await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
    const { hostname, port } = new URL(server.base_url);
    using client = await Deno.connect({ hostname, port: Number(port) });
    assertEquals(await inTime(server.stop()), 0);
    assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
    assertStringIncludes(server.output.out, '"event":"stopped"');
    assert(taken.length > 0);
  });
  await t.step("a start that fails when it listens", async () => {
    // Its own start, which a busy machine makes slow, is none of its end.
    const { code, out, error } = await inTime(
      runToEnd({ ...settings, STATE_DIR: "/dev/null" }),
      { limit_ms: 120_000 },
    );
    const ended_ms = Date.now();
    assertEquals(code, 1, out);
    const { text, time } = logLines(error)
      .find(({ event }) => event === "start_failed")!;
    assert(ended_ms - Date.parse(time) < DOCKER_MS, "late");
    assertStringIncludes(text, "STATE_DIR");
  });
  silent.close();
  await taking.catch(() => {});
  for (const one of taken) one.close();
});

Deno.test("metrics that are due while the last spans are sent: the process ends all the same", async () => {
  await using received = collector({ answer_ms: 50 });
  await using server = await startServer({
    DATA_DIR,
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: received.url,
    OTEL_METRIC_EXPORT_INTERVAL: "20",
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  assertEquals(await inTime(server.stop()), 0);
  const all = received.texts.join("\n");
  assertStringIncludes(all, "Stopped after", "the last entry is sent");
});

Deno.test("without OTEL_DENO nothing is loaded or sent", async () => {
  await using received = collector();
  await using server = await startServer({
    DATA_DIR,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: received.url,
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  assertEquals(await server.stop(), 0);
  assertEquals(received.texts, []);
});
