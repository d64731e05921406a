/** The HTTP application: the table of contents of the API. */

import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Config } from "../config.ts";
import type { Store } from "../db/store.ts";
import { createCustomers, customersEndpoints } from "./customers.ts";
import { createData, dataEndpoints } from "./data.ts";
import {
  createDataDecisions,
  dataDecisionsEndpoints,
} from "./data_decisions.ts";
import { createDataEvents, dataEventsEndpoint } from "./data_events.ts";
import { createDataFiles, dataFilesEndpoints } from "./data_files.ts";
import { createDimensions, dimensionsEndpoint } from "./dimensions.ts";
import {
  createCountInteractions,
  customerIdOf,
  interactionsEndpoints,
  requireCustomerId,
} from "./interactions.ts";
import { createHistory, historyEndpoints } from "./history.ts";
import { createMatrix, matrixEndpoint } from "./matrix.ts";
import { createMetrics, metricsEndpoints } from "./metrics.ts";
import { createAuth } from "./access.ts";
import { createAnswerRows } from "./respond.ts";
import { createAnswerJson } from "./caching.ts";
import { createFailures } from "./errors.ts";
import { limitUrl } from "./limits.ts";
import { setRequestId } from "./request_id.ts";
import { createOpenApi } from "./openapi.ts";
import { createOps, opsEndpoints } from "./ops.ts";
import { createStats, statsEndpoint } from "./stats.ts";

/** What the application is made of. */
export interface Parts {
  readonly store: Store;
  readonly config: Config;
  /** Gets what an operator must see. */
  readonly log: (text: string) => void;
  /** Is aborted when the process is to end, for answers that would go on. */
  readonly stopping: AbortSignal;
}

/** Every endpoint, as /openapi.json tells. */
export const endpoints = [
  matrixEndpoint,
  ...interactionsEndpoints,
  ...historyEndpoints,
  ...metricsEndpoints,
  ...customersEndpoints,
  dimensionsEndpoint,
  statsEndpoint,
  ...dataEndpoints,
  ...dataDecisionsEndpoints,
  ...dataFilesEndpoints,
  dataEventsEndpoint,
  ...opsEndpoints,
] as const;

/**
 * Puts the application together: middleware in order, then every mount. The
 * question of every page view goes to its handler before Hono looks at it: its
 * routing takes an eighth of the time of such an answer. So do questions whose
 * answer is kept.
 */
export function createApp({ store, config, log, stopping }: Parts): Hono {
  const failures = createFailures(log);
  const answerJson = createAnswerJson(config.CACHE_SECONDS);
  const { answerRows, answerAgain } = createAnswerRows(config, log);
  const auth = createAuth(config.ADMIN_KEY_SHA256, failures);
  const countInteractions = createCountInteractions(store, answerJson);
  const app = new Hono();
  if (config.CORS_ORIGINS) {
    app.use(cors({
      origin: config.CORS_ORIGINS,
      allowMethods: ["GET", "HEAD"],
      exposeHeaders: [
        "Content-Disposition",
        "Data-Version",
        "ETag",
        "X-Request-Id",
      ],
    }));
  }
  for (const { path } of interactionsEndpoints) {
    app.get(path, (c) => {
      const customer_id = requireCustomerId(c.req.param("customer_id")!);
      return countInteractions(c.req.raw, customer_id);
    });
  }

  app.use(setRequestId);
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      failures.methodNotAllowed(c.req.raw, methods),
  }));
  app.use(limitUrl);
  app.route("/", createMatrix(store, answerRows));
  app.route("/", createHistory(store, answerRows));
  app.route("/", createMetrics(store, answerRows));
  app.route("/", createCustomers(store, answerRows));
  app.route("/", createDimensions(store, answerRows));
  app.route("/", createStats(store, answerJson));
  app.route("/", createData(store, auth));
  app.route("/", createDataDecisions(store, auth));
  app.route("/", createDataFiles(store, auth));
  app.route("/", createDataEvents(store, config.EVENTS_MAX, stopping));
  app.route("/", createOps(store, failures));
  app.route("/", createOpenApi(endpoints));
  app.notFound((c) => failures.notFound(c.req.raw));
  app.onError((error, c) => failures.thrown(c.req.raw, error));

  if (!config.CORS_ORIGINS) {
    const { fetch } = app;
    app.fetch = (request, ...rest) => {
      const customer_id = hotCustomerOf(request);
      if (customer_id === undefined) {
        return answerAgain(request, store.snapshot) ?? fetch(request, ...rest);
      }
      try {
        const answer = countInteractions(request, customer_id);
        return answer instanceof Response
          ? answer
          : answer.catch((error) => failures.thrown(request, error));
      } catch (error) {
        return failures.thrown(request, error);
      }
    };
  }
  return app;
}

const HOT_PATH = interactionsEndpoints[0].path.slice(0, -":customer_id".length);
/** `http://h` is the shortest origin there is. */
const SHORTEST_ORIGIN = 8;

/** The customer_id in the question of every page view; undefined in any other request. */
function hotCustomerOf({ url, method }: Request): number | undefined {
  const path = url.indexOf("/", SHORTEST_ORIGIN);
  if (method !== "GET" || !url.startsWith(HOT_PATH, path)) return undefined;
  const start = path + HOT_PATH.length;
  const query = url.indexOf("?", start);
  return customerIdOf(query < 0 ? url.slice(start) : url.slice(start, query));
}
