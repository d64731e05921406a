/** `POST /api/v1/tokens`: a token with which a web page reads one customer's data, for some minutes. */

import { z } from "zod";
import { customersShape } from "../db/model/customer_ids.ts";
import { keyFailures, permit } from "./access.ts";
import { mintedId, requireMintedId, shownId } from "./customer_ids.ts";
import { endpoint, failure, MAX_BODY_BYTES } from "./endpoint.ts";

const MOST_MINUTES = 60;
const INVALID_MINUTES =
  `minutes must be a whole number from 1 to ${MOST_MINUTES}.`;

const bodySchema = z.strictObject({
  customer_id: mintedId,
  minutes: z.int(INVALID_MINUTES).min(1, INVALID_MINUTES)
    .max(MOST_MINUTES, INVALID_MINUTES).default(5),
});

/** Why nobody gets one while there is no key file: respond.ts says it before it looks at keys. */
export const NO_KEY_FILE =
  "Tokens are signed with the secret of the key file. Set API_KEYS_FILE; deno task key create makes one.";

/** The endpoint. */
export const tokensEndpoint = endpoint({
  method: "post",
  access: "embed",
  path: "/api/v1/tokens",
  name: "mintToken",
  summary: "A token for one customer",
  description:
    "A signed token (JWT, HS256) that a page sends like a key, so that no page carries a key. It reads one customer's counts, timeline, topics and record as JSON, and hears of new versions; nothing else. It ends after minutes, 5 by default, or with the key that asked for it.",
  body: bodySchema,
  answers: {
    201: {
      description: "The token; no cache keeps it",
      schema: z.object({
        data: z.object({
          token: z.string(),
          customer_id: shownId,
          expires_at: z.iso.datetime(),
        }),
      }),
      example: {
        data: {
          token: "eyJ...",
          customer_id: 4,
          expires_at: "2024-05-01T10:05:00.000Z",
        },
      },
    },
    400: failure("The body is not JSON, or customer_id or minutes is wrong"),
    ...keyFailures,
    404: failure("The key is not for this customer"),
    409: failure("There is no key file"),
    413: failure(`The body has more than ${MAX_BODY_BYTES} bytes`),
  },
  async answerNow({ store: { snapshot }, caller, callers, body }) {
    const { minutes } = body;
    const ids = snapshot ? customersShape(snapshot.report).ids : undefined;
    const customer_id = requireMintedId(body.customer_id, ids);
    permit(caller, {
      scopes: ["embed"],
      about: "one",
      customer_id: String(customer_id),
    });
    const token = await callers.mint(caller, { customer_id, minutes });
    return {
      of: "moment",
      status: 201,
      json: { data: { ...token, customer_id } },
    };
  },
});
