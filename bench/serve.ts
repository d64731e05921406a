/** Measures the website's question against a constant answered by the same framework and the limit, Deno.serve alone, and with an Origin, a key, a token or the log of requests against without, in turns, with wrk as load. */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { emptyKeyFile, withKey } from "../access/key_file.ts";
import { readAnswer, readConstant } from "./constant.ts";
import { exportsToMeasure, readTopics } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  type Server,
  startConstant,
  startServer,
  unreached_limits,
} from "./server.ts";
import {
  type Asked,
  connections,
  formatMiss,
  formatRates,
  type Load,
  measureInTurn,
  measurePairs,
  median,
  p99Ratio,
  requireWrk,
  type Round,
  round_seconds,
  row,
} from "./wrk.ts";

const before = "/api/v1/interactions/";
const p99_target_ratio = 1.5;
const page_origin = "https://www.example.com";
/** With an Origin: of the constant that sends the same headers, and of a server without CORS_ORIGINS. */
const page_target_ratios = { constant: 0.85, without: 0.92 };
const key_target_ratio = 0.85;
/** A key, limits and the log of errors; requests are counted on both sides. */
const operated_target_ratio = 0.80;

interface Question {
  title: string;
  /** Topics to ask for, each with a random period; none asks for everything. */
  topics: string[];
  /** Undefined where the ratio is only stated. */
  target_ratio?: number;
}

/** What is asked of Tally, and what is beside it. */
interface Asking {
  title: string;
  tally: Asked;
  /** With an answer of the same size and headers. */
  constant: Server;
  /** The same, without a framework. */
  limit: Server;
  target_ratio?: number;
}

/** The row of Tally, the constant and the limit in turns. */
async function measureBesideConstant(
  { title, tally, constant, limit, target_ratio }: Asking,
  load: Load & { rounds: number },
): Promise<string> {
  const measured = await measureInTurn(
    [tally, { ...tally, server: constant }, { ...tally, server: limit }],
    load,
  );
  const pairs = measured.map(([first, second]) => ({ first, second }));
  const [, limit_rate, limit_ratio] = formatRates(
    undefined,
    measured.map(([first, , second]) => ({ first, second })),
  );
  const p99_ms = (rounds: Round[]) =>
    (median(rounds.map(({ p99_us }) => p99_us)) / 1000).toFixed(2);
  const p99_ratio = p99Ratio(pairs);
  return row(
    title,
    ...formatRates(target_ratio, pairs),
    limit_rate,
    limit_ratio,
    p99_ms(pairs.map(({ first }) => first)),
    p99_ms(pairs.map(({ second }) => second)),
    p99_ratio.toFixed(2),
    `≤ ${p99_target_ratio}${formatMiss(p99_ratio <= p99_target_ratio)}`,
  );
}

