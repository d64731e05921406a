/** The API as the page asks it: behind whatever prefix, with a key where one is given, of one version. */

/// <reference lib="dom" />

import { follow } from "../../docs/examples/live.js";
import { FIRST, parametersOf, type Question } from "../questions.ts";
import { authorizationOf } from "../requests.ts";

/** An answer or a failure. */
export interface Result {
  readonly status: number;
  readonly body: unknown;
}

/** The server cannot be reached. */
export class Lost extends Error {}

/** The key is kept in the tab: it is gone when the tab is closed, and no other site reads it. */
const KEY = "tally-key";
/** How often a question is asked again that was refused because too much was asked at once. */
const TURNS = 6;
const MOST_PAUSE_S = 5;

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

/** Sends a request; throws `Lost` where nobody answers. */
export async function send(
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  try {
    return await fetch(`${base}/${path}`, {
      ...init,
      headers: { ...headers(), ...init.headers as Record<string, string> },
    });
  } catch (error) {
    if (init.signal?.aborted) throw error;
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
    /** Asks a question, of the version that the page shows; again where too much is asked at once. */
    async ask(question: Question): Promise<Result> {
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
          const { status } = cause;
          const seconds = Number(cause.headers.get("Retry-After"));
          if (status !== 503 || !seconds || turn === TURNS) {
            return { status, body: { error: message } };
          }
          await pause(Math.min(seconds, MOST_PAUSE_S) * 1_000);
        }
      }
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
