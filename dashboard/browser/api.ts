/** The API as the page asks it: behind whatever prefix, with a key where one is given, of one version. */

/// <reference lib="dom" />

import { follow } from "../../docs/examples/live.js";
import { FIRST, parametersOf, type Question } from "../questions.ts";
import { authorizationOf, pauseBefore } from "../requests.ts";

/** An answer or a failure. */
export interface Result {
  readonly status: number;
  readonly body: unknown;
}

/** The server cannot be reached. */
export class Lost extends Error {
  override message = "The server was not reached. Try again.";
}

/** The key is kept in the tab: it is gone when the tab is closed, and no other site reads it. */
const KEY = "tally-key";

/** Where the page is, without a slash at its end. */
const base = new URL(".", location.href).pathname.slice(0, -1);

/** The key of this tab. */
export const key = {
  get: (): string | null => sessionStorage.getItem(KEY),
  set: (text: string): void => sessionStorage.setItem(KEY, text),
  forget: (): void => sessionStorage.removeItem(KEY),
};

function headers(): Record<string, string> {
  const text = key.get();
  return text === null ? {} : { Authorization: authorizationOf(text) };
}

/** Sends a request, again where a client sends too many; throws `Lost` where nobody answers. */
export async function send(
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  for (let turn = 1;; turn++) {
    const response = await sendOnce(path, init);
    // A file is not sent for nothing a second time.
    const may_repeat = response.status === 429 && !(init.body instanceof Blob);
    const ms = may_repeat ? pauseBefore(response, turn) : null;
    if (ms === null) return response;
    await pause(ms);
  }
}

async function sendOnce(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${base}/${path}`, {
      ...init,
      headers: { ...headers(), ...init.headers as Record<string, string> },
    });
  } catch {
    throw new Lost();
  }
}

/** The result of a request, as JSON; what is no JSON comes from a proxy without its server. */
export async function resultOf(response: Response): Promise<Result> {
  try {
    return { status: response.status, body: await response.json() };
  } catch {
    throw new Lost();
  }
}

/** Follows the server: `show` for each version, `heard` for each event. */
export function connect(
  { show, heard }: {
    readonly show: (data_version: string) => Promise<void>;
    readonly heard: (event: string) => void;
  },
) {
  const tally = follow({ url: base, headers, show, heard });
  return {
    close: tally.close,
    /** Asks a question, of the version that the page shows; again where too much is asked at once, until `signal` is aborted. */
    async ask(question: Question, signal?: AbortSignal): Promise<Result> {
      if (question === FIRST.data) return await resultOf(await send(question));
      const [path] = question.split("?");
      const parameters = parametersOf(question);
      for (let turn = 1;; turn++) {
        try {
          const body = await tally.get(`/${path}`, parameters);
          return { status: 200, body };
        } catch (error) {
          const { cause, message } = error as Error;
          if (!(cause instanceof Response)) throw new Lost();
          const ms = pauseBefore(cause, turn);
          if (ms !== null) await pause(ms, signal);
          if (ms === null || signal?.aborted) {
            return { status: cause.status, body: { error: message } };
          }
        }
      }
    },
  };
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
