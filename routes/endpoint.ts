/** What an endpoint is: its schemas validate the request and describe it in /openapi.json. */

import { zValidator } from "@hono/zod-validator";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";

/** An endpoint as the API documents it. */
export interface Endpoint {
  /** `get` where it is left out. */
  readonly method?: "post" | "put" | "delete";
  /** Path in Hono's form, such as `/api/v1/interactions/:customer_id`. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** The JSON it takes. */
  readonly body?: z.ZodObject;
  /** Whether it needs the administrator's key, or tells more to who has it. */
  readonly admin?: "required" | "optional";
  /** The body of each status it answers with. */
  readonly answers: Readonly<Record<number, Answer>>;
}

/** One status of an endpoint. */
export interface Answer {
  readonly description: string;
  readonly schema: z.ZodType;
  /** `application/json` where it is left out. */
  readonly content_type?: string;
  readonly example?: unknown;
}

const failureSchema = z.object({ error: z.string() });

/** The answer of a failure. */
export function failure(description: string) {
  return { description, schema: failureSchema } satisfies Answer;
}

/**
 * The schema of a query string with these parameters, each at most once. Any
 * other is refused: a misspelt filter would give a confident wrong number.
 */
export function querySchema<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape);
}

/** The schema of a query string that has no parameter. */
export const NO_QUERY = querySchema({});

/**
 * The query string as zod-validator has it: a parameter given twice is the list
 * of its values. Written out for the hottest route: a general reader made it
 * answer a tenth fewer filtered questions.
 */
function queryOf(url: string): Record<string, string | string[]> {
  const start = url.indexOf("?") + 1;
  if (start === 0) return {};
  // What is encoded, and the one name that an object has not for itself.
  if (/[%+]|__proto__/.test(url)) return decodedQueryOf(url.slice(start));
  const query: Record<string, string | string[]> = {};
  for (let at = start; at < url.length;) {
    const next = url.indexOf("&", at);
    const end = next < 0 ? url.length : next;
    const equals = url.indexOf("=", at);
    const name_end = equals < 0 || equals > end ? end : equals;
    add(query, url.slice(at, name_end), url.slice(name_end + 1, end));
    at = end + 1;
  }
  return query;
}

function decodedQueryOf(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    add(query, name, value);
  }
  return query;
}

function add(
  query: Record<string, string | string[]>,
  name: string,
  value: string,
): void {
  query[name] = Object.hasOwn(query, name)
    ? [query[name], value].flat()
    : value;
}

/** Checks a query string, or throws a 400 that tells what is wrong first. */
export function parseQuery<Schema extends z.ZodObject>(
  schema: Schema,
  url: string,
): z.output<Schema> {
  const query = queryOf(url);
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  throw badRequest(schema, query, result.error);
}

/** Checks one value, or throws a 400 that tells what is wrong first. */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new HTTPException(400, { message: result.error.issues[0].message });
}

/** A validator of `target`, for routes that need not be the fastest. */
export function validated<
  Target extends "param" | "query" | "json",
  Schema extends z.ZodObject,
>(target: Target, schema: Schema) {
  return zValidator(target, schema, (result) => {
    if (result.success) return;
    const what = target === "json" ? "field" : "query parameter";
    throw badRequest(schema, result.data, result.error, what);
  });
}

function badRequest(
  { shape }: z.ZodObject,
  value: unknown,
  { issues }: z.core.$ZodError,
  what = "query parameter",
): HTTPException {
  const given = typeof value === "object" && value !== null ? value : {};
  const wrong = Object.entries(given)
    .find(([name, text]) => !Object.hasOwn(shape, name) || Array.isArray(text));
  if (!wrong) return new HTTPException(400, { message: issues[0].message });
  const [name] = wrong;
  const problem = Object.hasOwn(shape, name) ? "Repeated" : "Unknown";
  const allowed = Object.keys(shape).join(", ") || "none";
  return new HTTPException(400, {
    message: `${problem} ${what} ${JSON.stringify(name.slice(0, 60))}. ` +
      `Allowed, once each: ${allowed}.`,
  });
}
