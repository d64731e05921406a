/** Measures what questions leave in the process: its memory after very many of them, when it is quiet and its garbage is collected. */

import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readAnswer } from "./constant.ts";
import { exportsToMeasure } from "./generate.ts";
import {
  findFreePort,
  listenForStop,
  makeTempFolder,
  type Server,
  settle_ms,
  startServer,
} from "./server.ts";
import { formatMiss, row } from "./wrk.ts";

const most_bytes = 50;
const asked_at_once = 8;
/** Of the questions, asked before: caches and pools are then as large as they get. */
const warm_up_share = 0.1;
const size = { interactions: 1_000_000, customers: 100_000 };
/** RSS is read after each: by itself it differs by megabytes from one moment to the next. */
const parts = 10;
/** Before all data, and another one for each question, so that no two are the same work. */
const first_day_ms = Date.UTC(1900, 0, 1);
const day_ms = 86_400_000;
const days = 40_000;

interface Case {
  title: string;
  env: Readonly<Record<string, string>>;
  /** The option that says how many are asked. */
  option: "customers" | "metrics";
  /** The path of the question of that number. */
  path: (number: number) => string;
}

const dayOf = (number: number) =>
  new Date(first_day_ms + number % days * day_ms).toISOString().slice(0, 10);

const cases: Case[] = [
  {
    title: "A customer, SERVE_FROM=query",
    env: { SERVE_FROM: "query" },
    option: "customers",
    path: (number) => `/api/v1/interactions/${1 + number % size.customers}`,
  },
  {
    title: "Metrics by month and type",
    env: {},
    option: "metrics",
    path: (number) =>
      `/api/v1/metrics/interactions?by=month,type&start_date=${dayOf(number)}`,
  },
];

/** Memory in bytes. */
interface Memory {
  rss: number;
  js_heap: number;
}

/** Collects the garbage of a process by its inspector, whose port is given, and reads its memory. */
async function readQuiet(
  server: Server,
  inspector_port: number,
): Promise<Memory> {
  const listed = await readAnswer(
    `http://127.0.0.1:${inspector_port}/json/list`,
  );
  const [{ webSocketDebuggerUrl }] = await listed.json();
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((open) => socket.onopen = open);
  const call = async (method: string) => {
    const answered = new Promise<MessageEvent>((resolve) =>
      socket.onmessage = resolve
    );
    socket.send(JSON.stringify({ id: 1, method }));
    return JSON.parse((await answered).data).result;
  };
  // Native memory is freed by finalizers, which run after a collection; so twice.
  for (let turn = 0; turn < 2; turn++) {
    await delay(settle_ms);
    await call("HeapProfiler.collectGarbage");
  }
  await delay(settle_ms);
  const { usedSize } = await call("Runtime.getHeapUsage");
  const closed = new Promise((close) => socket.onclose = close);
  socket.close();
  await closed;
  return { rss: server.readUsage().rss_bytes, js_heap: usedSize };
}

async function askAll(
  { origin }: Server,
  { path, from, to }: {
    readonly path: Case["path"];
    readonly from: number;
    readonly to: number;
  },
): Promise<void> {
  let next = from;
  await Promise.all(Array.from({ length: asked_at_once }, async () => {
    while (next < to) await (await readAnswer(origin + path(next++))).text();
  }));
}

async function measure(
  { title, env, path }: Case,
  { dir, questions, signal }: {
    readonly dir: string;
    readonly questions: number;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const inspector_port = findFreePort();
  await using server = startServer("main.ts", {
    env: { ...env, DATA_DIR: dir, CACHE_BYTES: "0" },
    flags: [`--inspect=127.0.0.1:${inspector_port}`],
    signal,
  });
  await server.waitForReady();
  const warm_up = Math.ceil(questions * warm_up_share);
  await askAll(server, { path, from: 0, to: warm_up });
  const readings = [await readQuiet(server, inspector_port)];
  const asked = [0];
  for (let part = 1; part <= parts; part++) {
    const to = Math.round(questions * part / parts);
    await askAll(server, {
      path,
      from: warm_up + asked.at(-1)!,
      to: warm_up + to,
    });
    asked.push(to);
    readings.push(await readQuiet(server, inspector_port));
  }
  const { slope, error } = fitLine(asked, readings.map(({ rss }) => rss));
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  const [before, after] = [readings[0], readings.at(-1)!];
  return row(
    title,
    String(questions),
    mb(before.rss),
    mb(after.rss),
    `${slope.toFixed(0)} ± ${(2 * error).toFixed(0)}`,
    `≤ ${most_bytes}${formatMiss(slope <= most_bytes)}`,
    mb(before.js_heap),
    mb(after.js_heap),
  );
}

/** The line through points by least squares: its slope, and the standard error of that. */
function fitLine(
  xs: readonly number[],
  ys: readonly number[],
): { slope: number; error: number } {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, one) => sum + (one - x) ** 2, 0);
  const slope = xs.reduce((sum, one, i) => sum + (one - x) * (ys[i] - y), 0) /
    spread;
  const rest = xs.reduce(
    (sum, one, i) => sum + (ys[i] - y - slope * (one - x)) ** 2,
    0,
  );
  return { slope, error: Math.sqrt(rest / (xs.length - 2) / spread) };
}

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    customers: { type: "string", default: "1000000" },
    metrics: { type: "string", default: "20000" },
  },
});
const signal = listenForStop();
await using temp = await makeTempFolder();
const dir = await exportsToMeasure(values.data, { made: temp.path, ...size });
console.log(
  row(
    "Question",
    "Asked",
    "RSS before (MB)",
    "RSS after (MB)",
    "Bytes left a question",
    "Target",
    "JS heap before (MB)",
    "JS heap after (MB)",
  ),
);
console.log(row("---", ...Array(7).fill("---:")));
for (const one of cases) {
  const questions = Number(values[one.option]);
  console.log(await measure(one, { dir, questions, signal }));
}
