/** The names that tally.toml may give to attributes of customers. */

import { NAMED_DIMENSIONS } from "../model/dimensions.ts";

/** The largest number of attributes. */
export const MAX_ATTRIBUTES = 8;

/** The names of parameters, of columns of answers and of what every object has, of which an attribute has none. */
export const TAKEN_NAMES: ReadonlySet<string> = new Set([
  ...NAMED_DIMENSIONS.flatMap(({ name, plural }) => [name, plural]),
  ..."customer customers customer_id customer_ids name id".split(" "),
  ..."day week month quarter year weekday period interval".split(" "),
  ..."start_date end_date compare previous change by pivot".split(" "),
  ..."q sort limit cursor format bom explain data_version".split(" "),
  ..."interactions total known_from first_contact last_contact".split(" "),
  ..."date_range attributes table file line column reason rows row".split(" "),
  // Every object has them: a filter without `constructor` would have one.
  ...Object.getOwnPropertyNames(Object.prototype),
]);

/** Why an attribute cannot have this name; undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(name)) {
    return "must be a letter and at most 30 letters, digits and underscores, all in lower case";
  }
  return TAKEN_NAMES.has(name)
    ? "is a name that Tally uses itself; choose another"
    : undefined;
}
