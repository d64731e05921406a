/** A hundred refreshes while readers ask all the time: nothing fails, mixes versions, or grows. */

import { assert, assertEquals } from "@std/assert";
import { dataFolder } from "../support/data_folder.ts";
import { startServer, waitFor } from "../support/start_server.ts";

/** Caches and the history fill in the first ones; then the first and the last so many are compared. */
const WARM_UP = 40;
const COMPARED = 20;
const READERS = 4;
const PATIENCE_MS = 20_000;

/** Version n: n emails and 2n calls of each of some customers. */
function version(n: number): string {
  const rows = Array.from(
    { length: 50 },
    (_, i) =>
      `01/02/2020,Email,${i + 1}\n`.repeat(n) +
      `02/03/2020,Call,${i + 1}\n`.repeat(2 * n),
  ).join("");
  return `Date Start,Interaction,Customers\n${rows}`;
}

/** What every question answers of version n, as numbers that only it has. */
const QUESTIONS: [path: string, numbers: (n: number) => number[]][] = [
  ["/api/v1/interactions/7", (n) => [2 * n, n]],
  [
    "/api/v1/interactions/8?start_date=2020-02-01&end_date=2020-02-28",
    (n) => [0, n],
  ],
  ["/api/v1/stats/interactions", (n) => [150 * n]],
  ["/api/v1/metrics/interactions?by=channel", (n) => [100 * n, 50 * n]],
  ["/api/v1/interactions?customer_id=3,4", (n) => [2 * n, n, 2 * n, n]],
];

function numbersOf(path: string, body: Record<string, unknown>): number[] {
  // deno-lint-ignore no-explicit-any
  const { data, rows } = body as any;
  if (rows !== undefined) return [rows];
  const counts = (of: Record<string, number>) => [of.Call, of.Email];
  if (!Array.isArray(data)) return counts(data.interactions);
  return path.includes("metrics")
    ? data.map(({ interactions }: { interactions: number }) => interactions)
    : data.flatMap(({ interactions }) => counts(interactions));
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const mean = (numbers: readonly number[]) =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    bytes += isDirectory
      ? await bytesBelow(path)
      : (await Deno.stat(path)).size;
  }
  return bytes;
}

/** The memory of another process, in bytes. */
async function readRss(pid: number): Promise<number> {
  // Deno itself opens such a file with every permission only.
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/status`],
  }).output();
  const status = new TextDecoder().decode(stdout);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1_024;
}

for (
  const [serve_from, refreshes] of [["index", 100], ["query", 10]] as const
) {
  Deno.test(`${refreshes} refreshes under load, served from the ${serve_from}`, async () => {
    await using folder = await dataFolder({
      "customers.csv": "Customer_Id\n1\n",
      "interactions.csv": version(1),
    });
    // A process of its own, since it is its memory that counts. V8 lets the young
    // generation grow by some 25 MB and shrink again at times of its own choice;
    // with one size, what is left to grow is what refreshes leave behind.
    await using server = await startServer({
      DATA_DIR: folder.path,
      SERVE_FROM: serve_from,
      HOLD: "off",
      REFRESH_SECONDS: "1",
    }, {
      deno_flags: [
        "--v8-flags=--min-semi-space-size=16,--max-semi-space-size=16",
      ],
    });
    const ask = (path: string) => fetch(`${server.base_url}${path}`);
    const servedVersion = async () => {
      const answer = await waitFor(`${server.base_url}/api/v1/data`, 200);
      return (await answer.json()).data.data_version as string;
    };
    // Its 503 is no error for the log.
    await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
    let served = await servedVersion();
    const number_of = new Map([[served, 1]]);

    let reading = true;
    let answered = 0;
    // Each different answer once.
    const seen = new Set<string>();
    async function read(reader: number): Promise<void> {
      for (let i = reader; reading; i++) {
        const [path] = QUESTIONS[i % QUESTIONS.length];
        const answer = await ask(path);
        const text = await answer.text();
        assertEquals(answer.status, 200, `${path}: ${text}`);
        seen.add(JSON.stringify([
          answer.headers.get("Data-Version"),
          path,
          numbersOf(path, JSON.parse(text)),
        ]));
        answered++;
        // Both processes share the cores with the refresh, and other tests.
        await sleep(5);
      }
    }
    // What fails is told at the end, whenever it does.
    const readers = Promise.allSettled(
      Array.from({ length: READERS }, (_, i) => read(i)),
    );

    const file = `${folder.path}/interactions.csv`;
    const memory: number[] = [];
    for (let i = 1; i <= refreshes; i++) {
      // Up and down, so that what grows is not the data.
      const n = 2 + i % 9;
      await Deno.writeTextFile(`${file}.part`, version(n));
      await Deno.rename(`${file}.part`, file);
      const before = served;
      const patient_until = performance.now() + PATIENCE_MS;
      while (served === before) {
        assert(performance.now() < patient_until, server.output.error);
        await sleep(20);
        served = await servedVersion();
      }
      number_of.set(served, n);
      memory.push(await readRss(server.pid));
    }
    reading = false;
    for (const reader of await readers) {
      if (reader.status === "rejected") throw reader.reason;
    }

    for (const one of seen) {
      const [data_version, path, told] = JSON.parse(one);
      const n = number_of.get(data_version);
      if (n === undefined) throw new Error(`${data_version} was never served`);
      const [, numbers] = QUESTIONS.find(([one]) => one === path)!;
      assertEquals(told, numbers(n), path);
    }
    assert(answered > refreshes * READERS);
    assertEquals(server.output.error, "");

    if (refreshes >= WARM_UP + 2 * COMPARED) {
      const first = mean(memory.slice(WARM_UP, WARM_UP + COMPARED));
      const last = mean(memory.slice(-COMPARED));
      assert(last <= first * 1.1, `RSS grew from ${first} to ${last} bytes`);
    }
    // The old snapshots' files are gone but for the one that may be closing.
    assert(await bytesBelow(server.staging) < 20_000_000);
  });
}
