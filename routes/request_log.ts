/** Logs requests: which ones, what is said of them, and in batches. */

import { hasSecret } from "../access/secrets.ts";
import type { Log, RequestRecord } from "../db/model/log.ts";
import type { Exchange } from "./exchange.ts";

/** The settings. */
export interface RequestLogSettings {
  /** Which requests are logged: none, those with a status that somebody should see, or all. */
  readonly LOG_REQUESTS: "off" | "errors" | "all";
  readonly LOG_CUSTOMER_IDS: "on" | "off";
}

/** The log of requests. */
export interface RequestLog {
  /** Logs an answer; a stream is logged when it ends, so the result is sent in place of `answer`. */
  add(
    exchange: Exchange,
    ended: { readonly answer: Response; readonly status: number },
  ): Response;
  /** Prints what is not printed yet. */
  flush(): void;
  /** The same, at the end of the process. */
  end(): void;
}

/** So many are printed at once; their lines have less than 128 KiB. */
const BATCH = 256;
/** With `errors`, so many a minute, of statuses 4xx and of 5xx each. */
const MAX_PER_MINUTE = 60;
const MINUTE_MS = 60_000;
/** Letters of customer ids that are logged. */
const MAX_IDS = 200;

/** Makes the log that the settings ask for; null for none. */
export function createRequestLog(
  { LOG_REQUESTS, LOG_CUSTOMER_IDS }: RequestLogSettings,
  { print, log, now = Date.now }: {
    readonly print: (records: readonly RequestRecord[]) => void;
    readonly log: Log;
    /** Milliseconds of the epoch. */
    readonly now?: () => number;
  },
): RequestLog | null {
  if (LOG_REQUESTS === "off") return null;
  const takes_all = LOG_REQUESTS === "all";
  let waiting: RequestRecord[] = [];
  let minute_ends = 0;
  /** In this minute, by the first digit of the status. */
  const taken = new Map<number, number>();

  function endMinute(): void {
    for (const [kind, number] of taken) {
      const requests = number - MAX_PER_MINUTE;
      if (requests <= 0) continue;
      log({
        level: "warning",
        event: "requests_not_logged",
        text:
          `Further requests with a status ${kind}xx in a minute: ${requests}`,
        status: `${kind}xx`,
        requests,
      });
    }
    taken.clear();
    minute_ends = now() + MINUTE_MS;
  }

  /** Whether the minute is over; also when the clock was set back before it. */
  function isOver(): boolean {
    const left_ms = minute_ends - now();
    return left_ms <= 0 || left_ms > MINUTE_MS;
  }

  /** Whether an answer that is an error is logged; it counts if not. */
  function takes(status: number): boolean {
    if (isOver()) endMinute();
    const kind = Math.floor(status / 100);
    const number = (taken.get(kind) ?? 0) + 1;
    taken.set(kind, number);
    return number <= MAX_PER_MINUTE;
  }

  function flush(): void {
    if (taken.size > 0 && isOver()) endMinute();
    if (waiting.length === 0) return;
    const records = waiting;
    waiting = [];
    print(records);
  }

  function record(
    { request, id, caller, route, came_ms }: Exchange,
    { answer, status, bytes }: {
      readonly answer: Response;
      readonly status: number;
      readonly bytes: number;
    },
  ): void {
    waiting.push({
      time_ms: now(),
      id,
      method: request.method,
      route: route.path,
      status,
      ms: Math.round((performance.now() - came_ms) * 1_000) / 1_000,
      bytes,
      key_id: shownKeyId(caller.key_id),
      data_version: answer.headers.get("Data-Version"),
      ...LOG_CUSTOMER_IDS === "on" &&
        { customer_id: customerIdsIn(request.url, route.path) },
    });
    if (waiting.length >= BATCH) flush();
  }

  return {
    add(exchange, { answer, status }) {
      if (!takes_all && !(isError(exchange, status) && takes(status))) {
        return answer;
      }
      const { body } = exchange;
      if (body instanceof ReadableStream && answer.body) {
        const counted = countedStream(
          answer.body,
          (bytes) => record(exchange, { answer, status, bytes }),
        );
        return new Response(counted, answer);
      }
      record(exchange, { answer, status, bytes: bytesOf(body) });
      return answer;
    },
    flush,
    end() {
      endMinute();
      flush();
    },
  };
}

/**
 * Whether a status is for somebody's eyes: a failure of the server, or of a client that
 * knows the API. Not what strangers try, nor a customer who is unknown, nor a probe
 * before there is data.
 */
function isError({ route }: Exchange, status: number): boolean {
  if (status >= 500) return route.path !== "/readyz";
  return status >= 400 && status !== 404 && status !== 499 &&
    route.path !== "unknown";
}

// The id of the administrator's key of the setting has a part of its hash.
function shownKeyId(key_id: string | null): string | null {
  return key_id?.startsWith("admin-") ? "admin" : key_id;
}

/** The customers that a URL names, as they were sent; null for none, and for what may be a secret. */
function customerIdsIn(url: string, route: string): string | null {
  const { pathname, searchParams } = new URL(url);
  const at = route.split("/").indexOf(":customer_id");
  const ids = [
    ...at < 0 ? [] : [pathname.split("/")[at]],
    ...searchParams.getAll("customer_id"),
  ].join(",");
  return ids === "" || hasSecret(ids) ? null : ids.slice(0, MAX_IDS);
}

const encoder = new TextEncoder();

function bytesOf(body: Exchange["body"]): number {
  if (body === null || body instanceof ReadableStream) return 0;
  return typeof body === "string"
    ? encoder.encode(body).length
    : body.byteLength;
}

/** The same stream; `ended` gets the number of its bytes once, however it ends. */
function countedStream(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ended: (bytes: number) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  let bytes = 0;
  let has_ended = false;
  const end = () => {
    has_ended = true;
    ended(bytes);
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        // A client may go away while a piece is read.
        if (has_ended) return;
        if (!done) {
          bytes += value.length;
          return controller.enqueue(value);
        }
        end();
        controller.close();
      } catch (error) {
        if (has_ended) return;
        end();
        controller.error(error);
      }
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
