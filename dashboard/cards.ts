/** The charts of a view as values: title, numbers, and a sentence that sums them up. */

import type { Answers, Counts, Group } from "./answers.ts";
import { barsBetween, type Interval } from "./calendar.ts";
import type { ChartKind } from "./charts/charts.tsx";
import {
  type Column,
  type NumberTable,
  sumOf,
  TONES,
  tonesOf,
  topColumns,
  topRows,
} from "./charts/number_table.ts";
import type { Locale } from "./locale.ts";
import { parametersOf, type Question, spanOf } from "./questions.ts";
import { rangeOf, type State } from "./state.ts";
import { type Name, viewHref, withOnly } from "./view.ts";

/** A chart with its words. */
export interface Card {
  readonly slot: ChartSlot;
  readonly title: string;
  readonly kind: ChartKind;
  /** All numbers. */
  readonly table: NumberTable;
  /** Those that are drawn: the most frequent rows. */
  readonly drawn: NumberTable;
  readonly summary: string;
  /** The question it is the answer to. */
  readonly question: Question;
}

/** The charts of a view. */
export const CHART_SLOTS = [
  "timeline",
  "channels",
  "weekdays",
  "types",
  "topics",
] as const;
/** The charts of one customer. */
export const CUSTOMER_CHART_SLOTS = [
  "contacts",
  "record",
  "customer_topics",
] as const;

/** The slot of a chart. */
export type ChartSlot =
  | typeof CHART_SLOTS[number]
  | typeof CUSTOMER_CHART_SLOTS[number];

/** The titles, which stand there before the numbers do. */
export const TITLES: Readonly<Record<ChartSlot, string>> = {
  timeline: "Interactions over time",
  channels: "By channel",
  weekdays: "By day of the week",
  types: "By type of customer and channel",
  topics: "By topic and channel",
  contacts: "Contacts over time",
  record: "Contacts by channel",
  customer_topics: "Contacts by topic",
};

/** The name of a file with what a chart shows. */
export function fileName(title: string, ending: string): string {
  return `${title.toLowerCase().replaceAll(" ", "-")}.${ending}`;
}

const KINDS: Readonly<Record<ChartSlot, ChartKind>> = {
  timeline: "columns",
  channels: "bars",
  weekdays: "columns",
  types: "bars",
  topics: "heat",
  contacts: "columns",
  record: "bars",
  customer_topics: "bars",
};

/** More rows than these are in the table of the chart, and not drawn. */
const MOST_DRAWN = 12;
/** The columns of a heat map, which has no colours to run out of. */
const MOST_CELLS = 20;

/** The chart of a slot; null while its numbers are not there. */
export function cardOf(
  state: State,
  { slot, locale }: { readonly slot: ChartSlot; readonly locale: Locale },
): Card | null {
  const answered = state.slots[slot];
  if (!answered?.body) return null;
  const table = MAKE[slot]({
    data: answered.body.data as never,
    question: answered.question,
    state,
    locale,
  });
  const kind = KINDS[slot];
  const drawn = kind === "columns" ? table : topRows(table, MOST_DRAWN);
  return {
    slot,
    title: TITLES[slot],
    kind,
    table,
    drawn: kind === "heat" ? topColumns(drawn, MOST_CELLS) : drawn,
    summary: summaryOf(table, { kind, locale, drawn: drawn.rows.length }),
    question: answered.question,
  };
}

interface Made<Data> {
  readonly data: Data;
  readonly question: Question;
  readonly state: State;
  readonly locale: Locale;
}

