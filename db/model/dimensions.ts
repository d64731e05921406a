/** What interactions are grouped and filtered by. */

/** A dimension whose values are names. */
export type NamedDimension = "channel" | "topic" | "type" | "occupation";

/** What interactions are grouped by; a period is one of a calendar, `week` is ISO's. */
export type Dimension = NamedDimension | "customer_id" | Interval | "weekday";

/** A length of periods. */
export type Interval = "day" | "week" | "month" | "quarter" | "year";

/** Dimensions by which an answer may have a column a value. */
export type PivotDimension = "channel" | "topic" | "type" | "weekday";
