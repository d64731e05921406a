/** `/api/v1/data`: how fresh and how clean the data is, and the results of refreshes. */

import { z } from "zod";
import { newestDay } from "../db/model/newest.ts";
import {
  changesSchema,
  dataVersionSchema,
  type LoadReport,
  type Refresh,
  refreshStateSchema,
  secondsSinceLoad,
  type ServedReport,
  servedReportSchema,
  sumSetAside,
} from "../db/model/report.ts";
import { endpoint, failure, type StoreNow } from "./endpoint.ts";
import { streamJson } from "./json_body.ts";
import { jsonParts } from "./json_text.ts";
import { LOADING } from "./ops.ts";
import { NO_QUERY } from "./query_string.ts";

/** The meta of every answer about the data; both are null while nothing is served. */
export const metaSchema = z.object({
  data_version: z.string().nullable(),
  loaded_at: z.iso.datetime().nullable(),
});

const currentSchema = z.object({
  state: refreshStateSchema,
  data_version: z.string().nullable(),
  loaded_at: z.iso.datetime().nullable(),
  age_seconds: z.int().nullable(),
  newest_day: z.iso.date().nullable().meta({
    description:
      "The last day with an interaction, up to today in TIME_ZONE; null without one",
  }),
  restored: z.boolean().meta({
    description:
      "Whether this is the last good data of STATE_DIR, because the exports cannot be served",
  }),
  reasons: z.array(z.string()).meta({
    description: "Why the latest refresh has its result, in plain words",
  }),
  waiting: z.array(z.string()).meta({
    description:
      "The changed files that are not complete yet, and what is missing",
  }),
  notice: z.string().nullable().meta({
    description:
      "What an operator should know about the data that is served, as in /readyz",
  }),
  held: z.object({
    data_version: dataVersionSchema,
    reasons: z.array(z.string()),
    changes: changesSchema.nullable(),
    report: servedReportSchema,
  }).nullable(),
  discarded: dataVersionSchema.nullable().meta({
    description:
      "The data_version whose files are not built until they change; accept serves it all the same",
  }),
  changes: changesSchema.nullable().meta({
    description: "Differences from the data served before",
  }),
  report: servedReportSchema.nullable().meta({
    description: "Every file, totals and warnings",
  }),
}).meta({ id: "Data" });

const shortRefreshSchema = z.object({
  sequence: z.int().meta({
    description: "Rises with each refresh, also over a restart",
  }),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  state: refreshStateSchema,
  reasons: z.array(z.string()),
  data_version: dataVersionSchema.nullable(),
  seconds: z.number().nullable(),
  customers: z.int().nullable(),
  interactions: z.int().nullable(),
  rows_set_aside: z.int().nullable(),
  changes: changesSchema.nullable(),
}).meta({ id: "Refresh" });

/** The endpoints. */
export const dataEndpoints = [
  endpoint({
    path: "/api/v1/data",
    name: "getData",
    summary: "How fresh and how clean the data is",
    description:
      "The state after the latest refresh; for every file the rows kept and set aside; the changes since the version before; warnings.",
    query: NO_QUERY,
    answers: {
      200: {
        description: "What is served, what is held, and why",
        schema: z.object({ data: currentSchema, meta: metaSchema }),
      },
      400: failure("A query parameter was given"),
      503: {
        description: "Nothing is served yet; error has the reason",
        schema: z.object({
          error: z.string(),
          data: currentSchema,
          meta: metaSchema,
        }),
      },
    },
    answerNow({ store }) {
      const json = { data: currentData(store), meta: metaOf(store.snapshot) };
      if (store.snapshot) return { of: "moment", json };
      const error = store.problem ?? LOADING;
      return { of: "moment", status: 503, json: { error, ...json } };
    },
  }),
  endpoint({
    path: "/api/v1/data/history",
    name: "listRefreshes",
    summary: "The last 50 refreshes",
    description:
      "The result and the reasons of each, the latest first. A refresh that changed nothing is not listed.",
    query: NO_QUERY,
    answers: {
      200: {
        description: "A summary of every refresh",
        schema: z.object({
          data: z.array(shortRefreshSchema),
          meta: metaSchema,
        }),
      },
      400: failure("A query parameter was given"),
    },
    // In pieces, since each may name thousands of channels, types and topics.
    answerNow: ({ store: { refreshes, snapshot } }) => ({
      of: "stream",
      media_type: "application/json",
      body: streamJson(jsonParts({
        data: refreshes.history.map(shortRefresh),
        meta: metaOf(snapshot),
      })),
    }),
  }),
] as const;

/** The meta of an answer: the data that is served, or that the answer is about. */
export function metaOf(
  data: { data_version: string; loaded_at: string } | null,
): z.output<typeof metaSchema> {
  return {
    data_version: data?.data_version ?? null,
    loaded_at: data?.loaded_at ?? null,
  };
}

function currentData({ refreshes, snapshot, notice }: StoreNow) {
  const { data_version, loaded_at } = metaOf(snapshot);
  const { state, history, changes, held, discarded, waiting, restored } =
    refreshes;
  return {
    state,
    data_version,
    loaded_at,
    age_seconds: loaded_at === null
      ? null
      : Math.round(secondsSinceLoad(loaded_at)),
    newest_day: snapshot && newestDay(snapshot.report, new Date()),
    restored,
    reasons: history[0]?.reasons ?? [],
    waiting,
    notice,
    held: held && {
      data_version: held.report!.data_version,
      reasons: held.reasons,
      changes: held.changes,
      report: servedReport(held.report!),
    },
    discarded,
    changes,
    report: snapshot && servedReport(snapshot.report),
  };
}

/** A report as it is served: rows set aside have an endpoint of their own, and days to come are asked by the moment. */
export function servedReport(
  { set_aside_listed: _, upcoming: _days, time_zone: _zone, ...rest }:
    LoadReport,
): ServedReport {
  return rest;
}

function shortRefresh(
  { sequence, started_at, ended_at, state, reasons, report, changes }: Refresh,
) {
  return {
    sequence,
    started_at,
    ended_at,
    state,
    reasons,
    data_version: report?.data_version ?? null,
    seconds: report?.seconds ?? null,
    customers: report?.customers ?? null,
    interactions: report?.interactions ?? null,
    rows_set_aside: report && sumSetAside(report.files),
    changes,
  };
}
