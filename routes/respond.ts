/** The one way out: takes each request through access, limits and its endpoint to its answer; nothing else answers. */

import type { Peer } from "../access/client_address.ts";
import type { Callers } from "../access/callers.ts";
import type { Admission } from "../db/model/admission.ts";
import type { Log } from "../db/model/log.ts";
import type { Metrics } from "../db/model/metric.ts";
import { StoreError } from "../db/model/problems.ts";
import { requireSnapshot, type Store } from "../db/store.ts";
import { needOf, permit, refuse } from "./access.ts";
import { createCors, foreignPage } from "./cors.ts";
import { requireIdInPath } from "./customer_ids.ts";
import type {
  AskedNow,
  EndingSignals,
  Endpoint,
  Listening,
  SnapshotEndpoint,
} from "./endpoint.ts";
import type { Failure } from "./errors.ts";
import { type Exchange, idOf, type MaybePromise } from "./exchange.ts";
import { type HostCheck, isProbe } from "./hosts.ts";
import { createLimits, type LimitSettings, tooFast } from "./limits.ts";
import { createPageViews } from "./page_views.ts";
import {
  countAnswer,
  createRequestCounts,
  type RouteCounts,
} from "./request_counts.ts";
import type { RequestLog } from "./request_log.ts";
import { createResponses, type ResponseSettings } from "./responses.ts";
import { createRowsAnswers, type RowsSettings } from "./rows_answers.ts";
import { createSnapshotAnswers } from "./snapshot_answers.ts";
import { NO_KEY_FILE } from "./tokens.ts";
import type { Underway } from "./underway.ts";

/** The settings of answers. */
export interface AnswerSettings
  extends LimitSettings, ResponseSettings, RowsSettings {
  readonly CORS_ORIGINS?: readonly string[] | undefined;
  readonly EVENTS_MAX: number;
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

/** What a request says, checked by the schemas of its endpoint. */
export type Given = Pick<AskedNow, "params" | "query" | "body">;

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

/** What a request counts as whose client has disconnected; it is never sent. */
const CLIENT_GONE = 499;
/** A request of our own has no client. */
const OUR_OWN = { peer: undefined, is_limited: false };
const AWAITED = { was_awaited: true };
const AT_ONCE = { was_awaited: false };
const STOPPING: Failure = {
  status: 503,
  error: "The process is stopping.",
  // Whoever asks again must not ask here.
  headers: { Connection: "close" },
};

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
  const cors = config.CORS_ORIGINS && createCors(config.CORS_ORIGINS);
  const listening: Listening = {
    listeners: new Set(),
    max: config.EVENTS_MAX,
  };
  const counts = createRequestCounts();
  const limits = createLimits(config, { log, now });
  const responses = createResponses({ config, callers, cors, limits, log });
  const { fail, send, thrown } = responses;
  const rows = createRowsAnswers({
    store,
    config,
    underway,
    pressure,
    responses,
  });
  const answerFrom = createSnapshotAnswers({ store, responses, rows });
  const { ofOne, ofMany } = createPageViews(page_views, {
    store,
    counts,
    answerFrom,
  });
  metrics.add(...counts.metrics, ...rows.metrics, ...limits?.metrics ?? []);

  function answerGet(exchange: Exchange): MaybePromise<Response> | undefined {
    try {
      // Of one customer, little is kept: it is not looked for first.
      const answer = ofOne(exchange) ?? rows.keptAnswer(exchange) ??
        ofMany(exchange);
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

  function handle(
    exchange: Exchange,
    route: Route,
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

    // Where reading is open, only what is routed may need a key.
    if (is_open && !exchange.is_limited) return answerKnown(exchange, route);
    const caller = callers.identify(request.headers);
    if (caller instanceof Promise) {
      return caller.then((caller) => {
        exchange.caller = caller;
        return answerKnown(exchange, route);
      }).catch((error) => thrown(exchange, error));
    }
    exchange.caller = caller;
    return answerKnown(exchange, route);
  }

  /** Answers when it is known who asks, as far as that counts here. */
  function answerKnown(
    exchange: Exchange,
    route: Route,
  ): MaybePromise<Response> {
    const too_many = exchange.is_limited ? refuseTooMany(exchange) : null;
    if (too_many) return too_many;
    const is_get = exchange.request.method === "GET";
    return (is_get ? answerGet(exchange) : undefined) ?? route(exchange);
  }

  function exchangeOf(
    request: Request,
    { peer, is_limited }: Pick<Exchange, "peer" | "is_limited">,
  ): Exchange {
    return {
      request,
      peer,
      is_limited,
      id: idOf(request),
      caller: stranger,
      came_ms: performance.now(),
      route: counts.unknown,
      body: null,
      standing: null,
    };
  }

  function refuseTooMany(exchange: Exchange): Response | null {
    exchange.standing = limits!.count(exchange);
    return exchange.standing?.is_allowed === false
      ? fail(exchange, tooFast(exchange.standing))
      : null;
  }

  /** What is done with every answer to a client. */
  function ended(
    exchange: Exchange,
    answer: Response,
    { was_awaited }: { readonly was_awaited: boolean },
  ): Response {
    const { request, route, came_ms } = exchange;
    let { status } = answer;
    if (status === 503 && request.signal.aborted) status = CLIENT_GONE;
    countAnswer(route, { status, came_ms, was_awaited });
    if (nameRoute && route !== counts.unknown) nameRoute(route);
    return requests ? requests.add(exchange, { answer, status }) : answer;
  }

  return {
    handle(request, { route, peer }) {
      const is_limited = limits !== null && !isProbe(request.url);
      const exchange = exchangeOf(request, { peer, is_limited });
      const answer = handle(exchange, route);
      return answer instanceof Promise
        ? answer.then((answer) => ended(exchange, answer, AWAITED))
        : ended(exchange, answer, AT_ONCE);
    },

    handleWithin: (request, route) =>
      handle(exchangeOf(request, OUR_OWN), route),

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
      return responses.answerNow(await endpoint.answerNow(asked), exchange);
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
