/** The one way out: makes HTTP of what handlers reply and throw; nothing else makes an answer. */

import { requireKnown, withAttributes } from "./attribute_params.ts";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { Standing } from "../access/rate_limit.ts";
import type { Admission, Work } from "../db/model/admission.ts";
import { joinBytes } from "../db/model/bytes.ts";
import { fault, type Log } from "../db/model/log.ts";
import type { Metrics } from "../db/model/metric.ts";
import type { Run } from "../db/model/run.ts";
import { StoreError } from "../db/model/problems.ts";
import { requireSnapshot, type Snapshot, type Store } from "../db/store.ts";
import type { Callers } from "../access/callers.ts";
import { type Grant, type Need, refusalOf } from "../access/grant.ts";
import { hasSecret } from "../access/secrets.ts";
import { DOWNLOAD, needOf, permit, questionNeed, refuse } from "./access.ts";
import { answerText, explained } from "./answer.ts";
import { AnswerCache, type Kept, nameOf } from "./answer_cache.ts";
import { createCors, foreignPage } from "./cors.ts";
import { brokenDownload, type Download, startDownload } from "./download.ts";
import type {
  AskedNow,
  DocumentReply,
  EndingSignals,
  Endpoint,
  JsonAnswer,
  Listening,
  Reply,
  ReplyNow,
  RowsReply,
  SnapshotEndpoint,
  VersionReply,
} from "./endpoint.ts";
import { type Failure, failureOf, headersOf } from "./errors.ts";
import { gzipped, takesGzip } from "./gzip.ts";
import { type HostCheck, isProbe } from "./hosts.ts";
import { encodeJson } from "./json_body.ts";
import {
  createLimits,
  type LimitSettings,
  type Peer,
  tooFast,
} from "./limits.ts";
import {
  chooseFormat,
  contentType,
  FORMAT_NAMES,
  type FormatName,
  FORMATS,
} from "./formats/formats.ts";
import { idInSegment, requireIdInPath } from "./customer_ids.ts";
import {
  NO_QUERY,
  parseQuery,
  refuseLongUrl,
  refuseSecret,
} from "./query_string.ts";
import { readAll, recallAll } from "./read_rows.ts";
import {
  countAnswer,
  createRequestCounts,
  type RouteCounts,
} from "./request_counts.ts";
import type { RequestLog } from "./request_log.ts";
import { type SendOptions, watched } from "./sending.ts";
import { SharedWork } from "./shared_work.ts";
import { NO_KEY_FILE } from "./tokens.ts";
import type { Underway } from "./underway.ts";
import { downloadBytes, jsonBytes } from "./work_bytes.ts";

/** The settings of answers. */
export interface AnswerSettings extends LimitSettings {
  readonly CACHE_BYTES: number;
  readonly CACHE_SECONDS: number;
  readonly CORS_ORIGINS?: readonly string[] | undefined;
  readonly DOWNLOAD_TIMEOUT_MS: number;
  readonly EVENTS_MAX: number;
  readonly QUERY_TIMEOUT_MS: number;
  readonly STALL_SECONDS: number;
}

/** What answers are made of. */
export interface Parts {
  readonly store: Store;
  readonly config: AnswerSettings;
  readonly callers: Callers;
  readonly log: Log;
  /** Gets every request that is answered. */
  readonly requests?: RequestLog | null;
  /** Names the route of a request in its trace; null where nothing is traced. */
  readonly nameRoute?: ((route: RouteCounts) => void) | null;
  /** Get those of requests and of the answer cache. */
  readonly metrics: Metrics;
  readonly ending: EndingSignals;
  readonly underway: Underway;
  /** Says what may begin; empties the answer cache when it must. */
  readonly pressure: Admission;
  /** Checks the host that a request names; where there is no socket, there is none. */
  readonly checkHost?: HostCheck;
  /** The clock of limits, in milliseconds; `performance.now` where it is left out. */
  readonly now?: () => number;
}

/** One request on its way. */
export interface Exchange {
  readonly request: Request;
  /** What the answer's X-Request-Id says, and the log: the client's own id where it is harmless. */
  readonly id: string;
  /** A stranger until more is known. */
  caller: Grant;
  /** When it came, in milliseconds of `performance.now()`. */
  readonly came_ms: number;
  /** Its endpoint, once that is known. */
  route: RouteCounts;
  /** What is sent. */
  body: string | Uint8Array | ReadableStream | null;
  /** How its client stands with its limit, where it should know. */
  standing: Standing | null;
}

