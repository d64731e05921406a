/** `/healthz` and `/readyz`: whether the process lives, and whether it has data to serve. */

import { Hono } from "hono";
import { z } from "zod";
import type { Store } from "../db/store.ts";
import { type Endpoint, failure } from "./endpoint.ts";
import type { Failures } from "./middleware/errors.ts";

/** The endpoints. */
export const opsEndpoints = [
  {
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
  },
  {
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
  },
] as const satisfies readonly Endpoint[];

/** The routes. */
export function createOps(store: Store, { fail }: Failures) {
  return new Hono()
    .get(
      "/healthz",
      (c) => c.json({ status: "ok" }, 200, { "Cache-Control": "no-store" }),
    )
    .get("/readyz", (c) => {
      const { snapshot, problem, notice } = store;
      if (!snapshot) {
        return fail(
          c.req.raw,
          503,
          problem ?? "Not ready: the data is being loaded.",
        );
      }
      const { data_version, loaded_at } = snapshot;
      return c.json(
        {
          status: "ready",
          data_version,
          loaded_at,
          ...notice !== null && { notice },
        },
        200,
        { "Cache-Control": "no-store" },
      );
    });
}
