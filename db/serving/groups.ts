/** The table of all groups by some dimensions, which is counted in one pass over the serving index: its axes, cells and rows. */

import {
  type Dimension,
  type Interval,
  ofCustomers,
} from "../model/dimensions.ts";
import {
  type Cell,
  changeOf,
  type Filter,
  type ReachedQuestion,
  type Rows,
} from "../model/questions.ts";
import type { DateRange } from "../model/report.ts";
import type { Run } from "../model/run.ts";
import { kindFilter } from "./customer_kinds.ts";
import { dayNumber, LAST_DAY } from "./day_number.ts";
import type { KindTotals } from "./kind_totals.ts";
import { periodsOf } from "./periods.ts";
import { countColumns, indexFilterOf, type Memory } from "./recall.ts";
import type { AnonymousGroups, Cells } from "./serving_index.ts";

/** Groups at most, with two numbers of 32 bits each; of more, nearly all are empty. */
const MOST_CELLS = 4_000_000;
/** Rows of a batch, and groups that are looked through, at most: a millisecond of work. */
const BATCH_ROWS = 2_000;
/** See BATCH_ROWS. */
const CELLS_AT_ONCE = 200_000;

/** Kinds of customers whose cells are found at once: a millisecond of work. */
const KINDS_AT_ONCE = 50_000;

/** What of a snapshot is read. */
export interface Source
  extends
    Pick<Memory, "index" | "dimensions" | "names" | "kinds" | "positionOf"> {
  /** The days with an interaction. */
  readonly date_range: DateRange | null;
  readonly kind_totals: KindTotals;
  /** Null where every interaction has a customer. */
  readonly anonymous: AnonymousGroups | null;
}

/** The values of a dimension. */
interface Values {
  readonly length: number;
  valueAt(position: number): Cell;
  /** Of a time dimension: the position of a day. */
  placeOf?(day: number): number;
}

/** A dimension of the table of all groups. */
interface Axis extends Values {
  readonly name: Dimension;
  /** How far its neighbours are from each other. */
  readonly step: number;
}

/** The table of all groups. */
export interface Groups {
  /** The dimensions in the order of columns; groups are numbered in the order of rows. */
  readonly axes: readonly Axis[];
  /** The number of groups. */
  readonly length: number;
}

/** How the counts of groups become rows. */
export interface RowsOptions
  extends Pick<ReachedQuestion, "by" | "filter" | "compared_with" | "limit"> {
  /** Of a pivot, which is the last axis after those of `by`: the places of the columns that are shown, among the groups of a row. */
  readonly places?: readonly number[];
  readonly run: Run;
  /** Counts each group, in the order of their numbers. */
  countIn(filter: ReachedQuestion["filter"]): Promise<Uint32Array>;
}

