/** Counts interactions and customers by what records say of customers from the serving index, where no rollup has it: a query reads every one of them. */

import {
  type Dimension,
  namesIn,
  ofCustomers,
  recordOf,
} from "../model/dimensions.ts";
import {
  type CustomerCountQuestion,
  type Filter,
  type MetricsQuestion,
  pivotedValues,
  type Rows,
} from "../model/questions.ts";
import type { Run } from "../model/run.ts";
import { cellsOf, groupsOf, rowsOf, type Source, sumKinds } from "./groups.ts";
import { NO_RECORD, tallyAnonymous } from "./serving_index.ts";

/**
 * The rows that answer `question`, as the query answers it; null where it takes a
 * query: where a rollup is faster, and where there would be too many groups.
 */
export function countedRows(
  source: Source,
  { question, run }: {
    readonly question: MetricsQuestion;
    readonly run: Run;
  },
): Pick<Rows, "batches" | "count"> | null {
  const { by, pivot, filter } = question;
  const grouped = pivot === undefined ? by : [...by, pivot];
  if (
    !usesUnrolled(source, { grouped, filter }) ||
    grouped.includes("customer_id") || filter.customer_ids ||
    // An interaction with two topics is counted once in the total of its row.
    pivot === "topic"
  ) return null;
  const anonymous = question.of_known_customers ? null : source.anonymous;
  const groups = groupsOf(source, { by: grouped, filter });
  if (!groups) return null;
  const { axes, length } = groups;
  const values = pivot === undefined ? [] : pivotedValues(pivot, {
    filter,
    names: source.names,
    dimensions: source.dimensions,
  });
  const places = values.map((value) =>
    typeof value === "number"
      ? value - 1
      : value === null
      ? source.names[pivot!]!.length
      : source.positionOf(pivot!, value)!
  );

  const countIn = async (filter: MetricsQuestion["filter"]) => {
    if (isOfRecords(source, { grouped, filter })) {
      const { interactions } = source.kind_totals;
      const totals = anonymous ? interactions.slice() : interactions;
      for (const rows of anonymous?.rows ?? []) totals[NO_RECORD] += rows;
      return await sumKinds(source, { groups, totals, filter, run });
    }
    const cells = await cellsOf(source, { axes, filter, run });
    const counts = new Uint32Array(length);
    const { index } = source;
    for (let place = 0; place < index.length;) {
      place = index.tally(place, { cells, counts });
      await run.pause();
    }
    for (let start = 0; start < (anonymous?.rows.length ?? 0);) {
      start = tallyAnonymous(anonymous!, { start, cells, counts });
      await run.pause();
    }
    return counts;
  };

  return rowsOf(groups, { ...question, places, run, countIn });
}

/**
 * The rows that answer `question`, as the query answers it; null where it takes a
 * query: where it names customers, and where there would be too many groups.
 */
export function knownRows(
  source: Source,
  { question, run }: {
    readonly question: CustomerCountQuestion;
    readonly run: Run;
  },
): Pick<Rows, "batches" | "count"> | null {
  const { by, filter, without_record } = question;
  if (filter.customer_ids) return null;
  const groups = groupsOf(source, { by, filter: {} });
  if (!groups) return null;
  const { customers } = source.kind_totals;
  const totals = without_record
    ? customers.subarray(0, NO_RECORD + 1)
    : customers;
  const countIn = () => sumKinds(source, { groups, totals, filter, run });
  return rowsOf(groups, { ...question, filter: {}, run, countIn });
}

/** Whether it follows from the records of customers which interactions count, and in which group. */
function isOfRecords(
  { dimensions }: Source,
  { grouped, filter }: {
    readonly grouped: readonly Dimension[];
    readonly filter: Filter;
  },
): boolean {
  const of_customers = ofCustomers(dimensions);
  return grouped.every((name) =>
    of_customers.some((one) => one.name === name)
  ) && Object.keys(filter).every((name) =>
    of_customers.some(({ plural }) =>
      plural === name
    )
  );
}

/** Whether the question is by a dimension of customers that is in no rollup. */
function usesUnrolled(
  { dimensions }: Source,
  { grouped, filter }: {
    readonly grouped: readonly Dimension[];
    readonly filter: MetricsQuestion["filter"];
  },
): boolean {
  return recordOf(dimensions).some((one) =>
    one.rollups.length === 0 &&
    (grouped.includes(one.name) || namesIn(filter, one) !== undefined)
  );
}
