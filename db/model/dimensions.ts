/** The dimensions by which interactions are grouped and filtered, and what each can do. */

/** A dimension whose values are names. */
export interface NamedDimension {
  readonly name: string;
  /** The name of its filter, and of the list of its names; that of an attribute is its own. */
  readonly plural: string;
  /** The column of tables and the param of statements that have it; no name of tally.toml is one of ours. */
  readonly column: string;
  /** Whether an answer may have a column for each name. */
  readonly pivots: boolean;
  /** Whether it belongs to customers, who are then grouped and chosen by it; else it belongs to interactions. */
  readonly of_customers: boolean;
  /** Whether the name may be missing. */
  readonly has_none: boolean;
  /** Whether it may have too many names to list; then it cannot group or filter. */
  readonly is_free_text: boolean;
  /** Of customers: its place among the columns of their records. */
  readonly place: number;
}

/** The dimensions of names that every snapshot has, in the order in which answers list them. */
export const NAMED_DIMENSIONS = [
  {
    name: "channel",
    plural: "channels",
    column: "channel",
    pivots: true,
    of_customers: false,
    has_none: false,
    is_free_text: false,
    place: 0,
  },
  {
    name: "topic",
    plural: "topics",
    column: "topic",
    pivots: true,
    of_customers: false,
    has_none: true,
    is_free_text: false,
    place: 0,
  },
  {
    name: "type",
    plural: "types",
    column: "type",
    pivots: true,
    of_customers: true,
    has_none: true,
    is_free_text: false,
    place: 2,
  },
  {
    name: "occupation",
    plural: "occupations",
    column: "occupation",
    pivots: false,
    of_customers: true,
    has_none: true,
    is_free_text: true,
    place: 1,
  },
] as const satisfies readonly NamedDimension[];

/** The dimensions of names of a snapshot whose records of customers have these attributes too. */
export function dimensionsWith(
  attributes: readonly string[],
): readonly NamedDimension[] {
  return [
    ...NAMED_DIMENSIONS,
    ...attributes.map((name, i) => ({
      name,
      plural: name,
      column: attributeColumn(name),
      pivots: true,
      of_customers: true,
      has_none: true,
      is_free_text: true,
      place: 3 + i,
    })),
  ];
}

/** What a report says of the attributes of customers. */
interface Reported {
  readonly mapping?:
    | {
      readonly attributes: readonly {
        readonly name: string;
        /** How many names it has. */
        readonly names: number;
      }[];
    }
    | undefined;
}

/** The attributes of the customers of a load, by its report. */
export function attributesOf({ mapping }: Reported): readonly string[] {
  return mapping?.attributes.map(({ name }) => name) ?? [];
}

/** With more names, an attribute has no column for each in an answer; a load refuses more types. */
const MOST_PIVOTED = 1_000;

/** The dimensions of names of the snapshot of a load, by its report. */
export function dimensionsOf(report: Reported): readonly NamedDimension[] {
  const wide = report.mapping?.attributes
    .filter(({ names }) => names > MOST_PIVOTED)
    .map(({ name }) => name);
  return dimensionsWith(attributesOf(report)).map((one) =>
    wide?.includes(one.name) ? { ...one, pivots: false } : one
  );
}

/** The column of tables that has an attribute. */
export function attributeColumn(name: string): string {
  return `attribute_${name}`;
}

/** The attribute that a column of tables has; undefined for another column. */
export function attributeName(column: string): string | undefined {
  const prefix = attributeColumn("");
  return column.startsWith(prefix) ? column.slice(prefix.length) : undefined;
}

/** With more names, a dimension of customers is free text: shown, not listed, and nothing is counted by it. */
export const MOST_NAMES = 10_000;

/** Whether tally.toml names a dimension; else every snapshot has it. */
export function isAttribute({ name }: Pick<NamedDimension, "name">): boolean {
  return !NAMED_DIMENSIONS.some((one) => one.name === name);
}

/** The dimensions that customers have, in the order in which answers list them. */
export function ofCustomers(
  dimensions: readonly NamedDimension[],
): readonly NamedDimension[] {
  return dimensions.filter((one) => one.of_customers);
}

/** The same, in the order of the columns of their records. */
export function recordOf(
  dimensions: readonly NamedDimension[],
): readonly NamedDimension[] {
  return ofCustomers(dimensions).toSorted((a, b) => a.place - b.place);
}

/** The lengths of periods; weeks are those of ISO 8601. */
export const INTERVALS = ["day", "week", "month", "quarter", "year"] as const;

/** The length of a period. */
export type Interval = typeof INTERVALS[number];

/** The dimensions by which two periods have no value in common. */
export const TIME_DIMENSIONS = [...INTERVALS, "weekday"] as const;

/** A dimension of the calendar. */
export type TimeDimension = typeof TIME_DIMENSIONS[number];

/** Whether a dimension is one of the calendar. */
export function isTime(name: Dimension): name is TimeDimension {
  return (TIME_DIMENSIONS as readonly Dimension[]).includes(name);
}

/** The name of a dimension by which interactions are grouped. */
export type Dimension = string;

/** The names of the dimensions that every snapshot has, in the order in which errors and the catalogue list them. */
export const DIMENSIONS = dimensionNames(NAMED_DIMENSIONS);

/** The names of all dimensions, in the order in which errors and the catalogue list them. */
export function dimensionNames(
  named: readonly NamedDimension[],
): readonly Dimension[] {
  return [
    ...named.map(({ name }) => name),
    "customer_id",
    ...TIME_DIMENSIONS,
  ];
}

/** A dimension by which an answer may have a column for each value. */
export type PivotDimension = Dimension;

/** The dimensions whose values may be columns. */
export function pivotsOf(
  named: readonly NamedDimension[],
): readonly PivotDimension[] {
  return [
    ...named.filter((one) => one.pivots).map(({ name }) => name),
    "weekday",
  ];
}

/**
 * The names that a snapshot knows of each dimension, in code-point order; null where
 * they are free text.
 */
export interface Names {
  readonly channel: readonly string[];
  readonly topic: readonly string[];
  readonly [name: string]: readonly string[] | null;
}

/** The names that count, by the plural of their dimension; null stands for no name. */
export interface NamesFilter {
  readonly channels?: readonly string[];
  readonly topics?: readonly (string | null)[];
  readonly types?: readonly (string | null)[];
  readonly occupations?: readonly (string | null)[];
  /** First day, `YYYY-MM-DD`, a real calendar day. */
  readonly start_date?: string;
  /** Last day, `YYYY-MM-DD`, a real calendar day. */
  readonly end_date?: string;
  readonly [plural: string]:
    | string
    | readonly (string | null)[]
    | readonly number[]
    | undefined;
}

/** The names of a dimension that count; undefined where all do. */
export function namesIn(
  filter: object,
  { plural }: Pick<NamedDimension, "plural">,
): readonly (string | null)[] | undefined {
  return (filter as Readonly<Record<string, unknown>>)[plural] as
    | readonly (string | null)[]
    | undefined;
}

/** Whether a filter chooses customers, by what these dimensions say of them. */
export function choosesCustomers(
  filter: object,
  dimensions: readonly NamedDimension[],
): boolean {
  return ofCustomers(dimensions).some((one) => namesIn(filter, one));
}
