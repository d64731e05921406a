/** Which pages of other origins may read the answers, or change anything, by the setting CORS_ORIGINS. */

import type { Failure } from "./errors.ts";

/** Puts the headers for pages of other origins on answers. */
export interface Cors {
  /** The header of a request that every answer depends on, so that a cache keeps one for each origin; null where all get the same. */
  readonly vary: string | null;
  /** Adds to the headers of an answer to `request`. */
  append(headers: Headers, request: Request): void;
  /** The answer to what browsers ask beforehand. */
  preflight(): Response;
}

const METHODS = "GET,HEAD,POST,PUT,DELETE";
/** The headers that a page may send, beside those that it always may. */
const SENT =
  "Authorization,Content-Type,If-Match,If-None-Match,Last-Event-ID,X-API-Key,X-Request-Id";
/**
 * The headers that a page may read: all. `*` means just that where no page may send
 * cookies, as here (Fetch, 3.2.3); with a list of names, most answers would be sent in
 * two pieces: see docs/benchmarks.md.
 */
const EXPOSED = "*";
/** Seconds for which a browser need not ask again; none keeps it longer. */
const MAX_AGE = "7200";

/** Makes the headers for pages of `origins`, `*` being all. */
export function createCors(origins: readonly string[]): Cors {
  const is_open = origins.includes("*");

  // Appended one by one: see responses.ts.
  function append(headers: Headers, request: Request): void {
    if (is_open) headers.append("Access-Control-Allow-Origin", "*");
    else {
      const origin = request.headers.get("origin");
      if (origin !== null && origins.includes(origin)) {
        headers.append("Access-Control-Allow-Origin", origin);
      }
    }
    headers.append("Access-Control-Expose-Headers", EXPOSED);
  }

  return {
    vary: is_open ? null : "Origin",
    append,
    preflight() {
      const answer = new Response(null, { status: 204 });
      answer.headers.append("Access-Control-Allow-Methods", METHODS);
      answer.headers.append("Access-Control-Allow-Headers", SENT);
      answer.headers.append("Access-Control-Max-Age", MAX_AGE);
      return answer;
    },
  };
}

const SAFE = ["GET", "HEAD", "OPTIONS"];

/**
 * Why a page may not send a request that changes something: it is neither of the host
 * that it asks nor of `origins`. Null when it may, or when no page sends it.
 */
export function foreignPage(
  { method, url, headers }: Request,
  origins: readonly string[] = [],
): Failure | null {
  if (SAFE.includes(method)) return null;
  const origin = headers.get("origin");
  if (origin === null || origins.includes("*") || origins.includes(origin)) {
    return null;
  }
  // Browsers tell it, and pages cannot: right even if a proxy changes the host.
  if (headers.get("sec-fetch-site") === "same-origin") return null;
  if (isOf(origin, headers.get("host") ?? new URL(url).host)) return null;
  return {
    status: 403,
    error: `A page of ${
      JSON.stringify(origin.slice(0, 200))
    } may not change anything here. To allow it, add its origin to CORS_ORIGINS.`,
  };
}

// By the origin's scheme, since a proxy may have ended its TLS.
function isOf(origin: string, host: string): boolean {
  try {
    const page = new URL(origin);
    return new URL(`${page.protocol}//${host}`).host === page.host;
  } catch {
    return false;
  }
}
