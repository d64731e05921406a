/** `POST /api/v1/data/…`: what an administrator decides: look now, accept, discard, roll back. */

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { Store } from "../db/store.ts";
import { EXAMPLE_META } from "./answer.ts";
import { metaOf, metaSchema, NO_STORE, stateSchema } from "./data.ts";
import { type Endpoint, failure, validated } from "./endpoint.ts";
import { type Auth, authFailures } from "./middleware/auth.ts";

const versionSchema = z.strictObject({
  data_version: z.string(
    "Send the data_version that the decision is about, as JSON.",
  )
    .regex(/^[0-9a-f]{16}$/, "A data_version is 16 hex digits."),
});

/** Most bytes of a decision's body; one has some 40. */
const MAX_BODY_BYTES = 1_024;

const state = {
  description: "The state after that",
  schema: z.object({
    data: z.object({
      state: stateSchema,
      data_version: z.string().nullable(),
    }),
    meta: metaSchema,
  }),
  example: {
    data: { state: "serving", data_version: EXAMPLE_META.data_version },
    meta: EXAMPLE_META,
  },
};
const conflict = failure("It does not go with the state the data is in");
/** Of the decisions about a version. */
const heldAnswers = {
  200: state,
  400: failure("No data_version"),
  413: failure(`The body has more than ${MAX_BODY_BYTES} bytes`),
  ...authFailures,
  409: conflict,
};

/** The endpoints. */
export const dataDecisionsEndpoints = [
  {
    method: "post",
    admin: "required",
    path: "/api/v1/data/refresh",
    summary: "Look at the files now",
    description:
      "Also builds again what failed before. The refresh goes on after the answer.",
    answers: { 202: state, ...authFailures },
  },
  {
    method: "post",
    admin: "required",
    path: "/api/v1/data/accept",
    summary: "Serve the data that is held",
    description:
      "data_version is that of data.held in /api/v1/data; or data.discarded, which is built first: 202, and served without being held.",
    body: versionSchema,
    answers: {
      ...heldAnswers,
      202: { ...state, description: "It is being built, and served then" },
    },
  },
  {
    method: "post",
    admin: "required",
    path: "/api/v1/data/discard",
    summary: "Discard the data that is held",
    description: "Its files are not built again until they change.",
    body: versionSchema,
    answers: heldAnswers,
  },
  {
    method: "post",
    admin: "required",
    path: "/api/v1/data/rollback",
    summary: "Serve the data before that which is served",
    description:
      "data_version is that which is served, and is discarded: its files are not built until they change. The data before it comes from STATE_DIR.",
    body: versionSchema,
    answers: heldAnswers,
  },
] as const satisfies readonly Endpoint[];

/** The routes. */
export function createDataDecisions(store: Store, { requireAdmin }: Auth) {
  const { refreshes } = store;
  const [refresh, accept, discard, rollback] = dataDecisionsEndpoints;
  const answer = () => ({
    data: {
      state: refreshes.state,
      data_version: store.snapshot?.data_version ?? null,
    },
    meta: metaOf(store.snapshot),
  });
  const limitBody = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError() {
      throw new HTTPException(413, {
        message: `The body has more than ${MAX_BODY_BYTES} bytes.`,
      });
    },
  });
  const aboutVersion = [
    requireAdmin,
    limitBody,
    validated("json", versionSchema),
  ] as const;
  return new Hono()
    .post(refresh.path, requireAdmin, (c) => {
      refreshes.request();
      return c.json(answer(), 202, NO_STORE);
    })
    .post(accept.path, ...aboutVersion, async (c) => {
      await refreshes.accept(c.req.valid("json").data_version);
      const status = refreshes.state === "building" ? 202 : 200;
      return c.json(answer(), status, NO_STORE);
    })
    .post(discard.path, ...aboutVersion, async (c) => {
      await refreshes.discard(c.req.valid("json").data_version);
      return c.json(answer(), 200, NO_STORE);
    })
    .post(rollback.path, ...aboutVersion, async (c) => {
      await refreshes.rollback(c.req.valid("json").data_version);
      return c.json(answer(), 200, NO_STORE);
    });
}
