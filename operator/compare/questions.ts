/** Random questions over all that a deployment answers from its data, right and wrong ones, made of its catalogue. */

import { INTERVALS } from "../../db/model/dimensions.ts";
import type { Catalogue, Name } from "./catalogue.ts";
import type { Request } from "./deployment.ts";
import { createRandom, type Random } from "./random.ts";

/** A question to both deployments. */
export interface Question extends Request {
  /** What it is about, by which times are counted. */
  readonly kind: Kind;
  /** How many pages are read at most; later ones by the cursors of the answers. */
  readonly pages: number;
}

/** In a path, what each deployment replaces by the version that it serves. */
export const VERSION_PLACE = "{data_version}";

/** Downloads that have to be taken apart to be compared, and others. */
const FORMATS = ["csv", "ndjson", "xlsx", "parquet", "arrow"] as const;
/** With more customers than this, a download of all of them is too much. */
const FEW_CUSTOMERS = 20_000;
const MOST_PAGES = 4;
/** One of so many right questions of a kind is made wrong. */
const WRONG_SHARE = 0.08;

const UNKNOWN_IDS = [
  ...["9007199254740991", "9007199254740992", "0", "-1", "1.0", "007"],
  ...["nobody", "a/b", "'; drop table x; --", "🦜", "%", "..", " 1"],
];
const UNKNOWN_NAMES = [
  ...["Nobody", "it's", '"', 'a "quoted" name', "🦜", "a,b", "%", "\\", "NULL"],
  ...["", " ", "İstanbul", "ß", "null "],
];
const WRONG_VALUES: Readonly<Record<string, readonly string[]>> = {
  start_date: ["2020-02-30", "2020-1-1", "today", "", "0000-01-01"],
  end_date: ["2019-02-29", "1/2/2020", "9999-12-32"],
  limit: ["0", "-1", "10001", "ten", "", "1e3"],
  cursor: ["abc", "", "WyJhIl0"],
  format: ["pdf", "CSV", ""],
  sort: ["nothing", "-", "--total", ""],
  by: ["nothing", "channel,channel", "day,week,month,year", ","],
  pivot: ["customer_id", "day", "", "nothing"],
  compare: ["next_year", ""],
  interval: ["hour", ""],
  data_version: ["0000000000000000", "x"],
  explain: ["2", "true"],
  bom: ["0", "yes"],
};

type Pair = readonly [name: string, value: string];

/** A question before it is a text. */
interface Draft {
  /** Path as the OpenAPI document has it. */
  readonly path: string;
  /** The value in the path, encoded. */
  readonly segment?: string;
  readonly pairs: readonly Pair[];
  readonly accept?: string;
  readonly pages?: number;
}

/** What a kind of question is made of. */
interface Source {
  readonly catalogue: Catalogue;
  readonly random: Random;
}

const CUSTOMER = "/api/v1/interactions/{customer_id}";
const LIST = "/api/v1/interactions";
const CUSTOMERS = "/api/v1/customers";
const METRICS = "/api/v1/metrics/interactions";
const REACHED = "/api/v1/metrics/customers";
const SET_ASIDE = "/api/v1/data/set-aside";

/** Every kind with its weight among all questions. */
const KINDS = {
  "customer": [14, (source) => aboutOne(source, CUSTOMER)],
  "customer, older path": [
    2,
    (source) => aboutOne(source, "/api/v1/stats/interactions/{customer_id}"),
  ],
  "timeline": [9, timeline],
  "topics of a customer": [
    6,
    (source) => aboutOne(source, `${CUSTOMER}/topics`),
  ],
  "record of a customer": [5, record],
  "several customers": [6, batch],
  "list of interactions": [12, interactionsList],
  "list of customers": [6, customersList],
  "search": [6, search],
  "metrics": [14, metrics],
  "metrics with columns": [8, pivoted],
  "metrics compared": [6, compared],
  "customers counted": [8, reached],
  "download": [10, download],
  "names and days": [1, ({ random }) => ({
    path: random.pick(["/api/v1/dimensions", "/api/v1/metrics"]),
    pairs: [],
  })],
  "rows of a table": [1, ({ random }) => ({
    path: "/api/v1/stats/{table}",
    segment: random.pick(["customers", "interactions", "products", "nothing"]),
    pairs: [],
  })],
  "rows set aside": [2, setAside],
  "report": [1, () => ({ path: "/api/v1/data", pairs: [] })],
} as const satisfies Record<
  string,
  readonly [weight: number, ask: (source: Source) => Draft]
>;

/** The name of a kind of question. */
export type Kind = keyof typeof KINDS;

/** All kinds, in the order in which results list them. */
export const QUESTION_KINDS = Object.keys(KINDS) as readonly Kind[];

