/** SIGTERM and SIGINT to the real process: what is still answered, what is cut off, what is left. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { dataFolder, keptIn, namesIn } from "./support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "./support/keys.ts";
import { logLines } from "./support/log_lines.ts";
import {
  beginDownload,
  CUSTOMERS,
  largeExports,
} from "./support/large_download.ts";
import {
  type RunningServer,
  startServer,
  waitFor,
} from "./support/start_server.ts";
import { utf8 } from "./support/text_bytes.ts";
import { until } from "./support/until.ts";
import { exportsOf } from "./support/watched_store.ts";

const DATA_DIR = new URL("../data", import.meta.url).pathname;
const EXPORTS = exportsOf(5);
/** All of it must be over before Docker kills the process. */
const DOCKER_MS = 10_000;

async function ready({ base_url }: RunningServer): Promise<void> {
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
}

async function statusOf(url: string): Promise<number> {
  const answer = await fetch(url);
  await answer.body?.cancel();
  return answer.status;
}

/** Begins to send a file; nothing more is sent until `end`. */
function beginUpload(
  { base_url }: RunningServer,
  { name, text }: { readonly name: string; readonly text: string },
) {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const half = text.length >> 1;
  const answer = fetch(`${base_url}/api/v1/data/files/${name}`, {
    method: "PUT",
    headers: { Authorization: `Bearer ${ADMIN_KEY}` },
    body: new ReadableStream({
      start(one) {
        controller = one;
        controller.enqueue(utf8(text.slice(0, half)));
      },
    }),
  }).then(async (answer) => ({
    status: answer.status,
    text: await answer.text(),
  }));
  return {
    answer,
    end() {
      controller.enqueue(utf8(text.slice(half)));
      controller.close();
    },
  };
}

/** What the last entry of a process that has ended says of work that was cut off. */
function cutOff({ output }: RunningServer): unknown {
  const last = logLines(output.out + output.error)
    .sort((a, b) => Date.parse(a.time) - Date.parse(b.time)).at(-1)!;
  assertEquals(last.event, "stopped", output.error);
  return last.cut_off;
}

Deno.test("SIGTERM: /readyz is 503 at once, all else is answered while it drains", async () => {
  await using server = await startServer({
    DATA_DIR,
    DRAIN_SECONDS: "3600",
    LOG_REQUESTS: "all",
  });
  const { base_url, output } = server;
  await ready(server);
  const events = await fetch(`${base_url}/api/v1/data/events`);
  const heard = events.text();
  Deno.kill(server.pid, "SIGTERM");
  await (await waitFor(`${base_url}/readyz`, 503)).body?.cancel();
  const told = await fetch(`${base_url}/readyz`);
  assertEquals(told.status, 503);
  assertEquals(told.headers.get("Retry-After"), "1");
  assertEquals(await told.json(), {
    error: "Not ready: the process is stopping.",
  });
  for (
    const path of [
      "/healthz",
      "/",
      "/api/v1/interactions/4",
      "/api/v1/metrics/interactions?by=month",
      "/api/v1/interactions?format=csv",
    ]
  ) assertEquals(await statusOf(`${base_url}${path}`), 200, path);
  assertEquals(await server.stop("SIGINT"), 0);
  // Clean: the client's stream ends, and its connection is not broken.
  assertMatch(await heard, /^event: version\n/);
  const lines = logLines(output.out);
  const draining = lines.find(({ event }) => event === "draining")!;
  const stopped = lines.at(-1)!;
  assert(lines.some(({ route }) => route === "/readyz"));
  assertEquals(
    draining.text,
    "SIGTERM: requests are answered for 3600 s more (DRAIN_SECONDS), and /readyz is 503.",
  );
  assertMatch(stopped.text, /^Stopped after \d+(\.\d)? s\.$/);
  assertEquals(output.error, "");
  assertEquals(await namesIn(server.staging), []);
});

Deno.test("a drain ends by itself", async () => {
  await using server = await startServer({ DATA_DIR, DRAIN_SECONDS: "1" });
  await ready(server);
  assertEquals(await server.stop(), 0);
  const [{ event }, { seconds }] = logLines(server.output.out).slice(-2);
  assertEquals(event, "draining");
  assert(Number(seconds) >= 1);
});