/** The rows of groups in which something is counted: the values, the counts of a pivot, the total, and with `compared_with` the one before and its change. */
export function rowsOf(
  { axes, length }: Groups,
  { by, places = [], filter, compared_with, limit = Infinity, run, countIn }:
    RowsOptions,
): Pick<Rows, "batches" | "count"> {
  const shown = axes.slice(0, by.length);
  const width = axes[by.length]?.length ?? 1;
  const sumOf = (counts: Uint32Array, start: number) => {
    let sum = 0;
    for (let cell = start; cell < start + width; cell++) sum += counts[cell];
    return sum;
  };

  async function* read(): AsyncGenerator<Cell[][]> {
    using _ = run.startQuery();
    const counts = await countIn(filter);
    const earlier = compared_with &&
      await countIn({ ...filter, ...compared_with });
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

/** The table of all groups by some dimensions; null where there would be too many. */
export function groupsOf(
  source: Source,
  { by, filter }: Pick<ReachedQuestion, "by" | "filter">,
): Groups | null {
  let length = 1;
  const axes = by.toReversed().map((name) => {
    const values = valuesOf(source, { name, filter });
    const step = length;
    length *= values.length;
    return { name, step, ...values };
  }).reverse();
  return length > MOST_CELLS ? null : { axes, length };
}

function valuesOf(
  source: Source,
  { name, filter }: {
    readonly name: ReachedQuestion["by"][number];
    readonly filter: ReachedQuestion["filter"];
  },
): Values {
  if (source.dimensions.some((one) => one.name === name)) {
    const names = source.names[name];
    return {
      length: names ? names.length + 1 : Infinity,
      valueAt: (position) => names?.[position] ?? null,
    };
  }
  if (name === "weekday") {
    // Day 0 is a Monday.
    return {
      length: 7,
      valueAt: (position) => position + 1,
      placeOf: (day) => day % 7,
    };
  }
  const { first, last } = daysOf(source, filter);
  const { of_day, textOf } = periodsOf(name as Interval);
  return {
    length: first > last ? 0 : of_day[last] - of_day[first] + 1,
    valueAt: (position) => textOf(of_day[first] + position),
    placeOf: (day) => of_day[day] - of_day[first],
  };
}

/** The first and the last day that may count; without any, the first is after the last. */
function daysOf(
  source: Source,
  { start_date, end_date }: ReachedQuestion["filter"],
): { first: number; last: number } {
  const { date_range } = source;
  if (!date_range) return { first: 0, last: -1 };
  const { first_day, last_day } = indexFilterOf(source, {
    start_date,
    end_date,
  });
  return {
    first: Math.max(first_day, dayNumber(date_range.first)),
    last: Math.min(last_day, dayNumber(date_range.last)),
  };
}

/** The cells into which the interactions fall that count. */
export async function cellsOf(
  source: Source,
  { axes, filter, run }: {
    readonly axes: readonly Axis[];
    readonly filter: ReachedQuestion["filter"];
    readonly run: Run;
  },
): Promise<Cells> {
  const { index, names, kinds, positionOf } = source;
  const { topics } = filter;
  const { column_of } = countColumns(source, filter);
  const stepOf = (name: Dimension) =>
    axes.find((axis) => axis.name === name)?.step ?? 0;
  /** No name comes after all names. */
  const codeOf = (name: Dimension, value: string | null) =>
    value === null ? names[name]!.length : positionOf(name, value)!;
  const cellOf = (name: Dimension, value: string | null) =>
    stepOf(name) && stepOf(name) * codeOf(name, value);

  const time = axes.filter((axis) => axis.placeOf);
  const of_day = new Int32Array(LAST_DAY + 1).fill(-1);
  const { first, last } = daysOf(source, filter);
  for (let day = first; day <= last; day++) {
    of_day[day] = time.reduce(
      (cell, { step, placeOf }) => cell + step * placeOf!(day),
      0,
    );
  }

  const by_topic = stepOf("topic") > 0;
  const asked = topics &&
    new Set(topics.map((topic) => codeOf("topic", topic)));
  const of_topic: number[] = [];
  const topic_starts = [0];
  for (const codes of index.set_topics) {
    const counted = asked ? codes.filter((code) => asked.has(code)) : codes;
    if (by_topic) {
      for (const code of counted) of_topic.push(code * stepOf("topic"));
    } else if (counted.length > 0) of_topic.push(0);
    topic_starts.push(of_topic.length);
  }

  const isChosen = kindFilter(source, filter);
  const grouped = kindAxes(source, axes);
  const of_kind = new Int32Array(kinds.length).fill(-1);
  for (let kind = 0; kind < kinds.length; kind++) {
    if (kind % KINDS_AT_ONCE === 0) await run.pause();
    if (!isChosen(kind)) continue;
    let cell = 0;
    for (const { step, codes } of grouped) cell += step * codes[kind];
    of_kind[kind] = cell;
  }

  return {
    of_kind,
    of_channel: Int32Array.from(
      names.channel,
      (name, code) => column_of[code] < 0 ? -1 : cellOf("channel", name),
    ),
    of_day,
    // Where only these decide, the days of a slice are found by a search.
    days: time.length > 0 || by_topic || topics ? null : {
      first_day: Math.max(first, 0),
      last_day: last,
      are_all: !filter.start_date && !filter.end_date,
    },
    of_topic: Int32Array.from(of_topic),
    topic_starts: Int32Array.from(topic_starts),
    alike: time.length > 0 || by_topic
      ? "none"
      : stepOf("channel")
      ? "channel"
      : "customer",
  };
}

/** The dimensions of customers among some: by kind, the position of its name. */
function kindAxes(
  { kinds, dimensions }: Source,
  axes: readonly Axis[],
): { readonly step: number; readonly codes: Uint16Array }[] {
  return ofCustomers(dimensions).flatMap(({ name }) => {
    const axis = axes.find((axis) => axis.name === name);
    const { codes } = kinds.columns[name];
    return axis && codes ? [{ step: axis.step, codes }] : [];
  });
}

/** Sums up what is known of each kind of customers, in groups by dimensions of customers alone. */
export async function sumKinds(
  source: Source,
  { groups: { axes, length }, totals, filter, run }: {
    readonly groups: Groups;
    /** By kind; the kinds after the last one do not count. */
    readonly totals: Uint32Array;
    readonly filter: Filter;
    readonly run: Run;
  },
): Promise<Uint32Array> {
  const isChosen = kindFilter(source, filter);
  const grouped = kindAxes(source, axes);
  const sums = new Uint32Array(length);
  for (let start = 0; start < totals.length; start += KINDS_AT_ONCE) {
    await run.pause();
    const end = Math.min(start + KINDS_AT_ONCE, totals.length);
    for (let kind = start; kind < end; kind++) {
      if (!isChosen(kind)) continue;
      let cell = 0;
      for (const { step, codes } of grouped) cell += step * codes[kind];
      sums[cell] += totals[kind];
    }
  }
  return sums;
}
