/** The errors of operation, and their texts. */

import { harmless } from "./names.ts";

/** Why data could not be loaded: the place, the problem and the remedy. */
export interface LoadProblem {
  /** Path below the data folder; absent when the problem is not in one file. */
  readonly file?: string;
  /** The line of the text, or the row of the sheet, from 1. */
  readonly line?: number;
  readonly problem: string;
  readonly remedy: string;
  /** Whether a tally.toml may be the cure: names, ids or times are others than those of the contract. */
  readonly may_be_mapped?: boolean;
}

/** The kinds of operating errors; each has a status in HTTP. */
export type StoreErrorKind =
  /** Nothing is loaded yet. */
  | "unavailable"
  /** The data breaks the file contract. */
  | "refused"
  /** The request is impossible with any data. */
  | "invalid"
  /** It does not exist. */
  | "missing"
  /** It conflicts with the present state. */
  | "conflict"
  /** A condition that the client set does not hold. */
  | "precondition"
  | "too_large"
  /** No space is left on the disk. */
  | "full"
  /** A question took too long. */
  | "timeout"
  /** Too many at once; a later request may succeed. */
  | "busy"
  /** The client has disconnected. */
  | "cancelled";

/** An operating error; anything else that is thrown is a bug. */
export class StoreError extends Error {
  /** Of "busy": after how many seconds a later request may succeed. */
  readonly retry_seconds?: number;
  /** Of "refused": whether a tally.toml may be the cure of some of its problems. */
  readonly may_be_mapped: boolean;

  constructor(
    readonly kind: StoreErrorKind,
    message: string,
    { retry_seconds, may_be_mapped = false }: {
      retry_seconds?: number;
      may_be_mapped?: boolean;
    } = {},
  ) {
    super(message);
    this.name = "StoreError";
    this.retry_seconds = retry_seconds;
    this.may_be_mapped = may_be_mapped;
  }
}

/** The problem of a question that others keep from ending in time. */
export function tooMany(retry_seconds = 1): StoreError {
  return new StoreError(
    "busy",
    "Too many questions are being answered. Ask again in a moment.",
    { retry_seconds },
  );
}

/** The problem of a working file for which the disk has no room; undefined for other errors. */
export function stagingFull(error: unknown): StoreError | undefined {
  const message = error instanceof Error ? error.message : "";
  if (!/No space left on device|Disk quota exceeded/i.test(message)) return;
  return new StoreError(
    "full",
    "The disk under STAGING_DIR is full. Free some space, or set STAGING_DIR to another disk.",
  );
}

/** The value or the default of a setting names something that cannot be used. The message is one line that names the setting. */
export class SettingError extends StoreError {
  constructor(
    setting: string,
    { value, problem }: {
      /** Undefined where it is not set. */
      readonly value: string | undefined;
      readonly problem: string;
    },
  ) {
    super(
      "unavailable",
      value === undefined
        ? `${setting}, which is not set: ${problem}`
        : `${setting}=${JSON.stringify(value)}: ${problem}`,
    );
    this.name = "SettingError";
  }
}

/** The error of a load that refuses its data, for one or more reasons. */
export function refused(...problems: LoadProblem[]): StoreError {
  return new StoreError("refused", problems.map(sentence).join("\n"), {
    may_be_mapped: problems.some(({ may_be_mapped }) => may_be_mapped),
  });
}

/** The refusal that has all of these. */
export function refusedForAll(refusals: readonly StoreError[]): StoreError {
  // Each file of interactions misses the same column of customers.
  const messages = new Set(refusals.map(({ message }) => message));
  return new StoreError("refused", [...messages].join("\n"), {
    may_be_mapped: refusals.some(({ may_be_mapped }) => may_be_mapped),
  });
}

/** The refusal of a file that is another one than it was. */
export function changed({ file }: { readonly file: string }): StoreError {
  return refused({
    file,
    problem: "changed while it was being read",
    remedy: "Write it under another name and rename it when it is whole",
  });
}

/** A problem as one or two sentences, harmless to a terminal although exports are quoted in it. */
export function sentence({ file, line, problem, remedy }: LoadProblem): string {
  const where = [file?.replaceAll("\n", "\ufffd"), line && `line ${line}`]
    .filter(Boolean).join(", ");
  return harmless(`${where ? `${where}: ` : ""}${problem}. ${remedy}.`);
}
