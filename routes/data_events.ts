/** `/api/v1/data/events`: sends new data, holds and failures to pages, as server-sent events. */

import { z } from "zod";
import { StoreError } from "../db/model/problems.ts";
import type { Refresh, RefreshState } from "../db/model/report.ts";
import { EXAMPLE_META } from "./answer.ts";
import {
  endpoint,
  failure,
  type Listening,
  type StoreNow,
} from "./endpoint.ts";
import { NO_QUERY } from "./query_string.ts";

/** The endpoint. */
export const dataEventsEndpoint = endpoint({
  path: "/api/v1/data/events",
  name: "followData",
  access: "listen",
  summary: "New data, holds and failures, at once",
  description:
    "A stream of server-sent events: `version` at once and whenever other data goes live, `held` and `failed` with the reasons. A comment every 15 seconds keeps the connection open. Whose key or token is for some customers gets `version` only; the stream ends with the key or token.",
  query: NO_QUERY,
  answers: {
    200: {
      description: "The stream; each event's data is JSON",
      schema: z.string(),
      content_type: "text/event-stream",
      example: `event: version\ndata: ${JSON.stringify(EXAMPLE_META)}\n\n`,
    },
    400: failure("A query parameter was given"),
    503: failure("EVENTS_MAX clients have the stream already"),
  },
  answerNow({ store, listening, ending, caller, callers }) {
    const { listeners, max } = listening;
    if (listeners.size >= max) {
      throw new StoreError("busy", `EVENTS_MAX=${max} pages listen already.`);
    }
    return {
      of: "stream",
      media_type: "text/event-stream",
      is_endless: true,
      // Without it, nginx buffers a stream.
      headers: { "X-Accel-Buffering": "no" },
      body: eventsOf(store, {
        ...listening,
        stopping: ending.finishing,
        with_reasons: caller.customers === null,
        holds: () => callers.holds(caller),
      }),
    };
  },
});

/** Time between two comments that keep the connection open, in milliseconds. */
const HEARTBEAT_MS = 15_000;
/** The most events that wait for one listener; of more, the oldest are dropped. */
const MOST_UNSENT = 50;

const EVENTS: Readonly<Record<Exclude<RefreshState, "building">, string>> = {
  serving: "version",
  held: "held",
  failed: "failed",
};

/** The events for one listener, until the client disconnects, its key ends or the process stops. */
function eventsOf(
  { snapshot, refreshes }: StoreNow,
  { listeners, stopping, with_reasons, holds }: Listening & {
    readonly stopping: AbortSignal;
    /** Whether the listener may know what is wrong. */
    readonly with_reasons: boolean;
    /** Whether the listener may still listen. */
    readonly holds: () => boolean;
  },
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const listener = Symbol();
  const encoder = new TextEncoder();
  const unsent: string[] = [];
  let wake = () => {};
  if (snapshot) {
    const { data_version, loaded_at } = snapshot;
    unsent.push(eventText("version", { data_version, loaded_at }));
  }
  const unsubscribe = refreshes.subscribe((refresh) => {
    if (!with_reasons && refresh.state !== "serving") return;
    unsent.push(eventOf(refresh));
    if (unsent.length > MOST_UNSENT) unsent.shift();
    wake();
  });
  const stop = () => wake();
  const leave = () => {
    unsubscribe();
    stopping.removeEventListener("abort", stop);
    listeners.delete(listener);
    wake();
  };
  listeners.add(listener);
  stopping.addEventListener("abort", stop);

  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (unsent.length === 0 && !stopping.aborted) {
        const timer = setTimeout(() => {
          unsent.push(": alive\n\n");
          wake();
        }, HEARTBEAT_MS);
        await new Promise<void>((resolve) => wake = resolve);
        clearTimeout(timer);
        if (!listeners.has(listener)) return;
      }
      if (!stopping.aborted && holds()) {
        return controller.enqueue(encoder.encode(unsent.shift()));
      }
      leave();
      controller.close();
    },
    cancel: leave,
  }, { highWaterMark: 0 });
}

function eventOf({ state, reasons, report, ended_at }: Refresh): string {
  return eventText(
    EVENTS[state],
    state === "serving"
      ? { data_version: report!.data_version, loaded_at: report!.loaded_at }
      : { data_version: report?.data_version ?? null, reasons, ended_at },
  );
}

function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
