/** Requests made of the OpenAPI document, right and wrong: every answer is one that the document has. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DIMENSIONS } from "../../db/model/dimensions.ts";
import { dataFolder, type Files } from "../support/data_folder.ts";
import {
  createDocumentCheck,
  type Operation,
  type Parameter,
  type Paths,
} from "../support/document_check.ts";
import {
  HOSTILE_NAMES,
  hostileExports,
  monthOf,
} from "../support/hostile_exports.ts";
import { keyFile } from "../support/keys.ts";
import { openApp } from "../support/open_app.ts";
import { NASTY_IDS, nastyFiles } from "../support/text_ids.ts";

/** Times 50 further requests of an operation that none has reached. */
const MOST_TURNS = 40;
/** Where ids are texts, as little else differs. */
const FEWER_REQUESTS = 3_000;
const REQUESTS = 10_000;
const { file: key_file, keys: KEYS } = keyFile({
  admin: { scopes: ["admin"] },
  read: { scopes: ["read"] },
  download: { scopes: ["download"] },
  some: { scopes: ["read", "embed"], customers: [1, "a/b"] },
});

/** A request as it is sent. */
interface Sent {
  readonly method: string;
  /** Path and query string. */
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** What cannot be guessed from the document, but from the data: values by the names of parameters. */
type Known = Readonly<Record<string, readonly string[]>>;

/** Numbers, dates and names next to what is allowed, and what other programs stumble over. */
const BOUNDARIES = [
  ...["", " ", "0", "-1", "1.5", "1e9", "NaN", "10000", "10001", "00001"],
  ...["9007199254740991", "9007199254740992", "9".repeat(400)],
  ...["2020-02-30", "2019-02-29", "0000-01-01", "9999-12-31", "2020-1-1"],
  ...["null", "NULL", '""', '"', ",", ",,", '"a",', "[]", "{}", "true"],
  ...["__proto__", "constructor", "..", ".", "../data", "a/b", "*", "\0"],
  "x".repeat(500),
  "x".repeat(2_100),
];

/** Percent signs as no program should send them, put into the URL as they are. */
const BROKEN = [
  ...["%", "%2", "%ZZ", "%FF", "%C0%AE", "%E2%82", "%ED%A0%80", "%00"],
  ...["%25%32%65", "%2e%2e%2f", "%5c", "+", "%2B", "%u0041", "#", ";", "="],
];

const wrongValue = fc.oneof(
  fc.constantFrom(...BOUNDARIES).map(encodeURIComponent),
  fc.constantFrom(...BROKEN),
  fc.string({ unit: "binary", maxLength: 12 }).map(encodeURIComponent),
  fc.string({ maxLength: 8 }),
  fc.bigInt().map(String),
);

function rightValue({ name, schema }: Parameter, known: Known) {
  const all = schema.enum ?? (schema.const ? [schema.const] : known[name]);
  const listed = all && fc.constantFrom(...all);
  const made = schema.pattern && fc.stringMatching(RegExp(schema.pattern));
  const values = listed && made
    ? fc.oneof({ weight: 3, arbitrary: listed }, made)
    : listed ?? (made || fc.constantFrom(...Object.values(known).flat()));
  return values.map(encodeURIComponent);
}

function valueOf(parameter: Parameter, known: Known): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: rightValue(parameter, known) },
    { weight: 1, arbitrary: wrongValue },
  );
}

function pathOf(path: string, values: readonly fc.Arbitrary<string>[]) {
  return fc.tuple(...values).map((given) => {
    const left = [...given];
    return path.replaceAll(/\{\w+\}/g, () => left.shift()!);
  });
}

/** Some parameters, now and then one of them twice or one that is not known. */
function queryOf(pairs: readonly fc.Arbitrary<string>[]) {
  const nothing = fc.constant("");
  const unknown = fc.tuple(wrongValue, wrongValue)
    .map(([name, value]) => `${name}=${value}`);
  return fc.tuple(
    ...pairs.map((pair) => fc.oneof({ weight: 4, arbitrary: nothing }, pair)),
    fc.oneof(
      { weight: 8, arbitrary: nothing },
      fc.oneof(unknown, ...pairs),
    ),
  ).map((parts) => {
    const query = parts.filter(Boolean).join("&");
    return query && `?${query}`;
  });
}

