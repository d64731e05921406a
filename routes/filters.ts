/** Filters of the endpoints: their parameters, and their values in a snapshot. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { listElement, splitElements } from "../db/model/comma_list.ts";
import {
  type Dimension,
  NAMED_DIMENSIONS,
  type NamedDimension,
} from "../db/model/dimensions.ts";
import type { CustomerId } from "../db/model/customer_ids.ts";
import type { Filter } from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import type { Asked } from "./endpoint.ts";

/** The number of known names that an error lists, and of their characters. */
const NAMES_LISTED = 20;
const CHARACTERS_LISTED = 2_000;
/** The number of characters of the given value that an error repeats. */
const QUOTED_LENGTH = 60;

function day(name: string, meaning: string) {
  return z.iso.date(`Invalid ${name} format. Use YYYY-MM-DD.`).optional()
    .meta({ description: meaning });
}

/** The number of rows of a page: by default, and at most. */
export const PAGE_ROWS = { fallback: 100, most: 10_000 };

const INVALID_LIMIT =
  `limit must be a whole number from 1 to ${PAGE_ROWS.most}.`;

/** The parameters of a list that has pages. */
export const pageShape = {
  limit: z.string()
    .regex(/^[1-9][0-9]{0,4}$/, INVALID_LIMIT)
    .transform(Number)
    .refine((rows) => rows <= PAGE_ROWS.most, INVALID_LIMIT)
    .optional().meta({
      description:
        `Rows of a page, 1 to ${PAGE_ROWS.most}; default ${PAGE_ROWS.fallback}`,
      number: { type: "integer", minimum: 1, maximum: PAGE_ROWS.most },
    }),
  cursor: z.string().optional().meta({
    description: "meta.next of the page before",
  }),
};

/** The parameters of a period. */
export const periodShape = {
  start_date: day("start_date", "First day, included"),
  end_date: day("end_date", "Last day, whole and included"),
};

/** Whether the period of a query does not end before it starts. */
export function isPeriod(
  { start_date, end_date }: { start_date?: string; end_date?: string },
): boolean {
  return !start_date || !end_date || start_date <= end_date;
}

/** The error when `isPeriod` is false. */
export const NO_PERIOD = "start_date cannot be later than end_date.";

function list(name: NamedParameter, meaning: string) {
  const { has_none } = NAMED_DIMENSIONS.find((one) => one.name === name)!;
  return z.string().optional().meta({
    description: `${meaning}, separated by commas, ignoring case; ` +
      `a name with a comma in double quotes${
        has_none ? "; null selects those without one" : ""
      }`,
  });
}

/** The names of the dimensions that every snapshot has. */
type NamedParameter = typeof NAMED_DIMENSIONS[number]["name"];

/** The parameters that are lists of names, in every snapshot. */
export const namesShape = {
  topic: list("topic", "Topics, by the month's product"),
  channel: list("channel", "Channels"),
  type: list("type", "Types of customers"),
  occupation: list("occupation", "Occupations of customers"),
} satisfies Record<NamedParameter, unknown>;

/** The names given, each of which a snapshot must know. */
type Given = {
  readonly [name in keyof typeof periodShape | NamedParameter]?: string;
};

/** A snapshot, and the only customers that the caller may see; null for all. */
type Seen = Pick<Asked, "snapshot" | "visible">;

/** Turns the parameters of a query into a filter for a snapshot. Throws a 400 for an unknown name. */
export function filterOf(seen: Seen, given: Given): Filter {
  const { snapshot } = seen;
  const { start_date, end_date } = given;
  const filter: Record<string, string | (string | null)[]> = {};
  if (start_date !== undefined) filter.start_date = start_date;
  if (end_date !== undefined) filter.end_date = end_date;
  for (const { name, plural } of snapshot.dimensions) {
    const text = given[name as keyof Given];
    if (text === undefined) continue;
    filter[plural] = namesOf(seen, { dimension: name, text });
  }
  return filter as Filter;
}

/** A filter as `explain` shows it: with the ids that are asked for. */
export interface ShownFilter {
  readonly customer_ids?: readonly CustomerId[];
  readonly [name: string]:
    | string
    | readonly (CustomerId | string | null)[]
    | undefined;
}

