/** Refuses URLs that no honest client sends. */

import type { Context, Next } from "hono";
import { HTTPException } from "hono/http-exception";

/** Characters of path and query string. */
const MAX_URL_LENGTH = 2_048;
const LONGEST_ORIGIN = "https://".length;

/** Throws a 414 when path and query string are too long. */
export function refuseLongUrl(url: string): void {
  if (url.length <= MAX_URL_LENGTH) return;
  const length = url.length - url.indexOf("/", LONGEST_ORIGIN);
  if (length <= MAX_URL_LENGTH) return;
  throw new HTTPException(414, {
    message: `The URL has ${length} characters, more than ${MAX_URL_LENGTH}.`,
  });
}

/** Refuses long URLs on the routes after it. */
export async function limitUrl(c: Context, next: Next): Promise<void> {
  refuseLongUrl(c.req.url);
  await next();
}
