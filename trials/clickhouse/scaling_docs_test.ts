/** The statements of docs/scaling.md answer as it says, over the sample, for a user who may only read. */

import { assert, assertEquals } from "@std/assert";
import { startClickHouse } from "./start_clickhouse.ts";

const ROOT = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/scaling.md", ROOT));
const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);
const password = crypto.randomUUID();
const env = Object.fromEntries(
  ["LOAD", "FOLLOW", "READ"].map((name) => [
    `CLICKHOUSE_${name}_PASSWORD`,
    password,
  ]),
);

/** Each statement, and the rows that it says follow. */
const statements = Array.from(
  text.matchAll(/^```sql\n([^]+?)\n```\n\n```text\n([^]+?)\n```$/gm),
  ([, sql, rows]) => ({ sql, rows }),
);

Deno.test("the statements of docs/scaling.md answer as it says", async (t) => {
  assert(statements.length > 5);
  assertEquals(statements.length, text.match(/^```sql$/gm)!.length);
  await using clickhouse = await startClickHouse({
    users: new URL("deploy/clickhouse/users.xml", ROOT).pathname,
    env,
  });
  const { url } = clickhouse;
  const [, ...args] = tasks.load.command.split(" ").slice(0, -1);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "load.ts", "data"],
    cwd: ROOT,
    env: {
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: "tally_load",
      CLICKHOUSE_PASSWORD: password,
    },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  async function ask(sql: string, database: string): Promise<string> {
    const answer = await fetch(
      `${url}/?${new URLSearchParams({ database, default_format: "TSV" })}`,
      {
        method: "POST",
        headers: {
          "X-ClickHouse-User": "tally_read",
          "X-ClickHouse-Key": password,
        },
        body: sql,
      },
    );
    return (await answer.text()).trim();
  }
  // The first one finds the database of the version, which the others are asked of.
  const [first, ...others] = statements;
  const version = await ask(first.sql, "default");
  await t.step("the version that is served", () => {
    assertEquals(
      version.replace(/_[0-9a-f]{16}$/, ""),
      first.rows.replace(/_[0-9a-f]{16}$/, ""),
    );
  });
  for (const { sql, rows } of others) {
    await t.step(sql, async () => {
      const cells = (await ask(sql, version)).split("\n")
        .map((line) => line.split("\t").join(" | "));
      assertEquals(cells.join("\n"), rows);
    });
  }
});
