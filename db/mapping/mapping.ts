/** What tally.toml says, checked and in full: the sources of each table and how their columns are read. */

import {
  type Column,
  foldHeader,
  type Table,
  TABLE_NAMES,
  type TableName,
  TABLES,
} from "../model/contract.ts";
import { attributeColumn } from "../model/dimensions.ts";
import { inKeyOrder } from "../model/key_order.ts";
import { nameKey } from "../model/names.ts";
import { fitsGlob } from "./glob.ts";
import { type LoadProblem, refused } from "../model/problems.ts";
import { MAX_ATTRIBUTES } from "./attribute_names.ts";
import { MAPPING_FILE, readMappingFile } from "./mapping_file.ts";
import type { ID_KINDS, MappingFile } from "./mapping_schema.ts";

/** The kind of customer ids. */
export type IdKind = typeof ID_KINDS[number];

/** How the cells of one column are read. */
export interface ColumnRule {
  /** Its headers, several where cells are put together; empty for a constant. */
  readonly headers: readonly string[];
  /** The value of every row, where there is no header. */
  readonly value?: string;
  /** A regular expression with one group, which takes the value of every row from the name of the file. */
  readonly file_name?: string;
  /** What separates several values in a cell; where absent, the built-in rule holds. */
  readonly separator?: string;
  /** A regular expression with one group, which is the id. */
  readonly pattern?: string;
  /** Is put before every id. */
  readonly prefix?: string;
  /** The column of customers that has the value; null where the cell is the id itself. */
  readonly match?: Match;
  readonly is_anonymous_unmatched?: boolean;
  /** A name of `NAMED_FORMATS` or a pattern of strptime; where absent, the built-in rules hold. */
  readonly format?: string;
  /** The time zone of times without an offset. */
  readonly zone?: string;
}

/** A column of customers by which interactions find theirs. */
export interface Match {
  /** Its name among the columns of customers. */
  readonly column: string;
  readonly header: string;
  readonly as: "text" | "phone";
}

/** A column whose values decide whether a row counts. */
export interface Where {
  /** Its name among the columns of the source. */
  readonly column: string;
  readonly header: string;
  /** Whether rows with one of the values are passed over; else those without. */
  readonly skips: boolean;
  /** The keys of the names. */
  readonly keys: ReadonlySet<string>;
}

/** Files of one table that are written alike. */
export interface Source {
  /** From 1; 0 stands for the built-in contract. */
  readonly number: number;
  /** Its place in tally.toml, such as `interactions[2]`. */
  readonly key: string;
  readonly table: TableName;
  /** The glob for the names of files. */
  readonly files: string;
  readonly sheet: string | undefined;
  /** The line of the header, where that is not the first with a value. */
  readonly header_row: number | undefined;
  readonly footer_rows: number;
  readonly where: readonly Where[];
  /** By column of the table. */
  readonly rules: Readonly<Record<string, ColumnRule>>;
  /** The columns of the table that the files must have. */
  readonly layout: Table;
  /** Whether a file or folder in the data folder belongs to it, by its name. */
  has(name: string): boolean;
}

/** What tally.toml says. */
export interface Mapping {
  readonly id_kind: IdKind;
  /** Whether a folder without a file of customers is refused. */
  readonly needs_customers: boolean;
  readonly has_names: boolean;
  /** The names of the attributes of customers, sorted. */
  readonly attributes: readonly string[];
  readonly sources: readonly Source[];
  /** The columns of customers by which interactions find theirs. */
  readonly matches: readonly Match[];
  /** A text that is equal for equal mappings, whatever their comments and order of keys. */
  readonly meaning: string;
}

/** The header of the columns of customers that are matched, by the position of the match. */
const MATCHED = "match_";

/** Reads the text of tally.toml. Throws a refusal that names every mistake. */
export function readMapping(text: string): Mapping {
  return createMapping(readMappingFile(text));
}

type OneOrMore<T> = T | readonly T[];

function listOf<T>(value: OneOrMore<T> | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T];
}

