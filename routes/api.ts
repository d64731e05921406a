/** The API as a type, for Hono's client: made of the schemas that validate and document. */

import type { Hono } from "hono";
import type { BlankEnv } from "hono/types";
import type { StatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import type { endpoints } from "./app.ts";
import type { Answer, Described } from "./endpoint.ts";

/** The type argument of `hc`: `hc<Api>("http://localhost:8000")`. */
export type Api = Hono<BlankEnv, Paths, "/">;

type Served = typeof endpoints[number];

type Paths = {
  [Path in Served["path"]]: {
    [
      One in Extract<Served, { readonly path: Path }> as `$${One["method"]}`
    ]: Answers<One>;
  };
};

type Answers<One extends Described> = {
  [Status in keyof One["answers"] & StatusCode]: {
    input: Input<One>;
    output: One["answers"][Status] extends Answer
      ? z.output<One["answers"][Status]["schema"]>
      : never;
    outputFormat: One["answers"][Status] extends { content_type: string }
      ? "text"
      : "json";
    status: Status;
  };
}[keyof One["answers"] & StatusCode];

// A file to upload goes in the client's second argument, as `{ init: { body } }`.
type Input<One extends Described> =
  & Members<"param", One["params"]>
  & Members<"query", One["query"]>
  & Members<"json", One["body"]>;

/** The input of a schema, under `name`; optional when the schema requires nothing. */
type Members<Name extends string, Schema extends z.ZodObject | undefined> =
  Exclude<Schema, undefined> extends infer Given extends z.ZodObject
    ? keyof Given["shape"] extends never ? Record<never, never>
    : Record<never, never> extends z.input<Given>
      ? { [name in Name]?: z.input<Given> }
    : { [name in Name]: z.input<Given> }
    : Record<never, never>;
