/** What tally.toml says, checked and in full: the sources of each table and how their columns are read. */

import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import {
  type Column,
  foldHeader,
  type Table,
  TABLE_NAMES,
  type TableName,
  TABLES,
} from "../model/contract.ts";
import { nearest } from "../model/edit_distance.ts";
import { escapeUnseen, nameKey } from "../model/names.ts";
import { type LoadProblem, refused } from "../model/problems.ts";
import {
  type ID_KINDS,
  type MappingFile,
  mappingSchema,
} from "./mapping_schema.ts";

/** The file in the data folder that has the mapping. */
export const MAPPING_FILE = "tally.toml";
/** The largest size of that file. */
export const MAPPING_MAX_BYTES = 1 << 18;
const REMEDY = "Mend it as docs/file-contract.md says";
/** The number of mistakes that a refusal names. */
const PROBLEMS_LISTED = 10;

/** The kind of customer ids. */
export type IdKind = typeof ID_KINDS[number];

/** How the cells of one column are read. */
export interface ColumnRule {
  /** Its headers, several where cells are put together; empty for a constant. */
  readonly headers: readonly string[];
  /** The value of every row, where there is no header. */
  readonly value?: string;
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
  const value = parseToml(text);
  const parsed = mappingSchema.safeParse(value);
  if (!parsed.success) {
    throw refused(
      ...mistakesIn(parsed.error.issues, { whole: value, before: [] })
        .slice(0, PROBLEMS_LISTED),
    );
  }
  return createMapping(parsed.data);
}

function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.split("\n");
    throw refused({
      file: MAPPING_FILE,
      line: error.line,
      problem: `column ${error.column}: ${
        what.replace(/^Invalid TOML document: /, "not valid TOML, ")
          .replace(/\. aborting\.$/, "")
      }`,
      remedy: "Mend the line, or leave tally.toml out",
    });
  }
}

/** One mistake, by the path of its key. */
type Issue = z.core.$ZodIssue;

interface WhereIssuesAre {
  readonly whole: unknown;
  /** The path to where the paths of issues begin. */
  readonly before: readonly PropertyKey[];
}

function mistakesIn(
  issues: readonly Issue[],
  where: WhereIssuesAre,
): LoadProblem[] {
  // A key that is misspelt is missing as well, which is one mistake.
  const meant = new Set(
    issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) =>
          placeOf([
            ...issue.path,
            nearest(key, keysAt([...where.before, ...issue.path])) ?? key,
          ], where.whole)
        )
        : []
    ),
  );
  return issues
    .filter(({ path }) =>
      path.length === 0 || !meant.has(placeOf(path, where.whole)) ||
      valueAt(where.whole, [...where.before, ...path]) !== undefined
    )
    .flatMap((issue) => mistakesOf(issue, where));
}

function mistakesOf(
  issue: Issue,
  { whole, before }: WhereIssuesAre,
): LoadProblem[] {
  const path = [...before, ...issue.path];
  const place = placeOf(path, whole);
  const value = valueAt(whole, path);
  const mistake = (problem: string, remedy = REMEDY) => [
    { file: MAPPING_FILE, problem: `${place}${problem}`, remedy },
  ];
  if (value === undefined && path.length > 0) return mistake(" is missing");
  // A date of TOML is an object, and none that could have keys.
  if (value instanceof Date) {
    return mistake(` must be ${kindsAt(path).join(" or ")}`);
  }
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.flatMap((key) => {
        const known = keysAt(path);
        if (known.includes(key)) {
          return mistake(`.${key} does not go with the other keys beside it`);
        }
        const meant = nearest(key, known);
        return mistake(
          `${place === "" ? "there is" : " has"} no key ${quoted(key)}`,
          meant && `Did you mean ${meant}? ${REMEDY}`,
        );
      });
    case "invalid_union": {
      return fewestMistakes(issue.errors, { whole, before: path }) ??
        mistake(` must be ${kindsAt(path).join(" or ")}`);
    }
    case "invalid_value":
      return mistake(` must be ${issue.values.map(String).join(" or ")}`);
    case "invalid_type":
      return mistake(` must be ${kindsAt(path).join(" or ")}`);
    default:
      return mistake(` ${issue.message}`);
  }
}

