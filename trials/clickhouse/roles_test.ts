/** The users of deploy/clickhouse/users.xml: Tally works with them, and they can do nothing else. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../../tests/support/keys.ts";
import { dataFolder } from "../../tests/support/data_folder.ts";
import { startServer, waitFor } from "../../tests/support/start_server.ts";
import { until } from "../../tests/support/until.ts";
import { emailsOf, exportsOf } from "../../tests/support/watched_store.ts";
import { startClickHouse } from "./start_clickhouse.ts";

const USERS =
  new URL("../../deploy/clickhouse/users.xml", import.meta.url).pathname;
const LOAD = new URL("../../load.ts", import.meta.url).pathname;
const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
);

/** The variables in which ClickHouse has the passwords of users. */
const PASSWORDS = {
  tally_load: "CLICKHOUSE_LOAD_PASSWORD",
  tally_follow: "CLICKHOUSE_FOLLOW_PASSWORD",
  tally_read: "CLICKHOUSE_READ_PASSWORD",
} as const;
type User = keyof typeof PASSWORDS;
const env = Object.fromEntries(
  Object.values(PASSWORDS).map((name) => [name, crypto.randomUUID()]),
);
const passwordOf = (user: User) => env[PASSWORDS[user]];

const clickhouse = await startClickHouse({ users: USERS, env });
addEventListener("unload", () => clickhouse.child.kill());
const { url } = clickhouse;

/** The settings of a Tally that asks as `user`; the rights are those of databases called so. */
function settingsOf(user: User): Record<string, string> {
  return {
    STORE: "clickhouse",
    CLICKHOUSE_URL: url,
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: passwordOf(user),
    CLICKHOUSE_DATABASE: "tally",
    REFRESH_SECONDS: "1",
    ADMIN_KEY_SHA256,
  };
}

/** What ClickHouse says to a statement of `user`. */
async function ask(
  user: User,
  { sql, params = {}, signal }: {
    readonly sql: string;
    readonly params?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  },
): Promise<string> {
  const answer = await fetch(`${url}/?${new URLSearchParams(params)}`, {
    method: "POST",
    headers: {
      "X-ClickHouse-User": user,
      "X-ClickHouse-Key": passwordOf(user),
    },
    body: sql,
    signal,
  });
  return (await answer.text()).trim();
}

/** The database of the version that was loaded last. */
async function latestVersion(): Promise<string> {
  return await ask("tally_read", {
    sql: "select max(name) from system.databases where name like 'tally\\_%'",
  });
}

async function decide(base_url: string): Promise<number> {
  const { data } = await (await fetch(`${base_url}/api/v1/data`, {
    headers: { Authorization: `Bearer ${ADMIN_KEY}` },
  })).json();
  const answer = await fetch(`${base_url}/api/v1/data/accept`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${ADMIN_KEY}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ data_version: data.held.report.data_version }),
  });
  await answer.body?.cancel();
  return answer.status;
}

async function isHeld(base_url: string): Promise<boolean> {
  const answer = await fetch(`${base_url}/api/v1/data`, {
    headers: { Authorization: `Bearer ${ADMIN_KEY}` },
  });
  return (await answer.json()).data.held !== null;
}

Deno.test("Tally loads, follows and decides with the rights of its users", async (t) => {
  await using folder = await dataFolder(exportsOf(500));
  await t.step("deno task load as tally_load", async () => {
    const [, ...args] = tasks.load.command.split(" ").slice(0, -1);
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [...args, LOAD, folder.path],
        env: { NO_COLOR: "1", ...settingsOf("tally_load") },
      },
    ).output();
    assert(success, new TextDecoder().decode(stderr));
    assertMatch(
      new TextDecoder().decode(stdout),
      /Served by every follower of CLICKHOUSE_DATABASE="tally"/,
    );
  });
  await using loader = await startServer({
    ...settingsOf("tally_load"),
    ROLE: "loader",
    DATA_DIR: folder.path,
    SETTLE_SECONDS: "1",
    HOLD: "on",
  });
  await using follower = await startServer(settingsOf("tally_follow"));
  await using reader = await startServer(settingsOf("tally_read"));
  const all = [loader, follower, reader];
  const serve = (count: number) =>
    until(async () =>
      (await Promise.all(all.map(emailsOf))).every((found) => found === count)
    );
  for (const { base_url } of all) {
    await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
  }
  await t.step("each answers every kind of question", async () => {
    await serve(500);
    for (const { base_url } of all) {
      for (
        const path of [
          "interactions/1?start_date=2000-01-01&topic=null",
          "interactions?sort=-total&limit=5",
          "interactions?format=csv",
          "metrics/interactions?by=month&pivot=channel",
          "metrics/interactions?by=occupation",
          "metrics/customers?by=month",
          "customers?limit=5",
          "customers/1",
        ]
      ) {
        const answer = await fetch(`${base_url}/api/v1/${path}`);
        await answer.body?.cancel();
        assertEquals(answer.status, 200, path);
      }
    }
  });
  await t.step("a version is followed, and the third one dropped", async () => {
    for (const count of [510, 520, 530]) {
      await folder.write(exportsOf(count));
      await serve(count);
    }
  });
  await t.step("what is held is accepted at a follower", async () => {
    await folder.write(exportsOf(100));
    await until(() => isHeld(follower.base_url));
    assertEquals(await decide(follower.base_url), 200);
    await serve(100);
  });
  await t.step("tally_read cannot decide: it may not add a row", async () => {
    await folder.write(exportsOf(20));
    await until(() => isHeld(reader.base_url));
    assertEquals(await decide(reader.base_url), 503);
    // Who reads the journal may know it before who wrote it says so.
    await until(() => isHeld(loader.base_url));
    assertEquals(await emailsOf(loader), 100);
  });
});

