/** Two ClickHouse servers as the two shards of a cluster, and a front that does for them what takes a keeper. */

// The library has no keeper, so it refuses ON CLUSTER and keeps Replicated tables
// read-only. The front carries such statements out at both servers, with plain tables
// in place of replicated ones, and adds the rows of tables that are not spread to both.
// All else goes to either server as it is, in turns: the Distributed tables, and what is
// asked of them, are ClickHouse's own.

import { freePort } from "../../tests/support/free_port.ts";
import { type ClickHouse, startClickHouse } from "./start_clickhouse.ts";

/** The tables whose rows are spread. */
const SHARDED = new Set(["customers", "interactions"]);

/** The name of the cluster. */
export const CLUSTER = "tally";

/** A cluster; all of it ends at the end of its block. */
export interface TwoShards extends AsyncDisposable {
  /** Of the front. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly shards: readonly ClickHouse[];
  /** The statements that came to the front since the last call. */
  takeStatements(): string[];
}

/** Starts both; `users` is a users.xml that has the user. */
export async function startTwoShards(
  { users, env, user = "tally", password = "a password of our own" }: {
    readonly users?: string;
    /** The variables that it reads. */
    readonly env?: Readonly<Record<string, string>>;
    readonly user?: string;
    readonly password?: string;
  } = {},
): Promise<TwoShards> {
  const stack = new AsyncDisposableStack();
  const ports = [freePort(), freePort()];
  const cluster = {
    name: CLUSTER,
    shards: ports.map((port) => `127.0.0.1:${port}`),
  };
  const shards = await Promise.all(
    ports.map(async (tcp_port, i) =>
      stack.use(
        await startClickHouse({
          users,
          env,
          user,
          password,
          tcp_port,
          cluster,
          shard: String(i + 1),
        }),
      )
    ),
  );
  let statements: string[] = [];
  let turn = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const url = new URL(request.url);
      // What the client sends with a statement in the body is short; a file is not.
      const named = url.searchParams.get("query");
      const form = request.headers.get("Content-Type")
          ?.startsWith("multipart/form-data")
        ? await request.formData()
        : null;
      const statement = named ?? form?.get("query") ??
        await request.text();
      statements.push(String(statement));
      const plan = planOf(String(statement));
      if (plan.statement === null) return new Response("");
      let body: BodyInit | null = null;
      if (named !== null) {
        url.searchParams.set("query", plan.statement);
        body = plan.everywhere ? await request.bytes() : request.body;
      } else if (form) {
        form.set("query", plan.statement);
        body = form;
      } else body = plan.statement;
      const headers = new Headers(request.headers);
      for (const name of ["host", "content-length"]) headers.delete(name);
      // The boundary of a form is a new one.
      if (form) headers.delete("content-type");
      const targets = plan.everywhere ? shards : [shards[turn++ % 2]];
      const answers: Response[] = [];
      for (const target of targets) {
        answers.push(
          await fetch(`${target.url}${url.pathname}${url.search}`, {
            method: request.method,
            headers,
            body,
            signal: request.signal,
          }),
        );
      }
      const answer = answers.find(({ ok }) => !ok) ?? answers[0];
      for (const other of answers) {
        if (other !== answer) await other.body?.cancel();
      }
      const kept = new Headers(answer.headers);
      for (const name of ["content-encoding", "content-length"]) {
        kept.delete(name);
      }
      return new Response(answer.body, {
        status: answer.status,
        headers: kept,
      });
    },
  );
  stack.defer(() => server.shutdown());
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    user,
    password,
    shards,
    takeStatements() {
      const taken = statements;
      statements = [];
      return taken;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What becomes of a statement, and whether every server carries it out; null where none need do anything. */
function planOf(
  statement: string,
): { readonly statement: string | null; readonly everywhere: boolean } {
  if (/^\s*system sync replica/.test(statement)) {
    return { statement: null, everywhere: false };
  }
  const local = statement.replace(` on cluster '${CLUSTER}'`, "");
  const [, table] = /^\s*insert into \S+?\.(\w+)/i.exec(statement) ?? [];
  return {
    everywhere: local !== statement ||
      table !== undefined && !SHARDED.has(table),
    statement: local.replace(
      /engine = Replicated(\w+)\('[^']*', '[^']*'(?:, (\w+))?\)/,
      "engine = $1($2)",
    ),
  };
}
