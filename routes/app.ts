/** The HTTP application: the table of contents of the API. */

import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Config } from "../config.ts";
import type { Store } from "../db/store.ts";
import { createAnswerRows } from "./answer.ts";
import { createCustomers, customersEndpoints } from "./customers.ts";
import { createDimensions, dimensionsEndpoint } from "./dimensions.ts";
import {
  createCountInteractions,
  interactionsEndpoints,
} from "./interactions.ts";
import { createHistory, historyEndpoints } from "./interactions_history.ts";
import { createMatrix, matrixEndpoint } from "./interactions_matrix.ts";
import { createMetrics, metricsEndpoints } from "./metrics.ts";
import { createAnswerJson } from "./middleware/caching.ts";
import { createFailures } from "./middleware/errors.ts";
import { limitUrl } from "./middleware/limits.ts";
import { setRequestId } from "./middleware/request_id.ts";
import { createOpenApi } from "./openapi.ts";
import { createOps, opsEndpoints } from "./ops.ts";
import { createStats, statsEndpoint } from "./stats.ts";

/** What the application is made of. */
export interface Parts {
  readonly store: Store;
  readonly config: Config;
  /** Gets what an operator must see. */
  readonly log: (text: string) => void;
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
  ...opsEndpoints,
];

/**
 * Puts the application together. The hot routes are answered by an application
 * of their own in front, because Hono runs a handler without a detour only where
 * nothing else, no middleware either, matches its path.
 */
export function createApp(parts: Parts): Hono {
  const answers = createAnswers(parts);
  const app = createRoutes(parts, answers);
  if (parts.config.CORS_ORIGINS) return app;
  const front = new Hono();
  const hot = new Set<string>(interactionsEndpoints.map(({ path }) => path));
  for (const { path, handler } of app.routes) {
    if (hot.has(path)) front.get(path, handler);
  }
  front.onError(answers.failures.onError);
  front.notFound((c) => app.fetch(c.req.raw));
  return front;
}

/** The whole application: middleware in order, then every mount. */
export function createRoutes(parts: Parts, answers = createAnswers(parts)) {
  const { store, config } = parts;
  const { failures, answerJson, answerRows } = answers;
  const app = new Hono();
  if (config.CORS_ORIGINS) {
    app.use(cors({
      origin: config.CORS_ORIGINS,
      allowMethods: ["GET", "HEAD"],
      exposeHeaders: ["Data-Version", "ETag", "X-Request-Id"],
    }));
  }
  const countInteractions = createCountInteractions(store, answerJson);
  for (const { path } of interactionsEndpoints) {
    app.get(path, countInteractions);
  }

  app.use(setRequestId);
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: failures.methodNotAllowed,
  }));
  app.use(limitUrl);
  app.route("/", createMatrix(store, answerRows));
  app.route("/", createHistory(store, answerRows));
  app.route("/", createMetrics(store, answerRows));
  app.route("/", createCustomers(store, answerRows));
  app.route("/", createDimensions(store, answerRows));
  app.route("/", createStats(store, answerJson));
  app.route("/", createOps(store, failures));
  app.route("/", createOpenApi(endpoints));
  app.notFound(failures.notFound);
  app.onError(failures.onError);
  return app;
}

function createAnswers({ config, log }: Parts) {
  const answerJson = createAnswerJson(config.CACHE_SECONDS);
  return {
    failures: createFailures(log),
    answerJson,
    answerRows: createAnswerRows(answerJson),
  };
}