/** A source as the file has it, whatever its table. */
interface SourceInFile {
  /** Only customers have them. */
  readonly attributes?: Readonly<Record<string, string | ColumnInFile>>;
  readonly files: string;
  readonly sheet?: string;
  readonly header_row?: number;
  readonly footer_rows?: number;
  readonly skip_where?: Readonly<Record<string, readonly string[]>>;
  readonly keep_where?: Readonly<Record<string, readonly string[]>>;
}

/** A column as the file has it, with what any column may have. */
interface ColumnInFile {
  readonly column?: string;
  readonly date?: string;
  readonly time?: string;
  readonly value?: string;
  readonly file_name?: string;
  readonly separator?: string;
  readonly pattern?: string;
  readonly prefix?: string;
  readonly match?: string;
  readonly match_as?: Match["as"];
  readonly unmatched?: "set_aside" | "anonymous";
  readonly kind?: IdKind;
  readonly format?: string;
  readonly zone?: string;
}

/** The column of the table that each key stands for. */
const COLUMNS: Readonly<Record<TableName, Readonly<Record<string, string>>>> = {
  channels: { channel: "channel", aliases: "aliases" },
  products: { date: "date", product: "product" },
  customers: {
    id: "customer_id",
    name: "name",
    occupation: "occupation",
    type: "type",
  },
  interactions: {
    time: "date_start",
    channel: "interaction",
    customer: "customers",
    topic: "topic",
    id: "activity",
    count: "count",
  },
};

function createMapping(file: MappingFile): Mapping {
  const problems: LoadProblem[] = [];
  const mistake = (problem: string, remedy: string) =>
    problems.push({ file: MAPPING_FILE, problem, remedy });

  const customers = file.customers === false ? [] : listOf(file.customers);
  const kinds = customers.map(({ id }) =>
    typeof id === "string" ? "integer" : id.kind ?? "integer"
  );
  if (file.ids !== undefined && file.customers !== false) {
    mistake(
      "ids is for customers = false; else the kind of ids is that of customers.id",
      "Write kind into id of [customers], and leave ids out",
    );
  }
  if (new Set(kinds).size > 1) {
    mistake(
      `customers have ids of several kinds: ${[...new Set(kinds)].join(", ")}`,
      "Give each [[customers]] the same kind",
    );
  }
  const id_kind = file.ids ?? kinds[0] ?? "integer";

  const matches: Match[] = [];
  const matchOf = (header: string, as: Match["as"]): Match => {
    const known = matches.find((one) =>
      foldHeader(one.header) === foldHeader(header) && one.as === as
    );
    if (known) return known;
    const match = { column: `${MATCHED}${matches.length}`, header, as };
    matches.push(match);
    return match;
  };
  const ruleOf = (column: string | ColumnInFile, place: string): ColumnRule => {
    if (typeof column === "string") return { headers: [column] };
    const { match, match_as = "text", unmatched, value, ...rest } = column;
    const { column: one, date, time, kind: _, ...how } = rest;
    if (how.prefix !== undefined && id_kind === "integer") {
      mistake(
        `${place}.prefix needs ids that are text`,
        'Write kind = "text" into id of [customers], or leave prefix out',
      );
    }
    return {
      ...how,
      headers: [one, date, time].filter((header) => header !== undefined),
      ...value !== undefined && { value },
      ...match !== undefined && { match: matchOf(match, match_as) },
      ...unmatched === "anonymous" && { is_anonymous_unmatched: true },
    };
  };

  const sources: Source[] = [];
  // Interactions first, so that the columns by which they match are known.
  for (const table of [...TABLE_NAMES].reverse()) {
    const in_file = file[table];
    if (in_file === undefined || in_file === false) continue;
    const list = listOf<SourceInFile>(in_file);
    const of_table: Source[] = [];
    for (const [i, source] of list.entries()) {
      const key = Array.isArray(in_file) ? `${table}[${i + 1}]` : table;
      const rules: Record<string, ColumnRule> = {};
      for (const [name, column] of Object.entries(COLUMNS[table])) {
        const given =
          (source as unknown as Record<string, string | ColumnInFile>)[name];
        if (given !== undefined) {
          rules[column] = ruleOf(given, `${key}.${name}`);
        }
      }
      for (const [name, given] of Object.entries(source.attributes ?? {})) {
        rules[attributeColumn(name)] = ruleOf(
          given,
          `${key}.attributes.${name}`,
        );
      }
      of_table.push(createSource(source, { key, table, rules, matches }));
    }
    sources.unshift(...of_table);
  }
  if (matches.length > 0 && file.customers === false) {
    mistake(
      "match needs customers, and customers = false says that there are none",
      "Leave match out, or name the files of customers",
    );
  }
  // Sorted, since the order of keys has no meaning.
  const attributes = [
    ...new Set(
      customers.flatMap(({ attributes = {} }) => Object.keys(attributes)),
    ),
  ].sort();
  if (attributes.length > MAX_ATTRIBUTES) {
    mistake(
      `customers have ${attributes.length} attributes, more than ${MAX_ATTRIBUTES}: ${
        attributes.join(", ")
      }`,
      "Leave some out",
    );
  }
  if (problems.length > 0) throw refused(...problems);
  const needs_customers = file.customers !== false;
  return {
    id_kind,
    needs_customers,
    has_names: customers.some(({ name }) => name !== undefined),
    attributes,
    sources: sources.map((source, i) => ({ ...source, number: i + 1 })),
    matches,
    meaning: meaningOf({ id_kind, needs_customers, sources }),
  };
}