const someHeaders = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  fc.record({
    "Accept": fc.constantFrom("*/*", "text/csv", "image/png", "a;q=x, ;", ""),
    "If-None-Match": fc.constantFrom("*", '"a"', "a", '"', ","),
    "If-Match": fc.constantFrom("*", '"a"', "a"),
    "Content-Range": fc.constant("bytes 0-1/2"),
    "Content-Encoding": fc.constantFrom("gzip", "identity"),
    "Range": fc.constantFrom("bytes=0-1", "bytes=-", "x"),
    "Origin": fc.constantFrom(
      "null",
      "http://evil.example",
      "http://localhost",
    ),
    "X-Request-Id": fc.constantFrom("<b>", "a", "x".repeat(200)),
  }, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>,
);

function bodyOf(
  method: string,
  known: Known,
): fc.Arbitrary<string | undefined> {
  switch (method) {
    case "post":
      return fc.oneof(
        fc.constantFrom(...known.data_version)
          .map((data_version) => JSON.stringify({ data_version })),
        fc.record({
          customer_id: fc.constantFrom(1, 2, "a/b", ""),
          minutes: fc.nat(61),
        })
          .map((body) => JSON.stringify(body)),
        fc.json({ maxDepth: 2 }),
        fc.constantFrom("", "{", "null", '{"__proto__":1}', "x".repeat(2_000)),
      );
    case "put":
      return fc.oneof(
        fc.constantFrom("Customer_Id\n1\n", '{"files":[]}', "", "\0", '"'),
        fc.string({ unit: "binary", maxLength: 40 }),
      );
    default:
      return fc.constant(undefined);
  }
}

/** Requests to one operation of the document. */
function requestTo(
  { method, path, operation: { parameters } }: {
    readonly method: string;
    readonly path: string;
    readonly operation: Operation;
  },
  known: Known,
): fc.Arbitrary<Sent> {
  const of = (place: string) => parameters.filter((one) => one.in === place);
  return fc.record({
    path: pathOf(path, of("path").map((one) => valueOf(one, known))),
    query: queryOf(
      of("query").map((one) =>
        valueOf(one, known).map((value) => `${one.name}=${value}`)
      ),
    ),
    headers: someHeaders,
    key: fc.oneof(
      { weight: 12, arbitrary: fc.constant(KEYS.admin) },
      fc.constantFrom(...Object.values(KEYS)),
      fc.constantFrom("", "x", "__proto__", "eyJa.e30.", "x".repeat(5_000)),
    ),
    type: fc.constantFrom("application/json", "application/json", "text/plain"),
    // What checks a file takes what an upload does.
    body: bodyOf(path.includes("/check/") ? "put" : method, known),
  }).map(({ path, query, headers, key, type, body }) => ({
    method: method.toUpperCase(),
    target: path + query,
    headers: {
      ...headers,
      ...body !== undefined && { "Content-Type": type },
      Authorization: `Bearer ${key}`,
    },
    body,
  }));
}

const STACK = /\n\s+at |\.ts:\d|file:\/\/|node_modules/;
const SQL = /\bselect\b|(Binder|Parser|Catalog|Conversion|IO) Error|DuckDB/i;

/** What is wrong with the text of a failure. */
function failureProblem(
  text: string,
  hidden: readonly string[],
): string | null {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text);
  } catch {
    return "a failure that is no JSON";
  }
  const { error, ...rest } = body;
  // The older endpoint for rows of a table says it in another way.
  if (text === '{"message":"Table name not found"}') return null;
  if (Object.keys(rest).length > 0) return "a failure with more than an error";
  if (typeof error !== "string" || !/\w/.test(error)) return "no error text";
  if (STACK.test(error)) return "a stack";
  if (SQL.test(error)) return "SQL";
  return hidden.some((path) => error.includes(path)) ? "a path" : null;
}

const NOT_OF_IT =
  "requests made of the document: no answer but those that it has";

Deno.test(`${REQUESTS} ${NOT_OF_IT}`, () =>
  answersAreKnown({
    files: hostileExports(HOSTILE_NAMES),
    customer_ids: ["1", "2", "20", "9007199254740991"],
    requests: REQUESTS,
  }));

Deno.test(`${FEWER_REQUESTS} ${NOT_OF_IT}, where ids are texts`, () =>
  answersAreKnown({
    files: nastyFiles(),
    customer_ids: [...NASTY_IDS, "nobody", '"x,y",7'],
    requests: FEWER_REQUESTS,
  }));

