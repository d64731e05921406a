/** Makes the answer of every failure: `{"error": …}`, an honest status, nothing of the inside. */

import { HTTPException } from "hono/http-exception";
import { StoreError, type StoreErrorKind } from "../db/model/problems.ts";
import { requestId } from "./request_id.ts";

/** Seconds after which a client may ask again for what is not there yet. */
const RETRY_SECONDS = "1";

const STATUS: Readonly<Record<StoreErrorKind, number>> = {
  unavailable: 503,
  refused: 422,
  invalid: 400,
  missing: 404,
  conflict: 409,
  too_large: 413,
  full: 507,
  timeout: 504,
  busy: 503,
  // Nobody is there to read it.
  cancelled: 503,
};

/** How failures are answered. */
export type Failures = ReturnType<typeof createFailures>;

/** Makes failure answers; a bug goes to `log` with its stack and request id. */
export function createFailures(log: (text: string) => void) {
  function fail(
    request: Request,
    status: number,
    error: string,
    headers: Record<string, string> = {},
  ): Response {
    return Response.json({ error }, {
      status,
      headers: {
        "Cache-Control": "no-store",
        "X-Request-Id": requestId(request),
        ...status === 503 && { "Retry-After": RETRY_SECONDS },
        ...headers,
      },
    });
  }

  return {
    fail,

    notFound: (request: Request) => fail(request, 404, "Not found"),

    methodNotAllowed(request: Request, methods: string[]) {
      const allowed = methods.join(", ");
      return fail(request, 405, `Method not allowed. Allowed: ${allowed}.`, {
        Allow: allowed,
      });
    },

    /** The answer when a handler threw `error`. */
    thrown(request: Request, error: unknown): Response {
      if (error instanceof HTTPException) {
        return fail(request, error.status, error.message);
      }
      if (error instanceof StoreError) {
        return fail(request, STATUS[error.kind], error.message);
      }
      const answer = fail(request, 500, "Internal error");
      log(`${answer.headers.get("X-Request-Id")} ${(error as Error).stack}`);
      return answer;
    },
  };
}
