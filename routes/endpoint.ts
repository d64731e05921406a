/** An endpoint as one value: the schemas that check a request and describe it in /openapi.json, and the handler. */

import { zValidator } from "@hono/zod-validator";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { validator } from "hono/validator";
import { z } from "zod";
import type { Metrics } from "../db/model/metric.ts";
import type { Admission } from "../db/model/admission.ts";
import type { CustomerQuestion, Question } from "../db/model/questions.ts";
import type { Snapshot, Store } from "../db/store.ts";
import type { Callers } from "../access/callers.ts";
import type { Grant, Scope } from "../access/grant.ts";
import { withAttributes } from "./attribute_params.ts";
import type { ShownFilter } from "./filters.ts";
import type { Json, JsonText } from "./json_text.ts";
import { badRequest, parseQuery } from "./query_string.ts";
import type { Read, ReadRows } from "./read_rows.ts";

/** An endpoint as the API documents it. */
export interface Described {
  readonly method: Method;
  /** Path in Hono's form, such as `/api/v1/interactions/:customer_id`. */
  readonly path: string;
  /** Of the function that clients made of /openapi.json have; no other endpoint has it. */
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly access: Access;
  /** The scopes of which a key needs one; none where no key is needed. */
  readonly scopes: readonly Scope[];
  /** Those of the path: texts, which only the handler may refuse. */
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** The JSON it takes. */
  readonly body?: z.ZodObject;
  /** The file that it takes as its body, in words. */
  readonly upload?: string;
  /** The body of each status it answers with. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Whether its answers have an ETag although no snapshot is asked. */
  readonly has_etag?: boolean;
}

/** Who may use an endpoint, once keys are on; without them, all that only reads is open. */
export type Access =
  /** Anyone. */
  | "public"
  /** Those who may read about all customers. */
  | "read"
  /** The same; the administrator gets more, so a wrong key is refused even where reading is open. */
  | "optional_admin"
  /** Those who may read about the customer of the path. */
  | "customer"
  /** Those who may read about all customers, and about the customers that the query names, those who may read about them. */
  | "customers"
  /** All who may read anything. */
  | "listen"
  /** Those who may mint tokens. */
  | "embed"
  /** The administrator. */
  | "admin";

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

/** The body of every failure. */
const failureSchema = z.object({ error: z.string() })
  .meta({ id: "Failure" });

/** The answer of a failure. */
export function failure(description: string) {
  return { description, schema: failureSchema } satisfies Answer;
}

/** The result of a handler; snapshot_answers.ts and responses.ts turn it into HTTP. */
export type Reply = MomentReply | VersionReply | RowsReply;

/** The result of a handler that asks no snapshot. */
export type ReplyNow = MomentReply | DocumentReply | StreamReply;

/** An answer that is true at this moment only: no cache keeps it. */
export interface MomentReply {
  readonly of: "moment";
  /** 200 where it is left out. */
  readonly status?: 200 | 201 | 202 | 404 | 503;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body. */
  readonly json: object;
}

/** An answer of the data version that costs no query: it has an ETag and is not kept in the answer cache. */
export interface VersionReply {
  readonly of: "version";
  /** The normalised question, in characters an ETag may have. */
  readonly key: string;
  /** Whether it has the meta of the load. */
  readonly has_meta?: boolean;
  /** Makes the JSON text, unless the client has it already. */
  body(): string | Promise<string>;
}

/**
 * An answer of rows: as JSON from memory where it is there, else from queries, kept in
 * the answer cache, shared by equal requests, within a deadline.
 */
export interface RowsReply {
  readonly of: "rows";
  /** The normalised question, in characters an ETag may have. */
  readonly key: string;
  /** The name of a file with the answer, such as `interactions`. */
  readonly file: string;
  /** What is read for the JSON, in this order. */
  readonly reads: readonly Read[];
  /** The JSON that the rows read make. */
  json(rows: readonly ReadRows[]): JsonAnswer;
  /** What the meta explains; absent where nobody asks. */
  readonly explain?: Explained;
  /** The question whose whole answer the formats other than JSON have; absent where there are none. */
  readonly download?: Question;
}

/** A JSON answer: its data, and the members of meta beside the version. */
export interface JsonAnswer {
  readonly data: JsonText;
  readonly meta: Readonly<Record<string, Json>>;
}

/** What an answer is from. */
export interface Explained {
  readonly questions: readonly (Question | CustomerQuestion)[];
  readonly filter: ShownFilter;
  /** What is searched for. */
  readonly q?: string | undefined;
}

/** An answer of this moment that is sent while it is made. */
export interface StreamReply {
  readonly of: "stream";
  readonly media_type: string;
  /** Name of the file that it is saved as. */
  readonly file?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers of the request that it depends on. */
  readonly vary?: string;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | string;
  /** Whether it goes on while the client listens, who may take as little as there is. */
  readonly is_endless?: boolean;
}

/** A text about the program and what it serves: it has an ETag, with or without a snapshot. */
export interface DocumentReply {
  readonly of: "document";
  /** The version that it is about; null before anything is served. */
  readonly data_version: string | null;
  /** In characters an ETag may have; another text has another one. */
  readonly key: string;
  /** JSON. */
  readonly body: string;
}