/** What a request says, checked by the schemas of its endpoint. */
export type Given = Pick<AskedNow, "params" | "query" | "body">;

type MaybePromise<Value> = Value | Promise<Value>;

/** Finds the endpoint of a request and has it answer. */
type Route = (exchange: Exchange) => MaybePromise<Response>;

/** Makes answers. */
export interface Responder {
  /**
   * Answers a request: at once where it need not be routed, which are the questions
   * of page views, what is kept, what browsers ask beforehand, and hosts and pages
   * that may not ask; by `route` otherwise.
   */
  handle(
    request: Request,
    from: { readonly route: Route; readonly peer: Peer | undefined },
  ): MaybePromise<Response>;
  /** Answers a request of our own, which is not counted. */
  handleWithin(request: Request, route: Route): MaybePromise<Response>;
  /** Lets a request through to an endpoint, or throws a 401, 403, 409 or 503. */
  admit(exchange: Exchange, endpoint: Endpoint): Promise<void>;
  /** Has an endpoint answer what it is given. */
  answer(
    endpoint: Endpoint,
    given: Given & { readonly exchange: Exchange },
  ): Promise<Response>;
  notFound(exchange: Exchange): Response;
  methodNotAllowed(exchange: Exchange, methods: readonly string[]): Response;
  /** The answer when a handler, or what came before it, threw `error`. */
  thrown(exchange: Exchange, error: unknown): Response;
}

/** An answer that holds as long as its data version does. */
interface Representation {
  /** Null where nothing is served yet. */
  readonly data_version: string | null;
  /** Whether the question names the version, so that the answer is the same for ever. */
  readonly names_version: boolean;
  readonly etag: string;
  readonly content_type: string;
  /** Headers of the request that it depends on. */
  readonly vary?: string;
  /** Name of the file that it is saved as. */
  readonly file?: string;
}

/** What a request for rows asks for, as it was understood. */
interface Wanted extends Representation {
  readonly format: FormatName;
  readonly bom: boolean;
  readonly gzip: boolean;
  /** Question and representation, in characters an ETag may have. */
  readonly key: string;
  /** What its caller needs. */
  readonly need: Need;
  readonly route: RouteCounts;
}

/** What an answer from a snapshot is made with. */
interface From {
  readonly exchange: Exchange;
  /** What the caller needs for it as JSON. */
  readonly need: Need;
  readonly names_version: boolean;
  readonly snapshot: Snapshot;
  /** As the endpoint's schema has it. */
  readonly query: unknown;
}

interface FromRows extends Pick<From, "exchange" | "snapshot"> {
  readonly wanted: Wanted;
  /** If-None-Match; null without it. */
  readonly tags: string | null;
}

/** JSON of fewer bytes is not worth compressing: it fits one packet. */
const MIN_GZIP_BYTES = 1_400;
/** Bodies of more bytes are cut when their reader stalls, so that they do not stay in memory. */
const LONG_BYTES = 262_144;
const JSON_TYPE = "application/json";
/** One object for all, since making it for each answer costs 0.2 us. */
const JSON_INIT = { headers: { "Content-Type": JSON_TYPE } };
const JSON_ONLY: readonly FormatName[] = ["json"];
const NOTHING = {};
const NO_STORE = { "Cache-Control": "no-store" };
/** `http://h` is the shortest origin there is. */
const SHORTEST_ORIGIN = 8;
/** What a request counts as whose client has disconnected; it is never sent. */
const CLIENT_GONE = 499;
const STOPPING: Failure = {
  status: 503,
  error: "The process is stopping.",
  // Whoever asks again must not ask here.
  headers: { Connection: "close" },
};
const HARMLESS_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** An endpoint that is answered without routing, prepared for it. */
interface Unrouted {
  readonly endpoint: SnapshotEndpoint;
  /** The path before the customer_id; all of it where there is none. */
  readonly before: string;
  /** The path after the customer_id; undefined where there is none. */
  readonly after: string | undefined;
  /** What its caller needs before the question is known. */
  readonly need: Need;
  /** A generated parser of the query's schema. */
  readonly query: z.ZodObject;
  readonly route: RouteCounts;
}

