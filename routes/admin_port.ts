/** What ADMIN_PORT answers: `/metrics`, `/healthz` and `/readyz`, under every host and without a key. */

import type { Metrics } from "../db/model/metric.ts";
import type { App } from "./app.ts";
import { METRICS_TYPE } from "./prometheus.ts";

/** Answers a request to the port; `app` is asked for the state of the process. */
export function createAdminPort(
  app: Pick<App, "fetch">,
  metrics: Pick<Metrics, "text">,
): (request: Request) => Response | Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz" || pathname === "/readyz") {
      return app.fetch(request);
    }
    if (pathname !== "/metrics") {
      return Response.json({ error: "Not found" }, { status: 404 });
    }
    if (request.method !== "GET") {
      return Response.json({ error: "Method not allowed. Allowed: GET." }, {
        status: 405,
        headers: { Allow: "GET" },
      });
    }
    return new Response(await metrics.text(), {
      headers: { "Content-Type": METRICS_TYPE, "Cache-Control": "no-store" },
    });
  };
}
