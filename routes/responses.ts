/** Makes the HTTP responses: their headers, 304s, bodies that are sent as they are read, and failures. */

import type { Callers } from "../access/callers.ts";
import { fault, type Log } from "../db/model/log.ts";
import type { Kept } from "./answer_cache.ts";
import type { Cors } from "./cors.ts";
import { brokenDownload } from "./download.ts";
import type { DocumentReply, ReplyNow } from "./endpoint.ts";
import { type Failure, failureOf, headersOf } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Limits } from "./limits.ts";
import { hasTag, JSON_TYPE, type Representation } from "./representation.ts";
import { type SendOptions, watched } from "./sending.ts";

/** The settings of responses. */
export interface ResponseSettings {
  readonly CACHE_SECONDS: number;
  readonly STALL_SECONDS: number;
}

/** What responses are made with. */
export interface ResponseParts {
  readonly config: ResponseSettings;
  readonly callers: Pick<Callers, "is_open">;
  readonly cors: Cors | undefined;
  readonly limits: Limits | null;
  readonly log: Log;
}

/** Makes responses. */
export interface Responses {
  /** An answer with its body; a 304 where any answer is one that the client has. */
  found(
    of: Representation,
    made: {
      readonly exchange: Exchange;
      /** If-None-Match; null without it. */
      readonly tags: string | null;
      readonly body: string | Kept["body"] | ReadableStream;
      readonly is_gzip?: boolean;
    },
  ): Response;
  notModified(of: Representation, exchange: Exchange): Response;
  /** The answer of an endpoint that asks no snapshot. */
  answerNow(reply: ReplyNow, exchange: Exchange): Response;
  fail(exchange: Exchange, failure: Failure): Response;
  /** The answer when `error` was thrown. */
  thrown(exchange: Exchange, error: unknown): Response;
  /** Adds what every answer gets on its way out. */
  send(exchange: Exchange, answer: Response): Response;
  /** How long bodies of an exchange are sent, and what is logged of those that break off. */
  sendOptions(exchange: Exchange): SendOptions;
}

/** Bodies of more bytes are cut when their reader stalls, so that they do not stay in memory. */
const LONG_BYTES = 262_144;
/** One object for all, since making it for each answer costs 0.2 us. */
const JSON_INIT = { headers: { "Content-Type": JSON_TYPE } };
/** Bytes of a name that file systems take. */
const MAX_NAME_BYTES = 255;
const NO_STORE = { "Cache-Control": "no-store" };

