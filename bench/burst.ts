/** Measures a burst of different list questions at once, beside the same asked one after another. */

import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { exportsToMeasure } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  type Server,
  startServer,
} from "./server.ts";

const interactions = 1_600_000;
const customers = 160_000;

/** One answer as a client sees it. */
interface Seen {
  status: number;
  ms: number;
  retry_after: string | null;
}

/** Questions of one kind, or of several that take from 5 to 300 ms. */
const kinds: Record<string, ((period: string, asking: number) => string)[]> = {
  lists: [
    (period, asking) =>
      `interactions?sort=-total&limit=${200 + asking % 1999}&${period}`,
  ],
  mixed: [
    (period, asking) =>
      `interactions?sort=-total&limit=${200 + asking % 1999}&${period}`,
    (period) => `metrics/interactions?by=day&pivot=channel&${period}`,
    (period) => `metrics/interactions?by=occupation,type,topic&${period}`,
    (_, asking) => `customers?q=${1 + asking % 9}&limit=${100 + asking}`,
    (period, asking) => `interactions/${1 + asking}/timeline?${period}`,
    (period) => `interactions?type=Red&channel=Bird&sort=-Bird&${period}`,
  ],
};

/** Makes paths, each of which was never asked before. */
function createPaths(kind: string): () => string {
  const questions = kinds[kind];
  let asked = 0;
  return () => {
    const asking = asked++;
    const day = String(1 + asking % 28).padStart(2, "0");
    const month = String(1 + Math.floor(asking / 28) % 12).padStart(2, "0");
    const year = 2021 + Math.floor(asking / (28 * 12)) % 3;
    const period = `start_date=2019-01-01&end_date=${year}-${month}-${day}`;
    return `/api/v1/${questions[asking % questions.length](period, asking)}`;
  };
}

async function ask(origin: string, path: string): Promise<Seen> {
  const began = performance.now();
  const answer = await fetch(origin + path);
  await answer.body?.pipeTo(new WritableStream());
  return {
    status: answer.status,
    ms: performance.now() - began,
    retry_after: answer.headers.get("Retry-After"),
  };
}

/** How many succeed when each is asked after the one before, within `budget_ms`. */
async function askInTurn(
  { origin }: Server,
  path: () => string,
  { budget_ms }: { readonly budget_ms: number },
): Promise<number> {
  const end = performance.now() + budget_ms;
  let succeeded = 0;
  for (;;) {
    const { status } = await ask(origin, path());
    if (performance.now() > end) return succeeded;
    if (status === 200) succeeded++;
  }
}

function describe(seen: readonly Seen[], status: number): string {
  const times = seen.filter((one) => one.status === status)
    .map(({ ms }) => ms).sort((a, b) => a - b);
  if (times.length === 0) return "0";
  const at = (share: number) =>
    times[Math.floor(share * (times.length - 1))].toFixed(0);
  return `${times.length} (${at(0.5)}, ${at(1)} ms)`;
}

async function measureBursts(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "kind": { type: "string", default: "lists" },
      "questions": { type: "string", default: "66" },
      "rounds": { type: "string", default: "5" },
    },
  });
  const questions = Number(values.questions);
  const rounds = Number(values.rounds);
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const dir = await exportsToMeasure(values.data, {
    made: temp.path,
    interactions,
    customers,
  });
  await using server = startServer("main.ts", {
    env: { DATA_DIR: dir },
    signal,
  });
  await server.waitForReady();
  const budget_ms = readConfig({}).QUERY_TIMEOUT_MS;
  const path = createPaths(values.kind);

  console.log(
    "| Round | 200 in turn, in the time of one | 200 of the burst (median, longest) | 503 | 504 | Retry-After |",
  );
  console.log("| ---: | ---: | ---: | ---: | ---: | --- |");
  for (let round = 1; round <= rounds; round++) {
    const in_turn = await askInTurn(server, path, { budget_ms });
    const seen = await Promise.all(
      Array.from({ length: questions }, () => ask(server.origin, path())),
    );
    const retry = new Set(seen.flatMap(({ retry_after }) => retry_after ?? []));
    console.log(
      `| ${round} | ${in_turn} | ${describe(seen, 200)} | ${
        describe(seen, 503)
      } | ${describe(seen, 504)} | ${[...retry].sort().join(", ")} |`,
    );
  }
}

await measureBursts();
