/** `/healthz` and `/readyz`: whether the process lives, and whether it has data to serve. */

import { z } from "zod";
import type { Callers } from "../access/callers.ts";
import { StoreError } from "../db/model/problems.ts";
import { endpoint, failure } from "./endpoint.ts";

/** The reason for missing data while a load runs. */
export const LOADING = "Not ready: the data is being loaded.";
const STOPPING = "Not ready: the process is stopping.";

const UNREADY =
  "Not ready: the data cannot be served. The administrator's key shows the reason.";
const NOTICE =
  "Something needs attention. The administrator's key shows what it is.";

function keysNotice({ problem }: Callers): string | null {
  return problem === null
    ? null
    : `API_KEYS_FILE cannot be used: ${problem}. The keys of before are used.`;
}

/** The endpoints. */
export const opsEndpoints = [
  endpoint({
    access: "public",
    path: "/healthz",
    name: "getHealth",
    summary: "Whether the process lives",
    description: "200 from the moment the socket opens, with or without data.",
    answers: {
      200: {
        description: "The process lives",
        schema: z.object({ status: z.literal("ok") }),
        example: { status: "ok" },
      },
    },
    answerNow: () => ({ of: "moment", json: { status: "ok" } }),
  }),
  endpoint({
    access: "public",
    path: "/readyz",
    name: "getReadiness",
    summary: "Whether there is data to serve",
    description:
      "From the moment the process is to stop it is 503, while everything else is still answered. Without data, the error has the reason and the remedy. Where reading needs a key, only the administrator gets these and the notice in words.",
    answers: {
      200: {
        description: "Data is served",
        schema: z.object({
          status: z.literal("ready"),
          data_version: z.string(),
          loaded_at: z.iso.datetime(),
          notice: z.string().optional(),
        }),
      },
      503: failure(
        "No data is served: it is being loaded, or the files were refused; or the process is stopping",
      ),
    },
    answerNow({ store, caller, callers, ending, pressure }) {
      if (ending.draining.aborted) {
        throw new StoreError("unavailable", STOPPING);
      }
      const { snapshot } = store;
      // Both may have paths, file names and values.
      const may_know = callers.is_open || caller.scopes.has("admin");
      if (!snapshot) {
        const problem = may_know ? store.problem : store.problem && UNREADY;
        throw new StoreError("unavailable", problem ?? LOADING);
      }
      const notices = [store.notice, keysNotice(callers), pressure.notice]
        .filter((one) => one !== null);
      const notice = notices.length === 0
        ? null
        : may_know
        ? notices.join(" ")
        : NOTICE;
      const { data_version, loaded_at } = snapshot;
      return {
        of: "moment",
        json: {
          status: "ready",
          data_version,
          loaded_at,
          ...notice !== null && { notice },
        },
      };
    },
  }),
] as const;
