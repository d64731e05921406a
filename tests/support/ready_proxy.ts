/** A reverse proxy that asks each server for /readyz, and sends requests only to those that are ready. */

import { setTimeout as delay } from "node:timers/promises";

/** A running proxy. */
export interface ReadyProxy extends AsyncDisposable {
  readonly base_url: string;
  /** Requests that a server did not answer. */
  readonly lost: readonly string[];
  add(server: string): void;
  remove(server: string): void;
}

/** Time between two questions, in milliseconds. */
const LOOK_MS = 100;

/** Starts a proxy without servers. It sends each request once, and never again. */
export function startProxy(): ReadyProxy {
  const ready = new Map<string, boolean>();
  const lost: string[] = [];
  const ending = new AbortController();
  let turn = 0;

  async function look(server: string): Promise<void> {
    const answer = await fetch(`${server}/readyz`).catch(() => null);
    await answer?.body?.cancel();
    if (ready.has(server)) ready.set(server, answer?.status === 200);
  }
  const looking = (async () => {
    while (!ending.signal.aborted) {
      await Promise.all([...ready.keys()].map(look));
      await delay(LOOK_MS);
    }
  })();

  const proxy = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async ({ url }) => {
    const servers = [...ready].filter(([, is]) => is).map(([server]) => server);
    if (servers.length === 0) return new Response("none", { status: 503 });
    const { pathname, search } = new URL(url);
    const server = servers[turn++ % servers.length];
    try {
      return await fetch(`${server}${pathname}${search}`);
    } catch (error) {
      lost.push(`${server}${pathname}: ${error}`);
      return new Response("lost", { status: 502 });
    }
  });
  return {
    base_url: `http://127.0.0.1:${proxy.addr.port}`,
    lost,
    add: (server) => void ready.set(server, false),
    remove: (server) => void ready.delete(server),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await looking;
      await proxy.shutdown();
    },
  };
}
