/** Servers over one ClickHouse, as real processes: a loader and a follower, decisions at either, and a ClickHouse that is gone, slow and back. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ClickhouseServer } from "../../db/clickhouse/server.ts";
import { StoreError } from "../../db/model/problems.ts";
import { tableStatements } from "../../db/clickhouse/schema.ts";
import { readSql } from "../../db/read_sql.ts";
import {
  dataFolder,
  type Files,
  namesIn,
} from "../../tests/support/data_folder.ts";
import { freePort } from "../../tests/support/free_port.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../../tests/support/keys.ts";
import {
  noticeOf,
  type RunningServer,
  runToEnd,
  startServer,
  waitFor,
} from "../../tests/support/start_server.ts";
import { logLines } from "../../tests/support/log_lines.ts";
import { until } from "../../tests/support/until.ts";
import { emailsOf, exportsOf } from "../../tests/support/watched_store.ts";
import { type ClickHouse, startClickHouse } from "./start_clickhouse.ts";

const LOAD = new URL("../../load.ts", import.meta.url).pathname;
const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
);
const WRONG = "not the password";
let databases = 0;

/** The texts of the lines that a process has logged. */
function textOf(output: string): string {
  return logLines(output).map(({ text }) => text).join("\n");
}

async function readyText({ base_url }: RunningServer): Promise<string> {
  return await (await fetch(`${base_url}/readyz`)).text();
}

/** The settings of servers over a ClickHouse, in a database of their own. */
function settingsOf(clickhouse: ClickHouse): Record<string, string> {
  return {
    STORE: "clickhouse",
    CLICKHOUSE_URL: clickhouse.url,
    CLICKHOUSE_USER: clickhouse.user,
    CLICKHOUSE_PASSWORD: clickhouse.password,
    CLICKHOUSE_DATABASE: `servers_${++databases}`,
    ADMIN_KEY_SHA256,
    REFRESH_SECONDS: "1",
    SETTLE_SECONDS: "1",
    HOLD: "on",
    CACHE_BYTES: "0",
  };
}

async function send(
  { base_url }: RunningServer,
  { method, path, body }: {
    readonly method: string;
    readonly path: string;
    readonly body?: string | Record<string, unknown>;
  },
): Promise<{ status: number; json: Record<string, never> }> {
  const answer = await fetch(`${base_url}/api/v1/data/${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${ADMIN_KEY}`,
      ...typeof body === "object" && { "Content-Type": "application/json" },
    },
    body: typeof body === "object" ? JSON.stringify(body) : body,
  });
  return { status: answer.status, json: await answer.json() };
}

async function dataOf(
  { base_url }: RunningServer,
): Promise<
  { data_version: string | null; held: { data_version: string } | null }
> {
  const answer = await fetch(`${base_url}/api/v1/data`, {
    headers: { Authorization: `Bearer ${ADMIN_KEY}` },
  });
  const { data, meta } = await answer.json();
  return {
    data_version: meta.data_version,
    held: data.held && { data_version: data.held.report.data_version },
  };
}

