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
