/** Loads two servers with wrk, in turns, and compares what they answer. */

import { fileURLToPath } from "node:url";
import type { Server } from "./server.ts";

/** The number of connections of wrk. */
export const connections = 32;
/** The length of a round. */
export const round_seconds = 1;
const round_timeout_ms = 10_000;
const default_connections = connections;
const warm_up_rounds = 2;
const script = fileURLToPath(new URL("random_customers.lua", import.meta.url));

/** What wrk saw in a round, as bench/random_customers.lua prints it. */
export interface Round {
  requests: number;
  duration_us: number;
  p50_us: number;
  p99_us: number;
  bad_answers: number;
  socket_errors: number;
}

/** A server, and how it is asked. */
export interface Asked {
  server: Server;
  headers?: Readonly<Record<string, string>>;
  /** What its ids begin with, and how many digits follow at least. */
  ids?: { readonly prefix: string; readonly digits: number };
}

const NUMBERS = { prefix: "", digits: 1 };

/** One round with each server, asked the same. */
export interface Pair {
  first: Round;
  second: Round;
}

/** What is asked in each round. */
export interface Load {
  /** What is before and after the customer_id in the URL. */
  before: string;
  after?: string;
  /** The number of customers that a request names, split by commas; 1 where it is left out. */
  batch?: number;
  /** Topics to ask for, each with a random period; none asks for everything. */
  topics?: string[];
  /** The highest customer_id. */
  customers: number;
  /** 32 where it is left out. */
  connections?: number;
  /** The length of a round; `round_seconds` where it is left out. */
  seconds?: number;
  signal: AbortSignal;
}

/** Throws when wrk is not installed. */
export async function requireWrk(): Promise<void> {
  try {
    // It has no quieter question than its version, and exits 1 after telling.
    await new Deno.Command("wrk", { args: ["--version"] }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      'wrk is not on the PATH: install it with "apt-get install wrk".',
    );
  }
}

/** One round with a server. */
export async function runWrk(
  { server, headers = {}, ids = NUMBERS }: Asked,
  {
    before,
    after = "",
    batch = 1,
    topics = [],
    customers,
    connections = default_connections,
    seconds = round_seconds,
    signal,
    seed,
    priority = 0,
  }: Load & {
    seed: number;
    /** As of `nice`: 19 gives way to the server, as clients elsewhere would. */
    priority?: number;
  },
): Promise<Round> {
  const { success, stdout, stderr } = await new Deno.Command("nice", {
    args: [
      "-n",
      String(priority),
      "wrk",
      "--threads=1",
      `--connections=${connections}`,
      `--duration=${seconds}s`,
      "--latency",
      `--script=${script}`,
      server.origin + before + ids.prefix,
    ],
    env: {
      AFTER: after,
      BATCH: String(batch),
      CUSTOMERS: String(customers),
      DIGITS: String(ids.digits),
      SEED: String(seed),
      TOPICS: topics.map(encodeURIComponent).join(","),
      HEADERS: Object.entries(headers).map(([name, value]) =>
        `${name}: ${value}`
      ).join("\n"),
    },
    signal: AbortSignal.any([
      signal,
      AbortSignal.timeout(seconds * 1_000 + round_timeout_ms),
    ]),
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) {
    signal.throwIfAborted();
    throw new Error(`wrk failed: ${new TextDecoder().decode(stderr)}${text}`);
  }
  const round: Round = JSON.parse(text.slice(text.lastIndexOf("{")));
  if (round.bad_answers + round.socket_errors > 0) {
    throw new Error(
      `${server.origin} gave ${round.bad_answers} answers of 4xx or 5xx and ` +
        `${round.socket_errors} socket errors in ${round.requests} requests.`,
    );
  }
  return round;
}

/** Asks all servers the same, one after the other, for a number of rounds; what each saw, by round. */
export async function measureInTurn(
  servers: readonly Asked[],
  { rounds, ...load }: Load & { rounds: number },
): Promise<Round[][]> {
  const measured: Round[][] = [];
  for (let seed = 1 - warm_up_rounds; seed <= rounds; seed++) {
    const round: Round[] = [];
    for (const server of servers) {
      round.push(await runWrk(server, { ...load, seed }));
    }
    measured.push(round);
  }
  return measured.slice(warm_up_rounds);
}

/** Asks both servers the same, one after the other, for a number of rounds. */
export async function measurePairs(
  servers: [Asked, Asked],
  load: Load & { rounds: number },
): Promise<Pair[]> {
  const measured = await measureInTurn(servers, load);
  return measured.map(([first, second]) => ({ first, second }));
}

/** The middle one of some numbers, or the mean of the two in the middle. */
export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

function rate({ requests, duration_us }: Round): number {
  return requests / duration_us * 1e6;
}

/** The median rate of some rounds, in requests a second. */
export function medianRate(rounds: readonly Round[]): number {
  return median(rounds.map(rate));
}

/** The median of the p99 of the first, divided by that of the second. */
export function p99Ratio(pairs: readonly Pair[]): number {
  return median(pairs.map(({ first }) => first.p99_us)) /
    median(pairs.map(({ second }) => second.p99_us));
}

/** Both rates, and the ratio with its target. */
export function formatRates(
  target_ratio: number | undefined,
  pairs: Pair[],
): string[] {
  const ratios = pairs.map(({ first, second }) => rate(first) / rate(second));
  const ratio = median(ratios);
  return [
    medianRate(pairs.map(({ first }) => first)).toFixed(0),
    medianRate(pairs.map(({ second }) => second)).toFixed(0),
    `${ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)}..` +
    `${Math.max(...ratios).toFixed(2)})`,
    target_ratio === undefined
      ? ""
      : `≥ ${target_ratio.toFixed(2)}${formatMiss(ratio >= target_ratio)}`,
  ];
}

/** A line of a table in Markdown. */
export function row(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** What follows a target that was not met. */
export function formatMiss(met: boolean): string {
  return met ? "" : ", **missed**";
}
