/** Decides whether a change of a file may go on, by If-Match and If-None-Match. */

import { StoreError } from "../model/problems.ts";
import type { Preconditions } from "../store.ts";

/** A file as it is now. */
export interface Present {
  readonly name: string;
  readonly sha256: () => Promise<string>;
}

/** `*`, or the ETags of a header. */
type Tags = "*" | readonly { readonly weak: boolean; readonly tag: string }[];

const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/;
const TAGS = RegExp(`^${TAG.source}(\\s*,\\s*${TAG.source})*$`);

/**
 * Throws a StoreError when a precondition does not hold for `present`, which is null
 * when there is no such file. If-Match compares strongly and If-None-Match weakly (RFC
 * 9110, 13.1).
 */
export async function checkPreconditions(
  present: Present | null,
  { if_match, if_none_match }: Preconditions,
): Promise<void> {
  const wanted = tagsOf("If-Match", if_match);
  const unwanted = tagsOf("If-None-Match", if_none_match);
  if (wanted !== null) {
    if (present === null) {
      throw failed("If-Match: the file is not there.");
    }
    const { name } = present;
    const etag = wanted !== "*" && etagOf(await present.sha256());
    if (
      wanted !== "*" && !wanted.some(({ weak, tag }) => !weak && tag === etag)
    ) throw failed(`If-Match: the ETag of ${name} is ${etag}.`);
  }
  if (unwanted !== null && present !== null) {
    const { name } = present;
    if (unwanted === "*") throw failed(`If-None-Match: ${name} is there.`);
    const etag = etagOf(await present.sha256());
    if (unwanted.some(({ tag }) => tag === etag)) {
      throw failed(`If-None-Match: the ETag of ${name} is ${etag}.`);
    }
  }
}

function etagOf(sha256: string): string {
  return `"${sha256}"`;
}

function tagsOf(header: string, value: string | undefined): Tags | null {
  if (value === undefined) return null;
  if (value.trim() === "*") return "*";
  if (!TAGS.test(value.trim())) {
    throw new StoreError(
      "invalid",
      `${header} must be * or ETags in double quotes, split by commas.`,
    );
  }
  return Array.from(
    value.matchAll(RegExp(TAG, "g")),
    ([, weak, tag]) => ({ weak: weak !== undefined, tag }),
  );
}

function failed(text: string): StoreError {
  return new StoreError("precondition", text);
}