Deno.test("users who read change nothing, and see nothing else", async (t) => {
  const version = await latestVersion();
  assertMatch(version, /^tally_\d{8}_/);
  const refused: readonly [string, RegExp][] = [
    [
      `insert into ${version}.products values ('2020-01-01', 'x')`,
      /READONLY|ACCESS_DENIED/,
    ],
    [
      "insert into tally.journal (sequence) values (9999)",
      /READONLY|ACCESS_DENIED/,
    ],
    [
      "insert into tally.loaders (holder) values ('x')",
      /READONLY|ACCESS_DENIED/,
    ],
    [`drop table ${version}.customers`, /ACCESS_DENIED/],
    [`drop database ${version}`, /ACCESS_DENIED/],
    [`truncate table ${version}.customers`, /ACCESS_DENIED/],
    [`alter table ${version}.customers delete where true`, /ACCESS_DENIED/],
    [`alter table ${version}.customers drop column name`, /ACCESS_DENIED/],
    [`rename table ${version}.names to ${version}.n`, /ACCESS_DENIED/],
    ["create database tally_x", /ACCESS_DENIED/],
    ["create temporary table x (a Int8)", /ACCESS_DENIED/],
    [`create table ${version}.x (a Int8) engine = Memory`, /ACCESS_DENIED/],
    ["create user x", /ACCESS_DENIED|READONLY/],
    ["system drop mark cache", /ACCESS_DENIED/],
    ["select * from system.parts", /ACCESS_DENIED/],
    ["select * from system.users", /ACCESS_DENIED/],
    ["select * from url('http://127.0.0.1:1/', LineAsString)", /ACCESS_DENIED/],
    ["select * from file('x', LineAsString)", /ACCESS_DENIED/],
    ["select * from remote('127.0.0.1:1', tally.journal)", /ACCESS_DENIED/],
    ["select * from executable('ls', TSV, 'a String')", /ACCESS_DENIED/],
    ["kill query where user = 'tally_load' sync", /^$/],
  ];
  const before = await ask("tally_read", {
    sql: `select count(), sum(total) from ${version}.customers`,
  });
  for (const user of ["tally_read", "tally_follow"] as const) {
    for (const [sql, problem] of refused) {
      await t.step(`${user}: ${sql.replace(version, "VERSION")}`, async () => {
        assertMatch(await ask(user, { sql }), problem);
      });
    }
  }
  assertEquals(
    await ask("tally_read", {
      sql: `select count(), sum(total) from ${version}.customers`,
    }),
    before,
  );
  await t.step("tally_follow may add a decision, tally_read not", async () => {
    const sql = "insert into tally.decisions (id) values ('x')";
    assertMatch(await ask("tally_read", { sql }), /ACCESS_DENIED/);
    assertEquals(await ask("tally_follow", { sql }), "");
  });
});

Deno.test("the limits of a question hold, and can be made narrower only", async (t) => {
  const limits = {
    max_execution_time: "1000",
    max_memory_usage: "100000000000",
    max_result_rows: "0",
    max_rows_to_read: "0",
    max_concurrent_queries_for_user: "0",
    max_memory_usage_for_user: "100000000000",
  };
  for (const user of ["tally_read", "tally_follow"] as const) {
    for (const [name, value] of Object.entries(limits)) {
      await t.step(`${user}: ${name}=${value}`, async () => {
        assertMatch(
          await ask(user, { sql: "select 1", params: { [name]: value } }),
          /SETTING_CONSTRAINT_VIOLATION/,
        );
      });
    }
    const slow =
      "select count() from numbers(1000) where sleepEachRow(0.1) = 0";
    await t.step(`${user}: less time, memory and rows`, async () => {
      const narrower: readonly [Record<string, string>, string, RegExp][] = [
        [
          { max_execution_time: "1", max_block_size: "1" },
          slow,
          /TIMEOUT_EXCEEDED/,
        ],
        [
          { max_memory_usage: "20000000" },
          "select groupArray(number) from numbers(10000000) group by number % 3",
          /MEMORY_LIMIT_EXCEEDED/,
        ],
        [
          { max_result_rows: "10" },
          "select number from numbers(1000)",
          /TOO_MANY_ROWS_OR_BYTES/,
        ],
      ];
      for (const [params, sql, problem] of narrower) {
        assertMatch(await ask(user, { sql, params }), problem);
      }
    });
  }
  await t.step(
    "a question that reads only ends with its connection",
    async () => {
      const query_id = crypto.randomUUID();
      const closing = new AbortController();
      const asked = ask("tally_read", {
        sql: "select count() from numbers(1000) where sleepEachRow(0.1) = 0",
        params: { query_id, max_block_size: "1" },
        signal: closing.signal,
      }).catch(() => "closed");
      const runs = async () =>
        await ask("tally_read", {
          sql:
            `select count() from system.processes where query_id = '${query_id}'`,
        }) === "1";
      await until(runs);
      closing.abort();
      assertEquals(await asked, "closed");
      await until(async () => !await runs());
    },
  );
});

Deno.test("tally_load makes and drops databases of Tally, and no others", async (t) => {
  const version = await latestVersion();
  for (
    const sql of [
      "create database other",
      "create database tally2",
      "drop database system",
      `create table ${version}.x (a String) engine = URL('http://127.0.0.1:1/')`,
      `create table ${version}.x (a String) engine = File(TSV)`,
      "select * from url('http://127.0.0.1:1/', LineAsString)",
      "select * from file('x', LineAsString)",
      "create user x",
      "grant select on *.* to tally_read",
      "select * from system.users",
    ]
  ) {
    await t.step(sql.replace(version, "VERSION"), async () => {
      assertMatch(await ask("tally_load", { sql }), /ACCESS_DENIED/);
    });
  }
});