/** The known names of a dimension, in code-point order; throws a 400 where they are free text. */
export function requireNames(
  { names, dimensions }: Snapshot,
  dimension: Dimension,
): readonly string[] {
  const known = names[dimension];
  if (known) return known;
  const { plural } = namedOf({ dimensions }, dimension);
  throw new HTTPException(400, {
    message:
      `The data has too many different ${plural} to filter or group by them.`,
  });
}

/** The description of the dimension with this name. */
function namedOf(
  { dimensions }: Pick<Snapshot, "dimensions">,
  dimension: Dimension,
): NamedDimension {
  return dimensions.find(({ name }) => name === dimension)!;
}

/** A name as it is shown, ignoring case; undefined when there is none. */
export function findName(
  snapshot: Snapshot,
  { dimension, name }: {
    readonly dimension: Dimension;
    readonly name: string;
  },
): string | undefined {
  const position = snapshot.positionOf(dimension, name);
  return position === undefined
    ? undefined
    : snapshot.names[dimension]?.[position];
}

/** The error for a value that is not known, with those that are known; null where they are not for the caller. */
export function unknown(
  what: string,
  { value, values }: {
    readonly value: string;
    readonly values: readonly string[] | null;
  },
): HTTPException {
  const message = `Unknown ${what} ${
    JSON.stringify(value.slice(0, QUOTED_LENGTH))
  }.`;
  if (!values) return new HTTPException(400, { message });
  const listed: string[] = [];
  let characters = 0;
  for (const name of values.slice(0, NAMES_LISTED)) {
    characters += name.length;
    if (characters > CHARACTERS_LISTED) break;
    listed.push(name);
  }
  const more = values.length - listed.length;
  const known = [
    ...listed.length > 0 ? [listed.join(", ")] : [],
    ...more > 0 ? [`${more} more`] : [],
  ].join(" and ") || "none";
  return new HTTPException(400, { message: `${message} Known: ${known}.` });
}

/**
 * The names that a parameter gives: one name, or else a comma list; each once and in
 * code-point order, so that equal questions have equal texts. Throws a 400 for an
 * unknown one.
 */
export function namesOf(
  { snapshot, visible }: Seen,
  { dimension, text }: {
    readonly dimension: Dimension;
    readonly text: string;
  },
): (string | null)[] {
  const known = requireNames(snapshot, dimension);
  const position = snapshot.positionOf(dimension, text);
  if (position !== undefined) return [known[position]];
  const positions = splitList(dimension, text).map((name) => {
    const found = snapshot.positionOf(dimension, name);
    if (found !== undefined) return found;
    // No name is `null`: in every file such a cell means no value.
    const { has_none } = namedOf(snapshot, dimension);
    if (has_none && name.trim().toLowerCase() === "null") return known.length;
    // Written as in a list, so that one can be copied from the text. What all
    // customers have is not for those who see some.
    const values = visible ? null : known.map(listElement);
    throw unknown(dimension, { value: name, values });
  });
  return [...new Set(positions)].sort((a, b) => a - b)
    .map((position) => known[position] ?? null);
}

/** The elements of a comma list; one with a comma or quote is in double quotes. */
export function splitList(parameter: string, text: string): string[] {
  const elements = splitElements(text);
  if (elements) return elements;
  throw new HTTPException(400, {
    message: `Invalid ${parameter} list ${
      JSON.stringify(text.slice(0, QUOTED_LENGTH))
    }. Use names split by commas; quote one that has a comma.`,
  });
}

/**
 * The normalised text of a question, in characters that an ETag may have: `of`, then
 * the parts that are given; values are encoded, and lists are joined by `|`.
 */
export function questionText(
  of: string,
  parts: Readonly<Record<string, Part>>,
): string {
  let text = `${of}?`;
  let before = "";
  for (const name in parts) {
    const value = parts[name];
    if (value === undefined) continue;
    text += `${before}${name}=${
      Array.isArray(value)
        ? value.map(encoded).join("|")
        : encoded(value as One)
    }`;
    before = "&";
  }
  return text;
}

function encoded(value: One): string {
  return typeof value === "number"
    ? `${value}`
    : encodeURIComponent(`${value}`);
}

type One = string | number | null;
type Part = One | readonly One[] | undefined;
