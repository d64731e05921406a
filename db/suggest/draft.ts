/** Drafts a mapping from samples: which file is of which table, what its columns mean, and what must be asked. */

import { foldHeader, matchHeader, tableOf, TABLES } from "../model/contract.ts";
import { nameKey } from "../model/names.ts";
import { MAX_ATTRIBUTES } from "../mapping/attribute_names.ts";
import type { IdKind } from "../mapping/mapping.ts";
import { attributesAmong } from "./attributes.ts";
import {
  type ColumnFacts,
  factsOf,
  kindOfIds,
  likelyForms,
} from "./column_facts.ts";
import { globsOf } from "./globs.ts";
import {
  channelOf,
  DELETED,
  DONE,
  END_USERS,
  namedAfter,
  PLANNED,
  rankOf,
  type Role,
} from "./known_headers.ts";
import { findLinks, type Link, type Target } from "./links.ts";
import type { Sample } from "./sample.ts";

/** A value of tally.toml that stands behind a key of a source. */
export type DraftValue = string | Readonly<Record<string, string>>;

/** A key of a source, with the values that it may have. */
export interface DraftKey {
  readonly key: string;
  /** One that the sample leaves, or several of which somebody must choose one. */
  readonly choices: readonly DraftValue[];
  /** Another value that may be meant, in place of the one choice. */
  readonly instead?: DraftValue;
  /** What the sample shows, in a sentence. */
  readonly evidence: string;
  /** What it cannot show. */
  readonly asks?: string;
  /** The column that the evidence is of; absent for a constant. */
  readonly facts?: ColumnFacts;
}

/** Rows that are passed over, or that alone count. */
export interface DraftFilter {
  readonly key: "skip_where" | "keep_where";
  readonly header: string;
  /** As they are written in the file; "" is no value. */
  readonly values: readonly string[];
  readonly evidence: string;
}

/** Files of one table that are written alike. */
export interface DraftSource {
  readonly table: "customers" | "interactions";
  readonly files: string;
  readonly file_names: readonly string[];
  readonly sheet?: string;
  readonly header_row?: number;
  readonly footer_rows?: number;
  readonly keys: readonly DraftKey[];
  readonly filters: readonly DraftFilter[];
  readonly rows: number;
  readonly is_whole: boolean;
  /** What somebody should look at. */
  readonly unsure: readonly string[];
}

/** A draft of tally.toml. */
export interface Draft {
  readonly sources: readonly DraftSource[];
  /** Set where no file of customers was found: the kind of their ids. */
  readonly ids: IdKind | null;
  /** Files that need no mapping. */
  readonly fitting: readonly string[];
  /** Files that could be read, and of which nothing is proposed. */
  readonly left: readonly { readonly file: string; readonly reason: string }[];
}

/** Files with one header, and what their columns hold. */
interface Group {
  readonly samples: readonly Sample[];
  readonly first: Sample;
  readonly columns: readonly ColumnFacts[];
  readonly table: DraftSource["table"] | null;
}