/** The paths that questions are asked of, as the OpenAPI document has them. */
export const ASKED_PATHS: readonly string[] = [
  CUSTOMER,
  "/api/v1/stats/interactions/{customer_id}",
  `${CUSTOMER}/timeline`,
  `${CUSTOMER}/topics`,
  `${CUSTOMERS}/{customer_id}`,
  LIST,
  CUSTOMERS,
  METRICS,
  REACHED,
  "/api/v1/dimensions",
  "/api/v1/metrics",
  "/api/v1/stats/{table}",
  SET_ASIDE,
  "/api/v1/data",
];

/**
 * `count` questions; the same catalogue and seed make the same ones.
 *
 * A parameter that the catalogue does not have for a path is left out, and so
 * is a path that it does not have.
 */
export function* questionsOf(
  catalogue: Catalogue,
  { seed, count }: { readonly seed: number; readonly count: number },
): Generator<Question> {
  const random = createRandom(seed);
  const kinds = QUESTION_KINDS.flatMap((kind) =>
    Array<Kind>(KINDS[kind][0]).fill(kind)
  );
  for (let made = 0; made < count;) {
    const kind = random.pick(kinds);
    const draft = KINDS[kind][1]({ catalogue, random });
    const parameters = catalogue.operations[draft.path];
    if (!parameters) {
      if (ASKED_PATHS.some((path) => path in catalogue.operations)) continue;
      return;
    }
    const known = {
      ...draft,
      pairs: draft.pairs.filter(([name]) => parameters.includes(name)),
    };
    const last = random.chance(WRONG_SHARE)
      ? wrong(known, { random, parameters })
      : common(known, { random, parameters });
    yield {
      kind,
      path: textOf(last),
      accept: last.accept,
      pages: last.pages ?? 1,
    };
    made++;
  }
}

function textOf({ path, segment, pairs }: Draft): string {
  const query = pairs.map(([name, value]) =>
    `${encodeURIComponent(name)}=${
      value === VERSION_PLACE ? value : encodeURIComponent(value)
    }`
  ).join("&");
  const filled = path.replace(/\{\w+\}/, () => segment ?? "");
  return query ? `${filled}?${query}` : filled;
}

/** Now and then what every question takes. */
function common(
  draft: Draft,
  { random, parameters }: {
    readonly random: Random;
    readonly parameters: readonly string[];
  },
): Draft {
  const more: Pair[] = [];
  const add = (share: number, [name, value]: Pair) => {
    if (random.chance(share) && parameters.includes(name)) {
      more.push([name, value]);
    }
  };
  add(0.05, ["data_version", VERSION_PLACE]);
  if (!draft.pairs.some(([name]) => name === "format")) {
    add(0.04, ["explain", "1"]);
  }
  return { ...draft, pairs: [...draft.pairs, ...more] };
}

/** The question with one mistake in it. */
function wrong(
  draft: Draft,
  { random, parameters }: {
    readonly random: Random;
    readonly parameters: readonly string[];
  },
): Draft {
  const { pairs } = draft;
  const mistakes: (() => Draft)[] = [
    () => ({ ...draft, pairs: [...pairs, ["start-date", "2020-01-01"]] }),
    () => ({ ...draft, accept: "image/png" }),
  ];
  if (draft.segment !== undefined) {
    mistakes.push(() => ({
      ...draft,
      segment: random.pick(["0", "%", "%FF", "1e3", "%00", "x".repeat(200)]),
    }));
  }
  const known = parameters.filter((name) => Object.hasOwn(WRONG_VALUES, name));
  if (known.length > 0) {
    mistakes.push(() => {
      const name = random.pick(known);
      return {
        ...draft,
        pairs: [
          ...pairs.filter(([one]) => one !== name),
          [name, random.pick(WRONG_VALUES[name])],
        ],
      };
    });
    // Four times as likely as each other one, because there are so many.
    mistakes.push(mistakes.at(-1)!, mistakes.at(-1)!, mistakes.at(-1)!);
  }
  if (pairs.length > 0) {
    mistakes.push(() => {
      const [name, value] = random.pick(pairs);
      return { ...draft, pairs: [...pairs, [name, value]] };
    });
  }
  return random.pick(mistakes)();
}

function idOf({ catalogue, random }: Source): string {
  const { customer_ids } = catalogue;
  if (customer_ids.length === 0 || random.chance(0.08)) {
    return random.pick(UNKNOWN_IDS);
  }
  const id = String(random.pick(customer_ids));
  return random.chance(0.03) ? otherCase(id, random) : id;
}

function otherCase(text: string, random: Random): string {
  return random.pick([text.toLowerCase(), text.toUpperCase()]);
}

