/** Statements that show customers by texts or with names, made of those that show numbers alone. */

import type { CustomersShape } from "../model/customer_ids.ts";

const ID = "id as customer_id";
const OF_IDS = "join ids using (customer_id)";
const OF_NAMES =
  "left join (select customer_id, name from customers) using (customer_id)";

const NUMBER_BEGINS = "starts_with(customer_id::varchar, $prefix::varchar)";
const ID_BEGINS = `customer_id in (
        select customer_id from ids
        where starts_with(
          lower(upper(id)), lower(upper($beginning::varchar))))`;
// A hyphen begins a word as a space does.
const WORD_BEGINS = `customer_id in (
        select customer_id from customers
        where contains(
          ' ' || replace(lower(upper(name)), '-', ' '),
          ' ' || replace(lower(upper($beginning::varchar)), '-', ' ')))`;

/**
 * A statement of sql/queries/ whose last select begins with customer_id: with the id
 * as a text, and the name after it, where there are such. It searches for `$beginning`
 * too where it searches for `$prefix`.
 */
export function shownSql(
  text: string,
  { ids, names }: CustomersShape,
): string {
  const last = text.lastIndexOf("\nselect\n");
  const is_text = ids === "text";
  const shown = `${is_text ? ID : "customer_id"}${names ? ", name" : ""}`;
  const joined = [...is_text ? [OF_IDS] : [], ...names ? [OF_NAMES] : []]
    .map((join) => `\n${join}`).join("");
  const begins = [
    is_text ? ID_BEGINS : NUMBER_BEGINS,
    ...names ? [WORD_BEGINS] : [],
  ].join("\n      or ");
  return text.slice(0, last).replace(NUMBER_BEGINS, () => begins) +
    text.slice(last)
      .replace("customer_id", shown)
      .replace("\norder by", `${joined}$&`)
      // The text is sorted by its number, which is faster.
      .replace(/customer_id;\s*$/, is_text ? "ids.customer_id;\n" : "$&");
}

/** A statement whose one row begins with a customer_id, which is shown as a text. */
export function shownCountsSql(text: string): string {
  return `select ${ID}, counts.* exclude (customer_id)
from (
${withoutEnd(text)}
) as counts ${OF_IDS};
`;
}

/** The text of a statement as a part of another one. */
export function withoutEnd(text: string): string {
  return text.replace(/;\s*$/, "");
}
