/** `/healthz` and `/readyz`: whether the process lives, and whether it has data to serve. */

import { z } from "zod";
import { StoreError } from "../db/model/problems.ts";
import { endpoint, failure } from "./endpoint.ts";

/** The reason for missing data while a load runs. */
export const LOADING = "Not ready: the data is being loaded.";

/** The endpoints. */
export const opsEndpoints = [
  endpoint({
    path: "/healthz",
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
    path: "/readyz",
    summary: "Whether there is data to serve",
    description: "Without data, the error has the reason and the remedy.",
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
        "No data is served: it is being loaded, or the files were refused",
      ),
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
