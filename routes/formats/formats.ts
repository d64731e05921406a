/** The formats of answers of rows, and which of them a request asks for. */

import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { HTTPException } from "hono/http-exception";
import type { Rows } from "../../db/model/questions.ts";
import { encodeArrow } from "./arrow.ts";
import { encodeCsv } from "./csv.ts";
import { encodeNdjson } from "./ndjson.ts";
import { encodeParquet } from "./parquet.ts";
import { encodeXlsx } from "./xlsx.ts";

/** The names of the formats, as `format` takes them; the first is the default. */
export const FORMAT_NAMES = [
  "json",
  "csv",
  "ndjson",
  "xlsx",
  "parquet",
  "arrow",
] as const;

/** The name of a format. */
export type FormatName = typeof FORMAT_NAMES[number];

/** How rows are written whole. */
export interface DownloadFormat {
  /** Whether it is text, that gains from compression. */
  readonly is_text: boolean;
  encode(
    rows: Rows,
    options: DownloadOptions,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** What a request may choose of a format. */
export interface DownloadOptions {
  /** Of csv: whether a byte order mark comes first. */
  readonly bom: boolean;
}

/** The formats beside JSON, which is paged. */
export const DOWNLOAD_FORMATS: Readonly<
  Record<Exclude<FormatName, "json">, DownloadFormat>
> = {
  csv: { is_text: true, encode: encodeCsv },
  ndjson: { is_text: true, encode: encodeNdjson },
  xlsx: { is_text: false, encode: encodeXlsx },
  parquet: { is_text: false, encode: encodeParquet },
  arrow: { is_text: false, encode: encodeArrow },
};

/** What each is called in Accept and Content-Type. */
export const MEDIA_TYPES: Readonly<Record<FormatName, string>> = {
  json: "application/json",
  csv: "text/csv",
  ndjson: "application/x-ndjson",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  parquet: "application/vnd.apache.parquet",
  arrow: "application/vnd.apache.arrow.stream",
};

/**
 * The format that a request asks for, of the known ones: by the query string, else
 * by Accept. Throws a 406 naming the known ones when it accepts none of them.
 */
export function chooseFormat(
  c: Context,
  known: readonly FormatName[],
): FormatName {
  const named = c.req.query("format") as FormatName | undefined;
  if (named) return named;
  const chosen = accepts(c, {
    header: "Accept",
    supports: [...known],
    default: known[0],
    match: (ranges) => bestOf(ranges, known) ?? "",
  }) as FormatName | "";
  if (chosen) return chosen;
  const types = known.map((name) => `${MEDIA_TYPES[name]} (format=${name})`);
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
    const type = MEDIA_TYPES[name];
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
