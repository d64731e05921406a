/** Every setting: its name in the environment, default, check and meaning; and which names are nearly one. */

import { z } from "zod";
import { editDistance } from "./db/model/edit_distance.ts";
import { isTimeZone } from "./db/model/time_zone.ts";

function anyWholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d{1,15}$/, error).transform(Number)
    .pipe(z.number().min(min, error).max(max, error));
}

function wholeNumber(
  min: number,
  max: number,
  { fallback }: { readonly fallback: number },
) {
  return anyWholeNumber(min, max).default(fallback);
}

function share(fallback: number) {
  const error = "must be a number from 0 to 1";
  return z.string().regex(/^(0|1|[01]?\.\d{1,6})$/, error).transform(Number)
    .pipe(z.number().max(1, error))
    .default(fallback);
}

function accepts(check: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      return Boolean(check(text));
    } catch {
      return false;
    }
  };
}

function isHost(text: string): boolean {
  return text.trim() === "*" ||
    /^\s*(\[[\da-f:.]+\]|[\w.-]+)\s*$/i.test(text) &&
      URL.canParse(`http://${text.trim()}`);
}

/** Marks a setting of which nothing is shown but that it is set. */
const SECRET = { secret: true };

/** The settings; docs/settings.md has each description, word for word. */
export const settings = z.object({
  PORT: wholeNumber(0, 65535, { fallback: 8000 }).describe(
    "TCP port to listen on; 0 takes a free port",
  ),
  HOST: z.string().regex(/^\S+$/, "must be an address such as 127.0.0.1")
    .default("127.0.0.1").describe(
      "address to listen on; 0.0.0.0, which the image sets, is every network of the machine",
    ),
  ADMIN_PORT: anyWholeNumber(0, 65535).optional().describe(
    "second TCP port, for /metrics, /healthz and /readyz, which needs no key there; 0 takes a free port; without it, /metrics is on PORT, and needs the administrator's key once there is one",
  ),
  DRAIN_SECONDS: wholeNumber(0, 3_600, { fallback: 5 }).describe(
    "seconds after SIGTERM in which /readyz is 503 and everything else is still answered, so that a proxy can ask elsewhere; 0 stops accepting at once",
  ),
  ALLOWED_HOSTS: z.string()
    .refine(
      (text) => text.split(",").every(isHost),
      'must be "*" or hosts without a port, such as tally.example.com, split by commas',
    ).transform((text) => text.split(",").map((host) => host.trim()))
    .optional().describe(
      "hosts that requests may name, separated by commas, or * for all; the default is localhost, 127.0.0.1 and [::1] when HOST is one of these, else all",
    ),
  LOG_REQUESTS: z.enum(
    ["off", "errors", "all"],
    'must be "off", "errors" or "all"',
  ).default("errors").describe(
    "requests that are logged: errors are those with a status of 500 or more, and of 400 or more but 404 on paths of the API, 60 of each in a minute, without what is refused before its endpoint is known (405, 421, 429, and the 403 of a page of another origin)",
  ),
  LOG_CUSTOMER_IDS: z.enum(["on", "off"], 'must be "on" or "off"')
    .default("off").describe(
      "whether the log of requests has the customer_id that a URL names",
    ),
  DATA_DIR: z.string().default("./data").describe(
    "folder with the exports; only uploads write to it",
  ),
  // DuckDB takes what follows a question mark for options.
  STAGING_DIR: z.string().regex(/^[^?]*$/, "must not have a ? in it").optional()
    .describe(
      "folder for working copies and the database file; the default is a private folder in the system's temporary folder",
    ),
  DATE_ORDER: z.enum(["DMY", "MDY"], 'must be "DMY" or "MDY"').default("DMY")
    .describe("how to read 04/10/2019: DMY is 4 October, MDY is April 10"),
  TIME_ZONE: z.string()
    .refine(
      isTimeZone,
      'must be a time zone such as "UTC" or "Europe/Zurich"',
    ).default("UTC").describe(
      "time zone to which times with an offset are converted",
    ),
  CSV_ENCODING: z.string()
    .refine(
      accepts((label) => new TextDecoder(label)),
      'must be an encoding such as "windows-1252" or "shift_jis"',
    )
    // One encoding has many names, and the data version must not differ between them.
    .transform((label) => new TextDecoder(label).encoding)
    .default("windows-1252").describe(
      "encoding of text files that are neither UTF-8 nor UTF-16",
    ),
  MAX_SET_ASIDE: share(0.10).describe(
    "largest share of a file's rows that may be set aside (5 rows always may); with more, a first load is refused and a refresh looks wrong (see HOLD)",
  ),
  MAX_CHANNELS: wholeNumber(1, 1000, { fallback: 64 }).describe(
    "largest number of channels; more of them refuse the load, because it looks like the wrong column",
  ),
  MAX_FILE_BYTES: wholeNumber(1, 1e15, { fallback: 68_719_476_736 }).describe(
    "size limit of one file in bytes, unpacked; stops a gzip bomb",
  ),
  MAX_UPLOAD_BYTES: wholeNumber(1, 1e15, { fallback: 1_073_741_824 }).describe(
    "size limit of one upload in bytes",
  ),
  UPLOAD_QUOTA_BYTES: wholeNumber(1, 1e15, { fallback: 68_719_476_736 })
    .describe(
      "size limit of all files in DATA_DIR together, after an upload, in bytes; folders in it do not count",
    ),
  XLSX_MAX_BYTES: wholeNumber(1, 1e15, { fallback: 1_073_741_824 }).describe(
    "size limit of one workbook in bytes, unpacked; stops a zip bomb",
  ),
  ZIP_MAX_BYTES: wholeNumber(1, 1e15, { fallback: 17_179_869_184 }).describe(
    "size limit of the exports in one ZIP in bytes, unpacked; a load has them in STAGING_DIR",
  ),
  SET_ASIDE_KEPT: wholeNumber(0, 1_000_000, { fallback: 10_000 }).describe(
    "number of rows set aside that are listed with line and value; all are counted",
  ),
  REFRESH_SECONDS: wholeNumber(1, 86_400, { fallback: 2 }).describe(
    "seconds between two checks of DATA_DIR for changes",
  ),
  SETTLE_SECONDS: wholeNumber(1, 86_400, { fallback: 15 }).describe(
    "seconds without a change after which a file that looks incomplete, or was growing, is no longer waited for",
  ),
  CSV_FINAL_NEWLINE: z.enum(
    ["optional", "required"],
    'must be "optional" or "required"',
  ).default("optional").describe(
    "text files without a line break at their end: optional takes them with a warning, required refuses them",
  ),
  HOLD: z.enum(["on", "off"], 'must be "on" or "off"').optional().describe(
    "new data that looks wrong: on holds it until an administrator decides, off serves it with a warning; the default is on when there is an administrator's key",
  ),
  HOLD_DROP: share(0.30).describe(
    "largest share of a table's rows that a refresh may lose; with a larger loss it looks wrong (see HOLD)",
  ),
  ADMIN_KEY_SHA256: z.string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be 64 hex digits")
    .transform((text) => text.toLowerCase()).optional().describe(
      "SHA-256 of the administrator's key, in hex; without it, administration is off",
    ).meta(SECRET),
  API_KEYS_FILE: z.string().optional().describe(
    "file with the API keys, made by deno task key; with it, reading needs a key",
  ),
  STATE_DIR: z.string().optional().describe(
    "folder for the last good data, used by a restart and by rollback; without it, none is kept",
  ),
  REFRESH_WEBHOOK_URL: z.url({
    protocol: /^https?$/,
    error: "must be an http or https URL",
  }).optional().describe("URL that receives a short report of each refresh")
    // It may hold a password, or a path that is as good as one.
    .meta(SECRET),
  REFRESH_WEBHOOK_SECRET: z.string().optional().describe(
    "key that signs these reports (HMAC-SHA-256)",
  ).meta(SECRET),
  EVENTS_MAX: wholeNumber(0, 100_000, { fallback: 100 }).describe(
    "largest number of clients of /api/v1/data/events at once",
  ),
  SERVE_FROM: z.enum(["index", "query"], 'must be "index" or "query"')
    .default("index").describe(
      "source of answers about named customers, and of customers reached: index is the serving index, query is a query",
    ),
  STORE: z.enum(["duckdb", "clickhouse"], 'must be "duckdb" or "clickhouse"')
    .default("duckdb").describe(
      "where data is kept and asked: duckdb is in this process, clickhouse is a ClickHouse server or cluster, which many processes may follow",
    ),
  ROLE: z.enum(["loader", "follower"], 'must be "loader" or "follower"')
    .default("follower").describe(
      "with STORE=clickhouse: loader loads DATA_DIR into ClickHouse and follows its changes, and there is one; follower serves what the loader has loaded",
    ),
  CLICKHOUSE_URL: z.url({
    protocol: /^https?$/,
    error: "must be an http or https URL such as http://localhost:8123",
  }).refine(
    accepts((url) => !new URL(url).username && !new URL(url).password),
    "must have no user and no password: CLICKHOUSE_USER and CLICKHOUSE_PASSWORD are settings of their own",
  ).refine(
    (url) => !/[?#]/.test(url),
    "must have no ? and no #: they would be taken for settings of questions",
  ).default("http://localhost:8123").describe(
    "URL of the HTTP interface of ClickHouse, without user and password",
  )
    // A wrong one may hold a password.
    .meta(SECRET),
  CLICKHOUSE_USER: z.string().default("default").describe(
    "user of ClickHouse",
  ),
  CLICKHOUSE_PASSWORD: z.string().default("").describe(
    "password of this user",
  ).meta(SECRET),
  CLICKHOUSE_DATABASE: z.string().regex(
    /^[a-z][a-z0-9_]{0,40}$/,
    "must be a name of small letters, digits and _ that begins with a letter",
  ).refine(
    (name) => !/^(system|information_schema|default)$/.test(name),
    "must be a database of Tally's own",
  ).default("tally").describe(
    "database of ClickHouse with the list of versions; each version has a database of its own, whose name begins with this one",
  ),
  CLICKHOUSE_CLUSTER: z.string().regex(/^\w+$/, "must be a name").optional()
    .describe(
      "name of the cluster, as in remote_servers of ClickHouse's configuration; without it, everything is on one server",
    ),
  RATE_LIMIT: wholeNumber(0, 1_000_000, { fallback: 0 }).describe(
    "requests a second that each client may send, by its key or token, else by its address; 0 is no limit",
  ),
  RATE_BURST: wholeNumber(1, 1_000_000, { fallback: 100 }).describe(
    "requests that a client may send at once, before RATE_LIMIT counts",
  ),
  TRUSTED_PROXIES: wholeNumber(0, 16, { fallback: 0 }).describe(
    "number of proxies in front that append to X-Forwarded-For; 0 believes nothing in it, and takes the other end of the connection for the client",
  ),
  CACHE_SECONDS: wholeNumber(0, 31_536_000, { fallback: 5 }).describe(
    "seconds for which proxies and CDNs may reuse an answer; browsers ask each time and get a 304 while it is the same",
  ),
  CACHE_BYTES: wholeNumber(0, 1e12, { fallback: 67_108_864 }).describe(
    "size of the answer cache in bytes; 0 turns it off",
  ),
  QUERY_TIMEOUT_MS: wholeNumber(1, 3_600_000, { fallback: 2_000 }).describe(
    "time limit of a JSON answer in milliseconds, its time in the queue included; then it is interrupted and answered with 504",
  ),
  DOWNLOAD_TIMEOUT_MS: wholeNumber(1, 86_400_000, { fallback: 300_000 })
    .describe(
      "time limit of a download in milliseconds, however slowly the client reads; then it is broken off",
    ),
  STALL_SECONDS: wholeNumber(1, 3_600, { fallback: 30 }).describe(
    "seconds in which a client takes at least 64 KiB of a long answer; one that takes less is cut off",
  ),
  QUERY_CONCURRENCY: wholeNumber(1, 1024, {
    fallback: Math.min(4, Math.max(2, navigator.hardwareConcurrency)),
  }).describe(
    "number of questions that run queries at once, one query each; the default is one per core, from 2 to 4; the counts of one customer need no query",
  ),
  DOWNLOAD_CONCURRENCY: wholeNumber(1, 1024, { fallback: 2 }).describe(
    "number of downloads that run at once, in addition to the questions",
  ),
  QUERY_QUEUE: wholeNumber(0, 100_000, { fallback: 64 }).describe(
    "length of the queue of questions, and of the queue of downloads; when it is full, or a request cannot end in time, it is answered with 503 at once",
  ),
  MEMORY_LIMIT_MB: anyWholeNumber(1, 100_000_000).optional().describe(
    "memory of the process in millions of bytes; near it, the cache is emptied, then downloads and questions are refused, and a load that passes it fails; the default is 90 % of the limit of the container (cgroup), else none",
  ),
  CORS_ORIGINS: z.string()
    .transform((text) => text === "*" ? [text] : text.split(",").map(originOf))
    .refine(
      (origins) => !origins.includes(null),
      'must be "*" or origins such as https://www.example.com, split by commas',
    ).transform((origins) => origins as string[])
    .optional().describe(
      "origins whose pages may call the API, separated by commas, or * for all; the default is none",
    ),
  DUCKDB_MEMORY_LIMIT: z.string()
    .regex(
      /^(?=.*[1-9])\d{1,6}(\.\d{1,6})? ?[KMGT]i?B$/,
      'must be a size such as "600MB"',
    )
    .default("600MB").describe(
      "memory limit of DuckDB; what does not fit goes to disk, in STAGING_DIR",
    ),
  DUCKDB_THREADS: wholeNumber(1, 1024, {
    fallback: navigator.hardwareConcurrency,
  }).describe(
    "number of threads of DuckDB; the default is one per core",
  ),
});

/** The checked settings of this process. */
export type Config = z.output<typeof settings>;

/**
 * Reads the settings from the environment, or from `env`; an empty value counts
 * as not set. Throws an Error whose message is one line naming the wrong setting.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = environment(),
): Config {
  const given = Object.fromEntries(
    Object.keys(settings.shape)
      .map((name) => [name, env[name]])
      .filter(([, value]) => value !== undefined && value !== ""),
  );
  const result = settings.safeParse(given);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  const name = String(path[0]);
  throw new Error(
    isSecret(name)
      ? `${name}: ${message}`
      : `${name}=${JSON.stringify(given[name])}: ${message}`,
  );
}

/** One setting as it is written in the environment; undefined where it is not set. */
export function readSetting(name: keyof Config): string | undefined {
  return Deno.env.get(name) || undefined;
}

/** The settings that differ from their default, in one line; of a secret only that it is set. */
export function changedSettings(config: Config): string {
  const defaults: Record<string, unknown> = readConfig({});
  return Object.entries(config)
    .filter(([name, value]) =>
      value !== undefined && String(value) !== String(defaults[name])
    )
    .map(([name, value]) => {
      if (isSecret(name)) return `${name}=set`;
      const text = String(value);
      return `${name}=${
        /^[\w./:*,-]+$/.test(text) ? text : JSON.stringify(text)
      }`;
    })
    .join(", ");
}

/** Shorter names are too near to too many others, as HOLD is to HOME. */
const DISTINCT_LENGTH = 8;
/** The prefix that people give the names of a program's settings. */
const PROGRAM = "TALLY_";
/** Settings by the names that they had before. */
const RENAMED: Readonly<Record<string, string>> = {
  EXPORT_CONCURRENCY: "DOWNLOAD_CONCURRENCY",
  EXPORT_TIMEOUT_MS: "DOWNLOAD_TIMEOUT_MS",
  MAX_REJECTED: "MAX_SET_ASIDE",
  REJECTS_KEPT: "SET_ASIDE_KEPT",
};

/**
 * A line for each variable, of those in `env` that are set, that is not a setting
 * and nearly one: in another case, misspelt, cut short, with the words in another
 * order, or by a name of before. Says nothing where names may not be read.
 */
export function misspelt(
  env: Readonly<Record<string, string | undefined>> = wholeEnvironment(),
): string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!value || name in settings.shape || !/^[\w.-]+$/.test(name)) continue;
    const meant = nearestSetting(name);
    if (meant) {
      lines.push(`${name} is not a setting; did you mean ${meant}?`);
    }
  }
  return lines;
}

