/** `/healthz` and `/readyz`: whether the process lives, and whether it has data to serve. */

import { z } from "zod";
import { StoreError } from "../db/model/problems.ts";
import { endpoint, failure } from "./endpoint.ts";

/** Why there is no data while nothing is wrong. */
export const LOADING = "Not ready: the data is being loaded.";

/** The endpoints. */
export const opsEndpoints = [
  endpoint({
    path: "/healthz",
    summary: "Whether the process lives",
    description: "200 from the moment the socket opens, whatever the data.",
    answers: {
      200: {
        description: "It does",
        schema: z.object({ status: z.literal("ok") }),
        example: { status: "ok" },
      },
    },
    answerNow: () => ({ of: "moment", json: { status: "ok" } }),
  }),
  endpoint({
    path: "/readyz",
    summary: "Whether there is data to serve",
    description: "Tells why there is none, and what to do about it.",
    answers: {
      200: {
        description: "There is",
        schema: z.object({
          status: z.literal("ready"),
          data_version: z.string(),
          loaded_at: z.iso.datetime(),
          notice: z.string().optional(),
        }),
      },
      503: failure("None yet: loading, or why the files were refused"),
    },
    answerNow({ store: { snapshot, problem, notice } }) {
      if (!snapshot) throw new StoreError("unavailable", problem ?? LOADING);
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
