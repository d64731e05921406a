/** Whether two answers to one question are the same, and if not, where they part. */

import { unzipSync } from "fflate";
import { inKeyOrder } from "../../db/model/key_order.ts";
import type { ServedVersion } from "./catalogue.ts";
import type { Answer } from "./deployment.ts";

/** What may differ between two deployments that answer the same, and why. */
export const ALLOWED_DIFFERENCES: readonly string[] = [
  "data_version, also in texts and names of files: settings may be part of it",
  "loaded_at, and the times in a report: each deployment loads for itself",
  "cursors: they hold the data_version; each deployment is asked with its own",
  "the sql of explain=1: each engine has its own",
  "headers but Content-Type and the name of a file: request ids, ETags, caches",
  "the time of writing inside an xlsx file",
];

/** Where two answers part; each side is a short text. */
export interface Parting {
  readonly where: string;
  readonly reference: string;
  readonly compared: string;
}

/** One of both answers, and the version that its deployment serves. */
export interface Side {
  readonly answer: Answer;
  readonly version: ServedVersion;
}

/** Longest text of a value that is shown. */
const SHOWN = 200;
const VERSION = "<data_version>";

// Times in which files were read, and what follows from them.
const REPORT_TIMES = new Set(["seconds", "loaded_at"]);

/** The first difference between two answers to a question of `path`, or null. */
export function differenceOf(
  path: string,
  { reference, compared }: {
    readonly reference: Side;
    readonly compared: Side;
  },
): Parting | null {
  const sides = [reference, compared];
  const [status, other_status] = sides.map(({ answer }) => answer.status);
  if (status !== other_status) {
    const [one, other] = sides.map(({ answer }) =>
      shown(`${answer.status} ${new TextDecoder().decode(answer.body)}`)
    );
    return { where: "status", reference: one, compared: other };
  }
  for (const name of ["Content-Type", "Content-Disposition"]) {
    const [one, other] = sides.map((side) =>
      withoutVersion(side.answer.headers.get(name) ?? "none", side.version)
    );
    if (one !== other) {
      return { where: name, reference: shown(one), compared: shown(other) };
    }
  }
  return bodyDifference(path, { reference, compared });
}

function bodyDifference(
  path: string,
  { reference, compared }: {
    readonly reference: Side;
    readonly compared: Side;
  },
): Parting | null {
  const type = reference.answer.headers.get("Content-Type") ?? "";
  const sides = [reference, compared];
  if (/json\b|^text\//.test(type)) {
    const [one, other] = sides.map((side) => textOf(path, side));
    return one === other ? null : textDifference(one, other);
  }
  if (type.includes("spreadsheetml")) {
    const [one, other] = sides.map(({ answer }) => unzipSync(answer.body));
    for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const parting = bytesDifference(one[name], other[name]);
      if (parting) return { ...parting, where: `${name}, ${parting.where}` };
    }
    return null;
  }
  return bytesDifference(reference.answer.body, compared.answer.body);
}

function withoutVersion(text: string, { data_version }: ServedVersion) {
  return text.replaceAll(data_version, VERSION);
}

/** The text of an answer without what may differ. */
function textOf(path: string, { answer, version }: Side): string {
  const text = withoutVersion(
    // With its byte order mark, if it has one.
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(answer.body),
    version,
  );
  const type = answer.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/json") || answer.status !== 200) {
    return text;
  }
  if (new URLSearchParams(path.split("?")[1]).has("explain")) {
    return withoutSql(text);
  }
  if (path.split("?")[0] === "/api/v1/data") return reportOf(text);
  // As text, since parsing would hide the order of keys and the form of numbers.
  return text
    .replace(/("loaded_at":)"[^"]*"/g, '$1"<time>"')
    .replace(/("next":)"[^"]*"/g, '$1"<cursor>"');
}

function withoutSql(text: string): string {
  const body = JSON.parse(text);
  if (body.meta) {
    if ("loaded_at" in body.meta) body.meta.loaded_at = "<time>";
    if (body.meta.next) body.meta.next = "<cursor>";
  }
  if (body.meta?.explain) delete body.meta.explain.sql;
  return JSON.stringify(body);
}

/**
 * The report alone, its keys in order, since ClickHouse may have kept them in another
 * one: what else `/api/v1/data` says is about refreshes of one deployment.
 */
function reportOf(text: string): string {
  return JSON.stringify(
    JSON.parse(text).data.report,
    (key, value) => REPORT_TIMES.has(key) ? undefined : inKeyOrder(value),
  );
}

function textDifference(one: string, other: string): Parting {
  let values;
  try {
    values = [JSON.parse(one), JSON.parse(other)];
  } catch {
    return charactersDifference(one, other);
  }
  return valueDifference(values[0], values[1]) ??
    charactersDifference(one, other);
}

/** The first place at which two JSON values differ, or null. */
function valueDifference(
  one: unknown,
  other: unknown,
  { where = "" }: { readonly where?: string } = {},
): Parting | null {
  if (
    isTree(one) && isTree(other) && Array.isArray(one) === Array.isArray(other)
  ) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const parting = valueDifference(one[key], other[key], {
        where: Array.isArray(one)
          ? `${where}[${key}]`
          : where
          ? `${where}.${key}`
          : key,
      });
      if (parting) return parting;
    }
    return null;
  }
  if (Object.is(one, other)) return null;
  const [reference, compared] = [one, other].map((value) =>
    value === undefined ? "nothing" : shown(JSON.stringify(value))
  );
  return { where: where || "the whole", reference, compared };
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function charactersDifference(one: string, other: string): Parting {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const [reference, compared] = [one, other].map((text) =>
    shown(text.slice(Math.max(0, at - 40), at + SHOWN))
  );
  const line = one.slice(0, at).split("\n").length;
  return { where: `line ${line}, character ${at}`, reference, compared };
}

function bytesDifference(
  one: Uint8Array | undefined,
  other: Uint8Array | undefined,
): Parting | null {
  if (!one || !other) {
    return {
      where: "the whole",
      reference: one ? `${one.length} bytes` : "nothing",
      compared: other ? `${other.length} bytes` : "nothing",
    };
  }
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  if (at === one.length && at === other.length) return null;
  const [reference, compared] = [one, other].map((bytes) =>
    `${bytes.length} bytes, ${
      shown(
        new TextDecoder().decode(bytes.slice(Math.max(0, at - 20), at + 40)),
      )
    }`
  );
  return { where: `byte ${at}`, reference, compared };
}

function shown(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
