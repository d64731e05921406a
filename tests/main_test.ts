/** The process: it listens at once, loads, says what is wrong, and ends without leftovers. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { dataFolder, namesIn } from "./support/data_folder.ts";
import { runToEnd, startServer, waitFor } from "./support/start_server.ts";

const DATA_DIR = new URL("../data", import.meta.url).pathname;

Deno.test("it serves the sample, and ends without leftovers", async () => {
  await using server = await startServer({ DATA_DIR });
  const ready = await waitFor(`${server.base_url}/readyz`, 200);
  await ready.body?.cancel();
  assertMatch(
    server.output.out,
    /Ready in \d+\.\d s, data version [0-9a-f]{16}/,
  );
  for (
    const line of [
      "customers     13, 1 of them only in interactions",
      "interactions  31",
      "channels      Bird, Boat, Call, Email, Post",
      "topics        Lemon, Orange, Sand",
      "set aside     1 of 10 rows of products_of_discussion.csv, most often date: no such day or time",
      `Try ${server.base_url}/api/v1/interactions/1`,
    ]
  ) assertStringIncludes(server.output.out, line);
  // No terminal, no progress line.
  assertEquals(server.output.error, "");

  const url = `${server.base_url}/api/v1/interactions/4`;
  const body =
    '{"data":{"customer_id":4,"interactions":{"Bird":1,"Boat":0,"Call":1,"Email":0,"Post":0}}}';
  assertEquals(await (await fetch(url)).text(), body);
  const head = await fetch(url, { method: "HEAD" });
  assertEquals(head.headers.get("Content-Length"), String(body.length));
  assertEquals(await head.text(), "");
  // The client takes gzip: a page view is not worth it, a list is.
  const list = await fetch(`${server.base_url}/api/v1/interactions`);
  assertMatch(list.headers.get("ETag")!, /\.gz"$/);
  assertEquals((await list.json()).data.length, 13);
  assertEquals(server.output.error, "");

  assertEquals((await namesIn(server.staging)).length, 1);
  assertEquals(await server.stop(), 0);
  assertEquals(await namesIn(server.staging), []);
});

Deno.test("it stays up with data it refuses, and says what to do", async () => {
  await using folder = await dataFolder({
    "customers.csv": "Customer_Id\n1\n",
    "interactions.csv": 'Date Start,Interaction,Customers\n1/1/2020,"Bird,1\n',
  });
  await using server = await startServer({ DATA_DIR: folder.path });
  const health = await waitFor(`${server.base_url}/healthz`, 200);
  await health.body?.cancel();
  const text =
    "interactions.csv, line 2: a quote that is never closed. Export the file again, whole and with every quote closed.";
  let error = "";
  while (!error.includes("line 2")) {
    const answer = await fetch(`${server.base_url}/readyz`);
    assertEquals(answer.status, 503);
    assertEquals(answer.headers.get("Retry-After"), "1");
    error = (await answer.json()).error;
  }
  assertEquals(error, text);
  const api = await fetch(`${server.base_url}/api/v1/interactions/1`);
  assertEquals(api.status, 503);
  assertEquals(await api.json(), {
    error: "No data is loaded yet; /readyz tells why.",
  });
  assertEquals(await server.stop("SIGINT"), 0);
  assertEquals(server.output.error, `Not ready. ${text}\n`);
  assertEquals(await namesIn(server.staging), []);
});

Deno.test("it can be stopped in the middle of a load", async () => {
  const rows = "05/03/2020 11:23,Bird,1\n".repeat(400_000);
  await using folder = await dataFolder({
    "customers.csv": "Customer_Id\n1\n",
    "interactions.csv": `Date Start,Interaction,Customers\n${rows}`,
  });
  await using server = await startServer({ DATA_DIR: folder.path });
  for (let error = ""; error !== "Not ready: the data is being loaded.";) {
    const answer = await fetch(`${server.base_url}/readyz`);
    assertEquals(answer.status, 503);
    ({ error } = await answer.json());
  }
  assertEquals(await server.stop(), 0);
  assertEquals(server.output.error, "");
});

Deno.test("what keeps it from starting is one line", async (t) => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const table: [string, Record<string, string>, RegExp][] = [
    [
      "a setting",
      { MAX_SET_ASIDE: "2" },
      /^Wrong setting MAX_SET_ASIDE="2": must be a number from 0 to 1\n$/,
    ],
    [
      "a choice",
      { SERVE_FROM: "cache" },
      /^Wrong setting SERVE_FROM="cache": must be "index" or "query"\n$/,
    ],
    [
      "the port",
      { PORT: String(port) },
      /^Cannot listen on HOST=127\.0\.0\.1 PORT=\d+: .*\n$/,
    ],
  ];
  for (const [name, settings, error] of table) {
    await t.step(name, async () => {
      const ended = await runToEnd(settings);
      assertEquals(ended.code, 1);
      assertEquals(ended.out, "");
      assertMatch(ended.error, error);
    });
  }
});

Deno.test("reports of refreshes rise over a restart, and one under way does not delay the end", async () => {
  const received: { sequence: number; state: string }[] = [];
  const never = Promise.withResolvers<Response>();
  await using receiver = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    received.push(await request.json());
    return await never.promise;
  });
  const REFRESH_WEBHOOK_URL = `http://127.0.0.1:${receiver.addr.port}/hook`;
  for (const reports of [1, 2]) {
    await using server = await startServer({ DATA_DIR, REFRESH_WEBHOOK_URL });
    for (let i = 0; i < 400 && received.length < reports; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const began = performance.now();
    assertEquals(await server.stop(), 0);
    assert(performance.now() - began < 3_000);
    assertEquals(
      server.output.error,
      "REFRESH_WEBHOOK_URL: the process ends before 1 report was delivered.\n",
    );
  }
  never.resolve(new Response());
  assertEquals(received.map(({ state }) => state), ["serving", "serving"]);
  assert(received[0].sequence < received[1].sequence);
});

const can_limit = await new Deno.Command("prlimit", { args: ["--version"] })
  .output().then(({ success }) => success, () => false);

Deno.test({
  name: "it outlives more connections than it may have open files",
  ignore: !can_limit,
  async fn() {
    await using server = await startServer({ DATA_DIR }, {
      under: ["prlimit", "--nofile=120"],
    });
    const ready = await waitFor(`${server.base_url}/readyz`, 200);
    await ready.body?.cancel();
    const { hostname, port } = new URL(server.base_url);
    const opened: Deno.TcpConn[] = [];
    try {
      while (!server.output.error.includes("Listening again")) {
        if (opened.length === 500) throw new Error("it took them all");
        const one = await Deno.connect({ hostname, port: Number(port) })
          .catch(() => null);
        if (one) opened.push(one);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } finally {
      for (const one of opened) one.close();
    }
    let status = 0;
    for (let i = 0; i < 100 && status !== 200; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const answer = await fetch(`${server.base_url}/readyz`).catch(() => null);
      status = answer?.status ?? 0;
      await answer?.body?.cancel();
    }
    assertEquals(status, 200);
    assertEquals(await server.stop(), 0);
  },
});