Deno.test("a loader and a follower: what is loaded, held, decided and delivered", async (t) => {
  await using clickhouse = await startClickHouse();
  await using folder = await dataFolder(exportsOf(500));
  const settings = settingsOf(clickhouse);
  await using follower = await startServer({ ...settings, ROLE: "follower" });
  await t.step(
    "a follower without a loader says what it waits for",
    async () => {
      await until(async () =>
        (await readyText(follower)).includes("has no data yet. Start a loader")
      );
    },
  );
  await using loader = await startServer({
    ...settings,
    ROLE: "loader",
    DATA_DIR: folder.path,
  });
  const both = [loader, follower];
  const serve = (count: number) =>
    until(async () =>
      (await Promise.all(both.map(emailsOf))).every((found) => found === count)
    );

  await t.step("both serve what is loaded", async () => {
    for (const server of both) {
      await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
    }
    await serve(500);
  });
  await t.step(
    "an upload goes to the loader, and the follower follows",
    async () => {
      const file = exportsOf(600)["interactions.csv"] as string;
      const upload = {
        method: "PUT",
        path: "files/interactions.csv",
        body: file,
      };
      const refused = await send(follower, upload);
      assertEquals(refused.status, 409);
      assertMatch(String(refused.json.error), /Send the request to the loader/);
      assertEquals((await send(loader, upload)).status, 202);
      await serve(600);
    },
  );
  await t.step(
    "what is held is shown and accepted at the follower",
    async () => {
      await writeInto(folder.path, exportsOf(100));
      await until(async () => (await dataOf(follower)).held !== null);
      const { held } = await dataOf(follower);
      assertEquals((await dataOf(loader)).held, held);
      const wrong = await send(follower, {
        method: "POST",
        path: "accept",
        body: { data_version: "0".repeat(16) },
      });
      assertEquals(wrong.status, 409);
      assertMatch(String(wrong.json.error), /Held is data version/);
      const { status } = await send(follower, {
        method: "POST",
        path: "accept",
        body: held!,
      });
      assertEquals(status, 200);
      assertEquals(await emailsOf(follower), 100);
      await serve(100);
      assertEquals((await dataOf(follower)).held, null);
    },
  );
  await t.step("a rollback at the follower", async () => {
    const { data_version } = await dataOf(follower);
    const { status } = await send(follower, {
      method: "POST",
      path: "rollback",
      body: { data_version: data_version! },
    });
    assertEquals(status, 200);
    await serve(600);
  });
  await t.step(
    "a second loader is refused while the first one is heard of",
    async () => {
      const { code, error } = await runToEnd({
        ...settings,
        ROLE: "loader",
        DATA_DIR: folder.path,
      });
      assertEquals(code, 1);
      assertMatch(
        textOf(error),
        /ROLE="loader": another loader \(.*process \d+\)/,
      );
    },
  );
  await t.step(
    "a loader that starts again serves at once what it has loaded",
    async () => {
      const { data_version } = await dataOf(loader);
      await loader.stop();
      await using again = await startServer({
        ...settings,
        ROLE: "loader",
        DATA_DIR: folder.path,
      });
      await (await waitFor(`${again.base_url}/readyz`, 200)).body?.cancel();
      assertEquals((await dataOf(again)).data_version, data_version);
    },
  );
});

Deno.test("ClickHouse gone, slow and back: 503 and 504, said in /readyz, no restart", async (t) => {
  await using disk = await dataFolder();
  await using folder = await dataFolder(exportsOf(5));
  const port = freePort();
  const first = await startClickHouse({ path: disk.path, port });
  const settings = {
    ...settingsOf(first),
    ROLE: "loader",
    DATA_DIR: folder.path,
    QUERY_TIMEOUT_MS: "1000",
  };
  await using server = await startServer(settings);
  const { base_url } = server;
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
  const ask = async (path: string) => {
    const answer = await fetch(`${base_url}/api/v1/${path}`);
    return {
      status: answer.status,
      retry: answer.headers.get("Retry-After"),
      text: await answer.text(),
    };
  };
  const paths = ["interactions/1", "metrics/interactions?by=month"];

  await t.step("slow: 504 in time, and answers when it goes on", async () => {
    Deno.kill(first.child.pid, "SIGSTOP");
    for (const path of paths) {
      const { status, text } = await ask(path);
      assertEquals(status, 504, text);
    }
    Deno.kill(first.child.pid, "SIGCONT");
    for (const path of paths) {
      await until(async () => (await ask(path)).status === 200);
    }
  });
  await t.step("gone: 503 with Retry-After", async () => {
    await first.child.kill();
    for (const path of paths) {
      const { status, retry, text } = await ask(path);
      assertEquals(status, 503, text);
      assert(Number(retry) > 0);
      assertMatch(text, /ClickHouse does not answer \(CLICKHOUSE_URL\)/);
    }
    await until(async () =>
      (await noticeOf(server)).includes("ClickHouse does not answer")
    );
  });
  await t.step("back: the same process answers", async () => {
    await using _back = await startClickHouse({ path: disk.path, port });
    for (const path of paths) {
      await until(async () => (await ask(path)).status === 200);
    }
    // What it could not keep before the end, it keeps half a minute later.
    await until(async () => await noticeOf(server) === "", { seconds: 120 });
    assertEquals(await emailsOf(server), 5);
    await server.stop();
  });
  await first[Symbol.asyncDispose]();
});

Deno.test("a server that starts before ClickHouse waits for it", async () => {
  await using disk = await dataFolder();
  await using folder = await dataFolder(exportsOf(5));
  const port = freePort();
  const first = await startClickHouse({ path: disk.path, port });
  const settings = settingsOf(first);
  await first.child.kill();
  for (const ROLE of ["loader", "follower"]) {
    await using server = await startServer({
      ...settings,
      ROLE,
      DATA_DIR: folder.path,
    });
    await until(async () =>
      (await readyText(server)).includes("ClickHouse does not answer")
    );
    await using _now = await startClickHouse({ path: disk.path, port });
    await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
    assertEquals(await emailsOf(server), 5);
    await server.stop();
  }
  await first[Symbol.asyncDispose]();
});

