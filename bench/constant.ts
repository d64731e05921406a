/** The yardstick of benchmarks: Hono answering one text, whatever is asked. */

import { Hono } from "hono";

/** The answer to give, passed as JSON in the environment's CONSTANT. */
export interface ConstantAnswer {
  /** Path in Hono's form. */
  route: string;
  body: string;
  headers: Record<string, string>;
}

/** Asks for an answer; throws when it is an error. */
export async function readAnswer(url: string): Promise<Response> {
  // Unpacked, so that length and headers are those that wrk gets too.
  const response = await fetch(url, {
    headers: { "Accept-Encoding": "identity" },
  });
  if (response.ok) return response;
  throw new Error(`${url} gave ${response.status}: ${await response.text()}`);
}

/** What the real server answers, without what any server adds. */
export async function readConstant(
  url: string,
  route: string,
): Promise<ConstantAnswer> {
  const response = await readAnswer(url);
  const headers = Object.fromEntries(response.headers);
  delete headers["date"];
  delete headers["content-length"];
  return { route, body: await response.text(), headers };
}

if (import.meta.main) {
  const { route, body, headers }: ConstantAnswer = JSON.parse(
    Deno.env.get("CONSTANT")!,
  );
  const app = new Hono();
  // Not even context.body: the measure must not be easy to meet.
  app.get(route, () => new Response(body, { headers }));
  Deno.serve({
    hostname: Deno.env.get("HOST"),
    port: Number(Deno.env.get("PORT")),
    onListen() {},
  }, app.fetch);
}
