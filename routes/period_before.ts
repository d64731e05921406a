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

/** Before the first year that four digits write, and before all data. */
const FIRST_DAY = Temporal.PlainDate.from("0001-01-01");

/**
 * The same number of days just before `period`; or its days one year earlier, where 29
 * February becomes 28 February. Not before 0001-01-01.
 */
export function periodBefore(comparison: Comparison, period: Period): Period {
  const start = Temporal.PlainDate.from(period.start_date);
  const end = Temporal.PlainDate.from(period.end_date);
  const days = start.until(end).days + 1;
  const before = (day: Temporal.PlainDate) =>
    comparison === "previous_year"
      ? day.subtract({ years: 1 })
      : day.subtract({ days });
  return { start_date: text(before(start)), end_date: text(before(end)) };
}

function text(day: Temporal.PlainDate): string {
  return (Temporal.PlainDate.compare(day, FIRST_DAY) < 0 ? FIRST_DAY : day)
    .toString();
}