/** A question to a snapshot. */
export interface Asked<Params = unknown, Query = unknown> {
  /** The served snapshot, retained until the answer is made. */
  readonly snapshot: Snapshot;
  /** The only customers that the caller may see, by their ids as texts; null for all. */
  readonly visible: ReadonlySet<string> | null;
  readonly params: Params;
  readonly query: Query;
}

/** A question about this moment, or an action. */
export interface AskedNow<Params = unknown, Query = unknown, Body = unknown> {
  readonly store: StoreNow;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** For its headers and its upload. */
  readonly request: Request;
  readonly caller: Grant;
  readonly callers: Callers;
  readonly listening: Listening;
  readonly pressure: Pick<Admission, "notice">;
  /** Those of the process. */
  readonly metrics: Metrics;
  readonly ending: EndingSignals;
}

/** The end of the process, in two steps. */
export interface EndingSignals {
  /** Is aborted when proxies must ask elsewhere; everything is still answered. */
  readonly draining: AbortSignal;
  /** Is aborted when nothing more is accepted, and answers that would go on must end. */
  readonly finishing: AbortSignal;
}

/**
 * The store for handlers that ask no snapshot: they see only the parts of it that
 * stay valid after it is closed, since it is not retained for them.
 */
export interface StoreNow extends Omit<Store, "snapshot"> {
  readonly snapshot:
    | Pick<Snapshot, "data_version" | "loaded_at" | "report">
    | null;
}

/** The clients of the event stream. */
export interface Listening {
  /** One entry for each open stream. */
  readonly listeners: Set<symbol>;
  /** The largest number of open streams. */
  readonly max: number;
}

/** An endpoint with its handler, which is either `answer` or `answerNow`. */
export type Endpoint = SnapshotEndpoint | NowEndpoint;

/** An endpoint that answers from the snapshot. */
export type SnapshotEndpoint =
  & Described
  // deno-lint-ignore no-explicit-any
  & SnapshotHandler<any, any>;

// deno-lint-ignore no-explicit-any
type NowEndpoint = Described & NowHandler<any, any, any>;

interface SnapshotHandler<Params, Query> {
  /** Answers from the snapshot; while there is none, the answer is 503. */
  answer(asked: Asked<Params, Query>): Reply | Promise<Reply>;
  answerNow?: undefined;
}

interface NowHandler<Params, Query, Body> {
  /** Answers with or without a snapshot. */
  answerNow(
    asked: AskedNow<Params, Query, Body>,
  ): ReplyNow | Promise<ReplyNow>;
  answer?: undefined;
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
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** `read` where it is left out. */
  readonly access?: Who;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly upload?: string;
  readonly answers: Answers;
  readonly has_etag?: boolean;
};

type Handler<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodObject,
> =
  | SnapshotHandler<z.output<Params>, z.output<Query>>
  | NowHandler<z.output<Params>, z.output<Query>, z.output<Body>>;

/** Makes an endpoint from its schemas, its access, its answers and its handler. */
export function endpoint<
  const Path extends string,
  const Answers extends Described["answers"],
  const Verb extends Method = "get",
  const Who extends Access = "read",
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodObject = Nothing,
>(
  definition:
    & Definition<Path, Answers, Verb, Who, Params, Query, Body>
    & Handler<Params, Query, Body>,
) {
  const method = (definition.method ?? "get") as Verb;
  const access = (definition.access ?? "read") as Who;
  const scopes = scopesFor(access, definition.query);
  return { ...definition, method, access, scopes };
}

// Formats other than JSON are downloads; which one it is, is known later.
function scopesFor(access: Access, query?: z.ZodObject): readonly Scope[] {
  switch (access) {
    case "public":
      return [];
    case "embed":
    case "admin":
      return [access];
    default:
      return query && "format" in query.shape ? ["read", "download"] : ["read"];
  }
}

/** The largest JSON body in bytes; a decision has about 40. */
export const MAX_BODY_BYTES = 1_024;

/** The checks of query and body, in this order; Hono keeps the checked values. */
export function validators(
  { query, body }: Pick<Described, "query" | "body">,
  { snapshotNow }: { snapshotNow(): Snapshot | null },
): MiddlewareHandler[] {
  return [
    // Hono's own reader ignores `__proto__`, and reads `%FF` in another way than the
    // hot path.
    ...query
      ? [
        validator(
          "query",
          (_, c) => parseQuery(withAttributes(query, snapshotNow()), c.req.url),
        ),
      ]
      : [],
    ...body ? [limitBody, requireJson, validated(body)] : [],
  ];
}

const JSON_BODY = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

// Hono takes every other body for an empty one, and the first field would be blamed.
const requireJson: MiddlewareHandler = async ({ req }, next) => {
  if (!JSON_BODY.test(req.header("Content-Type")?.trim() ?? "")) {
    throw new HTTPException(400, {
      message: "Send a JSON body with Content-Type: application/json.",
    });
  }
  await next();
};

function validated(schema: z.ZodObject) {
  return zValidator("json", schema, (result) => {
    if (result.success) return;
    const { error, data: given } = result;
    throw badRequest(error, { schema, given, what: "field" });
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
