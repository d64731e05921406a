/** The API as a type, for Hono's client: made of the schemas that validate and document. */

import type { Hono } from "hono";
import type { BlankEnv } from "hono/types";
import type { StatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import type { endpoints } from "./app.ts";
import type { Answer, Endpoint } from "./endpoint.ts";

/** What `hc` takes: `hc<Api>("http://localhost:8000")`. */
export type Api = Hono<BlankEnv, Paths, "/">;

type Served = typeof endpoints[number];

type Paths = {
  [One in Served as One["path"]]: { $get: Answers<One> };
};

type Answers<One extends Endpoint> = {
  [Status in keyof One["answers"] & StatusCode]: {
    input: Input<One>;
    output: One["answers"][Status] extends Answer
      ? z.output<One["answers"][Status]["schema"]>
      : never;
    outputFormat: "json";
    status: Status;
  };
}[keyof One["answers"] & StatusCode];

type Input<One> =
  & (One extends { params: infer Params extends z.ZodObject }
    ? { param: z.input<Params> }
    : unknown)
  & (One extends { query: infer Query extends z.ZodObject }
    ? { query: z.input<Query> }
    : unknown);