/** The timeout of a collector that leaves the end of the process inside Docker's 10 s, in milliseconds. */
const COLLECTOR_MS = 1_000;

/**
 * Says that a collector which does not answer would delay the end of the process: under
 * OTEL_DENO, Deno then waits three times for OTEL_EXPORTER_OTLP_TIMEOUT, and nothing
 * in the process can end that. Null where that is short.
 */
export function collectorWarning(
  env: Readonly<Record<string, string | undefined>> = wholeEnvironment(),
): string | null {
  const { OTEL_DENO, OTEL_EXPORTER_OTLP_TIMEOUT: set } = env;
  const is_on = OTEL_DENO?.toLowerCase() === "true";
  // Deno takes its default for what is no number.
  const timeout_ms = set && /^\d+$/.test(set) ? Number(set) : 10_000;
  if (!is_on || timeout_ms <= COLLECTOR_MS) return null;
  return `A collector that does not answer delays the end of the process by up to ${
    3 * timeout_ms / 1_000
  } s. Set OTEL_EXPORTER_OTLP_TIMEOUT=${COLLECTOR_MS}, or less (milliseconds).`;
}

/** An origin as browsers send it, in lower case and without the usual port; null where a text is none. */
function originOf(text: string): string | null {
  const shape = /^\s*(https?:\/\/[^\s/?#@*]+)\s*$/i.exec(text);
  return shape && URL.canParse(shape[1]) ? new URL(shape[1]).origin : null;
}

function nearestSetting(name: string): string | undefined {
  const upper = name.toUpperCase();
  const names = Object.keys(settings.shape);
  if (names.includes(upper)) return upper;
  if (Object.hasOwn(RENAMED, upper)) return RENAMED[upper];

  // Not TALLY_PORT: Kubernetes sets it for a service of that name.
  const bare = upper.startsWith(PROGRAM) ? upper.slice(PROGRAM.length) : upper;
  if (bare.length < DISTINCT_LENGTH - 1) return undefined;
  const distinct = names.filter(({ length }) => length >= DISTINCT_LENGTH);
  const inOrder = (one: string) => one.split(/[_.-]/).sort().join();
  const distances = distinct.map((setting) => editDistance(bare, setting));
  const nearest = distances.indexOf(Math.min(...distances));
  const allowed = distinct[nearest].length > DISTINCT_LENGTH ? 2 : 1;
  if (distances[nearest] <= allowed) return distinct[nearest];
  return distinct.find((setting) =>
    inOrder(setting) === inOrder(bare) ||
    bare.includes("_") && setting.startsWith(bare)
  );
}

function isSecret(name: string): boolean {
  const shape: Record<string, z.ZodType> = settings.shape;
  return shape[name].meta()?.secret === true;
}

// By name, so that the process needs no permission to read any other variable.
function environment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.keys(settings.shape).map((name) => [name, Deno.env.get(name)]),
  );
}

/** Every variable; none where not all may be read. */
function wholeEnvironment(): Record<string, string> {
  const { state } = Deno.permissions.querySync({ name: "env" });
  return state === "granted" ? Deno.env.toObject() : {};
}
