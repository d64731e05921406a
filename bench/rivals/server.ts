/** Serves the exports in DATA_DIR as people would build it instead of Tally: Hono over the store that RIVAL names. */

import { Hono } from "hono";
import type { Dataset, Load } from "./dataset.ts";
import { loadDuckdb } from "./duckdb.ts";
import { loadPostgres } from "./postgres.ts";
import { loadSqlite } from "./sqlite.ts";

const loads: Readonly<Record<string, Load>> = {
  sqlite: loadSqlite(false),
  texts: loadSqlite(true),
  duckdb: loadDuckdb,
  postgres: loadPostgres,
};

const load = loads[Deno.env.get("RIVAL")!];
const options = {
  dir: Deno.env.get("DATA_DIR")!,
  temp: Deno.env.get("TEMP_DIR")!,
};
let dataset: Dataset | undefined;

const json = { headers: { "Content-Type": "application/json" } };
const answer = (text: string | undefined) =>
  text === undefined
    ? new Response('{"error":"Customer not found"}', { status: 404 })
    : new Response(text, json);

const app = new Hono();
app.get(
  "/readyz",
  ({ text }) => dataset ? text("ready") : text("loading", 503),
);
app.get(
  "/api/v1/interactions/:customer_id",
  ({ req }): Response | Promise<Response> => {
    const text = dataset!.customer(Number(req.param("customer_id")));
    const is_now = text === undefined || typeof text === "string";
    return is_now ? answer(text) : text.then(answer);
  },
);
app.get("/metrics", async (context) => context.json(await dataset!.metrics()));
app.get("/matrix", async (context) => context.json(await dataset!.matrix()));
app.post("/refresh", async ({ text }) => {
  const next = await load(options);
  const before = dataset;
  dataset = next;
  await before?.close();
  return text("live");
});

Deno.serve({
  hostname: Deno.env.get("HOST"),
  port: Number(Deno.env.get("PORT")),
  onListen() {},
}, app.fetch);
dataset = await load(options);
