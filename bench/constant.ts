/** The yardsticks of benchmarks: Hono answering one text, whatever is asked, and Deno.serve alone, which is the limit. */

import { Hono } from "hono";

/** The answer to give, passed as JSON in the environment's CONSTANT. */
export interface ConstantAnswer {
  /** Path in Hono's form. */
  route: string;
  body: string;
  headers: Record<string, string>;
}

/** What gives the answer: a Hono application, or a handler of Deno.serve without any routing. */
export type Yardstick = "hono" | "deno";

/** Asks for an answer; throws when it is an error. */
export async function readAnswer(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  // Unpacked, so that length and headers are those that wrk gets too.
  const response = await fetch(url, {
    headers: { "Accept-Encoding": "identity", ...headers },
  });
  if (response.ok) return response;
  throw new Error(`${url} gave ${response.status}: ${await response.text()}`);
}

/** What the real server answers when asked with `sent`, without what any server adds. */
export async function readConstant(
  url: string,
  { route, sent }: {
    readonly route: string;
    readonly sent?: Readonly<Record<string, string>>;
  },
): Promise<ConstantAnswer> {
  const response = await readAnswer(url, sent);
  const headers = Object.fromEntries(response.headers);
  delete headers["date"];
  delete headers["content-length"];
  return { route, body: await response.text(), headers };
}

/** Answers in the fastest way that Deno 2.9 has for several headers: all but the first are appended. */
function handlerOf({ body, headers }: ConstantAnswer): () => Response {
  const { "content-type": type, ...others } = headers;
  const init = { headers: { "Content-Type": type } };
  const appended = Object.entries(others);
  return () => {
    const response = new Response(body, init);
    for (const [name, value] of appended) response.headers.append(name, value);
    return response;
  };
}

if (import.meta.main) {
  const answer: ConstantAnswer = JSON.parse(Deno.env.get("CONSTANT")!);
  const handler = handlerOf(answer);
  Deno.serve(
    {
      hostname: Deno.env.get("HOST"),
      port: Number(Deno.env.get("PORT")),
      onListen() {},
    },
    Deno.env.get("YARDSTICK") === "deno"
      ? handler
      // Not context.body, which is slower: the measure must not be easy to meet.
      : new Hono().get(answer.route, handler).fetch,
  );
}
