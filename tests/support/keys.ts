/** Keys and key files for tests. */

import { createHash } from "node:crypto";
import {
  emptyKeyFile,
  type KeyFile,
  type KeyRecord,
  withKey,
} from "../../access/key_file.ts";

/** An administrator's key. */
export const ADMIN_KEY = "a key of our own";
/** The setting for it. */
export const ADMIN_KEY_SHA256 = createHash("sha256").update(ADMIN_KEY)
  .digest("hex");

/** What is wanted of a key; all else is as of one that works for all customers. */
type Wanted = Pick<KeyRecord, "scopes"> & Partial<KeyRecord>;

/** A key file with keys of these names, and the texts of the keys by name. */
export function keyFile<Name extends string>(
  wanted: Readonly<Record<Name, Wanted>>,
): { readonly file: KeyFile; readonly keys: Record<Name, string> } {
  let file = emptyKeyFile();
  const keys = {} as Record<Name, string>;
  for (const name of Object.keys(wanted) as Name[]) {
    const { scopes, ...more } = wanted[name];
    const added = withKey(file, {
      name,
      scopes,
      customers: null,
      expires_at: null,
    });
    keys[name] = added.text;
    const records = added.file.keys;
    const last = { ...records[records.length - 1], ...more };
    file = { ...added.file, keys: records.with(-1, last) };
  }
  return { file, keys };
}
