/** Turns an error into HTTP: `{"error": …}` and a fitting status, without internal details. */

import { HTTPException } from "hono/http-exception";
import { StoreError, type StoreErrorKind } from "../db/model/problems.ts";

/** A failure as the client gets it. */
export interface Failure {
  readonly status: number;
  readonly error: string;
  /** Headers beside those that every failure has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Seconds after which a client may repeat the request, while no data is loaded. */
const RETRY_SECONDS = "1";

const STATUS: Readonly<Record<StoreErrorKind, number>> = {
  unavailable: 503,
  refused: 422,
  invalid: 400,
  missing: 404,
  conflict: 409,
  precondition: 412,
  too_large: 413,
  full: 507,
  timeout: 504,
  busy: 503,
  // The client has disconnected.
  cancelled: 503,
};

/** The failure for the client; null when `error` is a bug. */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof HTTPException) {
    return { status: error.status, error: error.message };
  }
  if (error instanceof StoreError) {
    const { retry_seconds } = error;
    return {
      status: STATUS[error.kind],
      error: error.message,
      ...retry_seconds && { headers: { "Retry-After": `${retry_seconds}` } },
    };
  }
  return null;
}

/** The headers that belong to a status. */
export function headersOf(status: number): Readonly<Record<string, string>> {
  switch (status) {
    case 401:
      return { "WWW-Authenticate": 'Bearer realm="Tally"' };
    case 503:
      return { "Retry-After": RETRY_SECONDS };
    default:
      return {};
  }
}
