/** A running deployment of Tally as its client sees it: one question, its whole answer and its time. */

/** How often a request that is refused for the moment is sent again. */
const TRIES = 6;
const LONGEST_WAIT_SECONDS = 10;

/** Where a deployment is, and the key to read it with. */
export interface Deployment {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key?: string;
}

/** A request as it is sent; `path` begins with a slash and has its query string. */
export interface Request {
  readonly path: string;
  readonly accept?: string;
}

/** An answer that has been read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  /** From the request to the last byte, without the tries before. */
  readonly ms: number;
}

/** That a deployment could not be asked; the text names it. */
export class NotReachedError extends Error {}

/**
 * Asks a question, again when the answer is 429 or 503 with `Retry-After`.
 *
 * Throws `NotReachedError` when there is no whole answer.
 */
export async function ask(
  { url, key }: Deployment,
  { path, accept = "*/*" }: Request,
): Promise<Answer> {
  for (let left = TRIES;; left--) {
    const began = performance.now();
    try {
      const answer = await fetch(url + path, {
        headers: {
          Accept: accept,
          ...key && { Authorization: `Bearer ${key}` },
        },
        redirect: "manual",
      });
      const body = await answer.bytes();
      const { status, headers } = answer;
      const wait = headers.get("Retry-After");
      if ((status !== 429 && status !== 503) || wait === null || left <= 1) {
        return { status, headers, body, ms: performance.now() - began };
      }
      await new Promise((resolve) =>
        setTimeout(
          resolve,
          Math.min(Number(wait) || 1, LONGEST_WAIT_SECONDS) * 1_000,
        )
      );
    } catch (error) {
      throw new NotReachedError(
        `${url} did not answer ${path}: ${(error as Error).message}`,
      );
    }
  }
}

/** Asks for JSON; throws `NotReachedError` with the text of an answer that is no success. */
export async function askJson(
  deployment: Deployment,
  path: string,
  // What a path answers is known where it is asked.
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const { status, body } = await ask(deployment, { path });
  const text = new TextDecoder().decode(body);
  if (status !== 200) {
    throw new NotReachedError(
      `${deployment.url}${path} answers ${status}: ${text.slice(0, 500)}`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new NotReachedError(`${deployment.url}${path} is no JSON`);
  }
}
