/** A ClickHouse 26.7 for trials, in a process of its own: chDB's library, with the interfaces of the server opened. */

// It is `clickhouse local` with its HTTP and TCP interfaces opened by SYSTEM
// START LISTEN. What it answers is what a server answers: parameters, formats,
// streams, errors, users, KILL QUERY, several queries at a time, system tables,
// and Distributed tables over several such processes.
//
// It has no Keeper: Replicated tables stay read-only, and ON CLUSTER is refused.
// Users and roles come from a file only: CREATE USER and CREATE ROLE are refused.
// As in `clickhouse local`, some settings have another default, such as
// implicit_select.
//
// Options: --path DIR, where it keeps its data; --port and --tcp-port, by
// default 0, a free one; --user and --password of one user who may do all, or
// --users FILE, a users.xml; --cluster NAME=HOST:TCP_PORT,…, one shard each,
// asked with --user and --password; --shard NAME, for its macros; --log FILE; --until-stdin-ends, for the
// child of a test. Prints one line when it listens: its URL and its TCP port.
// Stop it with a signal: like a server that is killed, it keeps what is
// committed.

import { parseArgs } from "node:util";
import { libraryPath } from "./library.ts";

const text = { type: "string" } as const;
const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    path: text,
    port: { ...text, default: "0" },
    "tcp-port": { ...text, default: "0" },
    user: { ...text, default: "tally" },
    password: { ...text, default: "" },
    users: text,
    cluster: text,
    shard: text,
    log: text,
    "until-stdin-ends": { type: "boolean", default: false },
  },
});

const { path } = options;
if (!path) throw new Error("--path DIR says where ClickHouse keeps its data");
const ports_file = `${path}/ports.tsv`;

/** Text as XML has it between tags. */
const xml = (value: string): string =>
  value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A users.xml with one user, who may do all. */
function oneUser(): string {
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users><${options.user}>
    <password>${xml(options.password)}</password>
    <networks><ip>::1</ip><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota>
    <access_management>1</access_management>
  </${options.user}></users>
</clickhouse>`;
}

/** The cluster of --cluster, for the server's configuration. */
function remoteServers(): string {
  if (!options.cluster) return "";
  const [name, hosts] = options.cluster.split("=");
  const shards = hosts.split(",").map((address) => {
    const [host, port] = address.split(":");
    return `<shard><replica>
      <host>${xml(host)}</host><port>${port}</port>
      <user>${options.user}</user>
      <password>${xml(options.password)}</password>
    </replica></shard>`;
  });
  return `<remote_servers><${name}>${
    shards.join("")
  }</${name}></remote_servers>`;
}

/** The names of its shard and replica, as a cluster's servers have them. */
function macros(): string {
  return options.shard === undefined
    ? ""
    : `<macros><shard>${
      xml(options.shard)
    }</shard><replica>1</replica></macros>`;
}

/**
 * The user that the command line itself is: `default`, without a password and
 * from 127.0.0.1. It may open the interfaces and read nothing.
 */
const COMMAND_LINE_USER = `<clickhouse>
  <users><default replace="1">
    <password/>
    <networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota>
    <grants>
      <query>GRANT SYSTEM LISTEN ON *.*</query>
      <query>GRANT SELECT ON system.numbers</query>
    </grants>
  </default></users>
</clickhouse>`;

/** Writes the configuration to the folder of the data; answers its path. */
async function writeConfiguration(): Promise<string> {
  const folder = `${path}/configuration`;
  await Deno.mkdir(`${folder}/users.d`, { recursive: true });
  const users = options.users
    ? await Deno.readTextFile(options.users)
    : oneUser();
  await Deno.writeTextFile(`${folder}/users.xml`, users);
  await Deno.writeTextFile(
    `${folder}/users.d/command_line.xml`,
    COMMAND_LINE_USER,
  );
  await Deno.writeTextFile(
    `${folder}/config.xml`,
    `<clickhouse>
  <users_config>users.xml</users_config>
  <query_log><database>system</database><table>query_log</table></query_log>
  ${remoteServers()}
  ${macros()}
</clickhouse>`,
  );
  return `${folder}/config.xml`;
}

/** What ClickHouse runs: it listens, says so in a file, and waits for ever. */
const QUERIES = `
SYSTEM START LISTEN HTTP;
SYSTEM START LISTEN TCP;
SELECT getServerPort('http_port'), getServerPort('tcp_port')
  INTO OUTFILE '${ports_file}' TRUNCATE FORMAT TSV;
SELECT count() FROM system.numbers WHERE sleepEachRow(3) = 1
  SETTINGS max_block_size = 1, log_queries = 0, max_threads = 1`;

/** Runs ClickHouse's command line on a thread of its own; answers its error. */
async function runClickHouse(args: readonly string[]): Promise<string> {
  const library = Deno.dlopen(libraryPath(), {
    chdb_query_cmdline: {
      parameters: ["i32", "buffer"],
      result: "pointer",
      nonblocking: true,
    },
    chdb_result_error: { parameters: ["pointer"], result: "pointer" },
  });
  const words = ["clickhouse", ...args].map((word) =>
    new TextEncoder().encode(`${word}\0`)
  );
  const addresses = BigUint64Array.from(
    words,
    (word) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(word)),
  );
  const result = await library.symbols.chdb_query_cmdline(
    words.length,
    addresses,
  );
  const error = library.symbols.chdb_result_error(result);
  // Named after the call, so that the words live as long as it runs.
  return error
    ? Deno.UnsafePointerView.getCString(error)
    : `ClickHouse ended by itself, called with ${words.length} words`;
}

/** Waits for the file that ClickHouse writes once it listens. */
async function listening(): Promise<{ http: string; tcp: string }> {
  while (true) {
    const ports = await Deno.readTextFile(ports_file).catch(() => "");
    if (ports.endsWith("\n")) {
      const [http, tcp] = ports.trim().split("\t");
      return { http, tcp };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Ends this process at once: the library's own way out crashes. */
function end(): never {
  Deno.kill(Deno.pid, "SIGKILL");
  throw new Error("still here");
}

await Deno.remove(ports_file).catch(() => {});
const configuration = await writeConfiguration();
if (options["until-stdin-ends"]) {
  Deno.stdin.readable.pipeTo(new WritableStream()).then(end, end);
}
runClickHouse([
  `--config-file=${configuration}`,
  `--path=${path}`,
  "--listen_host=127.0.0.1",
  `--http_port=${options.port}`,
  `--tcp_port=${options["tcp-port"]}`,
  ...(options.log
    ? [`--logger.log=${options.log}`, "--logger.level=information"]
    : []),
  `--query=${QUERIES}`,
]).then((error) => {
  console.error(error);
  return end();
});
const { http, tcp } = await listening();
// Only now: starting, the library takes these signals for itself.
Deno.addSignalListener("SIGTERM", end);
Deno.addSignalListener("SIGINT", end);
console.log(`Listening on http://127.0.0.1:${http} and TCP port ${tcp}`);