/** Drafts a mapping. The same samples give the same draft. */
export function draftMapping(samples: readonly Sample[]): Draft {
  const fitting = samples.filter(fitsAlready);
  const others = samples.filter((sample) => !fitting.includes(sample));
  const groups = groupsOf(others);
  const files = [...new Set(samples.map(({ file }) => file))];
  const customers = groups.filter(({ table }) => table === "customers");
  const interactions = groups.filter(({ table }) => table === "interactions");
  const builtin = fitting.filter(({ file }) =>
    tableOf(stemOf(file)) === "customers"
  );

  const known = [
    ...customers.map(({ columns }) => columns),
    ...builtin.map(({ columns }) => columns.map(factsOf)),
  ];
  const kinds = customers.map(({ columns }) => kindOfIds(idOf(columns).ids));
  const kind: IdKind = new Set(kinds).size === 1 ? kinds[0] : "text";

  const bodies = withFewAttributes(
    customers.map((group) =>
      customersBody(group, { kind, is_only: known.length === 1 })
    ),
  );
  const drafted: DraftSource[] = customers.flatMap((group, i) =>
    sourcesFor(group, { files, body: bodies[i] })
  );
  let ids: IdKind | null = null;
  const needs_customers = known.length === 0 && interactions.length > 0;
  const flat: DraftSource[] = [];
  for (const group of interactions) {
    const body = interactionsBody(group, known);
    drafted.push(...sourcesFor(group, { files, body }));
    if (!needs_customers) continue;
    const own = flatBody(group, body);
    if (own) flat.push(...sourcesFor(group, { files, body: own }));
    const { facts } = body.keys.find(({ key }) => key === "customer") ?? {};
    const found = kindOfIds(facts?.values ?? []);
    ids = ids === null || ids === found ? found : "text";
  }
  return {
    sources: [...flat, ...drafted],
    ids: flat.length > 0 || !needs_customers ? null : ids,
    fitting: [...new Set(fitting.map(({ file }) => file))],
    left: groups.filter(({ table }) => table === null)
      .flatMap(({ samples }) =>
        samples.map(({ file, sheet, rows }) => ({
          file: sheet === undefined ? file : `${file}, sheet ${sheet}`,
          reason: rows === 0
            ? "a header without rows: nothing to go by"
            : "no ids of customers with a name, and no times with a customer",
        }))
      ),
  };
}

function stemOf(file: string): string {
  return file.replace(/\.((csv|tsv)(\.gz)?|parquet|xlsx)$/i, "");
}

/** Whether a file is read without a mapping, by its own name or that of its sheet. */
function fitsAlready({ file, sheet, columns, header_row }: Sample): boolean {
  const table = tableOf(sheet ?? stemOf(file)) ?? tableOf(stemOf(file));
  return table !== undefined && header_row === undefined &&
    matchHeader(TABLES[table], columns.map(({ header }) => header))
        .missing.length === 0;
}

function groupsOf(samples: readonly Sample[]): Group[] {
  const alike = Map.groupBy(samples, (sample) =>
    JSON.stringify([
      sample.columns.map(({ header }) => foldHeader(header)),
      sample.sheet,
      sample.header_row,
      sample.footer_rows,
      namedAfter(sample.file),
    ]));
  return Array.from(alike.values(), (samples) => {
    const [first] = samples;
    const columns = first.columns.map(({ header, has_native_dates }, i) =>
      factsOf({
        header,
        has_native_dates,
        cells: samples.flatMap(({ columns }) => columns[i].cells),
      })
    );
    return { samples, first, columns, table: tableFor(first, columns) };
  });
}

function tableFor(
  sample: Sample,
  columns: readonly ColumnFacts[],
): Group["table"] {
  if (sample.rows === 0) return null;
  const hint = namedAfter(sample.sheet ?? sample.file) ??
    namedAfter(sample.file);
  const knows = (role: Role) =>
    columns.some(({ header }) => rankOf(role, header) !== null);
  const { column: id, is_unique } = idOf(columns);
  const has_time = columns.some(isTime);
  const persons = [
    knows("name"),
    knows("occupation"),
    columns.some(({ emails }) => emails >= 0.5),
    columns.some(({ phones }) => phones >= 0.5),
  ].filter(Boolean).length;
  const may_be_customers = id !== undefined && is_unique &&
    (persons > 0 || hint === "customers");
  const may_be_interactions = has_time &&
    (knows("customer") || hint === "interactions");
  if (may_be_customers && may_be_interactions) {
    return hint ?? (persons > 1 ? "customers" : "interactions");
  }
  return may_be_customers
    ? "customers"
    : may_be_interactions
    ? "interactions"
    : null;
}

function isTime({ times, has_native_dates, header, clocks }: ColumnFacts) {
  return has_native_dates ||
    times.length > 0 && clocks < 0.5 &&
      // A number of days may be an amount.
      (times[0].format !== "excel" || rankOf("time", header) !== null);
}

