/** The dimensions by which interactions are grouped and filtered, and what each can do. */

/** The dimensions whose values are names, in the order in which answers list them. */
export const NAMED_DIMENSIONS = [
  {
    name: "channel",
    plural: "channels",
    pivots: true,
    of_customers: false,
    has_none: false,
    is_free_text: false,
  },
  {
    name: "topic",
    plural: "topics",
    pivots: true,
    of_customers: false,
    has_none: true,
    is_free_text: false,
  },
  {
    name: "type",
    plural: "types",
    pivots: true,
    of_customers: true,
    has_none: true,
    is_free_text: false,
  },
  {
    name: "occupation",
    plural: "occupations",
    pivots: false,
    of_customers: true,
    has_none: true,
    is_free_text: true,
  },
] as const satisfies readonly {
  readonly name: string;
  /** The name of its filter, and of the list of its names. */
  readonly plural: string;
  /** Whether an answer may have a column for each name. */
  readonly pivots: boolean;
  /** Whether it belongs to customers, who are then grouped and chosen by it; else it belongs to interactions. */
  readonly of_customers: boolean;
  /** Whether the name may be missing. */
  readonly has_none: boolean;
  /** Whether it may have too many names to list; then it cannot group or filter. */
  readonly is_free_text: boolean;
}[];

type Named = typeof NAMED_DIMENSIONS[number];

/** A dimension whose values are names. */
export type NamedDimension = Named["name"];

/** The entry of each dimension whose values are names. */
export const NAMED: Readonly<Record<NamedDimension, Named>> = Object
  .fromEntries(NAMED_DIMENSIONS.map((one) => [one.name, one])) as Record<
    NamedDimension,
    Named
  >;

/** A dimension by which customers are grouped and chosen. */
export type CustomerDimension = Extract<Named, { of_customers: true }>["name"];

/** The dimensions by which customers are grouped and chosen. */
export const CUSTOMER_DIMENSIONS = NAMED_DIMENSIONS
  .filter((one) => one.of_customers)
  .map(({ name }) => name);

/** A dimension by which interactions are grouped; weeks are those of ISO 8601. */
export type Dimension = NamedDimension | "customer_id" | Interval | "weekday";

/** A length of periods. */
export type Interval = "day" | "week" | "month" | "quarter" | "year";

/** Dimensions by which an answer may have a column for each value. */
export type PivotDimension =
  | Extract<Named, { pivots: true }>["name"]
  | "weekday";

/**
 * The names that a snapshot knows of each dimension, in code-point order; null where
 * they are free text.
 */
export type Names = {
  readonly [One in Named as One["name"]]: One["is_free_text"] extends true
    ? readonly string[] | null
    : readonly string[];
};

/** The names that count, by the plural of their dimension; null stands for no name. */
export type NamesFilter = {
  readonly [One in Named as One["plural"]]?: One["has_none"] extends true
    ? readonly (string | null)[]
    : readonly string[];
};
