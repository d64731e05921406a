/** One request on its way to its answer: what is known of it, and its id. */

import type { Peer } from "../access/client_address.ts";
import type { Grant, Need } from "../access/grant.ts";
import type { Standing } from "../access/rate_limit.ts";
import { hasSecret } from "../access/secrets.ts";
import type { Snapshot } from "../db/store.ts";
import type { RouteCounts } from "./request_counts.ts";

/** What needs no wait is there at once. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** One request on its way. */
export interface Exchange {
  readonly request: Request;
  /** Undefined where there is no socket. */
  readonly peer: Peer | undefined;
  /** Whether it counts for the limit of its client. */
  readonly is_limited: boolean;
  /** What the answer's X-Request-Id says, and the log: the client's own id where it is harmless. */
  readonly id: string;
  /** A stranger until more is known. */
  caller: Grant;
  /** When it came, in milliseconds of `performance.now()`. */
  readonly came_ms: number;
  /** Its endpoint, once that is known. */
  route: RouteCounts;
  /** What is sent. */
  body: string | Uint8Array | ReadableStream | null;
  /** How its client stands with its limit, where it should know. */
  standing: Standing | null;
}

/** What an answer from a snapshot is made with. */
export interface FromSnapshot {
  readonly exchange: Exchange;
  /** What the caller needs for it as JSON. */
  readonly need: Need;
  readonly names_version: boolean;
  readonly snapshot: Snapshot;
  /** As the endpoint's schema has it. */
  readonly query: unknown;
}

const HARMLESS_ID = /^[A-Za-z0-9._-]{1,64}$/;
/** What ids of this process begin with: 40 random bits. */
const OURS = crypto.randomUUID().replaceAll("-", "").slice(0, 10);
let last_id = 0;

/**
 * The client's own id, where it is harmless in a log; else one of ours, which is short:
 * see "An answer of 512 bytes" in docs/benchmarks.md.
 */
export function idOf({ headers }: Request): string {
  // Deno reads all headers when it sends the answer, if one was asked for. With this it
  // does so first, and fetches none of the others by itself.
  const given = headers.has("x-request-id")
    ? headers.get("x-request-id")
    : null;
  return given !== null && HARMLESS_ID.test(given) && !hasSecret(given)
    ? given
    : `${OURS}-${(++last_id).toString(36)}`;
}