/** Makes what makes responses. */
export function createResponses(
  { config, callers: { is_open }, cors, limits, log }: ResponseParts,
): Responses {
  // Browsers ask each time and get a 304, or else would miss new data that the event
  // stream has told them of.
  const cache_control = is_open
    ? `public, max-age=0, s-maxage=${config.CACHE_SECONDS}`
    : "private, max-age=0";
  const version_cache_control = `${
    is_open ? "public" : "private"
  }, max-age=86400, immutable`;
  const stall_ms = config.STALL_SECONDS * 1_000;

  function found(
    of: Representation,
    { exchange, tags, body, is_gzip }: {
      exchange: Exchange;
      tags: string | null;
      body: string | Kept["body"] | ReadableStream;
      is_gzip?: boolean;
    },
  ): Response {
    // RFC 9110, 13.1.2: `*` is true only if there is something to answer.
    if (tags !== null && tags.trim() === "*") {
      if (body instanceof ReadableStream) body.cancel();
      return notModified(of, exchange);
    }
    exchange.body = body;
    const is_long = body instanceof Uint8Array && body.length > LONG_BYTES;
    const answer = new Response(
      is_long ? watched([body].values(), sendOptions(exchange)) : body,
      of.content_type === JSON_TYPE
        ? JSON_INIT
        : { headers: { "Content-Type": of.content_type } },
    );
    if (is_long) answer.headers.append("Content-Length", `${body.length}`);
    if (is_gzip) answer.headers.append("Content-Encoding", "gzip");
    if (of.file) {
      answer.headers.append("Content-Disposition", dispositionOf(of.file));
    }
    return lasting(answer, { of, exchange });
  }

  function sendOptions({ id }: Exchange): SendOptions {
    return {
      stall_ms,
      onBroken: (error) => log(brokenDownload(error, id)),
    };
  }

  function notModified(of: Representation, exchange: Exchange): Response {
    return lasting(new Response(null, { status: 304 }), { of, exchange });
  }

  // Headers are appended one by one, here and below, because Deno takes a slower
  // way to make an answer that is given several at once: 5 us instead of 2.
  function lasting(
    answer: Response,
    { of: { data_version, names_version, etag, vary }, exchange }: {
      of: Representation;
      exchange: Exchange;
    },
  ): Response {
    const { headers } = answer;
    headers.append(
      "Cache-Control",
      names_version ? version_cache_control : cache_control,
    );
    if (data_version !== null) headers.append("Data-Version", data_version);
    headers.append("ETag", etag);
    return send(exchange, answer, {
      vary: is_open ? vary : listed(vary, "Authorization, X-API-Key"),
    });
  }

  /** What every answer gets on its way out; `vary` are headers of the request that it depends on. */
  function send(
    { request, id, standing }: Exchange,
    answer: Response,
    { vary = null }: { readonly vary?: string | null } = {},
  ): Response {
    // In one line: nginx 1.22 reads the last of several, and its cache would take an
    // answer in one format for that in another.
    const varies = cors ? listed(vary, cors.vary) : vary;
    if (varies) answer.headers.append("Vary", varies);
    answer.headers.append("X-Content-Type-Options", "nosniff");
    answer.headers.append("X-Request-Id", id);
    cors?.append(answer.headers, request);
    if (standing) limits!.append(answer.headers, standing);
    return answer;
  }

  function moment(
    exchange: Exchange,
    { status = 200, json, headers }: {
      readonly status?: number;
      readonly json: object;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Response {
    const body = JSON.stringify(json);
    exchange.body = body;
    const answer = new Response(body, {
      status,
      headers: {
        "Content-Type": JSON_TYPE,
        ...NO_STORE,
        ...headersOf(status),
        ...headers,
      },
    });
    return send(exchange, answer);
  }

  function answerNow(reply: ReplyNow, exchange: Exchange): Response {
    if (reply.of === "moment") {
      return moment(exchange, reply);
    }
    if (reply.of === "document") return document(reply, exchange);
    const { body, is_endless } = reply;
    exchange.body = body;
    const sent = body instanceof ReadableStream && !is_endless
      ? watched(body[Symbol.asyncIterator](), sendOptions(exchange))
      : body;
    const answer = new Response(sent, {
      headers: {
        ...NO_STORE,
        "Content-Type": reply.media_type,
        ...reply.file && { "Content-Disposition": dispositionOf(reply.file) },
        ...reply.headers,
      },
    });
    return send(exchange, answer, { vary: reply.vary });
  }

  function document(
    { data_version, key, body }: DocumentReply,
    exchange: Exchange,
  ): Response {
    const of = {
      data_version,
      names_version: false,
      etag: `"${key}"`,
      content_type: JSON_TYPE,
    };
    const tags = exchange.request.headers.get("if-none-match");
    return tags !== null && hasTag(tags, of.etag)
      ? notModified(of, exchange)
      : found(of, { exchange, tags, body });
  }

  function fail(
    exchange: Exchange,
    { status, error, headers }: Failure,
  ): Response {
    return moment(exchange, { status, json: { error }, headers });
  }

  function thrown(exchange: Exchange, error: unknown): Response {
    const failure = failureOf(error);
    if (failure) return fail(exchange, failure);
    log(
      fault(error, {
        event: "request_fault",
        text: `Request ${exchange.id} failed`,
        id: exchange.id,
      }),
    );
    return fail(exchange, { status: 500, error: "Internal error" });
  }

  return { found, notModified, answerNow, fail, thrown, send, sendOptions };
}

/** Two lists as one; null, or undefined, is an empty one. */
function listed(
  some?: string | null,
  others?: string | null,
): string | null {
  return some && others ? `${some}, ${others}` : some || others || null;
}

function dispositionOf(file: string): string {
  return `attachment; filename="${savable(file)}"`;
}

/** The name of a file, with fewer characters before its ending where file systems would not take it. */
function savable(file: string): string {
  if (file.length <= MAX_NAME_BYTES) return file;
  // Only an id that is percent-encoded makes a name so long.
  const ending = file.slice(file.lastIndexOf("%") + "%00".length);
  // Not within `%E6`, nor before a byte that continues a character of UTF-8.
  const whole = `^.{0,${MAX_NAME_BYTES - ending.length}}(?<!%.?)(?!%[89AB])`;
  return RegExp(whole).exec(file) + ending;
}
