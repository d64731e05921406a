/** Counts interactions by what records say of customers from the serving index: no rollup has these, and a query reads every interaction. */

import {
  type Dimension,
  isAttribute,
  namesIn,
  recordOf,
} from "../model/dimensions.ts";
import {
  type Cell,
  type MetricsQuestion,
  pivotedValues,
  type Rows,
} from "../model/questions.ts";
import type { Run } from "../model/run.ts";
import {
  axesOf,
  BATCH_ROWS,
  CELLS_AT_ONCE,
  cellsOf,
  changeOf,
  MOST_CELLS,
  type Source,
} from "./reached.ts";
import { tallyAnonymous } from "./serving_index.ts";

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
  const { by, pivot, filter, compared_with, limit = Infinity } = question;
  const grouped = pivot === undefined ? by : [...by, pivot];
  if (
    !usesAttribute(source, { grouped, filter }) ||
    grouped.includes("customer_id") || filter.customer_ids ||
    // An interaction with two topics is counted once in the total of its row.
    pivot === "topic"
  ) return null;
  const anonymous = question.of_known_customers ? null : source.anonymous;
  const axes = axesOf(source, { by: grouped, filter });
  const length = axes.reduce((groups, axis) => groups * axis.length, 1);
  if (length > MOST_CELLS) return null;
  const shown = axes.slice(0, by.length);
  const values = pivot === undefined ? [] : pivotedValues(pivot, {
    filter,
    names: source.names,
    dimensions: source.dimensions,
  });
  /** How many cells a row has, and where in it those are that are shown. */
  const width = pivot === undefined ? 1 : axes[by.length].length;
  const places = values.map((value) =>
    typeof value === "number"
      ? value - 1
      : value === null
      ? source.names[pivot!]!.length
      : source.positionOf(pivot!, value)!
  );

  async function countIn(filter: MetricsQuestion["filter"]) {
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
  }

  async function* read(): AsyncGenerator<Cell[][]> {
    using _ = run.startQuery();
    const counts = await countIn(filter);
    const earlier = compared_with &&
      await countIn({ ...filter, ...compared_with });
    const sumOf = (counts: Uint32Array, start: number) => {
      let sum = 0;
      for (let cell = start; cell < start + width; cell++) sum += counts[cell];
      return sum;
    };
    let left = limit;
    let read = 0;
    let rows: Cell[][] = [];
    for (let start = 0; start < length && left > 0; start += width) {
      read += width;
      if (rows.length === BATCH_ROWS || read >= CELLS_AT_ONCE) {
        if (rows.length > 0) yield rows;
        rows = [];
        read = 0;
        await run.pause();
      }
      const total = sumOf(counts, start);
      const previous = earlier ? sumOf(earlier, start) : 0;
      // Without groups there is a row whatever there is to count.
      if (total + previous === 0 && by.length > 0) continue;
      left--;
      rows.push([
        ...shown.map(({ step, length, valueAt }) =>
          valueAt(Math.floor(start / step) % length)
        ),
        ...places.map((place) => counts[start + place]),
        total,
        ...earlier ? [previous, changeOf(total, previous)] : [],
      ]);
    }
    // No day counts, so that there is no group, but the row of a total.
    if (length === 0 && by.length === 0) {
      rows.push([
        ...places.map(() => 0),
        0,
        ...earlier ? [0, null] : [],
      ]);
    }
    if (rows.length > 0) yield rows;
  }

  return {
    batches: read(),
    async count() {
      let rows = 0;
      for await (const batch of read()) rows += batch.length;
      return rows;
    },
  };
}

function usesAttribute(
  { dimensions }: Source,
  { grouped, filter }: {
    readonly grouped: readonly Dimension[];
    readonly filter: MetricsQuestion["filter"];
  },
): boolean {
  return recordOf(dimensions).some((one) =>
    isAttribute(one) &&
    (grouped.includes(one.name) || namesIn(filter, one) !== undefined)
  );
}