/**
 * Makes answers. `page_views` are the endpoints that are answered without routing, the
 * one that is asked most first; a path has one parameter at most, a customer_id.
 */
export function createResponder(
  {
    store,
    config,
    callers,
    log,
    requests,
    nameRoute,
    metrics,
    ending,
    underway,
    pressure,
    checkHost,
    now = () => performance.now(),
  }: Parts,
  page_views: readonly Endpoint[],
): Responder {
  const { is_open, stranger } = callers;
  // Browsers ask each time and get a 304, or else would miss new data that the event
  // stream has told them of.
  const cache_control = is_open
    ? `public, max-age=0, s-maxage=${config.CACHE_SECONDS}`
    : "private, max-age=0";
  const version_cache_control = `${
    is_open ? "public" : "private"
  }, max-age=86400, immutable`;
  const cors = config.CORS_ORIGINS && createCors(config.CORS_ORIGINS);
  const cache = new AnswerCache<Wanted>(config.CACHE_BYTES);
  const answers = new SharedWork<Kept>();
  const downloads = new SharedWork<Download>();
  const stall_ms = config.STALL_SECONDS * 1_000;
  pressure.addCache(cache);
  const listening: Listening = {
    listeners: new Set(),
    max: config.EVENTS_MAX,
  };
  const counts = createRequestCounts();
  const limits = createLimits(config, { log, now });
  metrics.add(...counts.metrics, ...cache.metrics, ...limits?.metrics ?? []);
  const unrouted = page_views.flatMap((one) => prepare(one, counts.of(one)));
  const of_one = unrouted.filter(({ after }) => after !== undefined);
  const of_many = unrouted.filter(({ after }) => after === undefined);

  /**
   * Answers without Hono, whose routing takes an eighth of the time of the shortest
   * answers; docs/benchmarks.md has what steps cost.
   */
  function answerUnrouted(
    { endpoint, need, query: schema, route }: Unrouted,
    { exchange, params }: { exchange: Exchange; params: object },
  ): MaybePromise<Response> {
    exchange.route = route;
    const { url } = exchange.request;
    let query = NOTHING;
    if (url.includes("?")) {
      refuseLongUrl(url);
      refuseSecret(url);
      // Before anything is said about the question.
      permit(exchange.caller, need);
      const snapshot = requireSnapshot(store);
      const extended = endpoint.query &&
        withAttributes(endpoint.query, snapshot);
      query = parseQuery(
        extended === undefined || extended === endpoint.query
          ? schema
          : extended,
        url,
      );
    }
    return answerFrom(endpoint, { exchange, params, query });
  }

  // The snapshot is read and retained in one turn, before anything is asked of
  // it, so that a refresh in between cannot close it.
  function answerFrom(
    endpoint: Pick<SnapshotEndpoint, "answer" | "access" | "scopes" | "query">,
    { exchange, params, query }: {
      exchange: Exchange;
      params: unknown;
      query: unknown;
    },
  ): MaybePromise<Response> {
    const need = questionNeed(endpoint, { params, query });
    permit(exchange.caller, need);
    const snapshot = requireSnapshot(store);
    // A refresh may have come between the check of the query and now.
    requireKnown(query, { schema: endpoint.query, snapshot });
    const names_version = namesVersion(query, snapshot);
    const retained = snapshot.retain();
    const from = { exchange, need, names_version, snapshot, query };
    let made: MaybePromise<Response>;
    try {
      const reply = endpoint.answer({
        snapshot,
        visible: exchange.caller.customers,
        params,
        query,
      });
      made = reply instanceof Promise
        ? reply.then((reply) => toHttp(reply, from))
        : toHttp(reply, from);
    } catch (error) {
      retained[Symbol.dispose]();
      throw error;
    }
    if (made instanceof Promise) {
      return made.finally(() => retained[Symbol.dispose]());
    }
    retained[Symbol.dispose]();
    return made;
  }

  function toHttp(reply: Reply, from: From): MaybePromise<Response> {
    switch (reply.of) {
      case "version":
        return answerVersion(reply, from);
      case "rows":
        return answerRows(reply, from);
      default:
        return answerNow(reply, from.exchange);
    }
  }

  function answerVersion(
    { key, body, has_meta = false }: VersionReply,
    { exchange, names_version, snapshot }: From,
  ): MaybePromise<Response> {
    const of = {
      data_version: snapshot.data_version,
      names_version,
      etag: etagOf(snapshot, { key, has_meta }),
      content_type: JSON_TYPE,
    };
    const tags = exchange.request.headers.get("if-none-match");
    if (tags !== null && hasTag(tags, of.etag)) {
      return notModified(of, exchange);
    }
    const text = body();
    return typeof text === "string"
      ? found(of, { exchange, tags, body: text })
      : text.then((body) => found(of, { exchange, tags, body }));
  }

  function answerRows(
    reply: RowsReply,
    { exchange, need, names_version, snapshot, query }: From,
  ): MaybePromise<Response> {
    const { request } = exchange;
    const wanted = wantedOf(reply, {
      request,
      snapshot,
      query: query as FormatQuery,
      need,
      names_version,
      route: exchange.route,
    });
    permit(exchange.caller, wanted.need);
    const tags = request.headers.get("if-none-match");
    const from = { exchange, snapshot, wanted, tags };
    const kept = known(from);
    if (kept) return kept;
    const is_json = wanted.format === "json";
    const rows = is_json && !reply.explain && recallAll(snapshot, reply.reads);
    if (rows) return answerRecalled(reply.json(rows), from);
    cache.countMiss();
    understand(from);
    return is_json ? answerJson(reply, from) : answerDownload(reply, from);
  }

  /** An answer that took no query; kept only where it is compressed, which takes longer than to make it. */
  function answerRecalled(
    json: JsonAnswer,
    from: FromRows,
  ): MaybePromise<Response> {
    const { exchange, snapshot, wanted, tags } = from;
    let body = "";
    for (const part of answerText(snapshot, json)) body += part;
    if (!wanted.gzip || body.length < MIN_GZIP_BYTES) {
      return found(wanted, { exchange, tags, body });
    }
    const compressed = gzipped([new TextEncoder().encode(body)]);
    return new Response(compressed).bytes().then((body) => {
      const answer = { body, is_gzip: true };
      understand(from);
      cache.set(snapshot, { key: wanted.key, answer });
      return found(wanted, { exchange, tags, ...answer });
    });
  }

  // Of a question that names customers, the answer is another one for a caller who
  // sees others of them.
  function understand({ exchange, snapshot, wanted }: FromRows): void {
    if (wanted.need.about === "named") return;
    const request = textOf(exchange.request);
    cache.understand(snapshot, { request, as: wanted });
  }

  /** What needs no query: the client has it, or it is kept. */
  function known(
    { exchange, snapshot, wanted, tags }: FromRows,
  ): Response | undefined {
    if (tags !== null && hasTag(tags, wanted.etag)) {
      return notModified(wanted, exchange);
    }
    const kept = cache.get(snapshot, wanted.key);
    return kept && found(wanted, { exchange, tags, ...kept });
  }

  // Work that is shared retains the snapshot itself: it may outlive the request
  // that began it.
  async function answerJson(
    reply: RowsReply,
    { exchange, snapshot, wanted, tags }: FromRows,
  ): Promise<Response> {
    const { signal } = exchange.request;
    const takes: Work = {
      kind: "question",
      bytes: jsonBytes(snapshot, reply.reads),
    };
    pressure.require(takes);
    const kept = await answers.run(
      `${nameOf(snapshot)} ${wanted.key}`,
      {
        client: signal,
        timeout_ms: config.QUERY_TIMEOUT_MS,
        async work(deadline) {
          using _ = snapshot.retain();
          using _deadline = deadline;
          using _underway = underway.begin(
            "answer",
            (reason) => deadline.abort(reason),
          );
          using run = await snapshot.begin(deadline);
          using _reserved = pressure.reserve(takes);
          const { data, meta } = reply.json(
            await readAll(snapshot, { reads: reply.reads, run }),
          );
          const text = answerText(snapshot, {
            data,
            meta: reply.explain
              ? { ...meta, ...await explained(snapshot, reply.explain) }
              : meta,
          });
          const pieces = await encodeJson(text, run);
          const kept = await keptOf(pieces, { gzip: wanted.gzip, run });
          cache.set(snapshot, { key: wanted.key, answer: kept });
          return kept;
        },
      },
    );
    return found(wanted, { exchange, tags, ...kept });
  }

  async function answerDownload(
    { download: question }: RowsReply,
    { exchange, snapshot, wanted, tags }: FromRows,
  ): Promise<Response> {
    const { signal } = exchange.request;
    const { key, format, bom, gzip } = wanted;
    const takes: Work = {
      kind: "download",
      bytes: downloadBytes(snapshot, question!),
    };
    pressure.require(takes);
    const work = `${nameOf(snapshot)} ${key}`;
    // Whoever does not get the stream that was started asks for one of its own.
    for (let turn = 0;; turn++) {
      const download = await downloads.run(
        turn === 0 ? work : `${work} ${crypto.randomUUID()}`,
        {
          client: signal,
          timeout_ms: config.DOWNLOAD_TIMEOUT_MS,
          async work(deadline) {
            const download = await startDownload(question!, {
              encode: FORMATS[format].encode!,
              bom,
              gzip,
              deadline,
              stall_ms,
              snapshot,
              underway,
              reserve: () => pressure.reserve(takes),
            });
            if ("body" in download) {
              cache.set(snapshot, { key, answer: download });
            }
            return download;
          },
        },
      );
      if ("body" in download) {
        return found(wanted, { exchange, tags, ...download });
      }
      const body = download.take(sendOptions(exchange).onBroken);
      if (body) return found(wanted, { exchange, tags, body, is_gzip: gzip });
    }
  }

  function answerMoment(
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
      return answerMoment(exchange, reply);
    }
    if (reply.of === "document") return answerDocument(reply, exchange);
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
    return send(exchange, answer);
  }

  function answerDocument(
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
    if (vary) headers.append("Vary", vary);
    if (!is_open) headers.append("Vary", "Authorization, X-API-Key");
    return send(exchange, answer);
  }

  /** What every answer gets on its way out. */
  function send(
    { request, id, standing }: Exchange,
    answer: Response,
  ): Response {
    answer.headers.append("X-Content-Type-Options", "nosniff");
    answer.headers.append("X-Request-Id", id);
    cors?.append(answer.headers, request);
    if (standing) limits!.append(answer.headers, standing);
    return answer;
  }

  function fail(
    exchange: Exchange,
    { status, error, headers }: Failure,
  ): Response {
    return answerMoment(exchange, { status, json: { error }, headers });
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

  /** The answer without routing, where there is one; undefined where the path is of no page view. */
  function pageView(
    exchange: Exchange,
    views: readonly Unrouted[],
  ): MaybePromise<Response> | undefined {
    const { url } = exchange.request;
    const ids = store.snapshot?.customers.ids ?? "integer";
    const path = url.indexOf("/", SHORTEST_ORIGIN);
    const query = url.indexOf("?", path);
    const end = query < 0 ? url.length : query;
    for (const one of views) {
      const { before, after } = one;
      if (!url.startsWith(before, path)) continue;
      const start = path + before.length;
      if (after === undefined) {
        if (start !== end) continue;
        return answerUnrouted(one, { exchange, params: NOTHING });
      }
      const segment = url.slice(start, end - after.length);
      if (!url.startsWith(after, end - after.length)) continue;
      // A fragment, which no client sends, ends the path.
      if (segment.includes("/") || segment.includes("#")) continue;
      const customer_id = idInSegment(segment, ids);
      if (customer_id === undefined) continue;
      return answerUnrouted(one, { exchange, params: { customer_id } });
    }
  }

  function answerKept(exchange: Exchange): Response | undefined {
    const { request, caller } = exchange;
    const { snapshot } = store;
    const wanted = snapshot && cache.understood(snapshot, textOf(request));
    if (!wanted || refusalOf(caller, wanted.need)) return undefined;
    exchange.route = wanted.route;
    return known({
      exchange,
      snapshot,
      wanted,
      tags: request.headers.get("if-none-match"),
    });
  }

  function answerGet(exchange: Exchange): MaybePromise<Response> | undefined {
    try {
      // Of one customer, little is kept: it is not looked for first.
      const answer = pageView(exchange, of_one) ?? answerKept(exchange) ??
        pageView(exchange, of_many);
      return answer instanceof Promise
        ? answer.catch((error) => thrown(exchange, error))
        : answer;
    } catch (error) {
      return thrown(exchange, error);
    }
  }

  // The text of the path as it was sent: Hono's has lost what is encoded wrong.
  function requireId(
    { path }: SnapshotEndpoint,
    { request: { url } }: Exchange,
  ): string | undefined {
    const { ids } = requireSnapshot(store).customers;
    return requireIdInPath(path, { url, ids });
  }

  /** `count` counts the request once it is known who sent it. */
  function handle(
    exchange: Exchange,
    { route, count }: {
      readonly route: Route;
      readonly count: ((exchange: Exchange) => Response | null) | null;
    },
  ): MaybePromise<Response> {
    const { request } = exchange;
    if (ending.finishing.aborted) return fail(exchange, STOPPING);
    const host_problem = checkHost?.(request);
    if (host_problem) return fail(exchange, host_problem);
    const is_get = request.method === "GET";
    if (!is_get) {
      if (cors && request.method === "OPTIONS") {
        return send(exchange, cors.preflight());
      }
      const page_problem = foreignPage(request, config.CORS_ORIGINS);
      if (page_problem) return fail(exchange, page_problem);
    }

    const answer = (caller: Grant) => {
      exchange.caller = caller;
      return count?.(exchange) ??
        (is_get ? answerGet(exchange) : undefined) ?? route(exchange);
    };
    // Where reading is open, only what is routed may need a key.
    if (is_open && !count) return answer(stranger);
    const caller = callers.identify(request.headers);
    return caller instanceof Promise
      ? caller.then(answer).catch((error) => thrown(exchange, error))
      : answer(caller);
  }

  function exchangeOf(request: Request): Exchange {
    return {
      request,
      id: idOf(request),
      caller: stranger,
      came_ms: performance.now(),
      route: counts.unknown,
      body: null,
      standing: null,
    };
  }

  function refuseTooMany(
    exchange: Exchange,
    peer: Peer | undefined,
  ): Response | null {
    const { request, caller } = exchange;
    exchange.standing = limits!.count(request, { caller, peer });
    return exchange.standing?.is_allowed === false
      ? fail(exchange, tooFast(exchange.standing))
      : null;
  }

  /** What is done with every answer to a client. */
  function ended(exchange: Exchange, answer: Response): Response {
    const { request, route, came_ms } = exchange;
    let { status } = answer;
    if (status === 503 && request.signal.aborted) status = CLIENT_GONE;
    const seconds = (performance.now() - came_ms) / 1_000;
    countAnswer(route, { status, seconds });
    if (nameRoute && route !== counts.unknown) nameRoute(route);
    return requests ? requests.add(exchange, { answer, status }) : answer;
  }

  return {
    handle(request, { route, peer }) {
      const exchange = exchangeOf(request);
      const count = limits && !isProbe(request.url)
        ? (exchange: Exchange) => refuseTooMany(exchange, peer)
        : null;
      const answer = handle(exchange, { route, count });
      return answer instanceof Promise
        ? answer.then((answer) => ended(exchange, answer))
        : ended(exchange, answer);
    },

    handleWithin: (request, route) =>
      handle(exchangeOf(request), { route, count: null }),

    async admit(exchange, endpoint) {
      exchange.route = counts.of(endpoint);
      const { headers } = exchange.request;
      if (is_open) exchange.caller = await callers.identify(headers);
      const { caller } = exchange;
      if (is_open && endpoint.access === "embed") {
        throw new StoreError("conflict", NO_KEY_FILE);
      }
      if (
        endpoint.access === "optional_admin" && caller !== stranger
      ) refuse(caller.problem);
      if (endpoint.access !== "public") permit(caller, needOf(endpoint));
      if (endpoint.answer) requireId(endpoint, exchange);
    },

    async answer(endpoint, { exchange, ...given }) {
      if (endpoint.answer) {
        const customer_id = requireId(endpoint, exchange);
        const params = customer_id === undefined
          ? given.params
          : { customer_id };
        return await answerFrom(endpoint, { exchange, ...given, params });
      }
      const { request, caller } = exchange;
      const asked = {
        store,
        request,
        caller,
        callers,
        listening,
        metrics,
        ending,
        pressure,
        ...given,
      };
      using _ = endpoint.upload === undefined ? null : underway.begin("upload");
      return answerNow(await endpoint.answerNow(asked), exchange);
    },

    notFound: (exchange) => fail(exchange, { status: 404, error: "Not found" }),

    methodNotAllowed(exchange, methods) {
      const allowed = methods.join(", ");
      return fail(exchange, {
        status: 405,
        error: `Method not allowed. Allowed: ${allowed}.`,
        headers: { Allow: allowed },
      });
    },

    thrown,
  };
}