/** The columns that are known in a role, the best first. */
function known(
  role: Role,
  columns: readonly ColumnFacts[],
): ColumnFacts[] {
  return columns
    .filter(({ header, values }) =>
      values.length > 0 && rankOf(role, header) !== null
    )
    .sort((a, b) => rankOf(role, a.header)! - rankOf(role, b.header)!);
}

const QUOTED_NUMBER = { text: "(\\d+)", regexp: /(\d+)/ };
const IN_BRACKETS = { text: "\\((\\d+)\\)$", regexp: /\((\d+)\)$/ };

/** The column with the ids of customers, and the ids in it. */
function idOf(columns: readonly ColumnFacts[]): {
  column: ColumnFacts | undefined;
  ids: readonly string[];
  is_unique: boolean;
  pattern?: typeof QUOTED_NUMBER;
} {
  const isId = ({ values, distinct, rows, times }: ColumnFacts) =>
    distinct >= 0.9 * rows && values.length > 0 && times.length === 0;
  const in_role = known("customer_id", columns);
  // Where no header is known, one may speak of ids; else an address is one.
  const column = in_role.find(isId) ?? in_role[0] ??
    columns.find((one) =>
      isId(one) && /(^|[^a-z])(id|nr|no|key|code|number)$/i.test(one.header)
    ) ?? columns.find((one) => isId(one) && one.emails >= 0.9);
  if (!column) return { column: undefined, ids: [], is_unique: false };
  const { values } = column;
  const share = (shape: RegExp) =>
    values.filter((value) => shape.test(value)).length / values.length;
  const pattern = share(/^'\d+$/) >= 0.5
    ? QUOTED_NUMBER
    : share(IN_BRACKETS.regexp) >= 0.9
    ? IN_BRACKETS
    : undefined;
  return {
    column,
    ids: pattern
      ? values.flatMap((value) => pattern.regexp.exec(value)?.[1] ?? [])
      : values,
    is_unique: isId(column),
    ...pattern && { pattern },
  };
}

/** What is drafted of a group, whatever the names of its files. */
interface Body {
  readonly table: DraftSource["table"];
  readonly keys: readonly DraftKey[];
  readonly filters: readonly DraftFilter[];
  readonly unsure: readonly string[];
}

function sourcesFor(
  { samples, first }: Group,
  { files, body }: { readonly files: readonly string[]; readonly body: Body },
): DraftSource[] {
  const own = [...new Set(samples.map(({ file }) => file))];
  const { sheet, header_row, footer_rows } = first;
  return globsOf(own, files).map(({ glob, names }) => ({
    ...body,
    files: glob,
    file_names: names,
    ...sheet !== undefined && { sheet },
    ...header_row !== undefined && { header_row },
    ...footer_rows > 0 && { footer_rows },
    rows: samples.reduce((sum, { rows }) => sum + rows, 0),
    is_whole: samples.every(({ is_whole }) => is_whole),
  }));
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** How much of a column is filled, and how many values it has. */
function filling({ values, rows, distinct }: ColumnFacts): string {
  return `${
    percent(rows === 0 ? 0 : values.length / rows)
  } filled, distinct: ${distinct}`;
}

function keyOf(
  key: string,
  facts: ColumnFacts,
  options: Partial<DraftKey> = {},
): DraftKey {
  return {
    key,
    choices: [facts.header],
    evidence: filling(facts),
    facts,
    ...options,
  };
}

function customersBody(
  { columns }: Group,
  { kind, is_only }: { readonly kind: IdKind; readonly is_only: boolean },
): Body {
  const { column, pattern } = idOf(columns);
  const id = column!;
  const how = {
    ...kind !== "integer" && { kind },
    ...pattern && { pattern: pattern.text },
  };
  const with_how = Object.keys(how).length > 0;
  const keys: DraftKey[] = [keyOf("id", id, {
    choices: [with_how ? { column: id.header, ...how } : id.header],
    ...kind === "integer" && {
      instead: { column: id.header, kind: "text", ...how },
      asks:
        "Every id in the sample is a whole number. Take the other line if some have letters or leading zeros",
    },
  })];
  const used = [id.header];
  const add = (key: string, role: Role) => {
    const found = known(role, columns)
      .filter(({ header, times, distinct, values }) =>
        !used.includes(header) && times.length === 0 &&
        // More types than this are a free text.
        (key !== "type" || distinct <= 1_000 && isShort(values))
      );
    const [facts, ...others] = found;
    if (!facts) return;
    used.push(facts.header);
    keys.push(keyOf(key, facts, {
      ...others.length > 0 && {
        asks: `Others may be meant: ${headersOf(others)}`,
      },
    }));
  };
  const [role] = known("person_role", columns);
  const customers_only = role &&
    valuesAmong(role, END_USERS);
  add("name", "name");
  add("type", "type");
  add("occupation", "occupation");
  const filters: DraftFilter[] = [
    ...deletedFilters(columns),
    ...customers_only && customers_only.length < role.distinct &&
        customers_only.length > 0
      ? [{
        key: "keep_where" as const,
        header: role.header,
        values: customers_only,
        evidence: "others work for the business",
      }]
      : [],
  ];
  used.push(...filters.map(({ header }) => header));
  const unused = columns.filter(({ header }) => !used.includes(header));
  for (const { name, facts } of attributesAmong(unused)) {
    keys.push(keyOf(`${ATTRIBUTES_KEY}${name}`, facts));
  }
  return {
    table: "customers",
    keys,
    filters,
    unsure: [
      ...id.distinct < id.values.length
        ? ["Several rows have one id: the last one counts"]
        : [],
      ...is_only ? [] : [
        "Several kinds of files have customers: if they are of two systems, give the ids of each a prefix",
      ],
    ],
  };
}

const ATTRIBUTES_KEY = "attributes.";

/** No more attributes than customers may have, in all sources together; the first are the best. */
function withFewAttributes(bodies: readonly Body[]): Body[] {
  const names = new Set(
    bodies.flatMap(({ keys }) => keys).map(({ key }) => key)
      .filter((key) => key.startsWith(ATTRIBUTES_KEY)),
  );
  const left_out = new Set([...names].slice(MAX_ATTRIBUTES));
  return bodies.map((body) => ({
    ...body,
    keys: body.keys.filter(({ key }) => !left_out.has(key)),
  }));
}

function headersOf(columns: readonly ColumnFacts[]): string {
  return columns.slice(0, 5).map(({ header }) => JSON.stringify(header))
    .join(", ");
}

function isShort(values: readonly string[]): boolean {
  return values.filter((value) => value.length <= 60).length >=
    0.9 * values.length;
}

function valuesAmong(
  { values }: ColumnFacts,
  keys: ReadonlySet<string>,
): string[] {
  const found = new Map(
    values.filter((value) => keys.has(nameKey(value)))
      .map((value) => [nameKey(value), value]),
  );
  return [...found.values()].sort();
}

function deletedFilters(columns: readonly ColumnFacts[]): DraftFilter[] {
  const filters: DraftFilter[] = [];
  for (const facts of known("status", columns)) {
    const values = valuesAmong(facts, DELETED);
    if (values.length === 0) continue;
    filters.push({
      key: "skip_where",
      header: facts.header,
      values,
      evidence: `${
        percent(share(facts, (value) => values.includes(value)))
      } of the rows with a value`,
    });
  }
  for (const facts of known("deleted", columns)) {
    const yes = facts.values.find((value) => /^(true|yes|1)$/i.test(value));
    const is_flag = facts.values.every((value) =>
      /^(true|false|yes|no|[01])$/i.test(value)
    );
    if (yes === undefined || !is_flag) continue;
    filters.push({
      key: "skip_where",
      header: facts.header,
      values: [yes],
      evidence: `${
        percent(share(facts, (value) => value === yes))
      } of the rows`,
    });
  }
  return filters;
}

function share(
  { values }: ColumnFacts,
  fits: (value: string) => boolean,
): number {
  return values.filter(fits).length / values.length;
}

function interactionFilters(columns: readonly ColumnFacts[]): DraftFilter[] {
  const filters = deletedFilters(columns);
  for (const facts of known("status", columns)) {
    const done = valuesAmong(facts, DONE);
    const planned = valuesAmong(facts, PLANNED);
    if (planned.length === 0 || done.length === 0) continue;
    filters.push({
      key: "keep_where",
      header: facts.header,
      values: done,
      evidence: "others are planned",
    });
  }
  for (const facts of known("first_line", columns)) {
    if (facts.values.length === facts.rows) continue;
    filters.push({
      key: "skip_where",
      header: facts.header,
      values: [""],
      evidence: "the further lines of an order have none",
    });
  }
  return filters;
}

/** What interactions may name the customers by. */
function targetsOf(columns: readonly ColumnFacts[]): Target[] {
  const { column: id, pattern } = idOf(columns);
  const names = known("name", columns);
  return [
    ...id ? [{ by: "id" as const, facts: id, pattern: pattern?.regexp }] : [],
    ...columns.filter(({ emails }) => emails >= 0.5)
      .map((facts) => ({ by: "email" as const, facts })),
    ...columns.filter(({ phones }) => phones >= 0.5)
      .map((facts) => ({ by: "phone" as const, facts })),
    ...names.map((facts) => ({ by: "name" as const, facts })),
  ].map(({ pattern, ...target }: Target) =>
    pattern ? { ...target, pattern } : target
  );
}

function interactionsBody(
  { columns, first }: Group,
  customers: readonly (readonly ColumnFacts[])[],
): Body {
  const unsure: string[] = [];
  const keys: DraftKey[] = [];
  const used: string[] = [];
  const take = (key: DraftKey) => {
    keys.push(key);
    if (key.facts) used.push(key.facts.header);
  };
  const free = (role: Role) =>
    known(role, columns).filter(({ header }) => !used.includes(header));

  const id = free("interaction_id").find(({ distinct, values, rows, times }) =>
    times.length === 0 && values.length >= 0.9 * rows &&
    distinct >= 0.5 * values.length &&
    (values.length > 1 || /id|no|number/i.test(first.file + values[0]))
  );
  if (id) take(keyOf("id", id));

  const links = findLinks(
    columns.filter(({ header }) => !used.includes(header)),
    customers.flatMap(targetsOf),
  );
  const [link] = links;
  if (link) take(customerKey(link, links));
  else {
    unsure.push(
      "No column says which customer: write customer, or leave the source out",
    );
    keys.push({
      key: "customer",
      choices: [],
      evidence: "no column with ids, addresses or names of the customers",
      asks: "Which column names the customer",
    });
  }
  const time = timeKey(columns.filter(({ header }) => !used.includes(header)));
  if (time) take(time);

  const isNamed = ({ values, times, distinct }: ColumnFacts) =>
    times.length === 0 && distinct <= 1_000 && isShort(values);
  const [channel, ...channels] = free("channel").filter(isNamed);
  const noun = channelOf(first.sheet ?? "") ?? channelOf(first.file);
  if (channel) {
    take(keyOf("channel", channel, {
      ...channels.length > 0 && {
        asks: `Others may be meant: ${headersOf(channels)}`,
      },
    }));
  } else {
    keys.push({
      key: "channel",
      choices: noun === null ? [] : [{ value: noun }],
      evidence: noun === null
        ? "no column, and no channel in the name of the file"
        : "no column; by the name of the file",
      ...noun === null && {
        asks: 'Which channel are these? Write channel = { value = "Call" }',
      },
    });
  }
  const [topic, ...topics] = free("topic").filter(isNamed);
  if (topic) {
    const has_commas = topic.values.some((value) => value.includes(", "));
    take(keyOf("topic", topic, {
      ...has_commas && {
        choices: [{ column: topic.header, separator: "," }],
      },
      ...topics.length > 0 && {
        asks: `Others may be meant: ${headersOf(topics)}`,
      },
    }));
  }
  return {
    table: "interactions",
    keys,
    filters: interactionFilters(columns),
    unsure,
  };
}

function customerKey(link: Link, links: readonly Link[]): DraftKey {
  const { facts, target, is_exact, separator, found } = link;
  const how: Record<string, string> = {
    ...separator !== undefined && { separator },
    ...target && !is_exact && { match: target.facts.header },
    ...target?.by === "phone" && { match_as: "phone" },
  };
  const choice = Object.keys(how).length > 0
    ? { column: facts.header, ...how }
    : facts.header;
  const others = [
    ...new Set(
      links.filter((other) => other.facts !== facts)
        .map((other) => JSON.stringify(other.facts.header)),
    ),
  ];
  return keyOf("customer", facts, {
    choices: [choice],
    evidence: target
      ? `${percent(found)} found in ${
        JSON.stringify(target.facts.header)
      } of customers; ${filling(facts)}`
      : `by its header alone; ${filling(facts)}`,
    ...others.length > 0
      ? { asks: `Others may be meant: ${others.slice(0, 5).join(", ")}` }
      : found < 0.9 && target
      ? { asks: "Some are not found in the sample of the customers" }
      : {},
  });
}

function timeKey(columns: readonly ColumnFacts[]): DraftKey | null {
  const times = columns.filter(isTime);
  const rank = ({ header }: ColumnFacts) => rankOf("time", header) ?? 1_000;
  const fit = ({ times, has_native_dates }: ColumnFacts) =>
    has_native_dates ? 1 : times[0].share;
  const [facts, ...others] = times.sort((a, b) =>
    rank(a) - rank(b) || fit(b) - fit(a)
  );
  if (!facts) return null;
  const clock = known("clock", columns)
    .find((one) => one !== facts && one.clocks >= 0.5);
  const is_two = clock !== undefined &&
    !facts.values.some((value) => value.includes(":"));
  const forms = facts.has_native_dates ? [] : likelyForms(facts);
  const where: Record<string, string> = is_two
    ? { date: facts.header, time: clock.header }
    : { column: facts.header };
  const choices: DraftValue[] = forms.length === 0 ? [where] : forms
    .map((format) => ({ ...where, format }));
  const asks_order = choices.length > 1;
  const asks_zone = facts.has_zoneless_times || is_two;
  const best = facts.times.at(0);
  return keyOf("time", facts, {
    choices: choices.map((choice) =>
      typeof choice !== "string" && Object.keys(choice).length === 1
        ? facts.header
        : choice
    ),
    ...asks_zone && !asks_order && typeof choices[0] !== "string" && {
      instead: { ...choices[0], zone: "Europe/Berlin" },
    },
    evidence: `${
      facts.has_native_dates
        ? "dates of the file itself"
        : `${percent(best!.share)} fit ${forms.join(" and ")}`
    }; ${filling(facts)}`,
    asks: [
      ...asks_order ? ["The sample fits each of these forms: choose one"] : [],
      ...asks_zone
        ? [
          "In which time zone are these times? Without zone they are used as written",
        ]
        : [],
      ...others.length > 0
        ? [`Other columns with times: ${headersOf(others)}`]
        : [],
    ].join(". ") || undefined,
  });
}

/** The customers of a file that has them in the rows of their interactions; null where it has no names. */
function flatBody({ columns }: Group, body: Body): Body | null {
  const { facts } = body.keys.find(({ key }) => key === "customer") ?? {};
  if (!facts) return null;
  const names = known("name", columns).filter((one) => one !== facts);
  const [name] = names;
  if (!name) return null;
  const kind = kindOfIds(facts.values);
  return {
    table: "customers",
    keys: [
      keyOf("id", facts, {
        choices: [
          kind === "integer" ? facts.header : { column: facts.header, kind },
        ],
        asks:
          "No file is one of customers: these are taken from the interactions",
      }),
      keyOf("name", name),
    ],
    filters: body.filters,
    unsure: [],
  };
}
