/** What goes with a request of the browser, and when it is sent again. */

/**
 * `Authorization` with a key. A header takes no letters beyond Latin-1, so the bytes of
 * UTF-8 stand there as letters, which is what other clients send.
 */
export function authorizationOf(key: string): string {
  const bytes = new TextEncoder().encode(key);
  return `Bearer ${
    Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")
  }`;
}

/** How often a request is sent at most that was refused because too much is asked at once. */
const TURNS = 10;
/** A reader is not kept waiting longer without a word. */
const MOST_PAUSE_S = 10;

/** Milliseconds until a request that was refused for now is sent again; null where it is not. */
export function pauseBefore(
  { status, headers }: Pick<Response, "status" | "headers">,
  turn: number,
): number | null {
  const seconds = Number(headers.get("Retry-After"));
  const may_help = (status === 429 || status === 503) && seconds > 0 &&
    seconds <= MOST_PAUSE_S;
  return may_help && turn < TURNS ? seconds * 1_000 : null;
}
