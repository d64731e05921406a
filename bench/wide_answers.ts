/** Measures answers of the widest data: their size and time, the memory they take, and how long others wait. */

import { setTimeout as delay } from "node:timers/promises";
import { widest_settings, widestExports } from "./generate_widest.ts";
import {
  listenForStop,
  makeTempFolder,
  type Server,
  startServer,
} from "./server.ts";

const metrics = "/api/v1/metrics/interactions";
const paths = [
  "/api/v1/interactions?limit=10000",
  "/api/v1/interactions?limit=140",
  `${metrics}?by=customer_id&pivot=topic`,
  `${metrics}?by=occupation,topic,channel`,
  "/api/v1/customers?limit=10000",
  "/api/v1/dimensions",
  "/api/v1/interactions?format=csv&limit=10000",
  "/api/v1/interactions?format=ndjson&limit=2000",
  "/api/v1/interactions?format=xlsx&limit=10000",
  "/api/v1/interactions?format=parquet&limit=10000",
  "/api/v1/interactions?format=arrow&limit=10000",
];
const settle_ms = 1_000;

/** Asks for the health of the server all the time; the longest answer in ms. */
async function askOthers({ origin }: Server, signal: AbortSignal) {
  let longest_ms = 0;
  while (!signal.aborted) {
    const began = performance.now();
    await (await fetch(`${origin}/healthz`)).text();
    longest_ms = Math.max(longest_ms, performance.now() - began);
    await delay(5);
  }
  return longest_ms;
}

async function measure(server: Server, path: string): Promise<string> {
  await delay(settle_ms);
  const before = server.readUsage().rss_bytes;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, server.readUsage().rss_bytes);
  }, 5);
  const done = new AbortController();
  const others = askOthers(server, done.signal);
  const began = performance.now();
  const answer = await fetch(server.origin + path);
  let bytes = 0;
  for await (const piece of answer.body!) bytes += piece.length;
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  done.abort();
  const cells = [
    `\`${path}\``,
    answer.status,
    (bytes / 1e6).toFixed(1),
    seconds.toFixed(2),
    ((peak - before) / 1e6).toFixed(0),
    (await others).toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

async function measureWideAnswers(): Promise<void> {
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  for (const [name, text] of Object.entries(widestExports())) {
    await Deno.writeTextFile(`${temp.path}/${name}`, text);
  }
  await using server = startServer("main.ts", {
    env: {
      ...widest_settings,
      DATA_DIR: temp.path,
      // A slow machine is to be measured, not answered with 504.
      QUERY_TIMEOUT_MS: "60000",
      CACHE_BYTES: "0",
    },
    signal,
  });
  await server.waitForReady();
  console.log(
    "| Question | Status | MB | Seconds | RSS grown (MB) | Longest wait of others (ms) |",
  );
  console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
  for (const path of paths) console.log(await measure(server, path));
}

await measureWideAnswers();
