/** Finds the column of the interactions that says which customer, by the ids found on the other side. */

import { foldHeader } from "../model/contract.ts";
import { type ColumnFacts, isEmail, kindOfIds } from "./column_facts.ts";
import { isTime } from "./draft_keys.ts";
import { rankOf } from "./known_headers.ts";

/** What the customers have that interactions may name them by. */
export interface Target {
  readonly by: "id" | "email" | "phone" | "name";
  readonly facts: ColumnFacts;
  /** Takes the id out of a longer text, where one must. */
  readonly pattern?: RegExp;
}

/** A column of interactions, and how it finds customers. */
export interface Link {
  readonly facts: ColumnFacts;
  readonly target: Target | null;
  /** Whether the ids are compared exactly; else by `match`. */
  readonly is_exact: boolean;
  readonly separator: string | undefined;
  /** The share of its values that some customer has. */
  readonly found: number;
}

const SEPARATORS = [";", ",", "|", "/"];
/** Below this share, what is found may be chance. */
const SOME_FOUND = 0.3;
const BONUS = { id: 0.2, email: 0.1, phone: 0.05, name: 0 };

/** The links that the columns may be, the likeliest first. */
export function findLinks(
  columns: readonly ColumnFacts[],
  targets: readonly LinkTarget[],
): Link[] {
  const scored = columns.flatMap((facts) => {
    if (facts.values.length === 0 || facts.times.length > 0) return [];
    const rank = rankOf("customer", facts.header);
    const tried = triedValues(facts);
    const is_countable = isCountable(facts);
    return targets.flatMap((one) => {
      const { ways, by_header } = one;
      const named_alike = by_header.get(foldHeader(facts.header));
      const is_known = rank !== null || named_alike !== undefined;
      const target = rank === null && named_alike || one.target;
      if (!is_known && is_countable) return [];
      const is_some = ways.some(({ key, known }) =>
        tried.some((value) => known.has(key(value)))
      );
      if (!is_some) return [];
      return linksTo({ target, ways }, facts)
        .filter(({ found }) => found >= (is_known ? SOME_FOUND : MOST_FOUND))
        .map((link) => ({
          link,
          score: link.found + (is_known ? 0.5 : 0) + BONUS[target.by] +
            (link.is_exact ? 0.01 : 0) - (rank ?? 0) / 1_000,
        }));
    });
  });
  if (scored.length > 0) {
    return scored.sort((a, b) => b.score - a.score).map(({ link }) => link);
  }
  // The sample may have other customers than the file: the header is all there is.
  return columns
    .filter(({ values, times, header }) =>
      values.length > 0 && times.length === 0 &&
      rankOf("customer", header) !== null
    )
    .sort((a, b) =>
      rankOf("customer", a.header)! - rankOf("customer", b.header)!
    )
    .map((facts) => ({
      facts,
      target: null,
      is_exact: true,
      separator: idsIn(facts).separator,
      found: 0,
    }));
}

/** The ids in the cells of a column, of which no customers are known to compare them with. */
export interface IdsInCells {
  readonly ids: readonly string[];
  /** Whether some cells have several. */
  readonly are_lists: boolean;
  /** What `separator` must be for them. */
  readonly separator?: string;
  /** What may separate several where nothing shows it. */
  readonly may_separate?: string;
}

/** The ids in the cells of a column: cells are lists where all parts are of one kind that has a form. */
export function idsIn({ values }: ColumnFacts): IdsInCells {
  const partsAt = (separator: string | RegExp) =>
    values.flatMap((value) => value.split(separator))
      .map((part) => part.trim()).filter((part) => part !== "");
  const cellsWith = (separator: string) =>
    values.filter((value) => value.includes(separator));
  const used = SEPARATORS.filter((one) => cellsWith(one).length > 0);
  for (const separator of used) {
    const ids = partsAt(separator);
    const kind = kindOfIds(ids);
    if (kind === "text" && !ids.every(isEmail)) continue;
    // The rule for whole numbers passes over what may be one with grouped digits.
    return kind === "integer" && separator === ","
      ? { ids, are_lists: true }
      : { ids, are_lists: true, separator };
  }
  const ids = partsAt(/[;,|]/);
  if (used.length > 0 && kindOfIds(ids) === "integer") {
    return { ids, are_lists: true };
  }
  const [may_separate] = used.filter((one) =>
    cellsWith(one).every((value) =>
      value.split(one).every((part) => part.trim() !== "")
    )
  ).sort((a, b) => cellsWith(b).length - cellsWith(a).length);
  return { ids: values, are_lists: false, may_separate };
}

/** Which columns have the values of a unique one of another file, and which of these have theirs. */
export interface References {
  readonly from: ReadonlySet<ColumnFacts>;
  readonly to: ReadonlySet<ColumnFacts>;
}

