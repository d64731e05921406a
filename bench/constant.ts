/** The yardstick of bench/serve.ts: Hono answering one text, whatever is asked. */

import { Hono } from "hono";

/** The answer to give, passed as JSON in the environment's CONSTANT. */
export interface ConstantAnswer {
  body: string;
  headers: Record<string, string>;
}

if (import.meta.main) {
  const { body, headers }: ConstantAnswer = JSON.parse(
    Deno.env.get("CONSTANT")!,
  );
  const app = new Hono();
  // Not even context.body: the measure must not be easy to meet.
  app.get(
    "/api/v1/interactions/:customer_id",
    () => new Response(body, { headers }),
  );
  Deno.serve({
    hostname: Deno.env.get("HOST"),
    port: Number(Deno.env.get("PORT")),
    onListen() {},
  }, app.fetch);
}