async function answersAreKnown(
  { files, customer_ids, requests: count }: {
    readonly files: Files;
    readonly customer_ids: readonly string[];
    readonly requests: number;
  },
): Promise<void> {
  await using folder = await dataFolder(files);
  await using opened = await openApp(folder.path, {
    DUCKDB_THREADS: "1",
    LOG_REQUESTS: "off",
  }, { key_file });
  const { app, snapshot } = opened;
  const ask = async ({ target, ...init }: Sent) =>
    await app.request(target, init);
  const headers = { "X-API-Key": KEYS.admin };
  const json = async (path: string) =>
    await (await app.request(path, { headers })).json();
  const document = await json("/openapi.json");
  const paths: Paths = document.paths;

  const cursors = await Promise.all(
    ["interactions", "customers"].map(async (list) =>
      (await json(`/api/v1/${list}?limit=1`)).meta.next
    ),
  );
  const names = HOSTILE_NAMES.map((name) => `"${name.replaceAll('"', '""')}"`);
  const lists = [...names, "null", `${names[0]},${names[3]}`, "__PROTO__"];
  const known: Known = {
    customer_id: customer_ids,
    topic: [...lists, ...HOSTILE_NAMES],
    channel: lists,
    type: lists,
    occupation: lists,
    by: [...DIMENSIONS, "channel,topic,type", "type,occupation"],
    sort: ["total", "-total", "-customer_id", ...HOSTILE_NAMES],
    cursor: cursors,
    limit: ["1", "2"],
    q: ["1", "x", "_", "=", "\u{1f6e5}"],
    start_date: ["2000-01-01", `${monthOf(3)}-01`],
    end_date: ["2078-12-31", `${monthOf(9)}-01`],
    table: ["customers", "interactions", "products", "channels"],
    file: ["customers.csv", "interactions.csv"],
    data_version: [snapshot.data_version, "0".repeat(16)],
    name: ["customers_2.csv", "products_2.csv.sha256", "manifest.json"],
  };
  const operations = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [
        `${method} ${path}`,
        requestTo({ method, path, operation }, known),
      ])
    ),
  );

  const check = createDocumentCheck(document);
  const hidden = [folder.path, Deno.cwd(), "/tmp"];
  const reached = new Set<string>();

  /** What is wrong with the answer to a request; null when nothing is. */
  async function problemOf(sent: Sent): Promise<string | null> {
    const answer = await ask(sent);
    const { status, headers } = answer;
    const { pathname } = new URL(sent.target, "http://localhost");
    const operation = check.operationOf(sent.method.toLowerCase(), pathname);
    const [type] = (headers.get("Content-Type") ?? "").split(";");
    if (type === "text/event-stream") await answer.body!.cancel();
    const text = answer.bodyUsed ? "" : await answer.text();
    const name = operation?.name ?? "nowhere";
    // A decision conflicts, since nothing is held and nothing was served before.
    if (status < 300 || status === 409) reached.add(name);

    if (status >= 500) return `${name} ${status}: ${text}`;
    if (status >= 400) {
      const problem = failureProblem(text, hidden);
      if (problem) return `${name} ${status}: ${problem}`;
    }
    if (!operation) {
      return [403, 404, 405, 414].includes(status)
        ? null
        : `nowhere: ${status}`;
    }
    return check.problemOf(operation, { status, type, text });
  }

  const seed = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 2 ** 31);
  const problems = new Map<string, Sent>();
  async function send(sent: Sent): Promise<void> {
    const problem = await problemOf(sent).catch(String);
    if (problem && !problems.has(problem)) problems.set(problem, sent);
  }
  const any = fc.oneof(...operations.values());
  for (const sent of fc.sample(any, { numRuns: count, seed })) await send(sent);
  // Chance may leave an operation out: it is asked for until it is answered.
  for (const [name, requests] of operations) {
    for (let i = 0; i < MOST_TURNS && !reached.has(name); i++) {
      for (const sent of fc.sample(requests, { numRuns: 50, seed: seed + i })) {
        await send(sent);
      }
    }
  }
  const replay = `The same requests again: FUZZ_SEED=${seed}`;
  assertEquals([...problems], [], replay);
  assertEquals(opened.logged, [], replay);
  assertEquals([...reached].sort(), [...operations.keys()].sort(), replay);
}