async function measureServing(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data": { type: "string" },
      "rounds": { type: "string", default: "15" },
      "serve-from": { type: "string", default: "index" },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) {
    throw new Error(`--rounds="${values.rounds}": a number from 1 to 1000.`);
  }
  await requireWrk();
  const signal = listenForStop();
  await using temp = await makeTempFolder();
  const dir = await exportsToMeasure(values.data, { made: temp.path });

  const env = { DATA_DIR: dir, SERVE_FROM: values["serve-from"] };
  await using real = startServer("main.ts", { env, signal });
  await real.waitForReady();
  const stats = await readAnswer(`${real.origin}/api/v1/stats/customers`);
  const customers: number = (await stats.json()).rows;
  await using page = startServer("main.ts", {
    env: { ...env, CORS_ORIGINS: page_origin },
    signal,
  });
  await page.waitForReady();
  const from_page = { Origin: page_origin };

  const questions: Question[] = [
    { title: "Plain", topics: [], target_ratio: 0.90 },
    {
      title: "With dates and topic",
      topics: await readTopics(dir),
      target_ratio: 0.85,
    },
  ];
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; ` +
      `SERVE_FROM=${values["serve-from"]}; random ones of ${customers} ` +
      `customers; wrk, 1 thread, ${connections} connections; medians of ` +
      `${rounds} rounds of ${round_seconds} s each, in turns\n`,
  );
  console.log(
    "| Question | Tally (requests/s) | Constant (requests/s) " +
      "| Ratio (min..max) | Target | Deno.serve alone (requests/s) " +
      "| Ratio (min..max) | Tally p99 (ms) | Constant p99 (ms) | Ratio | Target |",
  );
  console.log(
    "| --- | ---: | ---: | ---: | :--- | ---: | ---: | ---: | ---: | ---: | :--- |",
  );
  for (
    const tally of [{ server: real }, { server: page, headers: from_page }]
  ) {
    const answer = await readConstant(
      `${tally.server.origin}${before}${Math.ceil(customers / 2)}`,
      { route: `${before}:customer_id`, sent: tally.headers },
    );
    await using constant = await startConstant(answer, { signal });
    await using limit = await startConstant(answer, { by: "deno", signal });
    for (const { title, topics, target_ratio } of questions) {
      console.log(
        await measureBesideConstant({
          title: tally.headers ? `${title}, with an Origin` : title,
          tally,
          constant,
          limit,
          target_ratio: tally.headers
            ? page_target_ratios.constant
            : target_ratio,
        }, { before, topics, customers, rounds, signal }),
      );
    }
  }

  console.log(
    "\n| Question, with an Origin | With CORS_ORIGINS (requests/s) " +
      "| Without (requests/s) | Ratio (min..max) | Target |",
  );
  console.log("| --- | ---: | ---: | ---: | :--- |");
  for (const { title, topics } of questions) {
    const pairs = await measurePairs(
      [{ server: page, headers: from_page }, {
        server: real,
        headers: from_page,
      }],
      { before, topics, customers, rounds, signal },
    );
    console.log(row(title, ...formatRates(page_target_ratios.without, pairs)));
  }

  const keys = await makeKey(temp.path);
  await using keyed = startServer("main.ts", {
    env: { ...env, API_KEYS_FILE: keys.file },
    signal,
  });
  await keyed.waitForReady();
  const token = await mintToken(keyed, keys.headers);
  console.log(
    "\n| Question | With API_KEYS_FILE (requests/s) " +
      "| Without (requests/s) | Ratio (min..max) | Target |",
  );
  console.log("| --- | ---: | ---: | ---: | :--- |");
  for (const { title, topics } of questions) {
    for (
      const asked of [
        { title: `${title}, a key`, headers: keys.headers, customers },
        // It is for one customer, whom both are asked about.
        { title: `${title}, a token`, headers: token, customers: 1 },
      ]
    ) {
      const pairs = await measurePairs(
        [{ server: keyed, headers: asked.headers }, { server: real }],
        { before, topics, customers: asked.customers, rounds, signal },
      );
      const target = asked.headers === keys.headers
        ? key_target_ratio
        : undefined;
      console.log(row(asked.title, ...formatRates(target, pairs)));
    }
  }

  await using silent = startServer("main.ts", {
    env: { ...env, LOG_REQUESTS: "off" },
    signal,
  });
  await silent.waitForReady();
  console.log(
    "\n| Plain, with a key, RATE_LIMIT and ADMIN_PORT | With (requests/s) " +
      "| Without, LOG_REQUESTS=off (requests/s) | Ratio (min..max) | Target |",
  );
  console.log("| --- | ---: | ---: | ---: | :--- |");
  for (const LOG_REQUESTS of ["errors", "all"]) {
    await using logging = startServer("main.ts", {
      env: {
        ...env,
        ...unreached_limits,
        LOG_REQUESTS,
        API_KEYS_FILE: keys.file,
        ADMIN_PORT: "0",
      },
      signal,
    });
    await logging.waitForReady();
    const pairs = await measurePairs(
      [{ server: logging, headers: keys.headers }, { server: silent }],
      { before, customers, rounds, signal },
    );
    const target = LOG_REQUESTS === "errors"
      ? operated_target_ratio
      : undefined;
    console.log(
      row(`LOG_REQUESTS=${LOG_REQUESTS}`, ...formatRates(target, pairs)),
    );
  }
}

/** A key file in `dir`, and the headers with its key. */
async function makeKey(dir: string) {
  const file = resolve(dir, "keys.json");
  const made = withKey(emptyKeyFile(), {
    name: "bench",
    scopes: ["read", "embed"],
    customers: null,
    expires_at: null,
  });
  await Deno.writeTextFile(file, JSON.stringify(made.file));
  return { file, headers: { Authorization: `Bearer ${made.text}` } };
}

/** The headers with a token for customer 1. */
async function mintToken(
  { origin }: Server,
  headers: Readonly<Record<string, string>>,
) {
  const answer = await fetch(`${origin}/api/v1/tokens`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: '{"customer_id":1,"minutes":60}',
  });
  if (!answer.ok) throw new Error(await answer.text());
  return { Authorization: `Bearer ${(await answer.json()).data.token}` };
}

await measureServing();