function meaningOf(
  { id_kind, needs_customers, sources }: Pick<
    Mapping,
    "id_kind" | "needs_customers" | "sources"
  >,
): string {
  // Without what only says where it stands in the file.
  const parts = sources.map((
    { key: _key, number: _number, layout: _, ...rest },
  ) => rest);
  return JSON.stringify(
    [id_kind, needs_customers, parts],
    (key, value) =>
      key === "header"
        ? foldHeader(value)
        : key === "headers"
        ? value.map(foldHeader)
        : value instanceof Set
        ? [...value].sort()
        : inKeyOrder(value),
  );
}

function createSource(
  { files, sheet, header_row, footer_rows = 0, ...source }: SourceInFile,
  { key, table, rules, matches }:
    & Pick<Source, "key" | "table" | "rules">
    & Pick<Mapping, "matches">,
): Source {
  const columns: Column[] = [];
  const add = (name: string, header: string) =>
    columns.push({ name, headers: [header], required: true });
  for (const [name, { headers: [first, second] }] of Object.entries(rules)) {
    if (first !== undefined) add(name, first);
    if (second !== undefined) add(secondOf(name), second);
  }
  const where: Where[] = [];
  for (
    const [conditions, skips] of [
      [source.skip_where, true],
      [source.keep_where, false],
    ] as const
  ) {
    // In an order that is not that of the file, which has no meaning.
    const sorted = Object.entries(conditions ?? {})
      .sort(([a], [b]) => a < b ? -1 : 1);
    for (const [header, values] of sorted) {
      const column = `where_${where.length}`;
      where.push({
        column,
        header,
        skips,
        keys: new Set(values.map(nameKey)),
      });
      add(column, header);
    }
  }
  return {
    number: 0,
    key,
    table,
    files,
    sheet,
    header_row,
    footer_rows,
    where,
    rules,
    layout: withMatches({ ...TABLES[table], columns }, { table, matches }),
    has: (name) => fitsGlob(name, files),
  };
}

/** The name of the second column of which cells are put together. */
export function secondOf(column: string): string {
  return `${column}_second`;
}

/** The columns that a file must have: those of the table and those by which customers are matched. */
export function withMatches(
  layout: Table,
  { table, matches }: {
    readonly table: TableName;
    readonly matches: readonly Match[];
  },
): Table {
  if (table !== "customers" || matches.length === 0) return layout;
  return {
    ...layout,
    columns: [
      ...layout.columns,
      ...matches.map(({ column, header }) => ({
        name: column,
        headers: [header],
        required: false,
      })),
    ],
  };
}
