/** The widest data that the file contract allows: no answer holds up the others, or grows without a bound. */

import { assert } from "@std/assert";
import { openApp } from "../support/open_app.ts";

/** Names of more than 200 characters, as many as a load takes. */
const NAMES = 1_000;
const CUSTOMERS = 10_000;
const INTERACTIONS = 30_000;
/** What an answer may have, and the limit of JSON in it. */
const MAX_JSON_BYTES = 32 * 1_048_576;
/** Half of the goal and as much again, for machines that do other things as well. */
const LONGEST_HOLD_MS = Number(Deno.env.get("HOLD") ?? 150);

const PADDING = "x".repeat(200);
const name = (kind: string, i: number) => `${kind} ${i} ${PADDING}`;

function widestFiles(): Record<string, string> {
  const rows = (header: string, count: number, row: (i: number) => string) =>
    `${header}\n${
      Array.from({ length: count }, (_, i) => row(i)).join("\n")
    }\n`;
  const bad = "z".repeat(200);
  return {
    "customers.csv": rows(
      "Customer_Id,Occupation,Type",
      CUSTOMERS,
      (i) => `${i + 1},${name("occupation", i)},${name("type", i % NAMES)}`,
    ),
    "interactions.csv": rows(
      "Date Start,Interaction,Customers,Topic",
      INTERACTIONS,
      (i) =>
        i % 3 === 2
          ? `${bad},${name("channel", i % NAMES)},1,`
          : `${1 + i % 28}/${1 + i % 12}/20${10 + i % 10},${
            name("channel", i * 7 % NAMES)
          },${1 + i * 31 % CUSTOMERS},${name("topic", i * 13 % NAMES)}`,
    ),
  };
}

const METRICS = "/api/v1/metrics/interactions";
/** Lists, and what makes each short enough to be read whole in other formats. */
const LISTS: [path: string, shorter: string][] = [
  ["/api/v1/interactions?limit=10000", "limit=300"],
  [
    "/api/v1/interactions?sort=-total&start_date=2011-01-01&limit=10000",
    "limit=300",
  ],
  [
    "/api/v1/interactions/32/timeline?interval=day&end_date=2015-01-01&start_date=1990-01-01",
    "start_date=2014-01-01",
  ],
  ["/api/v1/interactions/32/topics?", ""],
  [`${METRICS}?by=customer_id&pivot=topic`, "&end_date=2010-02-01"],
  [`${METRICS}?by=customer_id&pivot=channel`, "&end_date=2010-02-01"],
  [`${METRICS}?by=occupation&pivot=type`, "&end_date=2010-02-01"],
  [`${METRICS}?by=occupation,topic,channel`, ""],
  [`${METRICS}?by=customer_id,day,topic`, ""],
  [`${METRICS}?pivot=topic`, ""],
  ["/api/v1/metrics/customers?by=type,occupation", ""],
  ["/api/v1/customers?limit=10000", "limit=300"],
];
const IDS = Array.from({ length: 100 }, (_, i) => i + 1).join(",");
const JSON_ONLY = [
  "/api/v1/interactions/32",
  "/api/v1/interactions/32?explain=1",
  `/api/v1/interactions?limit=10000&customer_id=${IDS}&explain=1`,
  `/api/v1/interactions?customer_id=${IDS}`,
  `${METRICS}?by=channel&channel=nothing`,
  `${METRICS}?by=topic&pivot=type&topic=nothing`,
  "/api/v1/interactions?sort=nothing",
  "/api/v1/metrics?explain=1",
  "/api/v1/customers/32",
  "/api/v1/dimensions",
  "/api/v1/dimensions?explain=1",
  "/api/v1/stats/customers",
  "/api/v1/data",
  "/api/v1/data/history",
  "/api/v1/data/set-aside?limit=10000",
  "/api/v1/data/set-aside?format=csv",
  "/api/v1/data/set-aside?file=interactions.csv&limit=10000",
  "/openapi.json",
];
const FORMATS = ["json", "csv", "ndjson", "xlsx", "parquet", "arrow"];

/** The path with another value of its last parameter, or with one more. */
function shortened(path: string, shorter: string): string {
  return shorter === "" || shorter.startsWith("&")
    ? path + shorter
    : path.replace(/[^?&]*$/, shorter);
}

interface Seen {
  status: number;
  bytes: number;
  hold_ms: number;
  ms: number;
}

/** Asks, reads what comes, and measures for how long nothing else could be done. */
async function watch(ask: () => Promise<Response>): Promise<Seen> {
  let last = performance.now();
  let hold_ms = 0;
  const look = () => {
    const now = performance.now();
    hold_ms = Math.max(hold_ms, now - last);
    last = now;
  };
  const began = last;
  const timer = setInterval(look, 5);
  try {
    const answer = await ask();
    let bytes = 0;
    for await (const piece of answer.body ?? []) bytes += piece.length;
    look();
    return { status: answer.status, bytes, hold_ms, ms: last - began };
  } finally {
    clearInterval(timer);
  }
}

Deno.test("the widest data: every endpoint in every format, plain and packed", async (t) => {
  await using opened = await openApp(widestFiles(), {
    MAX_CHANNELS: "1000",
    DUCKDB_MEMORY_LIMIT: "2GB",
    MAX_SET_ASIDE: "0.5",
    SET_ASIDE_KEPT: "1000000",
    QUERY_TIMEOUT_MS: "20000",
    CACHE_BYTES: "0",
  });
  const { app } = opened;
  const paths = [
    ...JSON_ONLY,
    ...LISTS.flatMap(([path, shorter]) => [
      path,
      ...FORMATS.map((format) =>
        `${shortened(path, shorter)}&format=${format}`
      ),
    ]),
  ];
  for (const path of paths) {
    for (const encoding of ["identity", "gzip"]) {
      await t.step(`${path.slice(0, 100)} ${encoding}`, async () => {
        const seen = await watch(async () =>
          await app.request(path, { headers: { "Accept-Encoding": encoding } })
        );
        if (Deno.env.get("SHOW")) {
          console.log(
            seen.status,
            `${(seen.bytes / 1e6).toFixed(1)} MB`,
            `hold ${seen.hold_ms.toFixed(0)}`,
            `${seen.ms.toFixed(0)} ms`,
          );
        }
        assert(
          seen.hold_ms < LONGEST_HOLD_MS,
          `nothing else was done for ${seen.hold_ms.toFixed(0)} ms`,
        );
        assert([200, 400].includes(seen.status), `${seen.status}`);
        if (!/format=(?!json)/.test(path)) {
          assert(seen.bytes <= MAX_JSON_BYTES, `${seen.bytes} bytes`);
        }
      });
    }
  }
});
