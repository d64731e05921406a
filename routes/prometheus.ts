/** `/metrics`: the numbers of the process for Prometheus. */

import { z } from "zod";
import { permit } from "./access.ts";
import { endpoint } from "./endpoint.ts";

/** The media type of the text format. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The endpoint where there is no ADMIN_PORT. Anyone may read it while there is no key; then the administrator. */
export const metricsEndpoint = endpoint({
  access: "optional_admin",
  path: "/metrics",
  name: "getProcessMetrics",
  summary: "Numbers of the process",
  description: "In the text format of Prometheus.",
  answers: {
    200: {
      description: "The numbers",
      schema: z.string(),
      content_type: METRICS_TYPE,
    },
  },
  async answerNow({ caller, callers, metrics }) {
    if (callers.has_admin || !callers.is_open) {
      permit(caller, { scopes: ["admin"], about: "none" });
    }
    return {
      of: "stream",
      media_type: METRICS_TYPE,
      body: await metrics.text(),
    };
  },
});
