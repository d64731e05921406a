/** `/api/v1/interactions`: every customer by every channel, in pages. */

import { z } from "zod";
import type { CustomerId } from "../db/model/customer_ids.ts";
import { choosesCustomers } from "../db/model/dimensions.ts";
import {
  type AnswerColumns,
  type Cell,
  columnsOf,
  type Filter,
  type InteractionsQuestion,
  type InteractionsSort,
  type Question,
} from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import {
  countsSchema,
  EXAMPLE_META,
  metaSchema,
  numberOf,
  rowsFailures,
  rowsJson,
  rowsQuerySchema,
  sumOf,
} from "./answer.ts";
import { customerIdsOf, shownId, shownName } from "./customer_ids.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { type Asked, endpoint, type RowsReply } from "./endpoint.ts";
import {
  filterOf,
  findName,
  isPeriod,
  namesShape,
  NO_PERIOD,
  PAGE_ROWS,
  pageShape,
  periodShape,
  questionText,
  unknown,
} from "./filters.ts";
import type { Read, ReadRows } from "./read_rows.ts";

const query = rowsQuerySchema({
  customer_id: z.string().optional().meta({
    description: "At most 100 customers, separated by commas",
  }),
  sort: z.string().optional().meta({
    description:
      "customer_id, total or a channel, ascending; descending with - in front. A channel named customer_id or total is called as in a download: channel_customer_id or channel_total",
  }),
  ...pageShape,
  ...periodShape,
  ...namesShape,
}).refine(isPeriod, NO_PERIOD);

const BY_ID = { by: "customer_id", descending: false } as const;
const FIXED_SORTS = ["customer_id", "total"] as const;

/** The endpoint. */
export const matrixEndpoint = endpoint({
  path: "/api/v1/interactions",
  name: "listInteractions",
  access: "customers",
  summary: "How often every customer was contacted on each channel",
  description:
    "One row per customer and one count per channel, zero when there are none. type, occupation and customer_id choose the customers, the other filters choose the interactions that are counted; channel also chooses the columns.",
  query,
  answers: {
    200: {
      description:
        "A page; meta has the totals of all pages, and meta.next is the cursor of the next page or null",
      schema: z.object({
        data: z.array(z.object({
          customer_id: shownId,
          name: shownName,
          occupation: z.string().nullable(),
          type: z.string().nullable(),
          interactions: countsSchema,
          total: z.int(),
        })),
        meta: metaSchema.extend({
          customers: z.int(),
          interactions: countsSchema,
          total: z.int(),
          unknown_customer_ids: z.array(shownId).optional(),
          next: z.string().nullable(),
        }),
      }),
      example: {
        data: [{
          customer_id: 1,
          occupation: "Jedi",
          type: "Red",
          interactions: { Bird: 0, Call: 4 },
          total: 4,
        }],
        meta: {
          ...EXAMPLE_META,
          customers: 1,
          interactions: { Bird: 0, Call: 4 },
          total: 4,
          next: null,
        },
      },
    },
    ...rowsFailures,
  },
  answer: ask,
});