/** The first values of a column show well enough what it refers to. */
const VALUES_COMPARED = 200;
const MOST_FOUND = 0.6;

/** Which columns of files with times have the values of a unique column of another file. */
export function referencesAmong(
  files: readonly (readonly ColumnFacts[])[],
): References {
  const placed = files.map((columns, file) =>
    columns.filter(({ times, values }) =>
      times.length === 0 && values.length > 0
    ).map((facts) => ({ file, facts }))
  );
  const compared = alikeAmong(
    placed.filter((_, file) => files[file].some(isTime)).flat(),
    (facts) => [
      isCountable(facts) ? foldHeader(facts.header) : "",
      ...comparedValues(facts).toSorted(),
    ],
  );
  const unique = alikeAmong(
    placed.flat().filter(({ facts }) => facts.is_unique),
    (facts) => {
      const keys = keysOf(facts);
      return [
        keys.values().some(isSmallNumber) ? foldHeader(facts.header) : "",
        isPhone(facts) ? "phone" : "text",
        ...[...keys].sort(),
      ];
    },
  );
  const by_text = wantedValues(compared, textKey);
  let by_phone: WantedValues | undefined;
  for (const to of unique) {
    const wanted = isPhone(to.facts)
      ? by_phone ??= wantedValues(compared, phoneKey)
      : by_text;
    for (const from of columnsWith(to.facts, wanted)) {
      for (const file of to.files) from.met.add(file);
      for (const file of from.files) to.met.add(file);
    }
  }
  return { from: thatMetOthers(compared), to: thatMetOthers(unique) };
}

interface PlacedColumn {
  readonly file: number;
  readonly facts: ColumnFacts;
}

/** Columns in which the same is found, so that one is compared for all. */
interface AlikeColumns {
  readonly facts: ColumnFacts;
  readonly columns: readonly PlacedColumn[];
  /** The first two files of these: one of them is another file than that of any column. */
  readonly files: readonly number[];
  /** Files of the columns that have their values, or whose values they have. */
  readonly met: Set<number>;
}

/** The columns, those together of which all that is compared is equal. */
function alikeAmong(
  placed: readonly PlacedColumn[],
  whatIsCompared: (facts: ColumnFacts) => readonly string[],
): AlikeColumns[] {
  const alike = Map.groupBy(
    placed,
    ({ facts }) => JSON.stringify(whatIsCompared(facts)),
  );
  return Array.from(alike.values(), (columns) => ({
    facts: columns[0].facts,
    columns,
    files: [...new Set(columns.map(({ file }) => file))].slice(0, 2),
    met: new Set(),
  }));
}

function thatMetOthers(alike: readonly AlikeColumns[]): Set<ColumnFacts> {
  return new Set(
    alike.flatMap(({ columns, met }) =>
      columns.filter(({ file }) =>
        met.size > 1 || met.size > 0 && !met.has(file)
      )
        .map(({ facts }) => facts)
    ),
  );
}

/** A value of a compared column, which is found once all of its parts are. */
interface WantedValue {
  readonly column: AlikeColumns;
  readonly parts: number;
  /** How many of the compared cells have it. */
  readonly cells: number;
}

/** The values of compared columns, by the key of each part; that of small numbers has their header, too. */
type WantedValues = ReadonlyMap<string, readonly WantedValue[]>;

function beforeNumbers(header: string): string {
  return `${foldHeader(header)}\n`;
}

function comparedValues({ values }: ColumnFacts): readonly string[] {
  return values.slice(0, VALUES_COMPARED);
}

function wantedValues(
  compared: readonly AlikeColumns[],
  key: (value: string) => string,
): WantedValues {
  const wanted = new Map<string, WantedValue[]>();
  for (const column of compared) {
    const { facts } = column;
    const before = isCountable(facts) ? beforeNumbers(facts.header) : "";
    const first = comparedValues(facts);
    for (const [value, alike] of Map.groupBy(first, (one) => one)) {
      const parts = new Set(value.split(/[;,|]/).map(key));
      const one = { column, parts: parts.size, cells: alike.length };
      for (const part of parts) {
        if (part === "") continue;
        const others = wanted.get(before + part);
        if (others) others.push(one);
        else wanted.set(before + part, [one]);
      }
    }
  }
  return wanted;
}

function isPhone({ phones }: ColumnFacts): boolean {
  return phones >= 0.5;
}

/** The values of a column that may be referred to, in the form in which they are compared. */
function keysOf(facts: ColumnFacts): ReadonlySet<string> {
  return new Set(facts.values.map(isPhone(facts) ? phoneKey : textKey));
}