/** A name as an element of a list: in quotes where it must be, and now and then elsewhere. */
function element(text: string, random: Random): string {
  return /[",]|^\s|\s$/.test(text) || random.chance(0.05)
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}

function namesOf(
  { catalogue, random }: Source,
  { filter, most }: { readonly filter: string; readonly most: number },
): string {
  const names = catalogue.names[filter] ?? [];
  if (names.length === 0 || random.chance(0.03)) {
    return element(random.pick(UNKNOWN_NAMES), random);
  }
  const chosen: Name[] = random.some(names, most);
  return chosen.map((name) => {
    if (name === null) return "null";
    return element(
      random.chance(0.25) ? otherCase(name, random) : name,
      random,
    );
  }).join(",");
}

const DAY_MS = 86_400_000;

/** A day of the data, or one somewhat before or after. */
function dayOf({ catalogue: { date_range }, random }: Source): string {
  const { first, last } = date_range ??
    { first: "2020-01-01", last: "2020-12-31" };
  const from = Date.parse(first) / DAY_MS;
  const to = Date.parse(last) / DAY_MS;
  if (random.chance(0.1)) return random.pick([first, last]);
  const day = from - 40 + random.below(to - from + 81);
  const text = new Date(day * DAY_MS).toISOString().slice(0, 10);
  return random.chance(0.3) ? `${text.slice(0, 8)}01` : text;
}

function period(source: Source, share: number): Pair[] {
  const { random } = source;
  if (!random.chance(share)) return [];
  const days = [dayOf(source), dayOf(source)];
  // Now and then the first day is after the last one, which is a 400.
  if (!random.chance(0.03)) days.sort();
  const pairs: Pair[] = [["start_date", days[0]], ["end_date", days[1]]];
  return random.chance(0.3) ? [random.pick(pairs)] : pairs;
}

function filters(
  source: Source,
  { names, share = 0.25 }: {
    readonly names: readonly string[];
    readonly share?: number;
  },
): Pair[] {
  return names.flatMap((filter): Pair[] =>
    source.random.chance(share)
      ? [[filter, namesOf(source, { filter, most: 3 })]]
      : []
  );
}

/** All filters that there are: of interactions, of customers, and the attributes of these. */
function allFilters(source: Source, share?: number): Pair[] {
  return filters(source, { names: Object.keys(source.catalogue.names), share });
}

function aboutOne(source: Source, path: string): Draft {
  return {
    path,
    segment: encodeURIComponent(idOf(source)),
    pairs: [
      ...period(source, 0.5),
      ...filters(source, { names: ["topic", "channel"] }),
      ...formats(source, 0.1),
    ],
  };
}

function timeline(source: Source): Draft {
  const { random } = source;
  const draft = aboutOne(source, `${CUSTOMER}/timeline`);
  return random.chance(0.2) ? draft : {
    ...draft,
    pairs: [["interval", random.pick(INTERVALS)], ...draft.pairs],
  };
}

function record(source: Source): Draft {
  return {
    path: `${CUSTOMERS}/{customer_id}`,
    segment: encodeURIComponent(idOf(source)),
    pairs: [],
  };
}

function batch(source: Source): Draft {
  const { random } = source;
  const count = 1 + random.below(random.chance(0.1) ? 110 : 8);
  const ids = Array.from(
    { length: count },
    () => element(idOf(source), random),
  );
  return {
    path: LIST,
    pairs: [
      ["customer_id", ids.join(",")],
      ...period(source, 0.3),
      ...allFilters(source, 0.1),
      ...sorted(source, 0.3),
      ...limited(source, 0.2),
    ],
    pages: MOST_PAGES,
  };
}

function sorted({ catalogue, random }: Source, share: number): Pair[] {
  if (!random.chance(share)) return [];
  const channels = (catalogue.names.channel ?? []).map((name) =>
    name === "total" || name === "customer_id" ? `channel_${name}` : name!
  );
  const column = random.pick(["customer_id", "total", "total", ...channels]);
  const named = random.chance(0.1) ? otherCase(column, random) : column;
  return [["sort", random.chance(0.5) ? `-${named}` : named]];
}

function limited({ random }: Source, share: number): Pair[] {
  if (!random.chance(share)) return [];
  return [["limit", String(random.pick([1, 2, 3, 7, 10, 50, 1_000]))]];
}

function formats({ random }: Source, share: number): Pair[] {
  if (!random.chance(share)) return [];
  const format = random.pick(FORMATS);
  const bom: Pair[] = random.chance(0.2) ? [["bom", "1"]] : [];
  return [["format", format], ...bom];
}

function interactionsList(source: Source): Draft {
  return {
    path: LIST,
    pairs: [
      ...period(source, 0.4),
      ...allFilters(source, 0.2),
      ...sorted(source, 0.6),
      ...limited(source, 0.7),
    ],
    pages: MOST_PAGES,
  };
}

function customersList(source: Source): Draft {
  const names = Object.keys(source.catalogue.names)
    .filter((name) => name !== "channel" && name !== "topic");
  return {
    path: CUSTOMERS,
    pairs: [...filters(source, { names }), ...limited(source, 0.7)],
    pages: MOST_PAGES,
  };
}

function search(source: Source): Draft {
  const { catalogue: { texts }, random } = source;
  const draft = customersList(source);
  const text = texts.length > 0 && !random.chance(0.1)
    ? random.pick(texts)
    : random.pick(UNKNOWN_NAMES);
  const words = text.split(" ");
  const from = random.chance(0.3) ? random.pick(words) : text;
  const letters = [...from].slice(0, 1 + random.below(6)).join("");
  const q = random.chance(0.4) ? otherCase(letters, random) : letters;
  return { ...draft, pairs: [["q", q], ...draft.pairs] };
}

function dimensions(
  { catalogue, random }: Source,
  { most, without = [] }: {
    readonly most: number;
    readonly without?: readonly string[];
  },
): Pair[] {
  const all = catalogue.dimensions.map(({ name }) => name)
    .filter((name) => !without.includes(name));
  if (all.length === 0 || most < 1 || random.chance(0.1)) return [];
  return [["by", random.some(all, most).join(",")]];
}

function metrics(source: Source): Draft {
  return {
    path: METRICS,
    pairs: [
      ...dimensions(source, { most: 3 }),
      ...period(source, 0.5),
      ...allFilters(source, 0.2),
    ],
  };
}

function pivoted(source: Source): Draft {
  const { catalogue, random } = source;
  const pivots = catalogue.dimensions.filter(({ pivots }) => pivots)
    .map(({ name }) => name);
  if (pivots.length === 0) return metrics(source);
  const pivot = random.pick(pivots);
  const without = random.chance(0.95) ? [pivot] : [];
  return {
    path: METRICS,
    pairs: [
      ...dimensions(source, { most: 2, without }),
      ["pivot", pivot],
      ...period(source, 0.4),
      ...allFilters(source, 0.2),
    ],
  };
}

function compared(source: Source): Draft {
  const { random } = source;
  const draft = random.chance(0.3)
    ? reached(source)
    : random.chance(0.3)
    ? pivoted(source)
    : metrics(source);
  // Without times, which cannot be compared; now and then with one.
  const without = random.chance(0.95) ? INTERVALS : [];
  const days = [dayOf(source), dayOf(source)].sort();
  return {
    ...draft,
    pairs: [
      ...draft.pairs.filter(([name]) =>
        !["by", "start_date", "end_date"].includes(name)
      ),
      ...dimensions(source, {
        most: draft.pairs.some(([name]) => name === "pivot") ? 1 : 2,
        without: [
          ...without,
          ...draft.pairs.filter(([name]) => name === "pivot")
            .map(([, value]) => value),
        ],
      }),
      ["start_date", days[0]],
      ["end_date", days[1]],
      ["compare", random.pick(["previous_period", "previous_year"])],
    ],
  };
}

function reached(source: Source): Draft {
  const { random } = source;
  const without = random.chance(0.97) ? ["customer_id"] : [];
  return {
    path: REACHED,
    pairs: [
      ...dimensions(source, { most: 3, without }),
      ...period(source, 0.6),
      ...allFilters(source, 0.2),
    ],
  };
}

function download(source: Source): Draft {
  const { catalogue, random } = source;
  const draft = random.pick([
    interactionsList,
    customersList,
    search,
    metrics,
    pivoted,
    reached,
    compared,
  ])(source);
  const is_list = draft.path === LIST || draft.path === CUSTOMERS;
  const is_large = catalogue.customers > FEW_CUSTOMERS;
  const pairs = draft.pairs.filter(([name]) => name !== "limit");
  const limit: Pair[] = is_list && (is_large || random.chance(0.4))
    ? [["limit", String(1 + random.below(3_000))]]
    : [];
  return {
    path: draft.path,
    pairs: [
      // Customers by days would be as long as the data.
      ...pairs.filter(([name, value]) =>
        !(is_large && name === "by" && value.includes("customer_id"))
      ),
      ...limit,
      ...formats(source, 1),
    ],
  };
}

function setAside(source: Source): Draft {
  const { catalogue, random } = source;
  const of = random.pick(["table", "file", "all"]);
  const pairs: Pair[] = of === "table"
    ? [["table", random.pick(["customers", "interactions", "products", "x"])]]
    : of === "file" && catalogue.files.length > 0
    ? [["file", random.pick(catalogue.files)]]
    : [];
  return {
    path: SET_ASIDE,
    pairs: [...pairs, ...limited(source, 0.4), ...formats(source, 0.2)],
    pages: MOST_PAGES,
  };
}
