/** Exports whose names of channels, topics, types and occupations are hostile, with counts that are known. */

import { csv, type Files } from "./data_folder.ts";

/** Names that languages, spreadsheets and file systems treat in a way of their own. */
export const HOSTILE_NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "10",
  "-2",
  "total",
  "customer_id",
  "it's",
  '"quoted", with a comma',
  "=1+1",
  "@SUM(A1)",
  "+1;=2",
  "🛥️ boat",
  "ｆｕｌｌ",
  "שלום",
  "<b>&amp;",
  "%00%2e",
  "x".repeat(200),
];

/** The number of interactions of the name at a position: 1, 2 or 3. */
export function countOf(position: number): number {
  return position % 3 + 1;
}

/** The month of the interactions and the topic of the name at a position, as `YYYY-MM`. */
export function monthOf(position: number): string {
  return new Date(Date.UTC(2000, position)).toISOString().slice(0, 7);
}

/**
 * One customer, channel, topic, type and occupation for each name: customer 1 has the
 * first name as type and occupation, and all interactions on the channel of that name,
 * on the first of the month whose topic it is.
 */
export function hostileExports(names: readonly string[]): Files {
  return {
    "customers.csv": csv(
      ["Customer_Id", "Occupation", "Type"],
      ...names.map((name, i) => [`${i + 1}`, name, name]),
    ),
    "interactions.csv": csv(
      ["Date Start", "Interaction", "Customers"],
      ...names.flatMap((name, i) =>
        Array<string[]>(countOf(i)).fill([`${monthOf(i)}-01`, name, `${i + 1}`])
      ),
    ),
    "products.csv": csv(
      ["Date", "Product"],
      ...names.map((name, i) => [monthOf(i), name]),
    ),
  };
}
