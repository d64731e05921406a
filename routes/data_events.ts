/** `/api/v1/data/events`: tells pages of new data, a hold or a failure, as server-sent events. */

import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { StoreError } from "../db/model/problems.ts";
import type { Refresh, RefreshState } from "../db/model/report.ts";
import type { Store } from "../db/store.ts";
import { EXAMPLE_META } from "./answer.ts";
import { type Endpoint, failure, NO_QUERY, validated } from "./endpoint.ts";

/** The endpoint. */
export const dataEventsEndpoint = {
  path: "/api/v1/data/events",
  summary: "What becomes of the data, as it happens",
  description:
    "A stream of server-sent events: `version` at once and whenever other data goes live, `held` and `failed` with the reasons. A comment every 15 seconds keeps the connection open.",
  query: NO_QUERY,
  answers: {
    200: {
      description: "The stream; each event's data is JSON",
      schema: z.string(),
      content_type: "text/event-stream",
      example: `event: version\ndata: ${JSON.stringify(EXAMPLE_META)}\n\n`,
    },
    400: failure("A query parameter was given"),
    503: failure("More than EVENTS_MAX listen already"),
  },
} as const satisfies Endpoint;

/** Time between two signs of life, in milliseconds. */
const HEARTBEAT_MS = 15_000;
/** A listener who is slower than that misses the oldest. */
const MOST_UNSENT = 50;

const EVENTS: Readonly<Record<Exclude<RefreshState, "building">, string>> = {
  serving: "version",
  held: "held",
  failed: "failed",
};

/** The route, for at most `events_max` listeners, until `stopping`. */
export function createDataEvents(
  store: Store,
  events_max: number,
  stopping: AbortSignal,
) {
  let listeners = 0;
  return new Hono().get(
    dataEventsEndpoint.path,
    validated("query", NO_QUERY),
    (c) => {
      if (listeners >= events_max) {
        throw new StoreError(
          "busy",
          `EVENTS_MAX=${events_max} pages listen already.`,
        );
      }
      listeners++;
      c.header("X-Accel-Buffering", "no");
      return streamSSE(c, async (stream) => {
        const unsent: Refresh[] = [];
        let wake = () => {};
        const unsubscribe = store.refreshes.subscribe((refresh) => {
          unsent.push(refresh);
          if (unsent.length > MOST_UNSENT) unsent.shift();
          wake();
        });
        const stop = () => wake();
        stopping.addEventListener("abort", stop);
        stream.onAbort(stop);
        try {
          if (store.snapshot) {
            const { data_version, loaded_at } = store.snapshot;
            await stream.writeSSE({
              event: "version",
              data: JSON.stringify({ data_version, loaded_at }),
            });
          }
          while (!stream.aborted && !stopping.aborted) {
            const refresh = unsent.shift();
            if (refresh) {
              await stream.writeSSE(eventOf(refresh));
              continue;
            }
            let timer: ReturnType<typeof setTimeout> | undefined;
            const beat = await new Promise<boolean>((resolve) => {
              wake = () => resolve(false);
              timer = setTimeout(() => resolve(true), HEARTBEAT_MS);
            });
            clearTimeout(timer);
            if (beat) await stream.write(": alive\n\n");
          }
        } finally {
          unsubscribe();
          stopping.removeEventListener("abort", stop);
          listeners--;
        }
      });
    },
  );
}

function eventOf({ state, reasons, report, ended_at }: Refresh) {
  return {
    event: EVENTS[state],
    data: JSON.stringify(
      state === "serving"
        ? { data_version: report!.data_version, loaded_at: report!.loaded_at }
        : { data_version: report?.data_version ?? null, reasons, ended_at },
    ),
  };
}
