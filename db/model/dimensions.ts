/** The dimensions by which interactions are grouped and filtered, and what each can do. */

/** The tables of counts per day that a load builds for questions, the smallest first. */
export const ROLLUPS = ["daily", "daily_by_record"] as const;

/** A table of counts per day. */
export type Rollup = typeof ROLLUPS[number];

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
  /**
   * A load with more names is refused, as "Names" in docs/file-contract.md says, so its
   * records have the names themselves; null where a load takes any number of them.
   */
  readonly refused_above: number | null;
  /** With more names, no question counts by it; they are shown, and not listed. */
  readonly listed_up_to: number;
  /** With more names, `/api/v1/dimensions` has those with the most interactions. */
  readonly offered_up_to: number;
  /** The rollups whose counts are by it; before its names are counted, those that may be. */
  readonly rollups: readonly Rollup[];
  /** Whether customers are found by the beginning of its name. */
  readonly is_searched: boolean;
  /** Of customers: its place among the columns of their records. */
  readonly place: number;
}

/** With more topics or types, a load is refused; by as many names an answer may have columns. */
const MOST_COLUMNS = 1_000;

/** With more names, a dimension of customers is free text. */
export const MOST_NAMES = 10_000;

/** Names of an attribute among those of all dimensions. */
const MOST_OFFERED = 1_000;

/** The rows of a rollup: at most this share of the interactions, since more take longer to build than they save. */
const MOST_ROLLED_UP = 1 / 20;

/** As many rows are built and read in no time, of however few interactions. */
const ALWAYS_ROLLED_UP = 250_000;

const OF_INTERACTIONS = {
  pivots: true,
  of_customers: false,
  listed_up_to: Infinity,
  offered_up_to: Infinity,
  // Every table of counts is by channel and topic set.
  rollups: ROLLUPS,
  is_searched: false,
  place: 0,
} as const;

/** The dimensions of names that every snapshot has, in the order in which answers list them. */
export const NAMED_DIMENSIONS = [
  {
    ...OF_INTERACTIONS,
    name: "channel",
    plural: "channels",
    column: "channel",
    has_none: false,
    // MAX_CHANNELS is a setting.
    refused_above: null,
  },
  {
    ...OF_INTERACTIONS,
    name: "topic",
    plural: "topics",
    column: "topic",
    has_none: true,
    refused_above: MOST_COLUMNS,
  },
  {
    name: "type",
    plural: "types",
    column: "type",
    pivots: true,
    of_customers: true,
    has_none: true,
    refused_above: MOST_COLUMNS,
    listed_up_to: MOST_COLUMNS,
    offered_up_to: MOST_COLUMNS,
    rollups: ROLLUPS,
    is_searched: false,
    place: 2,
  },
  {
    name: "occupation",
    plural: "occupations",
    column: "occupation",
    pivots: false,
    of_customers: true,
    has_none: true,
    refused_above: null,
    listed_up_to: MOST_NAMES,
    offered_up_to: MOST_NAMES,
    rollups: ["daily_by_record"],
    is_searched: true,
    place: 1,
  },
] as const satisfies readonly NamedDimension[];

/** The dimensions of names of data whose records of customers have these attributes too. */
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
      refused_above: null,
      listed_up_to: MOST_NAMES,
      // There may be several of them in one answer.
      offered_up_to: MOST_OFFERED,
      rollups: [],
      is_searched: false,
      place: 3 + i,
    })),
  ];
}

/** What the rows of a rollup depend on. */
export interface Extent {
  /** The number of names of each dimension of customers. */
  readonly counts: Readonly<Record<Dimension, number>>;
  /** Those with interactions. */
  readonly days: number;
  readonly channels: number;
  readonly interactions: number;
}

/**
 * What the dimensions of a snapshot can do. A dimension is in its rollups while these have
 * few rows, at most one for each day, channel and combination of names.
 */
export function withCounts(
  dimensions: readonly NamedDimension[],
  { counts, days, channels, interactions }: Extent,
): readonly NamedDimension[] {
  const most = Math.max(ALWAYS_ROLLED_UP, interactions * MOST_ROLLED_UP);
  let rows = days * channels;
  return dimensions.map((one) => {
    if (!one.of_customers) return one;
    const count = counts[one.name];
    // One more for customers without a name.
    const with_it = rows * (count + 1);
    const rollups = with_it <= most ? one.rollups : [];
    if (rollups.length > 0) rows = with_it;
    return { ...one, pivots: one.pivots && count <= MOST_COLUMNS, rollups };
  });
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

/**
 * The column of tables that has an attribute. No other one ends in an underscore, so that
 * it is neither a column of ours nor one of counts, which end in `_rows`.
 */
export function attributeColumn(name: string): string {
  return `attribute_${name}_`;
}

/** The attribute that a column of tables has; undefined for another column. */
export function attributeName(column: string): string | undefined {
  return /^attribute_(.+)_$/.exec(column)?.[1];
}

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

/** The dimensions whose values may be columns. */
export function pivotsOf(
  named: readonly NamedDimension[],
): readonly Dimension[] {
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