// Only answers from the snapshot need no key where reading is open.
function prepare(endpoint: Endpoint, route: RouteCounts): Unrouted[] {
  if (!endpoint.answer) return [];
  const [before, after] = endpoint.path.split(":customer_id");
  const query = z.compile(endpoint.query ?? NO_QUERY);
  return [{ endpoint, before, after, need: needOf(endpoint), query, route }];
}

/** The client's own id, where it is harmless in a log; else one of ours. */
function idOf({ headers }: Request): string {
  const given = headers.get("x-request-id");
  return given !== null && HARMLESS_ID.test(given) && !hasSecret(given)
    ? given
    : crypto.randomUUID();
}

/** All of a request that says what is asked for. */
function textOf({ url, headers }: Request): string {
  return `${url}\n${headers.get("accept")}\n${headers.get("accept-encoding")}`;
}

/** Whether a question names the served version; throws a 410 when it names another. */
function namesVersion(query: unknown, { data_version }: Snapshot): boolean {
  const named = (query as { readonly data_version?: string } | undefined)
    ?.data_version;
  if (named === undefined) return false;
  if (named === data_version) return true;
  throw new HTTPException(410, {
    message:
      `Data version ${named} is not served. Ask for ${data_version}, or without data_version.`,
  });
}

/** The parameters of a query string that choose a representation. */
interface FormatQuery {
  readonly format?: FormatName;
  readonly bom?: "1";
  readonly explain?: "1";
}

