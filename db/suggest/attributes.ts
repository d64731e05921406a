/** Finds the columns of customers that one groups by, such as a country or an owner, and names them. */

import { nameProblem } from "../mapping/attribute_names.ts";
import type { ColumnFacts } from "./column_facts.ts";
import { attributeOf, bareHeader, rankOf, wordsOf } from "./known_headers.ts";
import { isNote, isPrivate } from "./shown_values.ts";

/** A column that may be an attribute. */
export interface Attribute {
  readonly name: string;
  readonly facts: ColumnFacts;
}

/** With more values than this, there would be no pivot by it. */
const MOST_VALUES = 1_000;
/** So few values are few in a small sample, too, where the header is known. */
const FEW_VALUES = 20;
/** Where the header is not known: the rows that show how often values return, and how often they must. */
const ENOUGH_ROWS = 10;
const ROWS_PER_VALUE = 5;
/** A column that is mostly empty groups nothing. */
const LEAST_FILLED = 0.1;
/** The share of values that may be as in a note or an amount. */
const SOME = 0.1;

/** What an attribute is not called: what says who somebody is, when something was, or how much. */
const NOT_GROUPED = new Set(
  ("id ids guid uuid key no nr number name surname salutation email mail phone mobile fax " +
    "street address zip postcode postal url link website image avatar checksum date time " +
    "birthday birth note notes comment comments description memo bio subject " +
    "vorname nachname prénom nom nombre apellido apellidos nome cognome voornaam achternaam " +
    "straße strasse plz adresse rue calle indirizzo via adres notiz bemerkung")
    .split(" "),
);
const NUMBER = /^[\p{Sc}\s+-]*\d[\d.,\s]*[%\p{Sc}]?$/u;

/**
 * The attributes among columns that nothing else uses, the best first: those
 * with a known header, then those whose few values return most often.
 */
export function attributesAmong(columns: readonly ColumnFacts[]): Attribute[] {
  const groupable = columns.filter(isGroupable);
  const known = groupable.flatMap((facts) => {
    const found = attributeOf(facts.header);
    const { distinct, values } = facts;
    return found && (distinct <= FEW_VALUES || distinct <= values.length / 2)
      ? [{ ...found, facts }]
      : [];
  }).sort((a, b) => a.rank - b.rank);
  const others = groupable.filter((facts) =>
    attributeOf(facts.header) === null && isOftenRepeated(facts) &&
    !wordsOf(facts.header).some((word) => NOT_GROUPED.has(word)) &&
    rankOf("name", facts.header) === null &&
    rankOf("deleted", facts.header) === null
  ).sort((a, b) =>
    b.values.length - a.values.length || a.distinct - b.distinct
  );
  const attributes = new Map<string, Attribute>();
  for (const { name, facts } of known) {
    // Of two countries, the better known one.
    if (!attributes.has(name)) attributes.set(name, { name, facts });
  }
  for (const facts of others) {
    const name = nameFor(facts.header, attributes);
    attributes.set(name, { name, facts });
  }
  return [...attributes.values()];
}

function isGroupable(facts: ColumnFacts): boolean {
  const { header, values, distinct, times, has_native_dates } = facts;
  if (distinct < 2 || distinct > MOST_VALUES) return false;
  if (times.length > 0 || has_native_dates || facts.clocks > SOME) return false;
  if (facts.emails > 0 || facts.phones > SOME) return false;
  if ([...new Set(values)].some((value) => isPrivate(value, header))) {
    return false;
  }
  const odd = values.filter((value) => isNote(value) || NUMBER.test(value));
  return odd.length <= SOME * values.length;
}

function isOftenRepeated({ values, distinct, rows }: ColumnFacts): boolean {
  return values.length >= Math.max(ENOUGH_ROWS, LEAST_FILLED * rows) &&
    distinct * ROWS_PER_VALUE <= values.length;
}

const MAX_NAME = 31;

/** A name from a header that tally.toml takes, and that no other has. */
function nameFor(
  header: string,
  taken: ReadonlyMap<string, Attribute>,
): string {
  const from_header = bareHeader(header).normalize("NFKD")
    .replaceAll(/\p{M}/gu, "").replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    // In capitals, some letters are two that are plain.
    .toUpperCase().toLowerCase().replaceAll(/[^a-z0-9]+/g, "_").replace(
      /^[\d_]+/,
      "",
    );
  const cut = (text: string, length: number) =>
    text.slice(0, length).replace(/_+$/, "");
  const plain = cut(from_header, MAX_NAME) || "attribute";
  const name = nameProblem(plain) === undefined
    ? plain
    : cut(`customer_${plain}`, MAX_NAME);
  let free = name;
  for (let i = 2; taken.has(free); i++) {
    free = `${cut(name, MAX_NAME - `_${i}`.length)}_${i}`;
  }
  return free;
}
