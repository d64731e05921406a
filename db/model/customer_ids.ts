/** What a customer_id is: a whole number or a text, as the mapping of the exports says. */

import type { LoadReport } from "./report.ts";

/** A customer_id as requests and answers have it. */
export type CustomerId = number | string;

/** What a customer_id is, and whether customers have names. */
export type CustomersShape = Pick<
  NonNullable<LoadReport["mapping"]>,
  "ids" | "names"
>;

const BUILT_IN: CustomersShape = { ids: "integer", names: false };

/** What a customer_id of these exports is; without a mapping a whole number. */
export function customersShape(
  { mapping = BUILT_IN }: { readonly mapping?: CustomersShape | undefined },
): CustomersShape {
  return mapping;
}

/** Characters of a text that is a customer_id, at most. */
export const MAX_ID_LENGTH = 128;

const INTEGER_ID = /^[1-9][0-9]{0,15}$/;
/** A whole number with so many digits is below 2^53. */
export const SAFE_DIGITS = 15;
// A dot or two would be a step in the path of a URL.
const TEXT_ID = RegExp(`^(?!\\.\\.?$)\\P{Cc}{1,${MAX_ID_LENGTH}}$`, "u");

/** Whether a text is written as a customer_id of this kind. */
export function isCustomerId(
  text: string,
  ids: CustomersShape["ids"],
): boolean {
  return ids === "integer"
    ? INTEGER_ID.test(text) &&
      (text.length <= SAFE_DIGITS || Number.isSafeInteger(Number(text)))
    : TEXT_ID.test(text) && text.isWellFormed();
}
