/** The formats of answers of rows, and which of them a request asks for. */

import { HTTPException } from "hono/http-exception";
import { parseAccept } from "hono/utils/accept";
import type { Rows } from "../../db/model/questions.ts";
import { encodeArrow } from "./arrow.ts";
import { encodeCsv } from "./csv.ts";
import { encodeNdjson } from "./ndjson.ts";
import { encodeParquet } from "./parquet.ts";
import { encodeXlsx } from "./xlsx.ts";

/** A format of answers of rows. */
export interface Format {
  /** What it is called in Accept and Content-Type. */
  readonly media_type: string;
  /** Whether it is text, that gains from compression. */
  readonly is_text: boolean;
  /** Writes all rows; absent for JSON, whose text an endpoint makes, in pages. */
  encode?(
    rows: Rows,
    options: DownloadOptions,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** What a request may choose of a format. */
export interface DownloadOptions {
  /** Of csv: whether a byte order mark comes first. */
  readonly bom: boolean;
}

/** The name of a format, as the parameter `format` takes it. */
export type FormatName =
  | "json"
  | "csv"
  | "ndjson"
  | "xlsx"
  | "parquet"
  | "arrow";

/** Every format; the first is the default. */
export const FORMATS: Readonly<Record<FormatName, Format>> = {
  json: { media_type: "application/json", is_text: true },
  csv: { media_type: "text/csv", is_text: true, encode: encodeCsv },
  ndjson: {
    media_type: "application/x-ndjson",
    is_text: true,
    encode: encodeNdjson,
  },
  xlsx: {
    media_type:
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    is_text: false,
    encode: encodeXlsx,
  },
  parquet: {
    media_type: "application/vnd.apache.parquet",
    is_text: false,
    encode: encodeParquet,
  },
  arrow: {
    media_type: "application/vnd.apache.arrow.stream",
    is_text: false,
    encode: encodeArrow,
  },
};

/** The names of the formats, the default first. */
export const FORMAT_NAMES = Object.keys(FORMATS) as [
  FormatName,
  ...FormatName[],
];

/**
 * The format that a header Accept asks for, of the known ones; the first of them
 * without one. Throws a 406 naming the known ones when it accepts none of them.
 */
export function chooseFormat(
  accept: string | null,
  known: readonly FormatName[],
): FormatName {
  if (!accept) return known[0];
  const chosen = bestOf(parseAccept(accept), known);
  if (chosen) return chosen;
  const types = known.map((name) =>
    `${FORMATS[name].media_type} (format=${name})`
  );
  throw new HTTPException(406, {
    message: `Nothing that Accept asks for is there. Known: ${
      types.join(", ")
    }.`,
  });
}

interface MediaRange {
  readonly type: string;
  readonly q: number;
}

// RFC 9110, 12.5.1: the most specific range that fits says how much a format is
// wanted. Of equally wanted ones the more specifically asked for wins, then the
// earlier of the known ones.
function bestOf(
  ranges: readonly MediaRange[],
  known: readonly FormatName[],
): FormatName | undefined {
  let best: FormatName | undefined;
  let best_q = 0;
  let best_fit = 0;
  for (const name of known) {
    const type = FORMATS[name].media_type;
    const fitting = [`${type.split("/")[0]}/*`, "*/*"];
    const fits = [type, ...fitting].map((wanted) =>
      ranges.find(({ type }) => type.toLowerCase() === wanted)
    );
    const at = fits.findIndex(Boolean);
    const q = at < 0 ? 0 : fits[at]!.q;
    const fit = 3 - at;
    if (q > best_q || q > 0 && q === best_q && fit > best_fit) {
      best = name;
      best_q = q;
      best_fit = fit;
    }
  }
  return best;
}
