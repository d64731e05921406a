/** How many requests each client may send: so many a second, and a burst of more. */

/** What a client may send. */
export interface Rate {
  readonly per_second: number;
  /** Requests at once, after a while without any; at least 1. */
  readonly burst: number;
}

/** How a client stands after a request. */
export interface Standing {
  readonly is_allowed: boolean;
  /** Requests that it may send at once now. */
  readonly remaining: number;
  /** Until it may send another request, in milliseconds; 0 when it may now. */
  readonly retry_ms: number;
  /** Until it may send a whole burst again, in milliseconds. */
  readonly full_ms: number;
}

/** The clients that are known at once; all of them take about 8 MB. */
const MOST_CLIENTS = 65_536;
/** Of so many known clients one looks for each new one whether they are as good as new. */
const LOOKED_AT = 4;
/** The name that new clients share while there is no room for others; no client has it. */
const SHARED = "";

/**
 * Spends a request of a client, by the generic cell rate algorithm. All that is known
 * of the client is `full_at_ms`, when it may send a whole burst; one that is not known
 * may do so now. A refused request spends nothing. Times are of one clock that never
 * goes back.
 */
export function spend(
  { per_second, burst }: Rate,
  { full_at_ms, now_ms }: {
    readonly full_at_ms: number | undefined;
    readonly now_ms: number;
  },
): Standing {
  const each_ms = 1_000 / per_second;
  const before_ms = Math.max(0, (full_at_ms ?? now_ms) - now_ms);
  const after_ms = before_ms + each_ms;
  const left_ms = burst * each_ms - after_ms;
  // Of sums of fractions: 10 * 33.3 ms may be a little less than 333 ms.
  const is_allowed = left_ms > -1e-6 * each_ms;
  const full_ms = is_allowed ? after_ms : before_ms;
  return {
    is_allowed,
    remaining: is_allowed ? Math.floor(left_ms / each_ms + 1e-6) : 0,
    retry_ms: is_allowed ? 0 : -left_ms,
    full_ms,
  };
}

/**
 * The requests of all clients. A client is known until it may send a whole burst
 * again, which is as good as not known. So it takes MOST_CLIENTS times `per_second`
 * requests a second to fill the table; then new clients share one allowance, and those
 * who are known keep theirs.
 */
export class RateLimits {
  readonly rate: Rate;
  /** How many requests were refused. */
  refused = 0;
  readonly #most: number;
  readonly #full_at_ms = new Map<string, number>();
  #hand = this.#full_at_ms.entries();

  constructor(rate: Rate, { most = MOST_CLIENTS } = {}) {
    this.rate = rate;
    this.#most = most;
  }

  /** How many clients are known. */
  get clients(): number {
    return this.#full_at_ms.size;
  }

  /** Whether new clients share one allowance, because the table is full. */
  get is_full(): boolean {
    return this.#full_at_ms.size >= this.#most;
  }

  /** Counts a request of `client` at `now_ms`, of `performance.now()`. */
  count(client: string, now_ms: number): Standing {
    let name = client;
    let full_at_ms = this.#full_at_ms.get(name);
    if (full_at_ms === undefined) {
      this.#forget(now_ms);
      if (this.is_full) {
        name = SHARED;
        full_at_ms = this.#full_at_ms.get(name);
      }
    }
    const standing = spend(this.rate, { full_at_ms, now_ms });
    if (standing.is_allowed) {
      this.#full_at_ms.set(name, now_ms + standing.full_ms);
    } else this.refused++;
    return standing;
  }

  // A few at a time, in turn, so that no request waits for a look through all.
  #forget(now_ms: number): void {
    for (let i = 0; i < LOOKED_AT; i++) {
      const { done, value } = this.#hand.next();
      if (done) {
        this.#hand = this.#full_at_ms.entries();
        return;
      }
      const [name, full_at_ms] = value;
      if (full_at_ms <= now_ms) this.#full_at_ms.delete(name);
    }
  }
}

/** The headers of a client's standing, by draft-ietf-httpapi-ratelimit-headers-11. */
export function rateHeaders(
  { per_second, burst }: Rate,
  { is_allowed, remaining, retry_ms, full_ms }: Standing,
): Readonly<Record<"RateLimit-Policy" | "RateLimit", string>> {
  const seconds = Math.ceil((is_allowed ? full_ms : retry_ms) / 1_000);
  return {
    "RateLimit-Policy": `"burst";q=${burst};w=${Math.ceil(burst / per_second)}`,
    "RateLimit": `"burst";r=${remaining};t=${seconds}`,
  };
}

/** Whether a client should know its standing: less than a fifth of the burst is left. */
export function isScarce({ burst }: Rate, { remaining }: Standing): boolean {
  return remaining * 5 < burst;
}
