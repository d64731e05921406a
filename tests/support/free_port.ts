/** Ports for programs that cannot choose one themselves. */

/** Below those that systems give away, so that nobody gets one by chance before it is used, or used again. */
const [FIRST, LAST] = [20_000, 32_767];

const given = new Set<number>();

/** A port of the loopback that nobody listens on, and another one each time. */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (given.has(port)) continue;
    given.add(port);
    try {
      using _free = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