const MAKE: {
  readonly [One in ChartSlot]: (
    made: Made<Answers[One]["data"]>,
  ) => NumberTable;
} = {
  timeline({ data, question, state, locale }) {
    const { by, ...dates } = parametersOf(question);
    const interval = by as Interval;
    const span = spanOf(dates, rangeOf(state));
    const found = new Map(data.map((group) => [group[interval], group]));
    return {
      ...channelColumns(state, namesIn(data)),
      rows_title: titled(interval),
      rows: (span ? barsBetween(interval, span) : []).map((bar) => {
        const { name, start_date } = bar;
        // The first and the last bar may be parts of theirs.
        const { first, last } = spanOf(bar, span)!;
        const period = {
          of: "days",
          start_date: first,
          end_date: last,
        } as const;
        return {
          ...periodLabels(start_date, { interval, locale }),
          href: viewHref({ ...state.view, period }),
          ...countsOf(found.get(name), namesIn(data)),
        };
      }),
    };
  },
  channels({ data, state }) {
    const channelOf = createChannels(state);
    return {
      rows_title: "Channel",
      columns_title: null,
      columns: ONE_COLUMN,
      rows: data.map((group) => {
        const name = group.channel as string;
        const total = group.interactions as number;
        return { ...channelOf(name), values: [total], total };
      }),
    };
  },
  weekdays({ data, locale }) {
    const found = new Map(data.map((group) => [group.weekday, group]));
    return {
      rows_title: "Day",
      columns_title: null,
      columns: ONE_COLUMN,
      rows: [1, 2, 3, 4, 5, 6, 7].map((day) => {
        const total = (found.get(day)?.interactions ?? 0) as number;
        const label = locale.weekday(day);
        const short_label = locale.weekday(day, { is_short: true });
        return { label, short_label, href: null, values: [total], total };
      }),
    };
  },
  types: ({ data, state }) => byChannel(data, { dimension: "type", state }),
  topics: ({ data, state }) => byChannel(data, { dimension: "topic", state }),
  contacts({ data, question, state, locale }) {
    const interval = parametersOf(question).interval as Interval;
    const range = rangeOf(state);
    const starts = new Map(
      (range ? barsBetween(interval, range) : [])
        .map(({ name, start_date }) => [name, start_date]),
    );
    const names = Object.keys(data[0]?.interactions ?? {});
    return {
      ...channelColumns(state, names),
      rows_title: titled(interval),
      rows: data.map(({ period, interactions, total }) => ({
        ...periodLabels(starts.get(period) ?? period, { interval, locale }),
        href: null,
        values: names.map((name) => interactions[name]),
        total,
      })),
    };
  },
  record({ data, state }) {
    const channelOf = createChannels(state);
    return {
      rows_title: "Channel",
      columns_title: null,
      columns: ONE_COLUMN,
      rows: Object.entries(data.interactions).map(([name, total]) => ({
        ...channelOf(name),
        href: null,
        values: [total],
        total,
      })),
    };
  },
  customer_topics: ({ data }) => ({
    rows_title: "Topic",
    columns_title: null,
    columns: ONE_COLUMN,
    rows: data.map(({ topic, total }) => ({
      label: nameText("topic", topic),
      href: null,
      values: [total],
      total,
    })),
  }),
};

const ONE_COLUMN: readonly Column[] = [
  { label: "Interactions", tone: 1, href: null },
];

function byChannel(
  data: readonly Group[],
  { dimension, state }: {
    readonly dimension: "type" | "topic";
    readonly state: State;
  },
): NumberTable {
  return {
    ...channelColumns(state, namesIn(data)),
    rows_title: titled(dimension),
    rows: data.map((group) => {
      const name = group[dimension] as Name;
      return {
        label: nameText(dimension, name),
        href: viewHref(withOnly(state.view, { dimension, name })),
        ...countsOf(group, namesIn(data)),
      };
    }),
  };
}

/** Makes a channel a column, or a row: everywhere with the same colour. */
function createChannels(state: State): (name: string) => Column {
  const channels = state.slots.dimensions?.body?.data.channels;
  // Once for all of a table: there may be a thousand.
  const tones = tonesOf(Array.isArray(channels) ? channels : []);
  return (name) => ({
    label: name,
    tone: tones.get(name) ?? TONES,
    href: viewHref(withOnly(state.view, { dimension: "channel", name })),
  });
}

function channelColumns(state: State, names: readonly string[]) {
  return {
    columns_title: "Channel",
    columns: names.map(createChannels(state)),
  };
}

function namesIn(data: readonly Group[]): string[] {
  return Object.keys(data[0]?.interactions ?? {});
}

function countsOf(group: Group | undefined, names: readonly string[]) {
  const counts = group?.interactions as Counts | undefined;
  return {
    values: names.map((name) => counts?.[name] ?? 0),
    total: group?.total ?? 0,
  };
}

function periodLabels(
  start_date: string,
  { interval, locale }: {
    readonly interval: Interval;
    readonly locale: Locale;
  },
) {
  return {
    label: locale.period(start_date, { interval }),
    short_label: locale.period(start_date, { interval, is_short: true }),
  };
}

/** A name as it is shown. */
export function nameText(dimension: string, name: Name): string {
  return name ?? `No ${dimension.replaceAll("_", " ")}`;
}

/** A dimension as a heading. */
export function titled(dimension: string): string {
  const text = dimension.replaceAll("_", " ");
  return `${text[0].toUpperCase()}${text.slice(1)}`;
}

function summaryOf(
  table: NumberTable,
  { kind, locale, drawn }: {
    readonly kind: ChartKind;
    readonly locale: Locale;
    /** The number of rows that are drawn. */
    readonly drawn: number;
  },
): string {
  const { rows, columns } = table;
  const sum = sumOf(table);
  if (sum === 0) return "No interactions in this view.";
  const of = locale.count(sum);
  const rest = drawn < rows.length
    ? ` The ${drawn} most frequent of ${locale.count(rows.length)} are drawn.`
    : "";
  if (kind === "heat") {
    let [top, row, column] = [0, 0, 0];
    for (const [i, { values }] of rows.entries()) {
      for (const [j, value] of values.entries()) {
        if (value > top) [top, row, column] = [value, i, j];
      }
    }
    return `Most frequent: ${rows[row].label} by ${
      columns[column].label
    }, with ${
      locale.count(top)
    }. An interaction with two topics counts for both.${rest}`;
  }
  const top = rows.reduce((a, b) => b.total > a.total ? b : a);
  return `${kind === "columns" ? "Busiest" : "Most"}: ${top.label}, with ${
    locale.count(top.total)
  } of ${of} (${locale.share(top.total / sum)}).${rest}`;
}
