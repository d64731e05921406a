/** Answers the matrix of customers by channels from the serving index: a page in any order, or all customers by customer_id. */

import type { Cell, InteractionsQuestion, Rows } from "../model/questions.ts";
import type { Run } from "../model/run.ts";
import { kindFilter } from "./customer_kinds.ts";
import {
  countColumns,
  countOf,
  indexFilterOf,
  inOrder,
  type Memory,
  type Position,
  positionOf,
  rowOf,
} from "./recall.ts";
import { TOTALS_AT_ONCE } from "./serving_index.ts";

/** Rows of a page at most: twice as many are kept while they are chosen, and sorted at once. */
const MOST_RANKED = 10_000;
/** Cells of a batch, about: a millisecond of work. */
const BATCH_CELLS = 20_000;
/** Customers that are looked through at once, when none of them is chosen: a millisecond of work. */
const PLACES_AT_ONCE = 50_000;

/** A question, in its turn, and which customers count by their kinds. */
interface Asked {
  readonly question: InteractionsQuestion;
  readonly run: Run;
  isChosen(kind: number): boolean;
}

/**
 * The rows that answer `question`, as the query answers it; null where it takes a
 * query: where it names customers, and where more than a page is not by customer_id.
 */
export function matrixRows(
  memory: Memory,
  { question, run }: {
    readonly question: InteractionsQuestion;
    readonly run: Run;
  },
): Pick<Rows, "batches" | "count"> | null {
  const { filter, sort, limit = Infinity } = question;
  if (filter.customer_ids) return null;
  const is_by_id = sort.by === "customer_id";
  if (!is_by_id && limit > MOST_RANKED) return null;
  const asked = { question, run, isChosen: kindFilter(memory, filter) };
  const places = () => is_by_id ? byId(memory, asked) : ranked(memory, asked);

  async function* read(): AsyncGenerator<Cell[][]> {
    using _ = run.startQuery();
    const { index } = memory;
    const count = countOf(memory, filter);
    const toRow = rowOf(memory, filter);
    const rows_at_once = rowsAtOnce(memory);
    for await (const batch of places()) {
      for (let start = 0; start < batch.length; start += rows_at_once) {
        yield batch.slice(start, start + rows_at_once).map((place) =>
          toRow(count({ place, customer_id: index.idAt(place) }))
        );
        await run.pause();
      }
    }
  }

  return {
    batches: read(),
    async count() {
      using _ = run.startQuery();
      let rows = 0;
      for await (const batch of places()) rows += batch.length;
      return rows;
    },
  };
}

/** Every channel is counted, also where few are shown. */
function rowsAtOnce({ names }: Memory): number {
  return Math.max(1, Math.floor(BATCH_CELLS / (names.channel.length + 1)));
}

/** The places of chosen customers, in the order of their ids. */
async function* byId(
  { index }: Memory,
  { question: { sort, after, limit = Infinity }, run, isChosen }: Asked,
): AsyncGenerator<number[]> {
  const step = sort.descending ? -1 : 1;
  let place = sort.descending ? index.length - 1 : 0;
  if (after) {
    place = sort.descending
      ? index.firstFrom(after.customer_id) - 1
      : index.firstFrom(after.customer_id + 1);
  }
  const beyond = sort.descending ? -1 : index.length;
  let left = limit;
  while (left > 0 && place !== beyond) {
    const batch: number[] = [];
    for (
      let looked = 0;
      looked < PLACES_AT_ONCE && batch.length < left && place !== beyond;
      looked++, place += step
    ) {
      if (isChosen(index.kindOf(place))) batch.push(place);
    }
    left -= batch.length;
    yield batch;
    await run.pause();
  }
}

/** The places of a page of chosen customers, by what is counted of them. */
async function* ranked(
  memory: Memory,
  { question: { filter, sort, after, limit = MOST_RANKED }, run, isChosen }:
    Asked,
): AsyncGenerator<number[]> {
  const { index } = memory;
  const direction = sort.descending ? -1 : 1;
  const last = after && positionOf(index, { after, direction });
  const counted = {
    ...indexFilterOf(memory, filter),
    column_of: rankedBy(memory, { filter, sort }),
  };
  const totals = new Uint32Array(TOTALS_AT_ONCE);
  const best: Position[] = [];
  let bound = Infinity;
  for (let start = 0; start < index.length;) {
    const end = index.total(start, { filter: counted, totals });
    for (let place = start; place < end; place++) {
      const value = direction * totals[place - start];
      // Of equals those that come first are kept.
      if (value >= bound || !isChosen(index.kindOf(place))) continue;
      const one = { value, place };
      if (last && inOrder(one, last) <= 0) continue;
      best.push(one);
      if (best.length < 2 * limit) continue;
      best.sort(inOrder).length = limit;
      bound = best[limit - 1].value;
    }
    start = end;
    await run.pause();
  }
  yield best.sort(inOrder).slice(0, limit).map(({ place }) => place);
}

/** By channel: whether its interactions are what customers are ranked by, 0, or not, -1. */
function rankedBy(
  memory: Memory,
  { filter, sort: { by } }: Pick<InteractionsQuestion, "filter" | "sort">,
): readonly number[] {
  const { column_of } = countColumns(memory, filter);
  if (typeof by === "string") return column_of;
  const channel = memory.positionOf("channel", by.channel);
  return column_of.map((column, i) => i === channel ? column : -1);
}
