/** Lets the administrator through, by the key whose SHA-256 is the setting ADMIN_KEY_SHA256. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, Next } from "hono";
import { failure } from "./endpoint.ts";
import type { Failures } from "./errors.ts";

/** Who may administer. */
export interface Auth {
  /** Lets the administrator's requests on; answers others with 401, or 403 while administration is off. */
  requireAdmin(c: Context, next: Next): Promise<Response | void>;
  /**
   * Lets everybody's requests on, but those with a key that is wrong or while
   * administration is off. Other schemes than Bearer may be a proxy's own.
   */
  checkKey(c: Context, next: Next): Promise<Response | void>;
  /** Whether the request has the administrator's key. */
  isAdmin(request: Request): boolean;
}

const OFF =
  "Administration is off. Set ADMIN_KEY_SHA256 to the SHA-256, in hex, of a key of your own, and send that key as Authorization: Bearer.";
const WRONG = "Send the administrator's key as Authorization: Bearer.";

/** The failures of what only an administrator may do. */
export const authFailures = {
  401: failure("The key is missing or not the administrator's"),
  403: failure("Administration is off; the text says how to turn it on"),
};

/** Checks keys against `sha256`, in hex; undefined turns administration off. */
export function createAuth(
  sha256: string | undefined,
  { fail }: Failures,
): Auth {
  const wanted = sha256 === undefined ? null : bytesOf(sha256);

  function isAdmin(request: Request): boolean {
    const key = keyOf(request);
    if (key === undefined || !wanted) return false;
    // Hashes of one length: the time to compare them tells nothing of the key.
    const hash = createHash("sha256").update(key).digest();
    return timingSafeEqual(hash, wanted);
  }
  function unauthorized(c: Context): Response {
    return fail(c.req.raw, 401, WRONG, {
      "WWW-Authenticate": 'Bearer realm="Tally"',
    });
  }
  async function requireAdmin(c: Context, next: Next) {
    if (!wanted) return fail(c.req.raw, 403, OFF);
    if (!isAdmin(c.req.raw)) return unauthorized(c);
    await next();
  }
  return {
    isAdmin,
    requireAdmin,
    async checkKey(c, next) {
      if (keyOf(c.req.raw) !== undefined) return await requireAdmin(c, next);
      await next();
    },
  };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
}

function keyOf(request: Request): string | undefined {
  const header = request.headers.get("Authorization") ?? "";
  return /^Bearer +(.+)$/i.exec(header)?.[1].trim();
}
