/** What an endpoint is: schemas that check the request and describe it in /openapi.json, and the handler, in one value. */

import { zValidator } from "@hono/zod-validator";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { validator } from "hono/validator";
import { z } from "zod";
import type { Rows } from "../db/model/questions.ts";
import type { Run } from "../db/model/run.ts";
import type { Snapshot, Store } from "../db/store.ts";
import type { Access } from "./access.ts";
import type { JsonText } from "./json_text.ts";
import { badRequest, parseQuery } from "./query_string.ts";

/** An endpoint as the API documents it. */
export interface Described {
  readonly method: Method;
  /** Path in Hono's form, such as `/api/v1/interactions/:customer_id`. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly access: Access;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** The JSON it takes. */
  readonly body?: z.ZodObject;
  /** The body of each status it answers with. */
  readonly answers: Readonly<Record<number, Answer>>;
}

/** The methods of endpoints. */
export type Method = "get" | "post" | "put" | "delete";

/** One status of an endpoint. */
export interface Answer {
  readonly description: string;
  readonly schema: z.ZodType;
  /** `application/json` where it is left out. */
  readonly content_type?: string;
  readonly example?: unknown;
}

const failureSchema = z.object({ error: z.string() });

/** The answer of a failure. */
export function failure(description: string) {
  return { description, schema: failureSchema } satisfies Answer;
}

/** What a handler answers; respond.ts makes HTTP of it. */
export type Reply =
  | MomentReply
  | VersionReply
  | RowsReply
  | StreamReply;

/** What a handler answers that asks no snapshot. */
export type ReplyNow = MomentReply | StreamReply;

/** What holds at this moment only: no cache keeps it. */
export interface MomentReply {
  readonly of: "moment";
  /** 200 where it is left out. */
  readonly status?: 200 | 202 | 404 | 503;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body. */
  readonly json: object;
}

/** What holds as long as the data version does, and is made in no time: it has an ETag and is not kept. */
export interface VersionReply {
  readonly of: "version";
  /** The normalised question, in characters an ETag may have. */
  readonly key: string;
  /** Makes the JSON text, unless the client has it already. */
  body(): string | Promise<string>;
}

/** What is answered from queries: kept, shared by who asks the same, within a deadline. */
export interface RowsReply {
  readonly of: "rows";
  /** The normalised question, in characters an ETag may have. */
  readonly key: string;
  /** What a file with the answer is called, such as `interactions`. */
  readonly file: string;
  /** The answer as JSON text. */
  json(run: Run): Promise<JsonText>;
  /** The whole answer, for formats other than JSON; absent when there are none. */
  rows?(run: Run): Rows;
}

/** What is sent as it comes, of this moment. */
export interface StreamReply {
  readonly of: "stream";
  readonly media_type: string;
  /** Name of the file that it is saved as. */
  readonly file?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | string;
}

/** A question to a snapshot. */
export interface Asked<Params = unknown, Query = unknown> {
  /** The one being served, retained until the answer is made. */
  readonly snapshot: Snapshot;
  readonly params: Params;
  readonly query: Query;
}

/** A question about this moment, or something to do. */
export interface AskedNow<Params = unknown, Query = unknown, Body = unknown> {
  readonly store: StoreNow;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** For its headers, and what it uploads. */
  readonly request: Request;
  readonly is_admin: boolean;
  readonly listening: Listening;
}

/**
 * The store for handlers that ask no snapshot: they see of it what is there even
 * after it is closed, since nobody retains it for them.
 */
export interface StoreNow extends Omit<Store, "snapshot"> {
  readonly snapshot:
    | Pick<Snapshot, "data_version" | "loaded_at" | "report">
    | null;
}

/** Who listens to an application's events. */
export interface Listening {
  /** One entry for each open stream. */
  readonly listeners: Set<symbol>;
  /** Most of them. */
  readonly max: number;
  /** Is aborted when the process is to end. */
  readonly stopping: AbortSignal;
}

/** An endpoint with its handler, which is either `answer` or `answerNow`. */
export interface Endpoint extends Described {
  /** Answers from the snapshot; a 503 while there is none. */
  // deno-lint-ignore no-explicit-any
  answer?(asked: Asked<any, any>): Reply | Promise<Reply>;
  /** Answers of the moment, whether there is a snapshot or not. */
  // deno-lint-ignore no-explicit-any
  answerNow?(asked: AskedNow<any, any, any>): ReplyNow | Promise<ReplyNow>;
}

/** No members at all. */
type Nothing = z.ZodObject<Record<never, never>>;

type Definition<
  Path extends string,
  Answers extends Described["answers"],
  Verb extends Method,
  Who extends Access,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodObject,
> = {
  /** `get` where it is left out. */
  readonly method?: Verb;
  readonly path: Path;
  readonly summary: string;
  readonly description: string;
  /** `public` where it is left out. */
  readonly access?: Who;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly answers: Answers;
};

type Handler<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodObject,
> =
  | {
    answer(
      asked: Asked<z.output<Params>, z.output<Query>>,
    ): Reply | Promise<Reply>;
    answerNow?: undefined;
  }
  | {
    answerNow(
      asked: AskedNow<z.output<Params>, z.output<Query>, z.output<Body>>,
    ): ReplyNow | Promise<ReplyNow>;
    answer?: undefined;
  };

/** An endpoint: what it takes, who may ask, what it answers, and how. */
export function endpoint<
  const Path extends string,
  const Answers extends Described["answers"],
  const Verb extends Method = "get",
  const Who extends Access = "public",
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodObject = Nothing,
>(
  definition:
    & Definition<Path, Answers, Verb, Who, Params, Query, Body>
    & Handler<Params, Query, Body>,
) {
  const method = (definition.method ?? "get") as Verb;
  const access = (definition.access ?? "public") as Who;
  return { ...definition, method, access };
}

/** Most bytes of the JSON that an endpoint takes; a decision has some 40. */
export const MAX_BODY_BYTES = 1_024;

/** Checks of what an endpoint takes, in the order in which they are made; Hono keeps what passes. */
export function validators(
  { params, query, body }: Pick<Described, "params" | "query" | "body">,
): MiddlewareHandler[] {
  return [
    ...params ? [validated("param", params)] : [],
    // Hono's own reader passes over `__proto__`, and reads `%FF` otherwise than
    // the hot path does.
    ...query
      ? [validator("query", (_, c) => parseQuery(query, c.req.url))]
      : [],
    ...body ? [limitBody, validated("json", body)] : [],
  ];
}

function validated(target: "param" | "json", schema: z.ZodObject) {
  return zValidator(target, schema, (result) => {
    if (result.success) return;
    throw badRequest(result.error, {
      schema,
      given: result.data,
      what: target === "json" ? "field" : "query parameter",
    });
  });
}

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError() {
    throw new HTTPException(413, {
      message: `The body has more than ${MAX_BODY_BYTES} bytes.`,
    });
  },
});
