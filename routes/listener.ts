/** A socket that answers HTTP, and goes on when its listener ends. */

import type { Log } from "../db/model/log.ts";

/** An open socket. */
export interface Listener {
  readonly port: number;
  /** Takes no further connections, and waits until what runs is answered. */
  shutdown(): Promise<void>;
}

/** After a failure of the listener, such as too many open files, in milliseconds. */
const LISTEN_AGAIN_MS = 1_000;

/** Opens a socket; throws where that is not possible. HEAD is answered as GET: Deno omits the body and sends its true length. */
export function openListener(
  answer: (
    request: Request,
    peer: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ) => Response | Promise<Response>,
  { hostname, port, stopping, log }: {
    readonly hostname: string;
    /** 0 takes a free one. */
    readonly port: number;
    /** Is aborted before it is shut down. */
    readonly stopping: AbortSignal;
    readonly log: Log;
  },
): Listener {
  const asGet: Parameters<typeof openListener>[0] = (request, peer) =>
    answer(
      request.method === "HEAD"
        ? new Request(request, { method: "GET" })
        : request,
      peer,
    );
  // Deno ends its listener for good when one connection cannot be accepted.
  function listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const made = Deno.serve({ hostname, port, onListen() {} }, asGet);
    made.finished.catch((error) => {
      if (stopping.aborted) return;
      log({
        level: "error",
        event: "listening_again",
        text: `Listening again, since it ended: ${error.message}`,
      });
      setTimeout(() => server = listen(made.addr.port), LISTEN_AGAIN_MS);
    });
    return made;
  }
  let server = listen(port);
  return {
    port: server.addr.port,
    shutdown: () => server.shutdown(),
  };
}
