/** What is answered, before it is made: its format, its name in an ETag, and whether the client has it. */

import { HTTPException } from "hono/http-exception";
import type { Need } from "../access/grant.ts";
import type { Snapshot } from "../db/store.ts";
import { DOWNLOAD } from "./access.ts";
import type { RowsReply } from "./endpoint.ts";
import {
  chooseFormat,
  contentType,
  FORMAT_NAMES,
  type FormatName,
  FORMATS,
} from "./formats/formats.ts";
import { takesGzip } from "./gzip.ts";
import type { RouteCounts } from "./request_counts.ts";

/** The media type of most answers. */
export const JSON_TYPE = "application/json";
const JSON_ONLY: readonly FormatName[] = ["json"];

/** An answer that holds as long as its data version does. */
export interface Representation {
  /** Null where nothing is served yet. */
  readonly data_version: string | null;
  /** Whether the question names the version, so that the answer is the same for ever. */
  readonly names_version: boolean;
  readonly etag: string;
  readonly content_type: string;
  /** Headers of the request that it depends on. */
  readonly vary?: string;
  /** Name of the file that it is saved as. */
  readonly file?: string;
}

/** What a request for rows asks for, as it was understood. */
export interface Wanted extends Representation {
  readonly format: FormatName;
  readonly bom: boolean;
  readonly gzip: boolean;
  /** Question and representation, in characters an ETag may have. */
  readonly key: string;
  /** What its caller needs. */
  readonly need: Need;
  readonly route: RouteCounts;
}

/** The parameters of a query string that choose a representation. */
export interface FormatQuery {
  readonly format?: FormatName;
  readonly bom?: "1";
  readonly explain?: "1";
}

/** Whether a question names the served version; throws a 410 when it names another. */
export function namesVersion(
  query: unknown,
  { data_version }: Snapshot,
): boolean {
  const named = (query as { readonly data_version?: string } | undefined)
    ?.data_version;
  if (named === undefined) return false;
  if (named === data_version) return true;
  throw new HTTPException(410, {
    message:
      `Data version ${named} is not served. Ask for ${data_version}, or without data_version.`,
  });
}

/** The representation of rows that a request asks for; throws a 400 where there is none. */
export function wantedOf(
  { file, key: question, download }: RowsReply,
  { request: { headers }, snapshot, query, need, names_version, route }: {
    request: Request;
    snapshot: Snapshot;
    query: FormatQuery;
    need: Need;
    names_version: boolean;
    route: RouteCounts;
  },
): Wanted {
  const { data_version } = snapshot;
  const format = query.format ??
    chooseFormat(headers.get("accept"), download ? FORMAT_NAMES : JSON_ONLY);
  if (query.explain !== undefined && format !== "json") {
    throw new HTTPException(400, {
      message: `explain is for format=json only, not for ${format}.`,
    });
  }
  const bom = query.bom === "1";
  if (bom && format !== "csv") {
    throw new HTTPException(400, { message: "bom is for format=csv only." });
  }
  const gzip = FORMATS[format].is_text &&
    takesGzip(headers.get("accept-encoding"));
  const key = `${question}${format === "json" ? "" : `.${format}`}${
    bom ? ".bom" : ""
  }${gzip ? ".gz" : ""}`;
  return {
    data_version,
    names_version,
    route,
    format,
    bom,
    gzip,
    key,
    need: format === "json" ? { ...need, scopes: ["read"] } : DOWNLOAD,
    etag: etagOf(snapshot, { key, has_meta: format === "json" }),
    content_type: contentType(format),
    vary: "Accept, Accept-Encoding",
    file: format === "json" ? undefined : `${file}-${data_version}.${format}`,
  };
}

/**
 * The ETag of an answer. With meta, which has the time of the load, two processes with
 * the same data have other bytes.
 */
export function etagOf(
  { data_version, loaded_at }: Snapshot,
  { key, has_meta }: { readonly key: string; readonly has_meta: boolean },
): string {
  return `"${data_version}-${has_meta ? loadedText(loaded_at) : ""}${key}"`;
}

// Of the snapshot that was asked last, since each of its answers has it.
let loaded = { at: "", text: "" };

function loadedText(loaded_at: string): string {
  if (loaded.at !== loaded_at) {
    const text = `${Date.parse(loaded_at).toString(36)}-`;
    loaded = { at: loaded_at, text };
  }
  return loaded.text;
}

/** Whether a list of entity tags has `etag`; weak ones count (RFC 9110, 13.1.2). */
export function hasTag(list: string, etag: string): boolean {
  return list.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
