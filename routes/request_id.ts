/** Gives every answer an X-Request-Id: the client's own where it is harmless. */

import type { Context, Next } from "hono";

const HARMLESS = /^[A-Za-z0-9._-]{1,64}$/;

/** The id of a request: the client's, or a new UUID. */
export function requestId({ headers }: Request): string {
  const given = headers.get("x-request-id");
  return given && HARMLESS.test(given) ? given : crypto.randomUUID();
}

/** Sets the header on whatever the routes after it answer. */
export async function setRequestId(c: Context, next: Next): Promise<void> {
  c.header("X-Request-Id", requestId(c.req.raw));
  await next();
}
