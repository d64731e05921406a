/** Drafts the keys of customers: their id, name, type, occupation and attributes. */

import { MAX_ATTRIBUTES } from "../mapping/attribute_names.ts";
import type { IdKind } from "../mapping/mapping.ts";
import { attributesAmong } from "./attributes.ts";
import { type ColumnFacts, kindOfIds } from "./column_facts.ts";
import {
  type Body,
  deletedFilters,
  type DraftFilter,
  type DraftKey,
  headersOf,
  idOf,
  isShort,
  keyOf,
  known,
  valuesAmong,
} from "./draft_keys.ts";
import { END_USERS, rankOf, type Role } from "./known_headers.ts";
import { idsIn } from "./links.ts";

/** Drafts a source of customers. */
export function customersBody(
  columns: readonly ColumnFacts[],
  { kind, is_only }: { readonly kind: IdKind; readonly is_only: boolean },
): Body {
  const { column, others, pattern } = idOf(columns);
  const id = column!;
  const how = {
    ...kind !== "integer" && { kind },
    ...pattern && { pattern: pattern.text },
  };
  const with_how = Object.keys(how).length > 0;
  const asks = [
    ...rankOf("customer_id", id.header) === null
      ? ["The header does not say that these are the ids of customers"]
      : [],
    ...others.length > 0 ? [`Others may be meant: ${headersOf(others)}`] : [],
    ...kind === "integer"
      ? [
        "Every id in the sample is a whole number. Take the other line if some have letters or leading zeros",
      ]
      : [],
  ];
  const keys: DraftKey[] = [keyOf("id", id, {
    choices: [with_how ? { column: id.header, ...how } : id.header],
    ...kind === "integer" && {
      instead: { column: id.header, kind: "text", ...how },
    },
    ...asks.length > 0 && { asks: asks.join(". ") },
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
export function withFewAttributes(bodies: readonly Body[]): Body[] {
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

/** The customers of a file that has them in the rows of their interactions; null where it has no names, or several customers in a row. */
export function flatBody(
  columns: readonly ColumnFacts[],
  body: Body,
): Body | null {
  const { facts } = body.keys.find(({ key }) => key === "customer") ?? {};
  if (!facts || idsIn(facts).are_lists) return null;
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
