/** Who may use an endpoint: the administrator has the key whose SHA-256 is the setting ADMIN_KEY_SHA256. */

import { createHash, timingSafeEqual } from "node:crypto";
import { HTTPException } from "hono/http-exception";
import { type Access, failure } from "./endpoint.ts";

/**
 * Lets a request through and says whether it is the administrator's; throws a 401,
 * or a 403 while administration is off.
 */
export type Admit = (access: Access, request: Request) => boolean;

const OFF =
  "Administration is off. Set ADMIN_KEY_SHA256 to the SHA-256, in hex, of a key of your own, and send that key as Authorization: Bearer.";
const WRONG = "Send the administrator's key as Authorization: Bearer.";

/** The failures of endpoints for administrators only. */
export const accessFailures = {
  401: failure("The key is missing or not the administrator's"),
  403: failure("Administration is off; the text says how to turn it on"),
} as const;

/** Checks keys against `sha256`, in hex; undefined turns administration off. */
export function createAdmit(sha256: string | undefined): Admit {
  const wanted = sha256 === undefined ? null : bytesOf(sha256);

  function isAdmin(key: string | undefined): boolean {
    if (key === undefined || !wanted) return false;
    // Hashes have one length, so the time of the comparison does not depend on the key.
    const hash = createHash("sha256").update(key).digest();
    return timingSafeEqual(hash, wanted);
  }

  return function admit(access, request) {
    if (access === "public") return false;
    const key = keyOf(request);
    // Other schemes than Bearer may be for a proxy.
    if (access === "optional_admin" && key === undefined) return false;
    if (!wanted) throw new HTTPException(403, { message: OFF });
    if (!isAdmin(key)) throw new HTTPException(401, { message: WRONG });
    return true;
  };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
}

function keyOf(request: Request): string | undefined {
  const header = request.headers.get("Authorization") ?? "";
  return /^Bearer +(.+)$/i.exec(header)?.[1].trim();
}