Deno.test("what every socket answers when the end comes is sent to its end", async () => {
  await using temp = await dataFolder();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "-P=start",
      new URL("support/two_sockets.ts", import.meta.url).pathname,
    ],
    env: { DATA_DIR, STAGING_DIR: temp.path },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let out = "";
  const reading = (async () => {
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      out += text;
    }
  })();
  await until(() => out.includes("\n"));
  const answers = out.trim().split(" ").map(async (port) =>
    await (await fetch(`http://127.0.0.1:${port}/`)).text()
  );
  await until(() => out.split("asked").length === 3);
  child.kill("SIGTERM");
  assertEquals(await Promise.all(answers), ["whole", "whole"]);
  assertEquals((await child.status).code, 0);
  await reading;
});

Deno.test("SIGINT does not wait, also where SIGTERM is draining, or nothing is served", async (t) => {
  for (
    const [name, signals, settings] of [
      ["SIGINT", ["SIGINT"], { DATA_DIR }],
      ["SIGINT after SIGTERM", ["SIGTERM", "SIGINT"], { DATA_DIR }],
      ["SIGTERM without data", ["SIGTERM"], { DATA_DIR: "/nowhere" }],
    ] as const
  ) {
    await t.step(name, async () => {
      await using server = await startServer({
        ...settings,
        DRAIN_SECONDS: "3600",
      });
      await waitFor(
        `${server.base_url}/readyz`,
        settings.DATA_DIR === DATA_DIR ? 200 : 503,
      ).then((answer) => answer.body?.cancel());
      for (const signal of signals.slice(0, -1)) {
        Deno.kill(server.pid, signal);
        await until(() => server.output.out.includes("(DRAIN_SECONDS)"));
      }
      const began = performance.now();
      assertEquals(await server.stop(signals.at(-1)), 0);
      assert(performance.now() - began < DOCKER_MS);
      assertEquals(await namesIn(server.staging), []);
    });
  }
});

Deno.test("downloads: one that ends in time is whole, another is cut off and counted", async (t) => {
  await using folder = await dataFolder(largeExports());
  for (
    const [name, read_bytes, cut] of [
      // What is left must be made, sent and read in the time for what runs.
      ["read on", 10_000_000, {}],
      ["not read", 1, { download: 1 }],
    ] as const
  ) {
    await t.step(name, async () => {
      await using server = await startServer({
        DATA_DIR: folder.path,
        LOG_REQUESTS: "all",
      });
      await ready(server);
      const download = await beginDownload(server.base_url, { read_bytes });
      const began = performance.now();
      const began_at = Date.now();
      const ended = server.stop();
      const read = name === "read on";
      if (read) assertEquals(await download.rest(), CUSTOMERS);
      assertEquals(await ended, 0);
      assert(performance.now() - began < DOCKER_MS);
      if (read) {
        const { time } = logLines(server.output.out)
          .find(({ route }) => route === "/api/v1/interactions")!;
        assert(Date.parse(time) > began_at, "it was sent before the end began");
      } else assertEquals(await download.rest(), "cut");
      assertEquals(cutOff(server), cut);
      assertEquals(await namesIn(server.staging), []);
    });
  }

  await t.step("a second SIGINT ends at once", async () => {
    await using server = await startServer({ DATA_DIR: folder.path });
    await ready(server);
    const download = await beginDownload(server.base_url);
    const ended = server.stop("SIGINT");
    await until(() =>
      statusOf(`${server.base_url}/healthz`).then(() => false, () => true)
    );
    Deno.kill(server.pid, "SIGINT");
    assertEquals(await ended, 0);
    assertEquals(await download.rest(), "cut");
    assertEquals(cutOff(server), { download: 1 });
    assertEquals(await namesIn(server.staging), []);
  });
});

Deno.test("uploads: one that ends in time is stored, another leaves nothing behind", async (t) => {
  const more = EXPORTS["interactions.csv"] + "02/02/2020,Email,1\n";
  for (
    const [name, sent, status, stored, cut] of [
      ["sent to its end", true, 202, more, {}],
      [
        "never ends",
        false,
        503,
        EXPORTS["interactions.csv"],
        { upload: 1 },
      ],
    ] as const
  ) {
    await t.step(name, async () => {
      await using folder = await dataFolder(EXPORTS);
      await using server = await startServer({
        DATA_DIR: folder.path,
        ADMIN_KEY_SHA256,
      });
      await ready(server);
      const upload = beginUpload(server, {
        name: "interactions.csv",
        text: more,
      });
      await until(async () =>
        (await namesIn(folder.path)).some((one) => one.endsWith(".part"))
      );
      const ended = server.stop();
      // Whoever asks meanwhile is sent elsewhere.
      await until(() =>
        statusOf(`${server.base_url}/healthz`).then((one) => one === 503)
      );
      if (sent) upload.end();
      const answer = await upload.answer;
      assertEquals(answer.status, status, answer.text);
      if (!sent) {
        assertEquals(JSON.parse(answer.text), {
          error: "The process stops; nothing was kept. Send the file again.",
        });
      }
      assertEquals(await ended, 0);
      assertEquals(cutOff(server), cut);
      assertEquals(await namesIn(folder.path), Object.keys(EXPORTS).sort());
      assertEquals(
        await Deno.readTextFile(`${folder.path}/interactions.csv`),
        stored,
      );
      assertEquals(await namesIn(server.staging), []);
    });
  }
});

