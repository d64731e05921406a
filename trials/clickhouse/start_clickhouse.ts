/** A ClickHouse for a suite: a child process of the test's own, or the server at CLICKHOUSE_URL when that is set. */

import { dataFolder } from "../../tests/support/data_folder.ts";
import { takeText } from "../../tests/support/start_server.ts";

const SERVER = new URL("./server.ts", import.meta.url).pathname;

/** How a child is started; without options it keeps nothing. */
export interface StartClickHouse {
  /** Folder of the data, which outlives the process. */
  readonly path?: string;
  readonly user?: string;
  readonly password?: string;
  /** A users.xml in place of user and password, such as one that is deployed. */
  readonly users?: string;
  /** Variables of its environment, such as those that a users.xml reads; other tests run in this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Port of HTTP; 0, the default, takes a free one. */
  readonly port?: number;
  readonly tcp_port?: number;
  /** A cluster and the addresses of its shards, `host:tcp_port`. */
  readonly cluster?: { readonly name: string; readonly shards: string[] };
  /** Which shard it is of, the value of its macro. */
  readonly shard?: string;
}

/** A ClickHouse that listens; a child is stopped at the end of its block. */
export interface ClickHouse extends AsyncDisposable {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** The process to stop, pause or measure; null for a server of CLICKHOUSE_URL. */
  readonly child: ClickHouseChild | null;
}

/** The process of a ClickHouse, which its test may treat badly. */
export interface ClickHouseChild {
  readonly pid: number;
  readonly tcp_port: number;
  /** Ends it without a word to its clients, and waits for the end. */
  kill(): Promise<void>;
}

/**
 * The ClickHouse that a suite asks: that of CLICKHOUSE_URL, with
 * CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, else a child.
 */
export async function suiteClickHouse(): Promise<ClickHouse> {
  const url = Deno.env.get("CLICKHOUSE_URL");
  if (!url) return await startClickHouse();
  return {
    url: url.replace(/\/$/, ""),
    user: Deno.env.get("CLICKHOUSE_USER") ?? "default",
    password: Deno.env.get("CLICKHOUSE_PASSWORD") ?? "",
    child: null,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * Starts a ClickHouse on the loopback and waits until it listens.
 *
 * Throws with what it printed when it ends instead.
 */
export async function startClickHouse(
  {
    path,
    user = "tally",
    password = "a password of our own",
    users,
    env,
    port = 0,
    tcp_port = 0,
    cluster,
    shard,
  }: StartClickHouse = {},
): Promise<ClickHouse & { readonly child: ClickHouseChild }> {
  const folder = path ? null : await dataFolder();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-config",
      "--allow-all",
      SERVER,
      "--until-stdin-ends",
      `--path=${path ?? folder?.path}`,
      `--port=${port}`,
      `--tcp-port=${tcp_port}`,
      `--user=${user}`,
      `--password=${password}`,
      ...(users ? [`--users=${users}`] : []),
      ...(cluster ? [`--cluster=${cluster.name}=${cluster.shards}`] : []),
      ...(shard ? [`--shard=${shard}`] : []),
    ],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const listening = Promise.withResolvers<RegExpExecArray>();
  const reading = Promise.all(
    [child.stdout, child.stderr].map((stream) =>
      takeText(stream, (text) => {
        output += text;
        const line = /^Listening on (\S+) and TCP port (\d+)$/m.exec(output);
        if (line) listening.resolve(line);
      })
    ),
  );
  reading.then(() => listening.reject(new Error(output)));
  let killed: Promise<void> | undefined;
  const kill = () =>
    killed ??= (async () => {
      try {
        child.kill("SIGKILL");
      } catch { /* It has ended by itself. */ }
      await Promise.all([child.status, reading]);
      await child.stdin.abort();
    })();
  const stopped = async () => {
    await kill();
    await folder?.[Symbol.asyncDispose]();
  };
  const [, url, listening_tcp_port] = await listening.promise
    .catch(async (error) => {
      await stopped();
      throw error;
    });
  return {
    url,
    user,
    password,
    child: { pid: child.pid, tcp_port: Number(listening_tcp_port), kill },
    [Symbol.asyncDispose]: stopped,
  };
}
