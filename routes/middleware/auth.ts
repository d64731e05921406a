/** Lets the administrator through, by the key whose SHA-256 is the setting ADMIN_KEY_SHA256. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, Next } from "hono";
import type { Failures } from "./errors.ts";

/** Who may administer. */
export interface Auth {
  /** Lets the administrator's requests on; answers others with 401, or 403 while administration is off. */
  requireAdmin(c: Context, next: Next): Promise<Response | void>;
  /** Lets everybody's requests on, but those with a wrong key. */
  checkKey(c: Context, next: Next): Promise<Response | void>;
  /** Whether the request has the administrator's key. */
  isAdmin(request: Request): boolean;
}

const OFF =
  "Administration is off. Set ADMIN_KEY_SHA256 to the SHA-256, in hex, of a key of your own, and send that key as Authorization: Bearer.";
const WRONG = "Send the administrator's key as Authorization: Bearer.";

/** Checks keys against `sha256`, in hex; undefined turns administration off. */
export function createAuth(
  sha256: string | undefined,
  { fail }: Failures,
): Auth {
  const wanted = sha256 === undefined ? null : bytesOf(sha256);

  function isAdmin(request: Request): boolean {
    const given = /^Bearer +(.+)$/i.exec(
      request.headers.get("Authorization") ?? "",
    );
    if (!given || !wanted) return false;
    // Hashes of one length: the time to compare them tells nothing of the key.
    const hash = createHash("sha256").update(given[1].trim()).digest();
    return timingSafeEqual(hash, wanted);
  }
  function unauthorized(c: Context): Response {
    return fail(c.req.raw, 401, WRONG, {
      "WWW-Authenticate": 'Bearer realm="Tally"',
    });
  }
  return {
    isAdmin,
    async requireAdmin(c, next) {
      if (!wanted) return fail(c.req.raw, 403, OFF);
      if (!isAdmin(c.req.raw)) return unauthorized(c);
      await next();
    },
    async checkKey(c, next) {
      const asks = c.req.raw.headers.has("Authorization");
      if (asks && !isAdmin(c.req.raw)) return unauthorized(c);
      await next();
    },
  };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
}
