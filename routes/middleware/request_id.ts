/** Gives every answer an X-Request-Id: the client's own where it is harmless. */

import type { Context, Next } from "hono";

const HARMLESS = /^[A-Za-z0-9._-]{1,64}$/;

/** Makes the id of a request; a number after a random prefix costs a tenth of a UUID. */
export type RequestIds = (c: Context) => string;

/** Ids that are unique among processes and restarts. */
export function createRequestIds(): RequestIds {
  const prefix = crypto.randomUUID().slice(0, 13);
  let count = 0;
  return function requestId(c) {
    const given = c.req.header("x-request-id");
    return given && HARMLESS.test(given) ? given : `${prefix}-${++count}`;
  };
}

/** Sets the header on whatever the routes after it answer. */
export function setRequestId(requestId: RequestIds) {
  return async function setRequestId(c: Context, next: Next) {
    c.header("X-Request-Id", requestId(c));
    await next();
  };
}
