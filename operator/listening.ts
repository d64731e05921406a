/** The socket: it listens again when its listener ends by itself, until it is closed. */

import { fault, type Log } from "../db/model/log.ts";
import { noteRequest } from "../db/model/pause.ts";
import { StoreError } from "../db/model/problems.ts";

/** An open socket. */
export interface Listener {
  readonly port: number;
  /** Accepts no more; resolves when every answer under way is sent. */
  close(): Promise<void>;
  /** Ends every connection at once: what is being sent breaks off. Changes nothing after `close`. */
  cut(): void;
}

/** Where it listens, and who answers. */
export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly answer: (
    request: Request,
    peer: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ) => Response | Promise<Response>;
  readonly log: Log;
}

/** After a failure of the listener, such as too many open files, in milliseconds. */
const LISTEN_AGAIN_MS = 1_000;

/**
 * Opens a socket. HEAD is answered as GET: Deno omits the body and sends its true
 * length. Throws the error of Deno where it cannot listen.
 */
export function listen(
  { hostname, port: wanted, answer, log }: ListenOptions,
): Listener {
  const asGet: ListenOptions["answer"] = (request, peer) => {
    noteRequest();
    return answer(
      request.method === "HEAD"
        ? new Request(request, { method: "GET" })
        : request,
      peer,
    );
  };
  let is_closed = false;
  /** Of the listener that is open; null where none is, or it closes: Deno cannot end one twice. */
  let cutting: AbortController | null = null;
  let server = open(wanted);
  const { port } = server.addr;

  // Deno ends its listener for good when one connection cannot be accepted.
  function open(port: number): Deno.HttpServer<Deno.NetAddr> {
    const ending = new AbortController();
    const { signal } = ending;
    const made = Deno.serve(
      { hostname, port, onListen: () => {}, onError, signal },
      asGet,
    );
    cutting = ending;
    made.finished.finally(() => cutting = null).catch(openAgain);
    return made;
  }

  // Also of a body that is being sent; the error of a download that is broken off is
  // no fault, and was logged.
  function onError(error: unknown): Response {
    if (!(error instanceof StoreError)) {
      const text = "An answer was not sent";
      log(fault(error, { event: "answer_fault", text }));
    }
    return new Response(null, { status: 500 });
  }

  function openAgain(error: Error): void {
    if (is_closed) return;
    log({
      level: "error",
      event: "listening_again",
      text: `Listening again, since it ended: ${error.message}`,
    });
    setTimeout(() => {
      if (is_closed) return;
      try {
        server = open(port);
      } catch (error) {
        openAgain(error as Error);
      }
    }, LISTEN_AGAIN_MS);
  }

  return {
    port,
    async close() {
      is_closed = true;
      cutting = null;
      // The error of a listener that has ended was logged.
      await server.shutdown().catch(() => {});
    },
    cut() {
      is_closed = true;
      cutting?.abort();
    },
  };
}
