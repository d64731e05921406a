/** Measures what a page asks about one customer, and about a batch, against a constant of the same bytes, in turns, with wrk as load. */

import { parseArgs } from "node:util";
import { readConstant } from "./constant.ts";
import { exportsToMeasure } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  startConstant,
  startServer,
} from "./server.ts";
import {
  connections,
  formatRates,
  measurePairs,
  requireWrk,
  round_seconds,
  row,
} from "./wrk.ts";

/** 100 interactions for each customer. */
const size = { interactions: 1_000_000, customers: 10_000 };
const rounds = 11;

interface PageView {
  title: string;
  /** Path in Hono's form. */
  route: string;
  before: string;
  after?: string;
  batch?: number;
  /** Undefined where the ratio is only stated. */
  target_ratio?: number;
}

const interactions = "/api/v1/interactions";
const of_one = `${interactions}/:customer_id`;
const page_views: PageView[] = [
  { title: "Counts", route: of_one, before: `${interactions}/` },
  {
    title: "Timeline by month",
    route: `${of_one}/timeline`,
    before: `${interactions}/`,
    after: "/timeline",
    target_ratio: 0.5,
  },
  {
    title: "Topics",
    route: `${of_one}/topics`,
    before: `${interactions}/`,
    after: "/topics",
  },
  {
    title: "Record",
    route: "/api/v1/customers/:customer_id",
    before: "/api/v1/customers/",
  },
  {
    title: "Batch of 20",
    route: interactions,
    before: `${interactions}?customer_id=`,
    batch: 20,
    target_ratio: 0.25,
  },
];

const { values } = parseArgs({ options: { data: { type: "string" } } });
await requireWrk();
const signal = listenForStop();
await using temp = await makeTempFolder();
const dir = await exportsToMeasure(values.data, { made: temp.path, ...size });
await using real = startServer("main.ts", { env: { DATA_DIR: dir }, signal });
await real.waitForReady();

console.log(
  `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; random ` +
    `ones of ${size.customers} customers with 100 interactions each; wrk, ` +
    `1 thread, ${connections} connections; medians of ${rounds} rounds of ` +
    `${round_seconds} s each, in turns\n`,
);
console.log(
  "| Question | Bytes | Tally (requests/s) | Constant (requests/s) " +
    "| Ratio (min..max) | Target |",
);
console.log("| --- | ---: | ---: | ---: | ---: | :--- |");
for (const { title, route, target_ratio, ...asked } of page_views) {
  const ids = Array.from({ length: asked.batch ?? 1 }, (_, i) => i + 1);
  const answer = await readConstant(
    `${real.origin}${asked.before}${ids}${asked.after ?? ""}`,
    { route },
  );
  await using constant = await startConstant(answer, { signal });
  const pairs = await measurePairs(
    [{ server: real }, { server: constant }],
    { ...asked, customers: size.customers, rounds, signal },
  );
  console.log(
    row(title, `${answer.body.length}`, ...formatRates(target_ratio, pairs)),
  );
}
