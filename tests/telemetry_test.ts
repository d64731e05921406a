/** The OpenTelemetry of Deno, as a collector receives it: routes, and nothing of customers or secrets. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dataFolder } from "./support/data_folder.ts";
import { keyFile } from "./support/keys.ts";
import { startServer, waitFor } from "./support/start_server.ts";

const DATA_DIR = new URL("../data", import.meta.url).pathname;
const SECRET = "a-part-of-the-path-that-is-secret";

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
}

/** A collector that takes OTLP as JSON, and a service with a webhook. */
function collector() {
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
  };
  const hidden = [keys.reader, SECRET, "471147", "a secret word"];

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
        "/api/v1/interactions/471147",
        "/api/v1/interactions/471147/timeline?topic=a%20secret%20word",
        "/api/v1/interactions?customer_id=471147",
        `/api/v1/interactions/4?key=${keys.reader}`,
        `/471147/${SECRET}`,
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
    using closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = closed.addr;
    closed.close();
    const before = named("POST").length;
    await using server = await startServer({
      ...settings,
      REFRESH_WEBHOOK_URL: `http://127.0.0.1:${port}/${SECRET}`,
    });
    await until(() => named("POST").length > before);
    await server.stop();
  });

  const all = received.texts.join("\n");
  assertStringIncludes(all, "Ready in ");
  for (const text of hidden) assert(!all.includes(text), text);
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
