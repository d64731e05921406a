/** The formats of answers with rows, and the choice for a request. */

import { HTTPException } from "hono/http-exception";
import { parseAccept } from "hono/utils/accept";
import type { Rows } from "../../db/model/questions.ts";
import { encodeArrow } from "./arrow.ts";
import { encodeCsv } from "./csv.ts";
import { encodeNdjson } from "./ndjson.ts";
import { encodeParquet } from "./parquet.ts";
import { encodeXlsx } from "./xlsx.ts";

/** A format of answers with rows. */
export interface Format {
  /** Its name in Accept and Content-Type. */
  readonly media_type: string;
  /** Whether it is text, which is worth compressing. */
  readonly is_text: boolean;
  /** Writes all rows; absent for JSON, whose text the endpoint makes, in pages. */
  encode?(
    rows: Rows,
    options: DownloadOptions,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** The options of a request for a format. */
export interface DownloadOptions {
  /** For csv: whether a byte order mark comes first. */
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

/** The header Content-Type of a format. */
export function contentType(format: FormatName): string {
  const { media_type } = FORMATS[format];
  return format === "csv" ? `${media_type}; charset=utf-8` : media_type;
}

/** The names of the formats, the default first. */
export const FORMAT_NAMES = Object.keys(FORMATS) as [
  FormatName,
  ...FormatName[],
];

/**
 * The known format that the header Accept prefers; without the header, the first
 * one. Throws a 406 that names the known formats when Accept has none of them.
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
    message: `None of the formats in Accept is available. Available: ${
      types.join(", ")
    }.`,
  });
}

interface MediaRange {
  readonly type: string;
  readonly q: number;
}

// RFC 9110, 12.5.1: the most specific range that fits gives the weight of a format.
// Of equal weights, the more specific range wins, then the earlier known format.
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
