/** `POST /api/v1/data/…`: what an administrator decides: look now, accept, discard, roll back. */

import { z } from "zod";
import { refreshStateSchema } from "../db/model/report.ts";
import { accessFailures } from "./access.ts";
import { EXAMPLE_META } from "./answer.ts";
import { metaOf, metaSchema } from "./data.ts";
import {
  endpoint,
  failure,
  MAX_BODY_BYTES,
  type MomentReply,
  type StoreNow,
} from "./endpoint.ts";

const versionSchema = z.strictObject({
  data_version: z.string("Send the data_version that is held, as JSON.")
    .regex(/^[0-9a-f]{16}$/, "A data_version is 16 hex digits."),
});

const state = {
  description: "The state after that",
  schema: z.object({
    data: z.object({
      state: refreshStateSchema,
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
/** Of the decisions about data that is held. */
const heldAnswers = {
  200: state,
  400: failure("No data_version"),
  413: failure(`The body has more than ${MAX_BODY_BYTES} bytes`),
  ...accessFailures,
  409: conflict,
};

/** The endpoints. */
export const dataDecisionsEndpoints = [
  endpoint({
    method: "post",
    access: { scope: "admin" },
    path: "/api/v1/data/refresh",
    summary: "Look at the files now",
    description:
      "Also builds again what failed before. The refresh goes on after the answer.",
    answers: { 202: state, ...accessFailures },
    answerNow({ store }) {
      store.refreshes.request();
      return stateOf(store, 202);
    },
  }),
  endpoint({
    method: "post",
    access: { scope: "admin" },
    path: "/api/v1/data/accept",
    summary: "Serve the data that is held",
    description: "data_version is that of data.held in /api/v1/data.",
    body: versionSchema,
    answers: heldAnswers,
    async answerNow({ store, body: { data_version } }) {
      await store.refreshes.accept(data_version);
      return stateOf(store);
    },
  }),
  endpoint({
    method: "post",
    access: { scope: "admin" },
    path: "/api/v1/data/discard",
    summary: "Discard the data that is held",
    description: "Its files are not built again until they change.",
    body: versionSchema,
    answers: heldAnswers,
    async answerNow({ store, body: { data_version } }) {
      await store.refreshes.discard(data_version);
      return stateOf(store);
    },
  }),
  endpoint({
    method: "post",
    access: { scope: "admin" },
    path: "/api/v1/data/rollback",
    summary: "Serve the data before that which is served",
    description:
      "Out of STATE_DIR. The files that led away from it are not built again until they change.",
    answers: { 200: state, ...accessFailures, 409: conflict },
    async answerNow({ store }) {
      await store.refreshes.rollback();
      return stateOf(store);
    },
  }),
] as const;

function stateOf(
  { refreshes: { state }, snapshot }: StoreNow,
  status: 200 | 202 = 200,
): MomentReply {
  const meta = metaOf(snapshot);
  const { data_version } = meta;
  return {
    of: "moment",
    status,
    json: { data: { state, data_version }, meta },
  };
}
