/** The parameters that depend on the data: a filter for each attribute of customers that tally.toml names. */

import { z } from "zod";
import {
  isAttribute,
  NAMED_DIMENSIONS,
  ofCustomers,
} from "../db/model/dimensions.ts";
import type { Snapshot } from "../db/store.ts";
import { badRequest } from "./query_string.ts";

/** What of a snapshot the parameters depend on. */
type Named = Pick<Snapshot, "dimensions">;

/** The dimensions of customers that every snapshot has. */
const OF_CUSTOMERS = ofCustomers(NAMED_DIMENSIONS);

/** Whether an endpoint with these parameters chooses customers by their records. */
function takesAttributes({ shape }: z.ZodObject): boolean {
  return OF_CUSTOMERS.every(({ name }) => name in shape);
}

/** Whether a query has a filter by the records of customers. */
export function choosesByRecord(
  query: object,
  { shape }: Pick<z.ZodObject, "shape">,
): boolean {
  return Object.keys(query).some((name) =>
    OF_CUSTOMERS.some((one) => one.name === name) ||
    !Object.hasOwn(shape, name)
  );
}

/** By schema, that with the parameters of a list of attributes. */
const extended = new WeakMap<z.ZodObject, Map<string, z.ZodObject>>();

/** The schema of a query string with a parameter for each attribute of the snapshot. */
export function withAttributes(
  schema: z.ZodObject,
  snapshot: Named | null,
): z.ZodObject {
  if (!takesAttributes(schema)) return schema;
  const names = attributesIn(snapshot);
  if (names.length === 0) return schema;
  const key = names.join();
  const known = extended.get(schema) ?? new Map<string, z.ZodObject>();
  extended.set(schema, known);
  const schema_of_names = known.get(key) ?? schema.safeExtend(
    Object.fromEntries(names.map((name) => [name, attributeParam(name)])),
  );
  known.set(key, schema_of_names);
  return schema_of_names;
}

/** Throws a 400 where a query that was checked for one snapshot names what another one has not. */
export function requireKnown(
  query: unknown,
  { schema, snapshot }: {
    readonly schema: z.ZodObject | undefined;
    readonly snapshot: Named;
  },
): void {
  if (!schema || !takesAttributes(schema)) return;
  for (const name in query as object) {
    if (Object.hasOwn(schema.shape, name)) continue;
    if (attributesIn(snapshot).includes(name)) continue;
    throw badRequest(new z.ZodError([]), {
      schema: withAttributes(schema, snapshot),
      given: query,
    });
  }
}

/** The filter by an attribute. */
export function attributeParam(name: string) {
  return z.string().optional().meta({
    description:
      `Values of ${name}, of customers, separated by commas, ignoring case; a name with a comma in double quotes; null selects those without one`,
  });
}

function attributesIn(snapshot: Named | null): string[] {
  return snapshot?.dimensions.filter(isAttribute).map(({ name }) => name) ?? [];
}
