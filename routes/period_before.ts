/** The period that another is compared with. */

/** The kinds of comparison. */
export const COMPARISONS = ["previous_period", "previous_year"] as const;

/** A kind of comparison. */
export type Comparison = typeof COMPARISONS[number];

/** A period, both days `YYYY-MM-DD` and included. */
export interface Period {
  readonly start_date: string;
  readonly end_date: string;
}

/** The first day of the calendar, and before all data. */
export const FIRST_DAY = "0001-01-01";

/**
 * The same number of days just before `period`; or its days one year earlier, where 29
 * February becomes 28 February. Null where that begins before FIRST_DAY.
 */
export function periodBefore(
  comparison: Comparison,
  period: Period,
): Period | null {
  const start = Temporal.PlainDate.from(period.start_date);
  const end = Temporal.PlainDate.from(period.end_date);
  const days = start.until(end).days + 1;
  const before = (day: Temporal.PlainDate) =>
    comparison === "previous_year"
      ? day.subtract({ years: 1 })
      : day.subtract({ days });
  const first = before(start);
  if (Temporal.PlainDate.compare(first, FIRST_DAY) < 0) return null;
  return { start_date: `${first}`, end_date: `${before(end)}` };
}
