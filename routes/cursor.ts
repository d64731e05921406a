/** Cursors: where the next page of a list starts, bound to a data version and a question. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";

const cursorSchema = z.tuple([z.string(), z.int()], z.int());

/** The data to which a cursor is bound. */
interface Versioned {
  readonly data_version: string;
}

/** The cursor of `position`: whole numbers that say where a page of `question` has ended. */
export function writeCursor(
  { data_version }: Versioned,
  { question, position }: {
    readonly question: string;
    readonly position: readonly number[];
  },
): string {
  return btoa(
    JSON.stringify([data_version, checksum(question), ...position]),
  ).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The position of a cursor, `length` numbers. Throws a 410 when its data is no longer
 * served, and a 400 when it belongs to another question or is no cursor.
 */
export function readCursor(
  { data_version }: Versioned,
  { question, cursor, length }: {
    readonly question: string;
    readonly cursor: string;
    readonly length: number;
  },
): number[] {
  const found = cursorSchema.safeParse(decode(cursor));
  if (!found.success || found.data.length !== length + 2) {
    throw new HTTPException(400, {
      message: "Invalid cursor. Use meta.next of the page before, unchanged.",
    });
  }
  const [version, sum, ...position] = found.data;
  if (version !== data_version) {
    throw new HTTPException(410, {
      message:
        `The cursor is of data version ${version}, which is gone. Start again without a cursor.`,
    });
  }
  if (sum !== checksum(question)) {
    throw new HTTPException(400, {
      message:
        "The cursor is of another question. Repeat all other parameters of the page before.",
    });
  }
  return position;
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(
      atob(cursor.replaceAll("-", "+").replaceAll("_", "/")),
    );
  } catch {
    return undefined;
  }
}

/** FNV-1a in 32 bits: it finds mistakes. It stops no forger, who could only ask what anyone may ask. */
function checksum(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}