/** The compared columns most of whose values are those of a unique one. */
function columnsWith(
  unique: ColumnFacts,
  wanted: WantedValues,
): AlikeColumns[] {
  const keys = keysOf(unique);
  const before = beforeNumbers(unique.header);
  const parts_found = new Map<WantedValue, number>();
  const cells_found = new Map<AlikeColumns, number>();
  for (const key of keys) {
    for (const place of [key, before + key]) {
      for (const one of wanted.get(place) ?? []) {
        const parts = (parts_found.get(one) ?? 0) + 1;
        parts_found.set(one, parts);
        if (parts < one.parts) continue;
        const cells = cells_found.get(one.column) ?? 0;
        cells_found.set(one.column, cells + one.cells);
      }
    }
  }
  return [...cells_found].filter(([{ facts }, cells]) =>
    cells >= MOST_FOUND * Math.min(facts.values.length, VALUES_COMPARED)
  ).map(([column]) => column);
}

/** Whether a column has small numbers alone, which are found among ids by chance: a duration, an amount. */
export function isCountable({ values }: ColumnFacts): boolean {
  return values.every(isSmallNumber);
}

function isSmallNumber(value: string): boolean {
  return /^\d{1,5}$/.test(value);
}

/** One of the ways in which a value may be that of a customer, and the keys of all customers. */
interface Way {
  readonly key: (value: string) => string;
  readonly known: ReadonlySet<string>;
  readonly is_exact: boolean;
}

/** The first of the targets with the same values, and the keys of these. */
export interface LinkTarget {
  readonly target: Target;
  readonly ways: readonly Way[];
  /** The first of these targets with each header. */
  readonly by_header: ReadonlyMap<string, Target>;
}

/** The targets, those together that have the same values, with keys that are made once for all columns. */
export function linkTargets(targets: readonly Target[]): LinkTarget[] {
  const keyed = targets.map((target) => ({ target, ways: waysOf(target) }));
  const alike = Map.groupBy(
    keyed,
    ({ target: { by, pattern }, ways: [{ known }] }) =>
      JSON.stringify([by, pattern?.source ?? "", ...[...known].sort()]),
  );
  return Array.from(alike.values(), (some) => ({
    ...some[0],
    by_header: new Map(
      some.toReversed().map((
        { target },
      ) => [foldHeader(target.facts.header), target]),
    ),
  }));
}

function waysOf({ by, pattern, facts }: Target): Way[] {
  const id = (value: string) => {
    const text = pattern ? pattern.exec(value)?.[1] ?? "" : value;
    // The longer form of a Salesforce id is the shorter one and a checksum.
    return /^[0-9A-Za-z]{15}[A-Z0-5]{3}$/.test(text) ? text.slice(0, 15) : text;
  };
  const keys: ((value: string) => string)[] = by === "phone"
    ? [phoneKey]
    : by === "id"
    ? [id, (value) => id(value).toLowerCase()]
    : [textKey];
  return keys.map((key, i) => {
    const known = new Set(facts.values.map(key));
    known.delete("");
    return { key, known, is_exact: by === "id" && i === 0 };
  });
}

/** Of so many values, some are found wherever the share is at least `SOME_FOUND`. */
const VALUES_TRIED = 64;
/** From one value to the next, as a share of all rows: these steps follow no order that rows may have. */
const STEP = 0.618034;

/** Some values of a column from all over it, and the parts of those that are lists. */
function triedValues({ values }: ColumnFacts): string[] {
  const tried = values.length <= VALUES_TRIED
    ? values
    : Array.from({ length: VALUES_TRIED }, (_, i) =>
      values[Math.floor((i * STEP % 1) * values.length)]);
  return [
    ...new Set(
      tried.flatMap((value) => [
        value.trim(),
        ...SEPARATORS.flatMap((one) =>
          value.split(one).map((part) => part.trim())
        ),
      ]),
    ),
  ];
}

function linksTo(
  { target, ways }: Pick<LinkTarget, "target" | "ways">,
  facts: ColumnFacts,
): Link[] {
  const links: Link[] = [];
  const separators = SEPARATORS.filter((one) =>
    facts.values.some((value) => value.includes(one))
  );
  for (const { key, known, is_exact } of ways) {
    for (const separator of [undefined, ...separators]) {
      const elements = separator === undefined
        ? facts.values
        : facts.values.flatMap((value) => value.split(separator));
      const found = elements
        .filter((one) => known.has(key(one.trim()))).length / elements.length;
      const better = links.every((link) => link.found < found - 0.001);
      if (!better) continue;
      links.push({ facts, target, is_exact, separator, found });
    }
  }
  return links;
}

function textKey(value: string): string {
  return value.trim().toLowerCase();
}

/** As phone_match_key of mapped_rules.sql has it. */
function phoneKey(value: string): string {
  const text = value.trim();
  const digits = text.replace(/^(\d+)\.0$/, "$1").replace(/\D/g, "");
  return digits === "" ? "" : (text.startsWith("+") ? "+" : "") + digits;
}
