/** Counts requests by route, status and time: plain numbers, since each page view passes here. */

import type { Metric } from "../db/model/metric.ts";

/** The counts of one route. */
export interface RouteCounts {
  readonly method: string;
  /** The pattern, such as `/api/v1/interactions/:customer_id`; a path that a client sent is never here. */
  readonly path: string;
  /** The number of answers by their status. */
  readonly by_status: Float64Array;
  /** The number of answers by the first of BUCKETS that they kept to; the last is of all others. */
  readonly by_bucket: Float64Array;
  /** In it: the sum of the times, and the last that was taken of an answer without a wait, in seconds. */
  readonly time: Float64Array;
}

/** Every status is below this. */
const STATUSES = 600;
/** Upper bounds of times, in seconds: a page view takes some 0.00002. */
const BUCKETS = [
  0.00005,
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
] as const;
const LAST = BUCKETS.length;
/**
 * Of the answers of a route that need no wait, one in so many is timed, and the others
 * count as the one before them: they are alike, and to read the clock takes a hundredth
 * of the shortest.
 */
const TIMED = 8;

/** The counts of a process. */
export interface RequestCounts {
  /** What no endpoint answers: one label, whatever paths are asked for. */
  readonly unknown: RouteCounts;
  /** The counts of an endpoint, the same each time. */
  of(endpoint: Endpoint): RouteCounts;
  readonly metrics: readonly Metric[];
}

interface Endpoint {
  readonly method: string;
  readonly path: string;
}

/** Makes counts that are all zero. */
export function createRequestCounts(): RequestCounts {
  const unknown = noCounts({ method: "ANY", path: "unknown" });
  const routes = new Map<Endpoint, RouteCounts>();
  const all = () => [...routes.values(), unknown];
  return {
    unknown,
    of(endpoint) {
      let counts = routes.get(endpoint);
      if (!counts) routes.set(endpoint, counts = noCounts(endpoint));
      return counts;
    },
    metrics: [
      {
        name: "tally_http_requests_total",
        help:
          "Requests that were answered, by route and status; 499 where the client had gone. Paths that are no endpoint have the route unknown.",
        type: "counter",
        *samples() {
          for (const { by_status, ...route } of all()) {
            for (const [status, value] of by_status.entries()) {
              if (value === 0) continue;
              const labels = { ...labelsOf(route), status: String(status) };
              yield { value, labels };
            }
          }
        },
      },
      {
        name: "tally_http_request_duration_seconds",
        help:
          "Time from a request to its answer, or to the begin of a long one, by route.",
        type: "histogram",
        *samples() {
          for (const { by_bucket, time, ...route } of all()) {
            const labels = labelsOf(route);
            let value = 0;
            const buckets = [...by_bucket].map((answers, i) => ({
              value: value += answers,
              labels: { ...labels, le: i === LAST ? "+Inf" : `${BUCKETS[i]}` },
              suffix: "_bucket" as const,
            }));
            if (value === 0) continue;
            yield* buckets;
            yield { value: time[0], labels, suffix: "_sum" };
            yield { value, labels, suffix: "_count" };
          }
        },
      },
    ],
  };
}

/** Counts an answer to a request that came at `came_ms` of `performance.now()`. */
export function countAnswer(
  { by_status, by_bucket, time }: RouteCounts,
  { status, came_ms, was_awaited }: {
    readonly status: number;
    readonly came_ms: number;
    readonly was_awaited: boolean;
  },
): void {
  let seconds = time[1];
  if (was_awaited || seconds === 0 || by_status[status] % TIMED === 0) {
    seconds = (performance.now() - came_ms) / 1_000;
    if (!was_awaited) time[1] = seconds;
  }
  by_status[status]++;
  let i = 0;
  while (i < LAST && seconds > BUCKETS[i]) i++;
  by_bucket[i]++;
  time[0] += seconds;
}

function noCounts({ method, path }: Endpoint): RouteCounts {
  return {
    method: method.toUpperCase(),
    path,
    by_status: new Float64Array(STATUSES),
    by_bucket: new Float64Array(LAST + 1),
    time: new Float64Array(2),
  };
}

function labelsOf({ method, path }: Pick<RouteCounts, "method" | "path">) {
  return { method, route: path };
}
