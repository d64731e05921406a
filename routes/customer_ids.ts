/** The customer_ids of requests: in paths, in lists and in bodies. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { byCodePoint } from "../db/model/code_points.ts";
import { splitElements } from "../db/model/comma_list.ts";
import {
  type CustomerId,
  type CustomersShape,
  isCustomerId,
  MAX_ID_LENGTH,
  SAFE_DIGITS,
} from "../db/model/customer_ids.ts";
import type { Snapshot } from "../db/store.ts";
import { pathStart } from "./query_string.ts";

/** The largest number of customers in a list. */
const MAX_CUSTOMER_IDS = 100;
/** The place of a customer_id in the path of an endpoint. */
const SEGMENT = ":customer_id";

const { MAX_SAFE_INTEGER } = Number;
/** A text that is an id, as JSON Schema. */
const TEXT = { type: "string", minLength: 1, maxLength: MAX_ID_LENGTH };

// Of by_ids and only_names, /openapi.json has what the served data has.

/** A customer_id in an answer. */
export const shownId = z.union([z.int(), z.string()]).meta({
  by_ids: {
    integer: {
      type: "integer",
      minimum: -MAX_SAFE_INTEGER,
      maximum: MAX_SAFE_INTEGER,
    },
    text: TEXT,
  },
});

/** A customer_id in a path; whether it can be one, the served data says. */
const pathId = z.string().meta({
  by_ids: {
    integer: {
      description: "1 to 2^53-1",
      type: "integer",
      minimum: 1,
      maximum: MAX_SAFE_INTEGER,
    },
    text: {
      description:
        "Percent-encoded as one segment, a slash too; compared exactly, in Unicode NFC",
      ...TEXT,
    },
  },
});

/** The parameters of a path that names a customer. */
export const customerParams = z.object({ customer_id: pathId });

/** The name of a customer; absent where the data has no names. */
export const shownName = z.string().nullable().optional()
  .meta({ only_names: true });

const INVALID_MINTED = "customer_id must be a whole number from 1 to 2^53-1.";

/** A customer_id in a body. */
export const mintedId = z.union(
  [z.int(INVALID_MINTED).min(1, INVALID_MINTED), z.string()],
  INVALID_MINTED,
).meta({
  by_ids: {
    integer: { type: "integer", minimum: 1, maximum: MAX_SAFE_INTEGER },
    text: TEXT,
  },
});

/** The id of a body, in its one form; throws a 400. While nothing is served, `ids` is not known. */
export function requireMintedId(
  given: CustomerId,
  ids: CustomersShape["ids"] | undefined,
): CustomerId {
  const is_number = typeof given === "number";
  if (ids === "integer" && !is_number) {
    throw new HTTPException(400, { message: INVALID_MINTED });
  }
  const id = is_number ? given : given.normalize("NFC");
  if (ids === "text" && is_number || !isCustomerId(String(id), "text")) {
    throw new HTTPException(400, {
      message:
        `customer_id must be a text of 1 to ${MAX_ID_LENGTH} characters of Unicode, no control characters, and not "." or "..".`,
    });
  }
  return id;
}

/** A customer that a request names. */
export interface NamedCustomer {
  /** The number by which questions name it. */
  readonly number: number;
  /** The id as answers show it. */
  readonly id: CustomerId;
  /** The id in characters that an ETag and the name of a file may have. */
  readonly encoded: string;
}

/** The customer with an id that was checked. */
export function namedCustomer(
  { customers }: Snapshot,
  text: string,
): NamedCustomer {
  const number = customers.numberOf(text);
  return customers.ids === "integer"
    ? { number, id: number, encoded: text }
    : { number, id: text, encoded: encodeURIComponent(text) };
}

/** The customer_id that a segment of a path has; undefined where it cannot be one. */
export function idInSegment(
  segment: string,
  ids: CustomersShape["ids"],
): string | undefined {
  const text = segment.includes("%") ? decoded(segment) : segment;
  if (text === undefined) return undefined;
  const id = ids === "integer" ? text : text.normalize("NFC");
  return isCustomerId(id, ids) ? id : undefined;
}

/** The same of a URL for an endpoint with this path; undefined where its path has none. Throws a 400. */
export function requireIdInPath(
  path: string,
  { url, ids }: { readonly url: string; readonly ids: CustomersShape["ids"] },
): string | undefined {
  const position = path.split("/").indexOf(SEGMENT);
  if (position < 0) return undefined;
  const [given] = url.slice(pathStart(url)).split(/[?#]/);
  const id = idInSegment(given.split("/")[position], ids);
  if (id === undefined) throw invalidId();
  return id;
}

/**
 * The customers of a comma list in order, each once; throws a 400. A list that is an
 * id as a whole is that one, if the caller may see it.
 */
export function customerIdsOf(
  { customers }: Snapshot,
  { text, visible }: {
    readonly text: string;
    readonly visible: ReadonlySet<string> | null;
  },
): CustomerId[] {
  if (customers.ids === "integer") {
    return inOrder(few(plainNumbers(text) ?? numbersIn(text)));
  }
  const whole = text.normalize("NFC");
  const is_one = customers.numberOf(whole) >= 0 &&
    visible?.has(whole) !== false;
  const ids = is_one ? [whole] : splitElements(whole);
  if (!ids || !few(ids).every((id) => isCustomerId(id, "text"))) {
    throw invalidId();
  }
  return [...new Set(ids)].sort(byCodePoint);
}

/** The ids of a comma list that are numbers; throws a 400. */
function numbersIn(text: string): number[] {
  const ids = few(text.split(",")).map((one) => one.trim());
  if (!ids.every((id) => isCustomerId(id, "integer"))) throw invalidId();
  return ids.map(Number);
}

const [ZERO, NINE, COMMA] = [..."09,"].map((one) => one.charCodeAt(0));

/**
 * The same of a list that programs write, of digits and commas only; undefined for any
 * other. A page asks for a batch of them each time: of 20, `numbersIn` takes 3 us, and this 0.5.
 */
function plainNumbers(text: string): number[] | undefined {
  const numbers: number[] = [];
  let number = 0;
  let digits = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : COMMA;
    if (code === COMMA) {
      if (digits === 0) return undefined;
      numbers.push(number);
      number = 0;
      digits = 0;
      continue;
    }
    const is_digit = code >= ZERO && code <= NINE;
    // A number has no zero in front of it.
    if (
      !is_digit || digits === SAFE_DIGITS || (code === ZERO && digits === 0)
    ) {
      return undefined;
    }
    number = number * 10 + code - ZERO;
    digits++;
  }
  return numbers;
}

/** The numbers in ascending order, each once. They are few, so that to insert them takes less time than a sort that calls back. */
function inOrder(numbers: number[]): number[] {
  for (let i = 1; i < numbers.length; i++) {
    const number = numbers[i];
    let at = i;
    for (; at > 0 && numbers[at - 1] > number; at--) {
      numbers[at] = numbers[at - 1];
    }
    numbers[at] = number;
  }
  return numbers.filter((number, i) => number !== numbers[i - 1]);
}

function few<Id>(ids: Id[]): Id[] {
  if (ids.length <= MAX_CUSTOMER_IDS) return ids;
  throw new HTTPException(400, {
    message: `customer_id takes at most ${MAX_CUSTOMER_IDS} customers.`,
  });
}

function invalidId(): HTTPException {
  return new HTTPException(400, { message: "Invalid customer_id provided" });
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
