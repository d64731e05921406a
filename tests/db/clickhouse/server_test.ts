/** What answers for ClickHouse and is none, or is in trouble: said in our words, and asked again. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClickhouseServer } from "../../../db/clickhouse/server.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";

const GONE =
  "ClickHouse does not answer (CLICKHOUSE_URL). Ask again in a moment.";
const SECRET = "secret-host /var/lib/secret";

/** The answer of a server in trouble, and what is made of it. */
const TROUBLES: [name: string, answer: () => Response, message: string][] = [
  ["a proxy without its server", () => html(502), GONE],
  ["a page", () => html(404), GONE],
  [
    "a full disk",
    () => exception(243, "NOT_ENOUGH_SPACE"),
    "The disk of ClickHouse is full. Free some space there.",
  ],
  [
    "a server that stops",
    () => exception(236, "ABORTED"),
    "ClickHouse is stopping. Ask again in a moment.",
  ],
  [
    "a server with too much to do",
    () => exception(745, "SERVER_OVERLOADED"),
    "ClickHouse answers too many questions. Ask again in a moment.",
  ],
];

function html(status: number): Response {
  return new Response(`<html>${SECRET}</html>`, { status });
}

function exception(code: number, name: string): Response {
  return new Response(
    `Code: ${code}. DB::Exception: ${SECRET}. (${name}) (version 26.7)\n`,
    { status: 500, headers: { "X-ClickHouse-Exception-Code": `${code}` } },
  );
}

Deno.test("a ClickHouse in trouble is asked again, and readers see nothing of its own words", async (t) => {
  await using folder = await dataFolder({ "rows.parquet": "PAR1" });
  for (const [name, answer, message] of TROUBLES) {
    await t.step(name, async () => {
      await using http = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        async (request) => {
          await request.body?.cancel();
          return answer();
        },
      );
      const server = new ClickhouseServer({
        url: `http://127.0.0.1:${http.addr.port}`,
        user: "tally",
        password: "",
      });
      const { signal } = new AbortController();
      const ways: [name: string, way: () => Promise<unknown>][] = [
        ["rows", () => server.rows({ sql: "select 1" })],
        ["run", () => server.run({ sql: "create database a" })],
        ["insert", () => server.insert("a", [{ b: 1 }])],
        ["insertParquet", () =>
          server.insertParquet("a", {
            file: `${folder.path}/rows.parquet`,
            signal,
          })],
      ];
      for (const [name, way] of ways) {
        const error = await assertRejects(way, StoreError, undefined, name);
        assertEquals([error.kind, error.message], ["busy", message], name);
        assert(error.retry_seconds! > 0);
      }
      await server.close();
    });
  }
});