function wantedOf(
  { file, key: question, download }: RowsReply,
  { request: { headers }, snapshot, query, need, names_version, route }: {
    request: Request;
    snapshot: Snapshot;
    query: FormatQuery;
    need: Need;
    names_version: boolean;
    route: RouteCounts;
  },
): Wanted {
  const { data_version } = snapshot;
  const format = query.format ??
    chooseFormat(headers.get("accept"), download ? FORMAT_NAMES : JSON_ONLY);
  if (query.explain !== undefined && format !== "json") {
    throw new HTTPException(400, {
      message: `explain is for format=json only, not for ${format}.`,
    });
  }
  const bom = query.bom === "1";
  if (bom && format !== "csv") {
    throw new HTTPException(400, { message: "bom is for format=csv only." });
  }
  const gzip = FORMATS[format].is_text &&
    takesGzip(headers.get("accept-encoding"));
  const key = `${question}${format === "json" ? "" : `.${format}`}${
    bom ? ".bom" : ""
  }${gzip ? ".gz" : ""}`;
  return {
    data_version,
    names_version,
    route,
    format,
    bom,
    gzip,
    key,
    need: format === "json" ? { ...need, scopes: ["read"] } : DOWNLOAD,
    etag: etagOf(snapshot, { key, has_meta: format === "json" }),
    content_type: contentType(format),
    vary: "Accept, Accept-Encoding",
    file: format === "json" ? undefined : `${file}-${data_version}.${format}`,
  };
}

