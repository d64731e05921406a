/** The parts that a draft of a source is made of, and what they are drafted with: roles of columns, evidence, filters. */

import { nameKey } from "../model/names.ts";
import type { ColumnFacts } from "./column_facts.ts";
import { DELETED, rankOf, type Role } from "./known_headers.ts";

/** A value of tally.toml that stands behind a key of a source. */
export type DraftValue = string | Readonly<Record<string, string>>;

/** A value as tally.toml has it. */
export function tomlOf(value: DraftValue): string {
  if (typeof value === "string") return quoted(value);
  return `{ ${
    Object.entries(value).map(([key, text]) => `${key} = ${quoted(text)}`)
      .join(", ")
  } }`;
}

/** A text as tally.toml has it. */
export function quoted(text: string): string {
  // What JSON escapes is escaped in TOML alike; control characters are in no header.
  return JSON.stringify(text);
}

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

/** What is drafted of files that are written alike, whatever their names. */
export interface Body {
  readonly table: "customers" | "interactions";
  readonly keys: readonly DraftKey[];
  readonly filters: readonly DraftFilter[];
  /** What somebody should look at. */
  readonly unsure: readonly string[];
}

/** Whether a column holds times, or dates. */
export function isTime(
  { times, has_native_dates, header, clocks }: ColumnFacts,
) {
  if (clocks >= 0.5) return false;
  return has_native_dates ||
    times.length > 0 &&
      // A number of days may be an amount.
      (times[0].format !== "excel" || rankOf("time", header) !== null);
}

/** The columns that are known in a role, the best first. */
export function known(
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

/** The column with the ids of customers, how it is known, and the ids in it. */
export function idOf(columns: readonly ColumnFacts[]): {
  column: ColumnFacts | undefined;
  /** Other columns that may be meant, where the header does not say it. */
  others: readonly ColumnFacts[];
  ids: readonly string[];
  is_unique: boolean;
  pattern?: typeof QUOTED_NUMBER;
} {
  const isId = ({ is_unique, times }: ColumnFacts) =>
    is_unique && times.length === 0;
  const in_role = known("customer_id", columns);
  const unique = columns.filter(isId);
  const codes = unique.filter(({ emails, phones }) =>
    emails < 0.5 && phones < 0.5
  );
  // What other files refer to, and then a header that speaks of ids; else an address is one.
  const by_content = [
    ...codes.filter(({ is_referred }) => is_referred),
    ...in_role,
    ...codes.filter(({ header }) =>
      /(^|[^a-z])(id|nr|no|key|code|number)$/i.test(header)
    ),
    ...unique.filter(({ emails }) => emails >= 0.9),
    ...unique.filter(({ phones }) => phones >= 0.9),
  ];
  const by_header = in_role.find(isId);
  const column = by_header ?? by_content.at(0);
  if (!column) return { column, others: [], ids: [], is_unique: false };
  const others = by_header
    ? []
    : [...new Set(by_content)].filter((other) => other !== column);
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
    others,
    ids: pattern
      ? values.flatMap((value) => pattern.regexp.exec(value)?.[1] ?? [])
      : values,
    is_unique: isId(column),
    ...pattern && { pattern },
  };
}

/** A share as people read it, such as `12%`. */
export function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** How much of a column is filled, and how many values it has. */
export function filling({ values, rows, distinct }: ColumnFacts): string {
  return `${
    percent(rows === 0 ? 0 : values.length / rows)
  } filled, distinct: ${distinct}`;
}

/** A key that names a column, with how it is filled as its evidence. */
export function keyOf(
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

/** The first headers, in quotes, to name them in a question. */
export function headersOf(columns: readonly ColumnFacts[]): string {
  return quotedList(columns.map(({ header }) => header));
}

/** The first of several texts, in quotes. */
export function quotedList(texts: readonly string[]): string {
  return texts.slice(0, 5).map((text) => JSON.stringify(text)).join(", ");
}

/** Whether most values are short enough for a name. */
export function isShort(values: readonly string[]): boolean {
  return values.filter((value) => value.length <= 60).length >=
    0.9 * values.length;
}

/** The values whose `nameKey` is among `keys`, each name once, sorted. */
export function valuesAmong(
  { values }: ColumnFacts,
  keys: ReadonlySet<string>,
): string[] {
  const found = new Map(
    values.filter((value) => keys.has(nameKey(value)))
      .map((value) => [nameKey(value), value]),
  );
  return [...found.values()].sort();
}

/** The filters that pass over deleted rows, spam and tests. */
export function deletedFilters(columns: readonly ColumnFacts[]): DraftFilter[] {
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
