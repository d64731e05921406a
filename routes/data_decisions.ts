/** `POST /api/v1/data/…`: the decisions of an administrator: refresh now, accept, discard, roll back. */

import { z } from "zod";
import { refreshStateSchema } from "../db/model/report.ts";
import { keyFailures } from "./access.ts";
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
  data_version: z.string(
    "Send the data_version that the decision is about, as JSON.",
  )
    .regex(/^[0-9a-f]{16}$/, "A data_version is 16 hex digits."),
});

const state = {
  description: "The state after the decision",
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
/** The answers to decisions about a version. */
const versionAnswers = {
  200: state,
  400: failure("The body is not JSON, or data_version is missing or wrong"),
  413: failure(`The body has more than ${MAX_BODY_BYTES} bytes`),
  ...keyFailures,
  409: failure(
    "The decision does not fit the state of the data; the text says what can be decided",
  ),
  503: failure(
    "STATE_DIR cannot be read now, or the server that decides has not answered yet",
  ),
  // Without it TypeScript takes the statuses of `keyFailures` for names that are text.
} as const;

/** The endpoints. */
export const dataDecisionsEndpoints = [
  endpoint({
    method: "post",
    access: "admin",
    path: "/api/v1/data/refresh",
    name: "refreshData",
    summary: "Check the files for changes now",
    description:
      "Files that failed before are loaded again. The refresh runs after the answer.",
    answers: { 202: state, ...keyFailures },
    answerNow({ store }) {
      store.refreshes.request();
      return stateOf(store, 202);
    },
  }),
  endpoint({
    method: "post",
    access: "admin",
    path: "/api/v1/data/accept",
    name: "acceptData",
    summary: "Serve the data that is held",
    description:
      "data_version is that of data.held in /api/v1/data, or data.discarded. The discarded version is built first, and then served without being held; the answer is 202.",
    body: versionSchema,
    answers: {
      ...versionAnswers,
      202: {
        ...state,
        description: "The discarded version is being built, and will be served",
      },
    },
    async answerNow({ store, body: { data_version } }) {
      await store.refreshes.accept(data_version);
      return stateOf(store, store.refreshes.state === "building" ? 202 : 200);
    },
  }),
  endpoint({
    method: "post",
    access: "admin",
    path: "/api/v1/data/discard",
    name: "discardData",
    summary: "Discard the data that is held",
    description: "Its files are not built again until they change.",
    body: versionSchema,
    answers: versionAnswers,
    async answerNow({ store, body: { data_version } }) {
      await store.refreshes.discard(data_version);
      return stateOf(store);
    },
  }),
  endpoint({
    method: "post",
    access: "admin",
    path: "/api/v1/data/rollback",
    name: "rollBackData",
    summary: "Go back to the version before",
    description:
      "data_version is the version that is served. It is discarded: its files are not built until they change. The version before it comes from STATE_DIR.",
    body: versionSchema,
    answers: versionAnswers,
    async answerNow({ store, body: { data_version } }) {
      await store.refreshes.rollback(data_version);
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
