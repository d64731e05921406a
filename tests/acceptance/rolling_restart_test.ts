/** Servers that share DATA_DIR and STATE_DIR are replaced one after the other under load: no request is lost, and one of them keeps the data. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { dataFolder, keptIn, namesIn } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { logLines, logTexts } from "../support/log_lines.ts";
import { startProxy } from "../support/ready_proxy.ts";
import {
  noticeOf,
  type RunningServer,
  runToEnd,
  startServer,
  waitFor,
} from "../support/start_server.ts";
import { until } from "../support/until.ts";
import { exportsOf } from "../support/watched_store.ts";

const CLIENTS = 8;
const PATHS = [
  "/api/v1/interactions/1",
  "/api/v1/interactions/1?start_date=2020-01-01",
  "/api/v1/metrics/interactions?by=month",
  "/api/v1/interactions?format=csv",
  "/healthz",
];

Deno.test("a rolling restart under load loses no request, and hands the last good data on", async () => {
  await using folder = await dataFolder(exportsOf(1_000));
  await using state = await dataFolder();
  const start = () =>
    startServer({
      DATA_DIR: folder.path,
      STATE_DIR: state.path,
      REFRESH_SECONDS: "1",
      HOLD: "off",
      DRAIN_SECONDS: "5",
      ADMIN_KEY_SHA256,
    });
  await using proxy = startProxy();
  await using first = await start();
  await noticeOf(first);
  await until(async () => (await keptIn(state.path)).length === 1);
  await using second = await start();
  assertMatch(await noticeOf(second), /locked by another process/);
  for (const { base_url } of [first, second]) proxy.add(base_url);
  await waitFor(`${proxy.base_url}/readyz`, 200).then((answer) =>
    answer.body?.cancel()
  );

  const over = new AbortController();
  const wrong: string[] = [];
  let answered = 0;
  const load = Promise.all(Array.from({ length: CLIENTS }, async (_, i) => {
    for (let turn = i; !over.signal.aborted; turn++) {
      const path = PATHS[turn % PATHS.length];
      const answer = await fetch(`${proxy.base_url}${path}`);
      const text = await answer.text();
      if (answer.status === 200 && text.length > 0) answered++;
      // On a busy machine, a server that serves on refuses downloads.
      else if (!text.includes("Ask again in a moment")) {
        wrong.push(`${path}: ${answer.status} ${text}`);
      }
    }
  }));

  /** Starts a server in the place of another. */
  const replace = async (old: RunningServer) => {
    const server = await start();
    await noticeOf(server);
    proxy.add(server.base_url);
    await until(() =>
      fetch(`${server.base_url}/readyz`).then(async (one) => {
        await one.body?.cancel();
        return one.ok;
      })
    );
    assertEquals(await old.stop(), 0);
    proxy.remove(old.base_url);
    assertEquals(logLines(old.output.out).at(-1)!.cut_off, {});
    return server;
  };
  await using third = await replace(first);
  await using fourth = await replace(second);
  over.abort();
  await load;
  assertEquals([...proxy.lost, ...wrong], []);
  assert(answered > 1_000, `only ${answered} answers`);

  // One of the new ones has taken over, and keeps what comes next.
  const owners = async () => {
    const notices = await Promise.all([third, fourth].map(noticeOf));
    return notices.filter((one) => !one.includes("locked")).length;
  };
  await until(async () => await owners() === 1);
  await folder.write(exportsOf(1_001));
  await until(async () => (await keptIn(state.path)).length === 2);
  await delay(1_500);
  assertEquals((await keptIn(state.path)).length, 2);

  const is_third = !(await noticeOf(third)).includes("locked");
  const [owner, other] = is_third ? [third, fourth] : [fourth, third];
  const served = async ({ base_url }: RunningServer) =>
    (await (await fetch(`${base_url}/readyz`)).json()).data_version;
  const rollback = async (server: RunningServer) =>
    await fetch(`${server.base_url}/api/v1/data/rollback`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${ADMIN_KEY}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ data_version: await served(server) }),
    });
  const refused = await rollback(other);
  assertEquals(refused.status, 409);
  const { error } = await refused.json();
  assert(error.includes(`${state.path}/lock`), error);
  const before = await served(owner);
  const done = await rollback(owner);
  assertEquals(done.status, 200);
  await done.body?.cancel();
  assert(await served(owner) !== before);
  await until(async () => await served(other) === await served(owner));
});

