/** Counts the requests of each client, and refuses those that are too many. */

import { clientOf, Networks, type Peer } from "../access/client_address.ts";
import type { Grant } from "../access/grant.ts";
import {
  isScarce,
  type Rate,
  rateHeaders,
  RateLimits,
  type Standing,
} from "../access/rate_limit.ts";
import type { Log } from "../db/model/log.ts";
import type { Metric } from "../db/model/metric.ts";
import type { Failure } from "./errors.ts";

/** The settings of limits. */
export interface LimitSettings {
  /** Requests a second; 0 for no limit. */
  readonly RATE_LIMIT: number;
  readonly RATE_BURST: number;
  readonly TRUSTED_PROXIES: number;
}

/** A request, and what it is counted by. */
interface Counted {
  readonly request: Request;
  readonly caller: Grant;
  /** Undefined where there is no socket. */
  readonly peer: Peer | undefined;
}

/** The limits of requests. */
export interface Limits {
  /** Counts a request; how its client stands, where it should know. */
  count(counted: Counted): Standing | null;
  /** Adds what a client should know to the headers of its answer. */
  append(headers: Headers, standing: Standing): void;
  readonly metrics: readonly Metric[];
}

/** Between two lines of the log about a full table, in milliseconds. */
const LOG_AGAIN_MS = 60_000;

/** The limits of these settings; null where requests are not limited. */
export function createLimits(
  { RATE_LIMIT, RATE_BURST, TRUSTED_PROXIES }: LimitSettings,
  { log, now }: {
    readonly log: Log;
    /** In milliseconds, of a clock that never goes back. */
    readonly now: () => number;
  },
): Limits | null {
  if (RATE_LIMIT === 0) return null;
  const rate: Rate = { per_second: RATE_LIMIT, burst: RATE_BURST };
  const limits = new RateLimits(rate);
  const networks = new Networks();
  let logged_ms = -LOG_AGAIN_MS;

  function nameOf({ request, caller, peer }: Counted): string {
    const { key_id, is_token, customers } = caller;
    // A key mints tokens for all visitors of a site, who must not slow each other.
    if (is_token) return `${key_id} ${customers!.values().next().value}`;
    if (key_id !== null) return key_id;
    return clientOf({
      peer,
      forwarded: TRUSTED_PROXIES > 0
        ? request.headers.get("x-forwarded-for")
        : null,
      trusted_proxies: TRUSTED_PROXIES,
    }, networks);
  }

  return {
    count(counted) {
      const now_ms = now();
      const standing = limits.count(nameOf(counted), now_ms);
      if (limits.is_full && now_ms - logged_ms >= LOG_AGAIN_MS) {
        logged_ms = now_ms;
        log({
          level: "warning",
          event: "rate_limits_full",
          text:
            "So many clients send requests that new ones share one allowance (RATE_LIMIT). A proxy in front can hold off a flood.",
        });
      }
      return isScarce(rate, standing) ? standing : null;
    },
    append(headers, standing) {
      for (const [name, value] of Object.entries(rateHeaders(rate, standing))) {
        headers.append(name, value);
      }
    },
    metrics: [
      {
        name: "tally_rate_limited_requests_total",
        help: "Requests that were refused with 429.",
        type: "counter",
        samples: () => [{ value: limits.refused }],
      },
      {
        name: "tally_rate_limit_clients",
        help: "Clients that have not their whole burst.",
        type: "gauge",
        samples: () => [{ value: limits.clients }],
      },
    ],
  };
}

/** The refusal of a request that is one too many. */
export function tooFast({ retry_ms }: Standing): Failure {
  const seconds = Math.max(1, Math.ceil(retry_ms / 1_000));
  return {
    status: 429,
    error: `Too many requests. Ask again in ${seconds} s, and less often.`,
    headers: { "Retry-After": `${seconds}` },
  };
}
