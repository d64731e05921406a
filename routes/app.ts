/** The HTTP application: the table of contents of the API. */

import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { customerEndpoint, customersEndpoint } from "./customers.ts";
import { dataEndpoints } from "./data.ts";
import { dataCheckEndpoint } from "./data_check.ts";
import { dataDecisionsEndpoints } from "./data_decisions.ts";
import { dataEventsEndpoint } from "./data_events.ts";
import { dataFilesEndpoints } from "./data_files.ts";
import { setAsideEndpoint } from "./data_set_aside.ts";
import { dashboardEndpoints } from "./dashboard.tsx";
import { dimensionsEndpoint } from "./dimensions.ts";
import { type Endpoint, validators } from "./endpoint.ts";
import { historyEndpoints } from "./history.ts";
import { interactionsEndpoints } from "./interactions.ts";
import { matrixEndpoint } from "./matrix.ts";
import { metricsEndpoints } from "./metrics.ts";
import { metricsEndpoint } from "./prometheus.ts";
import { createOpenApi } from "./openapi.ts";
import { opsEndpoints } from "./ops.ts";
import type { Peer } from "../access/client_address.ts";
import { refuseLongUrl, refuseSecret } from "./query_string.ts";
import type { Exchange } from "./exchange.ts";
import { createResponder, type Parts } from "./respond.ts";
import { statsEndpoint } from "./stats.ts";
import { tokensEndpoint } from "./tokens.ts";

/** Every endpoint, as /openapi.json describes it. */
export const endpoints = [
  matrixEndpoint,
  ...interactionsEndpoints,
  ...historyEndpoints,
  ...metricsEndpoints,
  customersEndpoint,
  customerEndpoint,
  dimensionsEndpoint,
  statsEndpoint,
  ...dataEndpoints,
  setAsideEndpoint,
  ...dataDecisionsEndpoints,
  ...dataFilesEndpoints,
  dataCheckEndpoint,
  dataEventsEndpoint,
  tokensEndpoint,
  ...opsEndpoints,
] as const;

/** Made once: it is the same for every application. */
const openApi = createOpenApi(endpoints);

/** The endpoints that pages ask for each visitor, the one that is asked most first. */
const PAGE_VIEWS = [
  ...interactionsEndpoints,
  ...historyEndpoints,
  customerEndpoint,
  matrixEndpoint,
] as const;

/** What Hono passes on with a request. */
interface Env {
  Bindings: Exchange;
}

/** The application as a Hono value; its users call `fetch` and `request`. */
export type App = Hono<Env>;

/** What the application is made of. */
export interface AppParts extends Parts {
  /** Whether ADMIN_PORT has `/metrics`, and this application has not. */
  readonly has_admin_port?: boolean;
}

/** Mounts every endpoint on Hono. */
export function createApp(parts: AppParts): App {
  const respond = createResponder(parts, PAGE_VIEWS);
  const app = new Hono<Env>();
  const { fetch } = app;
  const route = (exchange: Exchange) => fetch(exchange.request, exchange);
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      respond.methodNotAllowed(c.env, methods),
  }));
  app.use(async (c, next) => {
    refuseLongUrl(c.req.url);
    refuseSecret(c.req.url);
    await next();
  });
  const all: readonly Endpoint[] = [
    ...endpoints,
    openApi,
    ...parts.has_admin_port ? [] : [metricsEndpoint],
    ...dashboardEndpoints((request) => respond.handleWithin(request, route)),
  ];
  for (const endpoint of all) {
    app.on(
      endpoint.method.toUpperCase(),
      endpoint.path,
      async (c, next) => {
        await respond.admit(c.env, endpoint);
        await next();
      },
      ...validators(endpoint, { snapshotNow: () => parts.store.snapshot }),
      (c) => {
        const given = (target: string) => c.req.valid(target as never);
        return respond.answer(endpoint, {
          exchange: c.env,
          params: c.req.param(),
          query: given("query"),
          body: given("json"),
        });
      },
    );
  }
  app.notFound((c) => respond.notFound(c.env));
  app.onError((error, c) => respond.thrown(c.env, error));

  // Deno gives the other end of the connection, and `app.request` nothing.
  app.fetch = (request, peer) =>
    respond.handle(request, { route, peer: peer as Peer | undefined });
  return app;
}
