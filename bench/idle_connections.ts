/** Measures what connections cost that send nothing, or half a request: memory and descriptors of the server, and the latency of others. */

import { parseArgs } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { readAnswer } from "./constant.ts";
import { exportsToMeasure } from "./generate.ts";
import { runSteadyLoad } from "./run_steady_load.ts";
import {
  listenForStop,
  makeTempFolder,
  type Server,
  settle_ms,
  startServer,
} from "./server.ts";
import { row } from "./wrk.ts";

const opened_at_once = 200;

/** What a client sends on a connection, and whether it is answered. */
interface Kind {
  title: string;
  sent: string;
  is_answered?: boolean;
}

const asked = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
const kinds: Kind[] = [
  { title: "nothing sent", sent: "" },
  { title: "idle after an answer", sent: `${asked}\r\n`, is_answered: true },
  { title: "half a header sent", sent: `${asked}X-Slow: ` },
];

async function open(
  { origin }: Server,
  { sent, is_answered }: Kind,
): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(origin);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(sent));
  if (is_answered) await connection.read(new Uint8Array(1 << 12));
  return connection;
}

/** Reads the number of open descriptors of a process, from Linux's /proc. */
function descriptorsOf({ pid }: Server): number {
  return Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length;
}

async function measureIdleConnections(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "connections": { type: "string", default: "10000" },
      "rate": { type: "string", default: "2000" },
      "seconds": { type: "string", default: "10" },
    },
  });
  const connections = Number(values.connections);
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const dir = await exportsToMeasure(values.data, { made: temp.path });
  console.log(row(
    "Connections",
    "RSS (MB)",
    "RSS each (KB)",
    "Descriptors",
    "p50 (ms)",
    "p99 (ms)",
    "Longest (ms)",
  ));
  console.log(row("---", ...Array(6).fill("---:")));
  for (const kind of [null, ...kinds]) {
    await using server = startServer("main.ts", {
      env: { DATA_DIR: dir },
      signal,
    });
    await server.waitForReady();
    const stats = await readAnswer(`${server.origin}/api/v1/stats/customers`);
    const rate = {
      customers: (await stats.json()).rows,
      requests_per_second: Number(values.rate),
      seconds: Number(values.seconds),
    };
    // So that what a first load takes does not count as what connections take.
    await runSteadyLoad(server, rate);
    await delay(settle_ms, undefined, { signal });
    const { rss_bytes: before_bytes } = server.readUsage();

    const held: Deno.TcpConn[] = [];
    while (kind && held.length < connections) {
      const some = Math.min(opened_at_once, connections - held.length);
      held.push(
        ...await Promise.all(
          Array.from({ length: some }, () => open(server, kind)),
        ),
      );
    }
    await delay(settle_ms, undefined, { signal });
    const { rss_bytes } = server.readUsage();
    const descriptors = descriptorsOf(server);
    const seen = await runSteadyLoad(server, rate);
    if (seen.errors > 0) throw new Error(`${seen.errors} wrong answers`);
    console.log(row(
      kind ? `${held.length}: ${kind.title}` : "none",
      (rss_bytes / 1e6).toFixed(0),
      kind ? ((rss_bytes - before_bytes) / held.length / 1000).toFixed(1) : "",
      `${descriptors}`,
      seen.p50_ms.toFixed(2),
      seen.p99_ms.toFixed(2),
      seen.max_ms.toFixed(0),
    ));
    for (const connection of held) connection.close();
  }
}

await measureIdleConnections();