Deno.test("a load ends with its process: the first one, and a refresh", async (t) => {
  await using folder = await dataFolder(exportsOf(400_000));
  await t.step("the first one", async () => {
    for (const wait_ms of [0, 100, 200, 400, 800]) {
      await using server = await startServer({ DATA_DIR: folder.path });
      await delay(wait_ms);
      assertEquals(await server.stop(), 0);
      assertEquals(server.output.error, "");
      assertEquals(await namesIn(server.staging), []);
    }
  });
  await t.step("a refresh", async () => {
    await using state = await dataFolder();
    await using server = await startServer({
      DATA_DIR: folder.path,
      STATE_DIR: state.path,
      REFRESH_SECONDS: "1",
    });
    await ready(server);
    await folder.write(exportsOf(400_001));
    const copies = async () =>
      (await namesIn(`${server.staging}/${(await namesIn(server.staging))[0]}`))
        .filter((name) => name.startsWith("exports-"));
    await until(async () => (await copies()).length > 0);
    assertEquals(await server.stop(), 0);
    assertEquals(server.output.error, "");
    assertEquals(await namesIn(server.staging), []);
    const kept = await keptIn(state.path);
    assertEquals(kept.filter((name) => name.startsWith(".")), []);
  });
});

Deno.test("a process ends while it hashes a large file", async () => {
  await using folder = await dataFolder({
    "customers.csv": EXPORTS["customers.csv"],
    "interactions.csv": "",
    "interactions.csv.sha256": "0".repeat(64),
    // What is read of it takes no room, and more time than a stop has.
    "watch.js": `
      const { read } = Deno.FsFile.prototype;
      let reads = 0;
      Deno.FsFile.prototype.read = function (buffer) {
        if (++reads === 1_000) console.log('{"event":"hashing"}');
        return read.call(this, buffer);
      };
    `,
  });
  await Deno.truncate(`${folder.path}/interactions.csv`, 2 ** 36);
  await using server = await startServer({ DATA_DIR: folder.path }, {
    deno_flags: [`--preload=${folder.path}/watch.js`],
  });
  await until(() => server.output.out.includes("hashing"));
  assertEquals(await server.stop(), 0);
  assertEquals(server.output.error, "");
  assertEquals(await namesIn(server.staging), []);
});

Deno.test("an error that nothing caught is logged with its stack, a warning of the runtime without, and the server goes on", async () => {
  await using faults = await dataFolder({
    "faults.js": `
      Deno.addSignalListener("SIGUSR1", () => {
        setTimeout(() => { throw new Error("thrown in a timer"); });
        setTimeout(() => void Promise.reject(new Error("rejected")), 20);
        setTimeout(() => void Promise.reject("no error at all"), 40);
        setTimeout(() => setTimeout(() => {}, -5), 60);
      });
    `,
  });
  await using server = await startServer({ DATA_DIR }, {
    deno_flags: [`--preload=${faults.path}/faults.js`],
  });
  const { output } = server;
  await ready(server);
  Deno.kill(server.pid, "SIGUSR1");
  await until(() => output.error.includes("runtime_warning"));
  const logged = logLines(output.error);
  assertEquals(logged.map(({ event, text }) => [event, text]), [
    ["uncaught_error", "Nothing caught an error: thrown in a timer"],
    ["uncaught_error", "Nothing caught an error: rejected"],
    ["uncaught_error", "Nothing caught an error: no error at all"],
    [
      "runtime_warning",
      "TimeoutNegativeWarning: -5 is a negative number. Timeout duration was set to 1.",
    ],
  ]);
  assertMatch(String(logged[0].stack), /thrown in a timer\n +at /);
  assertEquals(await statusOf(`${server.base_url}/api/v1/interactions/4`), 200);
  assertEquals(await server.stop(), 0);
  await assertRejects(() => statusOf(`${server.base_url}/healthz`));
});
