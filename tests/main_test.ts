/** The process: it listens at once, loads, says what is wrong, and ends without leftovers. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { dataFolder, namesIn } from "./support/data_folder.ts";
import { logLines, logTexts } from "./support/log_lines.ts";
import { rawExchange } from "./support/raw_exchange.ts";
import {
  runToEnd,
  type Start,
  startServer,
  waitFor,
} from "./support/start_server.ts";

const DATA_DIR = new URL("../data", import.meta.url).pathname;

Deno.test("it serves the sample, and ends without leftovers", async () => {
  await using server = await startServer({ DATA_DIR });
  const ready = await waitFor(`${server.base_url}/readyz`, 200);
  const { notice } = await ready.json();
  assertStringIncludes(notice, "This is the sample that comes with Tally.");
  const about = await fetch(`${server.base_url}/api/v1/data`);
  assertEquals((await about.json()).data.notice, notice);
  const served = logLines(server.output.out).at(-1)!;
  assertMatch(served.text, /^Ready in \d+\.\d s, data version [0-9a-f]{16}$/);
  const { time, text: _, data_version: __, seconds: ___, ...fields } = served;
  assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(fields, {
    level: "info",
    event: "refresh_served",
    reasons: [],
    customers: 13,
    interactions: 31,
    files: 4,
    rows_read: 60,
    rows_set_aside: 5,
    notice,
    url: `${server.base_url}/`,
    example_url: `${server.base_url}/api/v1/interactions/1`,
  });
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
    error: "No data is loaded yet; /readyz has the reason.",
  });
  assertEquals(await server.stop("SIGINT"), 0);
  const [refused, ...further] = logLines(server.output.error);
  assertEquals(refused.event, "refresh_failed");
  assertEquals(refused.reasons, [text]);
  assertEquals(further, []);
  assertEquals(await namesIn(server.staging), []);
});

Deno.test("a DATA_DIR that is not there: up and not ready, without a stack, until it comes", async () => {
  await using parent = await dataFolder();
  const exports = `${parent.path}/exports`;
  await using server = await startServer({
    DATA_DIR: exports,
    REFRESH_SECONDS: "1",
  });
  const text =
    `DATA_DIR=${exports} does not exist. Set DATA_DIR to a folder with the exports that this process may read.`;
  while (!server.output.error.endsWith("\n")) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const answer = await fetch(`${server.base_url}/readyz`);
  assertEquals(answer.status, 503);
  assertEquals((await answer.json()).error, text);
  await Deno.mkdir(exports);
  for (const name of ["customers.csv", "external_interactions.csv"]) {
    await Deno.copyFile(`${DATA_DIR}/${name}`, `${exports}/${name}`);
  }
  const ready = await waitFor(`${server.base_url}/readyz`, 200);
  await ready.body?.cancel();
  const [refused, ...further] = logLines(server.output.error);
  assertEquals(refused.reasons, [text]);
  assertEquals("stack" in refused, false);
  assertEquals(further, []);
});

Deno.test("the start names what is nearly a setting, and shows what differs from its default", async () => {
  await using server = await startServer({
    DATA_DIR,
    CORS_ORIGIN: "*",
    TALLY_PORT: "tcp://10.0.0.1:8000",
    REFRESH_WEBHOOK_SECRET: "password",
  });
  assertEquals(await server.stop(), 0);
  assertEquals(
    logTexts(server.output.error),
    ["CORS_ORIGIN is not a setting; did you mean CORS_ORIGINS?"],
  );
  const [, settings] = logTexts(server.output.out);
  assertEquals(
    settings,
    `Settings: PORT=0, DRAIN_SECONDS=0, DATA_DIR=${DATA_DIR}, STAGING_DIR=${server.staging}, REFRESH_WEBHOOK_SECRET=set, QUERY_TIMEOUT_MS=20000`,
  );
});

Deno.test("ADMIN_PORT has the metrics, under any host and without a key", async () => {
  await using server = await startServer({
    DATA_DIR,
    ADMIN_PORT: "0",
    ADMIN_KEY_SHA256: "0".repeat(64),
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  const [, listening] = logLines(server.output.out);
  assertEquals(listening.event, "listening_admin");
  const [admin_url] = /http:\S+(?=\/metrics$)/.exec(listening.text)!;
  const other_host = (method: string) =>
    rawExchange(
      admin_url,
      new TextEncoder().encode(
        `${method} /metrics HTTP/1.1\r\nHost: prometheus.example\r\nConnection: close\r\n\r\n`,
      ),
    );
  const { statuses, text } = await other_host("GET");
  assertEquals(statuses, [200]);
  assertStringIncludes(text, "\ntally_data_interactions 31\n");
  assertStringIncludes(text, "\ntally_queue_length{");
  assertEquals((await other_host("HEAD")).statuses, [200]);
  for (const path of ["/healthz", "/readyz"]) {
    const answer = await fetch(new URL(path, admin_url));
    assertEquals(answer.status, 200);
    await answer.body?.cancel();
  }
  const elsewhere = await fetch(`${server.base_url}/metrics`);
  assertEquals(elsewhere.status, 404);
  await elsewhere.body?.cancel();
  assertEquals(await server.stop(), 0);
});

Deno.test("requests are logged, also the last ones before the end", async () => {
  await using server = await startServer({ DATA_DIR, LOG_REQUESTS: "all" });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  const asked = 300;
  for (let i = 0; i < asked; i++) {
    await (await fetch(`${server.base_url}/api/v1/interactions/4`)).text();
  }
  assertEquals(await server.stop(), 0);
  const routes = logLines(server.output.out)
    .filter(({ event }) => event === "request").map(({ route }) => route);
  const customer = "/api/v1/interactions/:customer_id";
  assertEquals(routes.filter((one) => one === customer).length, asked);
  assertEquals(server.output.error, "");
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
  await using folder = await dataFolder({
    "a file": "",
    "what?/x": "",
    "locked/x": "",
    "staging/x": "",
    "state/discarded.json/x": "",
  });
  const { path } = folder;
  await Deno.symlink("what?", `${path}/link`);
  const must = "must be a folder that this process may write";
  const denied = { deno_flags: [`--deny-write=${path}/locked`] };
  const table: [string, Record<string, string>, RegExp | string, Start?][] = [
    [
      "a setting",
      { MAX_SET_ASIDE: "2" },
      /^Wrong setting MAX_SET_ASIDE="2": must be a number from 0 to 1$/,
    ],
    [
      "a choice",
      { SERVE_FROM: "cache" },
      /^Wrong setting SERVE_FROM="cache": must be "index" or "query"$/,
    ],
    [
      "the port",
      { PORT: String(port) },
      /^Cannot listen on HOST=127\.0\.0\.1 PORT=\d+: .+ set PORT to another port; 0 takes a free one\.$/,
    ],
    [
      "ADMIN_PORT is taken",
      { ADMIN_PORT: String(port) },
      /^Cannot listen on HOST=127\.0\.0\.1 ADMIN_PORT=\d+: .+ set ADMIN_PORT to another port; 0 takes a free one\.$/,
    ],
    [
      "an address of another machine",
      { HOST: "192.0.2.1" },
      /^Cannot listen on HOST=192\.0\.2\.1 PORT=0: .*$/,
    ],
    [
      "no such host",
      { HOST: "no-such-host.invalid" },
      /^Cannot listen on HOST=no-such-host\.invalid PORT=0: .*$/,
    ],
    [
      "a webhook that is no URL, with a password in it",
      { REFRESH_WEBHOOK_URL: "user:password@example.com" },
      "Wrong setting REFRESH_WEBHOOK_URL: must be an http or https URL",
    ],
    [
      "STAGING_DIR is a file",
      { STAGING_DIR: `${path}/a file` },
      `Wrong setting STAGING_DIR="${path}/a file": ${must} (it is a file, or below one)`,
    ],
    [
      "STAGING_DIR is below a file",
      { STAGING_DIR: `${path}/a file/x` },
      `Wrong setting STAGING_DIR="${path}/a file/x": ${must} (it is a file, or below one)`,
    ],
    [
      "STAGING_DIR cannot be made",
      { STAGING_DIR: `${path}/${"x".repeat(300)}` },
      /^Wrong setting STAGING_DIR=".*\/x+": must be a folder that this process may write \(File name too long.*$/,
    ],
    [
      "STAGING_DIR may not be written",
      { STAGING_DIR: `${path}/locked` },
      `Wrong setting STAGING_DIR="${path}/locked": ${must} (permission denied)`,
      denied,
    ],
    [
      "STAGING_DIR leads to a question mark",
      { STAGING_DIR: `${path}/link` },
      `Wrong setting STAGING_DIR="${path}/link": must not lead to a folder with a ? in its path: ${path}/what?`,
    ],
    [
      "no STAGING_DIR, and no temporary folder",
      { STAGING_DIR: "", TMPDIR: `${path}/nowhere` },
      /^Wrong setting STAGING_DIR, which is not set: must be a folder that this process may write \(.*$/,
    ],
    [
      "STATE_DIR is a file",
      { STATE_DIR: `${path}/a file` },
      `Wrong setting STATE_DIR="${path}/a file": ${must} (it is a file, or below one)`,
    ],
    [
      "STATE_DIR may not be written",
      { STATE_DIR: `${path}/locked` },
      `Wrong setting STATE_DIR="${path}/locked": ${must} (permission denied)`,
      denied,
    ],
    [
      "what STATE_DIR remembers cannot be read",
      { STATE_DIR: `${path}/state` },
      /^Wrong setting STATE_DIR=".*\/state": must be a folder that this process may write \(.*$/,
    ],
  ];
  for (const [name, settings, error, start] of table) {
    await t.step(name, async () => {
      const ended = await runToEnd(
        { STAGING_DIR: `${path}/staging`, ...settings },
        start,
      );
      assertEquals(ended.code, 1);
      assertEquals(ended.out, "");
      const [line, ...further] = logLines(ended.error);
      assertEquals(line.event, "start_failed");
      if (typeof error === "string") assertEquals(line.text, error);
      else assertMatch(line.text, error);
      assertEquals("stack" in line, false);
      assertEquals(further, []);
      assertEquals(await namesIn(`${path}/staging`), ["x"]);
      assertEquals(await namesIn(`${path}/what?`), ["x"]);
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
      logTexts(server.output.error),
      ["REFRESH_WEBHOOK_URL: the process ends before 1 report was delivered."],
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