/** The mistakes by the alternative that the value was meant for: the one with the fewest. */
function fewestMistakes(
  branches: readonly (readonly Issue[])[],
  where: WhereIssuesAre,
): LoadProblem[] | undefined {
  return branches
    .filter((issues) =>
      !issues.some(({ code, path }) =>
        path.length === 0 &&
        (code === "invalid_type" || code === "invalid_value")
      )
    )
    .map((issues) => mistakesIn(issues, where))
    .toSorted((a, b) => a.length - b.length).at(0);
}

// Such as interactions[2].time.zone; a list of tables counts from 1, as people do.
function placeOf(path: readonly PropertyKey[], whole: unknown): string {
  return path.map((part, i) => {
    if (typeof part === "number") {
      return Array.isArray(valueAt(whole, path.slice(0, i)))
        ? `[${part + 1}]`
        : `.${part}`;
    }
    const name = /^[\w-]+$/.test(String(part))
      ? String(part)
      : quoted(String(part));
    return i === 0 ? name : `.${name}`;
  }).join("");
}

function quoted(key: string): string {
  return escapeUnseen(JSON.stringify(key.slice(0, 60)));
}

function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      value !== null && typeof value === "object" && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    whole,
  );
}

/** A part of a JSON Schema. */
interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
}

/** tally.toml as JSON Schema, for editors that complete and check it. */
export function mappingJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(mappingSchema, {
    io: "input",
    // What editors of TOML know.
    target: "draft-7",
  });
  // Taplo refuses a schema whose $id is relative.
  return { $schema, $id: "urn:tally:tally.toml", ...schema };
}

function nodesAt(path: readonly PropertyKey[]): SchemaNode[] {
  const whole: SchemaNode & {
    readonly definitions?: Readonly<Record<string, SchemaNode>>;
  } = mappingJsonSchema();
  const alternatives = (node: SchemaNode): SchemaNode[] => {
    if (node.$ref) {
      const name = node.$ref.slice("#/definitions/".length);
      return alternatives(whole.definitions![name]);
    }
    return node.anyOf ? node.anyOf.flatMap(alternatives) : [node];
  };
  return path.reduce<SchemaNode[]>(
    (nodes, key) =>
      nodes.flatMap(({ items, properties, additionalProperties }) => {
        const next = typeof key === "number"
          ? items
          : properties?.[String(key)] ?? additionalProperties;
        return next ? alternatives(next) : [];
      }),
    alternatives(whole),
  );
}

function keysAt(path: readonly PropertyKey[]): string[] {
  return nodesAt(path).flatMap(({ properties }) =>
    Object.keys(properties ?? {})
  );
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  object: "a table",
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
};

function kindsAt(path: readonly PropertyKey[]): string[] {
  return [
    ...new Set(
      nodesAt(path).map((node) =>
        node.const === undefined
          ? KINDS[node.type ?? ""] ?? "another value"
          : String(node.const)
      ),
    ),
  ];
}

type OneOrMore<T> = T | readonly T[];

function listOf<T>(value: OneOrMore<T> | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T];
}

/** A source as the file has it, whatever its table. */
interface SourceInFile {
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
  if (problems.length > 0) throw refused(...problems);
  const needs_customers = file.customers !== false;
  return {
    id_kind,
    needs_customers,
    has_names: customers.some(({ name }) => name !== undefined),
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

function inKeyOrder(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1),
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
    has: (name) => fits(name, files),
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

/** Whether a name fits a glob: `*` is any text, `?` any character; case does not matter. */
function fits(name: string, glob: string): boolean {
  const text = Array.from(name.toLowerCase());
  const wanted = Array.from(glob.toLowerCase());
  // The last * may take one character more whenever what follows it does not fit: a
  // regular expression with many stars would try every way to share the text out.
  let star = -1;
  let taken = 0;
  let at = 0;
  for (let i = 0; i < text.length;) {
    if (wanted[at] === "*") {
      star = at++;
      taken = i;
    } else if (wanted[at] === "?" || wanted[at] === text[i]) {
      at++;
      i++;
    } else if (star < 0) return false;
    else {
      at = star + 1;
      i = ++taken;
    }
  }
  return wanted.slice(at).every((char) => char === "*");
}