Deno.test("a connection that is cut in the middle of an answer is an error, never a short answer", async () => {
  await using clickhouse = await startClickHouse();
  const { url, user, password } = clickhouse;
  const server = new ClickhouseServer({ url, user, password });
  let rows = 0;
  const error = await assertRejects(async () => {
    const sql = "select number from system.numbers limit 1000000000";
    for await (const batch of server.query({ sql })) {
      rows += batch.length;
      if (rows > 100_000) await clickhouse.child.kill();
    }
  }, StoreError);
  assertEquals(error.kind, "busy");
  assert(rows > 100_000);
});

Deno.test("a wrong password is said with the names of the settings", async () => {
  await using clickhouse = await startClickHouse();
  const { code, error } = await runToEnd({
    ...settingsOf(clickhouse),
    ROLE: "loader",
    CLICKHOUSE_PASSWORD: WRONG,
  });
  assertEquals(code, 1);
  assertMatch(
    textOf(error),
    /CLICKHOUSE_USER="tally": .*CLICKHOUSE_PASSWORD/,
  );
  assert(!error.includes(WRONG), error);
});

/** The names of loaders that have not let go of their lease. */
async function loadersOf(
  { CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD, CLICKHOUSE_DATABASE }:
    Readonly<Record<string, string>>,
): Promise<unknown[]> {
  const server = new ClickhouseServer({
    url: CLICKHOUSE_URL,
    user: CLICKHOUSE_USER,
    password: CLICKHOUSE_PASSWORD,
  });
  return await server.rows({
    sql: `select name from ${CLICKHOUSE_DATABASE}.loaders
group by holder, name having not argMax(ended, at)`,
  });
}

Deno.test("a loader that ends because of an error leaves no lease and no working files", async (t) => {
  await using clickhouse = await startClickHouse();
  await using folder = await dataFolder(exportsOf(5));
  const load = async (settings: Readonly<Record<string, string>>) => {
    const [, ...args] = tasks.load.command.split(" ").slice(0, -1);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, LOAD, folder.path],
      env: { NO_COLOR: "1", ...settings },
    }).output();
    return { code, error: new TextDecoder().decode(stderr) };
  };
  await t.step("deno task load, whose version is not kept", async () => {
    await using staging = await dataFolder();
    const { CLICKHOUSE_DATABASE, ...rest } = settingsOf(clickhouse);
    const settings = {
      ...rest,
      CLICKHOUSE_DATABASE,
      STAGING_DIR: staging.path,
    };
    const { url, user, password } = clickhouse;
    const server = new ClickhouseServer({ url, user, password });
    // A journal that takes no version.
    await server.run({ sql: `create database ${CLICKHOUSE_DATABASE}` });
    for (
      const statement of tableStatements(
        await readSql("clickhouse/journal_tables"),
        { place: { database: CLICKHOUSE_DATABASE, cluster: null } },
      )
    ) await server.run({ sql: statement });
    await server.run({
      sql:
        `alter table ${CLICKHOUSE_DATABASE}.journal add constraint none check event <> 'published'`,
    });
    const { code, error } = await load(settings);
    assertEquals(code, 1);
    assertMatch(
      error,
      /^Not served\. CLICKHOUSE_DATABASE does not keep the data that is served: /m,
    );
    assertEquals(await loadersOf(settings), []);
    assertEquals(await namesIn(staging.path), []);
  });
  for (
    const [name, run] of [
      ["deno task load", load],
      ["the server", runToEnd],
    ] as const
  ) {
    await t.step(`${name}, whose STAGING_DIR is no folder`, async () => {
      const STAGING_DIR = `${folder.path}/customers.csv`;
      const settings = {
        ...settingsOf(clickhouse),
        ROLE: "loader",
        STAGING_DIR,
      };
      const { code, error } = await run(settings);
      assertEquals(code, 1);
      assertMatch(error, /Wrong setting STAGING_DIR=/);
      assertEquals(await loadersOf(settings), []);
    });
  }
});

async function writeInto(folder: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}.new`, text as string);
    await Deno.rename(`${folder}/${name}.new`, `${folder}/${name}`);
  }
}
