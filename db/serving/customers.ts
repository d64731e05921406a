/** Translates between the ids by which requests and answers name customers, and the numbers that questions have. */

import type { CustomersShape } from "../model/customer_ids.ts";
import type { Customers } from "../store.ts";
import type { TextColumn } from "./text_column.ts";

/** A number that no customer has. */
const NO_CUSTOMER = -1;

/** The customers of a snapshot; `texts` are the ids of the numbers from 1, null where ids are numbers. */
export async function createCustomers(
  { ids, names }: CustomersShape,
  texts: TextColumn | null,
): Promise<Customers> {
  if (!texts) {
    return { ids, names, numberOf: Number, idOf: (number) => number };
  }
  const find = await texts.createFinder();
  return {
    ids,
    names,
    numberOf(id) {
      const place = find(String(id));
      return place < 0 ? NO_CUSTOMER : place + 1;
    },
    idOf: (number) => texts.textAt(number - 1),
  };
}
