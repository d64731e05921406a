/** What a request needs, by its endpoint and what it asks for, and the refusal of a caller who has less. */

import { HTTPException } from "hono/http-exception";
import {
  type Grant,
  type Need,
  NO_CUSTOMER,
  type Refusal,
  refusalOf,
} from "../access/grant.ts";
import { choosesByRecord } from "./attribute_params.ts";
import { type Described, failure, type SnapshotEndpoint } from "./endpoint.ts";

/** The failures of endpoints that always need a key. */
export const keyFailures = {
  401: failure("No key was sent, or it is not known, or it has expired"),
  403: failure(
    "The key does not have the scope, or administration is off; the text says which",
  ),
} as const;

/** Throws the refusal of a caller who has less than a request needs: a 401, 403 or 404. */
export function permit(caller: Grant, need: Need): void {
  refuse(refusalOf(caller, need));
}

/** Throws a refusal, if it is one. */
export function refuse(refusal: Refusal | null): void {
  if (!refusal) return;
  throw new HTTPException(refusal.status, { message: refusal.error });
}

/** The error for a customer who is not known. */
export function unknownCustomer(): HTTPException {
  return new HTTPException(NO_CUSTOMER.status, { message: NO_CUSTOMER.error });
}

/** What a request needs before its parameters are known. */
export function needOf({ access, scopes }: Asked): Need {
  const is_for_some = access === "customer" || access === "customers" ||
    access === "listen" || access === "embed";
  return { scopes, about: is_for_some ? "none" : "every" };
}

/** What a question to a snapshot needs; where one may choose a format, before that is known. */
export function questionNeed(
  { access, scopes, query: schema }: Pick<
    SnapshotEndpoint,
    "access" | "scopes" | "query"
  >,
  { params, query }: { readonly params: unknown; readonly query: unknown },
): Need {
  // Where an answer comes from is about the files, and so about all customers.
  const { explain } = query as { readonly explain?: string };
  if (explain !== undefined) return { scopes, about: "every" };
  switch (access) {
    case "customer": {
      const { customer_id } = params as { readonly customer_id: string };
      return { scopes, about: "one", customer_id };
    }
    case "customers": {
      const { customer_id } = query as { readonly customer_id?: string };
      // Which values a filter by records knows is about all customers.
      const is_named = customer_id !== undefined &&
        !(schema && choosesByRecord(query as object, schema));
      return { scopes, about: is_named ? "named" : "every" };
    }
    default:
      return { scopes, about: "every" };
  }
}

/** What a download needs: formats other than JSON have whole tables. */
export const DOWNLOAD: Need = { scopes: ["download"], about: "every" };

type Asked = Pick<Described, "access" | "scopes">;
