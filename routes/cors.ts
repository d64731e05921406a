/** Which pages of other origins may read the answers, by the setting CORS_ORIGINS. */

/** Puts the headers for pages of other origins on answers. */
export interface Cors {
  /** Adds to the headers of an answer to `request`. */
  append(headers: Headers, request: Request): void;
  /** The answer to a preflight request of a browser. */
  preflight(request: Request): Response;
}

const METHODS = "GET,HEAD";
/** The headers that a page may read, beside those that it always may. */
const EXPOSED = "Content-Disposition,Data-Version,ETag,X-Request-Id";

/** Makes the headers for pages of `origins`, `*` being all. */
export function createCors(origins: readonly string[]): Cors {
  const is_open = origins.includes("*");

  // Appended one by one: see respond.ts.
  function append(headers: Headers, request: Request): void {
    if (is_open) headers.append("Access-Control-Allow-Origin", "*");
    else {
      const origin = request.headers.get("origin");
      if (origin !== null && origins.includes(origin)) {
        headers.append("Access-Control-Allow-Origin", origin);
      }
      // In both cases, so that a cache keeps one answer per origin.
      headers.append("Vary", "Origin");
    }
    headers.append("Access-Control-Expose-Headers", EXPOSED);
  }

  return {
    append,
    preflight(request) {
      const answer = new Response(null, { status: 204 });
      answer.headers.append("Access-Control-Allow-Methods", METHODS);
      const asked = request.headers.get("access-control-request-headers");
      if (asked) {
        answer.headers.append("Access-Control-Allow-Headers", asked);
        answer.headers.append("Vary", "Access-Control-Request-Headers");
      }
      return answer;
    },
  };
}