/**
 * The ETag of an answer. With meta, which has the time of the load, two processes with
 * the same data have other bytes.
 */
function etagOf(
  { data_version, loaded_at }: Snapshot,
  { key, has_meta }: { readonly key: string; readonly has_meta: boolean },
): string {
  return `"${data_version}-${has_meta ? loadedText(loaded_at) : ""}${key}"`;
}

// Of the snapshot that was asked last, since each of its answers has it.
let loaded = { at: "", text: "" };

function loadedText(loaded_at: string): string {
  if (loaded.at !== loaded_at) {
    const text = `${Date.parse(loaded_at).toString(36)}-`;
    loaded = { at: loaded_at, text };
  }
  return loaded.text;
}

async function keptOf(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  { gzip, run }: { gzip: boolean; run: Run },
): Promise<Kept> {
  const is_gzip = gzip &&
    (pieces.length > 1 || pieces[0].length >= MIN_GZIP_BYTES);
  const paced = async function* () {
    for (const piece of pieces) {
      yield piece;
      await run.pause();
    }
  };
  const body = is_gzip
    ? await new Response(gzipped(paced())).bytes()
    : joinBytes(pieces);
  return { body, is_gzip };
}

function dispositionOf(file: string): string {
  return `attachment; filename="${file}"`;
}

/** Whether a list of entity tags has `etag`; weak ones count (RFC 9110, 13.1.2). */
function hasTag(list: string, etag: string): boolean {
  return list.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