Deno.test("killed, its lock is free: the other takes over and keeps", async () => {
  await using folder = await dataFolder(exportsOf(10));
  await using state = await dataFolder();
  const settings = {
    DATA_DIR: folder.path,
    STATE_DIR: state.path,
    REFRESH_SECONDS: "1",
    HOLD: "off",
  };
  await using first = await startServer(settings);
  await noticeOf(first);
  await using second = await startServer(settings);
  assertMatch(await noticeOf(second), /locked by another process/);
  await first.stop("SIGKILL");
  await until(async () => await noticeOf(second) === "");
  await folder.write(exportsOf(11));
  await until(async () => (await keptIn(state.path)).length === 2);
  assertEquals(await second.stop(), 0);
  assertEquals(
    logLines(second.output.error).map(({ event }) => event),
    ["state_dir_shared"],
  );
});

Deno.test("several on one DATA_DIR, each with a STATE_DIR of its own: all keep", async () => {
  await using folder = await dataFolder(exportsOf(10));
  await using state = await dataFolder();
  const servers = await Promise.all(["a", "b", "c"].map((name) =>
    startServer({
      DATA_DIR: folder.path,
      STATE_DIR: `${state.path}/${name}`,
      REFRESH_SECONDS: "1",
      ADMIN_KEY_SHA256,
      HOLD: "off",
    })
  ));
  try {
    for (const server of servers) assertEquals(await noticeOf(server), "");
    const sent = await fetch(
      `${servers[0].base_url}/api/v1/data/files/interactions.csv`,
      {
        method: "PUT",
        headers: { Authorization: `Bearer ${ADMIN_KEY}` },
        body: exportsOf(11)["interactions.csv"] as string,
      },
    );
    assertEquals(sent.status, 202);
    await sent.body?.cancel();
    for (const name of ["a", "b", "c"]) {
      await until(async () =>
        (await keptIn(`${state.path}/${name}`)).length === 2
      );
    }
    assertEquals(await namesIn(folder.path), Object.keys(exportsOf(1)).sort());
  } finally {
    await Promise.all(servers.map((one) => one[Symbol.asyncDispose]()));
  }
});

const can_trace = await new Deno.Command("strace", { args: ["-V"] })
  .output().then(({ success }) => success, () => false);

/** Starts the server so that a file, or every one, seems to be on a file system without locks. */
function withoutLocks(path?: string) {
  return {
    under: [
      // -D: signals go to the server.
      ..."strace -D -f -qq -o /dev/null -e trace=flock".split(" "),
      ...path === undefined ? [] : ["-P", path],
      ...["-e", "inject=flock:error=ENOLCK"],
    ],
  };
}

Deno.test({
  name: can_trace
    ? "file systems without locks"
    : "SKIPPED, since strace is missing: file systems without locks",
  ignore: !can_trace,
  async fn(t) {
    await using folder = await dataFolder(exportsOf(10));
    await using state = await dataFolder();
    const settings = { DATA_DIR: folder.path, STATE_DIR: state.path };
    await t.step(
      "STATE_DIR: it keeps, and says that it must be alone",
      async () => {
        await using server = await startServer(
          settings,
          withoutLocks(`${state.path}/lock`),
        );
        assertEquals(
          await noticeOf(server),
          `STATE_DIR="${state.path}" is on a file system without locks: let no other process use it.`,
        );
        await until(async () => (await keptIn(state.path)).length === 1);
      },
    );
    await t.step("STAGING_DIR: it does not start, and says why", async () => {
      const STAGING_DIR = state.path;
      const { code, error } = await runToEnd(
        { DATA_DIR: folder.path, STAGING_DIR },
        withoutLocks(),
      );
      assertEquals(code, 1);
      assertEquals(
        logTexts(error),
        [`Wrong setting STAGING_DIR="${STAGING_DIR}": must be on a file system that can lock files, such as a local disk`],
      );
    });
  },
});