function ask(
  { snapshot, visible, query: given }: Asked<
    unknown,
    z.output<typeof query>
  >,
): RowsReply {
  const { limit, cursor, explain } = given;
  const named = given.customer_id === undefined
    ? undefined
    : customerIdsOf(snapshot, { text: given.customer_id, visible });
  // Those that the caller may not see are unknown to it.
  const seen = visible ? named?.filter((id) => visible.has(String(id))) : named;
  const customer_ids = seen?.map((id) => snapshot.customers.numberOf(id));
  const filter: Filter = {
    ...filterOf({ snapshot, visible }, given),
    ...customer_ids && { customer_ids },
  };
  const by_record = choosesCustomers(filter, snapshot.dimensions);
  const page_rows = limit ?? PAGE_ROWS.fallback;
  // Then the page has all of its customers, and so its own totals.
  const is_whole = customer_ids && !by_record && cursor === undefined &&
    customer_ids.length <= page_rows;
  const sort = parseSort(given.sort ?? "customer_id", { snapshot, filter });
  const hides_some = seen?.length !== named?.length;
  const parts = {
    ...filter,
    customer_ids: seen,
    // The answer says who is unknown.
    named: hides_some ? named : undefined,
    sort: sortParts(sort),
  };
  const questionOf = () => questionText("interactions", parts);
  const question: InteractionsQuestion = {
    kind: "interactions",
    filter,
    sort,
    after: cursor === undefined ? undefined : afterOf(
      readCursor(snapshot, { question: questionOf(), cursor, length: 2 }),
    ),
  };

  /** The place of a row in the order: its value to sort by, and its customer. */
  function positionOf(
    row: readonly Cell[],
    { columns, pivoted }: AnswerColumns,
  ): number[] {
    const number = snapshot.customers.numberOf(row[0]!);
    const { start, names } = pivoted!;
    const sorted_by = typeof sort.by === "object"
      ? start + names.indexOf(sort.by.channel)
      : columns.findLastIndex(({ name }) => name === sort.by);
    return [sorted_by === 0 ? number : row[sorted_by] as number, number];
  }

  return {
    of: "rows",
    file: "interactions",
    key: questionText("interactions", {
      ...parts,
      limit,
      cursor,
      explain,
    }),
    download: { ...question, limit },
    reads: [
      { question, page_rows },
      ...is_whole ? [] : readsOfTotals(filter, { by_record }),
    ],
    json([page, all, customers, known]) {
      const { last, columns, pivoted, cells } = page;
      const { start, names } = pivoted!;
      const totals = all
        ? all.cells[0]
        : columns.slice(start).map((_, i) =>
          sumOf(cells, { start: start + i, end: start + i + 1 })
        );
      return {
        data: rowsJson(page),
        meta: {
          customers: is_whole
            ? cells.length
            : customers
            ? numberOf(customers)
            : snapshot.report.customers,
          interactions: new Map(names.map((name, i) => [name, totals[i]])),
          total: totals[names.length],
          ...named && {
            unknown_customer_ids: missing(named, known ?? page),
          },
          next: last
            ? writeCursor(snapshot, {
              question: questionOf(),
              position: positionOf(last, page),
            })
            : null,
        },
      };
    },
    ...explain && {
      explain: {
        questions: [question],
        filter: { ...filter, ...named && { customer_ids: named } },
      },
    },
  };
}

/** What is read for the totals of all pages: of interactions, of customers, and who is known. */
function readsOfTotals(
  filter: Filter,
  { by_record }: {
    /** Whether the filter chooses customers by their records. */
    readonly by_record: boolean;
  },
): Read[] {
  const { customer_ids } = filter;
  const questions: Question[] = [
    {
      kind: "metrics",
      by: [],
      pivot: "channel",
      filter,
      of_known_customers: true,
    },
    ...by_record || customer_ids
      ? [{ kind: "customer_count", by: [], filter } as const]
      : [],
    ...customer_ids
      ? [{ kind: "customers", filter: { customer_ids } } as const]
      : [],
  ];
  return questions.map((question) => ({ question }));
}

function afterOf([value, customer_id]: number[]) {
  return { value, customer_id };
}

function sortParts({ by, descending }: InteractionsQuestion["sort"]) {
  return [
    descending ? "descending" : "ascending",
    ...typeof by === "string" ? [by] : ["channel", by.channel],
  ];
}

/** The sort order: a name as given, else the name after a `-`. Columns are called as in downloads. */
function parseSort(
  text: string,
  { snapshot, filter }: {
    readonly snapshot: Snapshot;
    readonly filter: Filter;
  },
): InteractionsQuestion["sort"] {
  const channels = filter.channels ?? snapshot.channels;
  const find = (name: string): InteractionsSort | undefined => {
    const key = name.toLowerCase();
    const fixed = FIXED_SORTS.find((fixed) => fixed === key);
    if (fixed) return fixed;
    const channel = findName(snapshot, { dimension: "channel", name }) ??
      channelOfColumn(key, { snapshot, filter });
    return channel !== undefined && channels.includes(channel)
      ? { channel }
      : undefined;
  };
  const ascending = find(text);
  if (ascending) return { by: ascending, descending: false };
  const descending = text.startsWith("-") && find(text.slice(1));
  if (descending) return { by: descending, descending: true };
  throw unknown("sort", { value: text, values: [...FIXED_SORTS, ...channels] });
}

/** The channel whose column in a download has this name, in lower case. */
function channelOfColumn(
  key: string,
  { snapshot, filter }: {
    readonly snapshot: Snapshot;
    readonly filter: Filter;
  },
): string | undefined {
  const { columns, pivoted } = columnsOf(
    { kind: "interactions", filter, sort: BY_ID },
    snapshot,
  );
  const position = columns.findIndex(({ name }) => name.toLowerCase() === key);
  return pivoted!.names[position - pivoted!.start];
}

/** The customers that are not in the rows. */
function missing(
  customer_ids: readonly CustomerId[],
  { cells }: ReadRows,
): CustomerId[] {
  // Each row is of another one of them.
  if (cells.length === customer_ids.length) return [];
  const known = new Set(cells.map(([customer_id]) => customer_id));
  return customer_ids.filter((customer_id) => !known.has(customer_id));
}
