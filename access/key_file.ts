/** The file of API keys: what it holds, and reading and writing it whole. */

import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { isCustomerId } from "../db/model/customer_ids.ts";
import { isDenied } from "../db/model/system_errors.ts";
import { createKey, ID, sha256 } from "./api_key.ts";
import { SCOPES } from "./grant.ts";

const SECRET_BYTES = 32;
/** Some 3,000 keys. A server reads it while it answers: of any content, in some 50 ms at most. */
const MAX_BYTES = 1_048_576;
/** Readable and writable by the owner only. */
const PRIVATE = 0o600;

// A union of schemas takes six times as long, of a list of many customers.
function isCustomer(value: unknown): boolean {
  return typeof value === "number"
    ? isCustomerId(String(value), "integer")
    : typeof value === "string" && isCustomerId(value, "text");
}

const keySchema = z.strictObject({
  id: z.string().regex(ID),
  name: z.string().min(1),
  /** Of the whole text of the key. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(SCOPES)).min(1),
  /** The only customers that the key is good for; null for all. */
  customers: z.array(z.custom<number | string>(isCustomer, "no customer_id"))
    .min(1).nullable(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  /** For people: that there is one ends the key. */
  revoked_at: z.iso.datetime().nullable(),
  /** The id of the key that was made to take its place. */
  replaced_by: z.string().regex(ID).optional(),
});

const keyFileSchema = z.strictObject({
  /** Signs tokens; base64url. */
  token_secret: z.base64url().length(Math.ceil(SECRET_BYTES * 4 / 3)),
  keys: z.array(keySchema).min(1, "it has no key").refine(
    (keys) => new Set(keys.map(({ id }) => id)).size === keys.length,
    "two keys have one id",
  ),
});

/** A key without its secret. */
export type KeyRecord = z.output<typeof keySchema>;

/** The content of the file. */
export type KeyFile = z.output<typeof keyFileSchema>;

/** What is asked of a new key. */
export type KeyOptions = Pick<
  KeyRecord,
  "name" | "scopes" | "customers" | "expires_at"
>;

/** A problem with the file; the message is one line, of what stands after its name. */
export class KeyFileError extends Error {}

/** A file without keys and with a new secret. */
export function emptyKeyFile(): KeyFile {
  return {
    token_secret: randomBytes(SECRET_BYTES).toString("base64url"),
    keys: [],
  };
}

/** Adds a key; its text is in the result and nowhere else. */
export function withKey(
  file: KeyFile,
  { name, scopes, customers, expires_at }: KeyOptions,
): { readonly file: KeyFile; readonly text: string } {
  const { id, text } = createKey();
  const key: KeyRecord = {
    id,
    name,
    sha256: Buffer.from(sha256(text)).toString("hex"),
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    customers,
    created_at: new Date().toISOString(),
    expires_at,
    revoked_at: null,
  };
  return { file: { ...file, keys: [...file.keys, key] }, text };
}

/** Puts a key in the place of the one with its id. */
export function changeKey(file: KeyFile, key: KeyRecord): KeyFile {
  const keys = file.keys.map((one) => one.id === key.id ? key : one);
  return { ...file, keys };
}

/** The key with this id. Throws a KeyFileError when there is none. */
export function requireKey({ keys }: KeyFile, id: string): KeyRecord {
  const key = keys.find((one) => one.id === id);
  if (key) return key;
  throw new KeyFileError(
    `there is no key ${JSON.stringify(id)}; its keys are ${
      keys.map(({ id }) => id).join(", ")
    }`,
  );
}

/** Milliseconds of the epoch at which a key ends; Infinity when it does not, -Infinity when it was revoked. */
export function endOf({ expires_at, revoked_at }: KeyRecord): number {
  // By whatever clock: that of who revoked it may be ahead of a server's.
  if (revoked_at !== null) return -Infinity;
  return expires_at === null ? Infinity : Date.parse(expires_at);
}

/** The text of a key file. Throws a KeyFileError when it is missing or cannot be read. */
export async function readKeyText(path: string): Promise<string> {
  try {
    const { isFile, size } = await Deno.stat(path);
    // Opening a pipe would wait for its writer.
    if (!isFile) throw new KeyFileError("it is not a file");
    requireSize(size);
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(
      error instanceof Deno.errors.NotFound
        ? "there is no such file; deno task key create makes one"
        : isDenied(error)
        ? "this process may not read it; give its user the right to"
        : (error as Error).message,
    );
  }
}

function requireSize(bytes: number): void {
  if (bytes <= MAX_BYTES) return;
  throw new KeyFileError(
    `with ${bytes} bytes it is larger than ${MAX_BYTES}; take out keys that have ended`,
  );
}

/** Reads the text of a key file. Throws a KeyFileError when it is broken. */
export function parseKeyFile(text: string): KeyFile {
  if (text.trim() === "") throw new KeyFileError("it is empty");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the parser's message, which quotes the text.
    throw new KeyFileError("it is no JSON");
  }
  const result = keyFileSchema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  const place = path.length > 0 ? `${path.join(".")}: ` : "";
  throw new KeyFileError(`it is no key file: ${place}${message}`);
}

/**
 * Replaces a key file in one step by what `change` makes of it, after any other
 * process that does so at the same time. `change` gets undefined where there is no file.
 * The file can be read by its owner only, who stays the same. Throws a KeyFileError
 * when it cannot be read or written.
 */
export async function updateKeyFile(
  path: string,
  change: (before: KeyFile | undefined) => KeyFile,
): Promise<void> {
  // A link stays, and what it leads to is replaced.
  const target = await Deno.realPath(path).catch(() => path);
  const beside = (ending: string) =>
    join(dirname(target), `.${basename(target)}.${ending}`);
  try {
    using lock = await openLock(beside("lock"));
    await lock.lock(true);
    const before = await Deno.stat(target).catch(ifMissing);
    const after = change(
      before ? parseKeyFile(await readKeyText(target)) : undefined,
    );
    await replace(target, {
      by: after,
      through: beside("tmp"),
      // What root makes is for the user whose folder it is.
      owner: before ??
        (Deno.uid() === 0 ? await Deno.stat(dirname(target)) : null),
    });
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(
      isDenied(error)
        ? `this process may not write in ${
          dirname(target)
        }; give its user the right to`
        : (error as Error).message,
    );
  }
}

// Of another user it can be read, which is enough to lock it.
async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { create: true, write: true, mode: 0o644 });
  } catch (error) {
    if (!isDenied(error)) throw error;
    // Where it is not there, it could not be made.
    return await Deno.open(path).catch(() => {
      throw error;
    });
  }
}

async function replace(
  target: string,
  { by, through, owner }: {
    readonly by: KeyFile;
    readonly through: string;
    readonly owner: Deno.FileInfo | null;
  },
): Promise<void> {
  const text = new TextEncoder().encode(`${JSON.stringify(by, null, 2)}\n`);
  requireSize(text.length);
  // A killed process may have left it; the lock says that none writes it now.
  await Deno.remove(through).catch(ifMissing);
  try {
    await Deno.writeFile(through, text, { createNew: true, mode: PRIVATE });
    if (owner && (owner.uid !== Deno.uid() || owner.gid !== Deno.gid())) {
      await giveTo(through, owner);
    }
    using written = await Deno.open(through, { write: true });
    await written.sync();
    await Deno.rename(through, target);
  } catch (error) {
    await Deno.remove(through).catch(ifMissing);
    throw error;
  }
}

// A server that runs as another user could not read it any more.
async function giveTo(
  path: string,
  { uid, gid }: Deno.FileInfo,
): Promise<void> {
  try {
    await Deno.chown(path, uid, gid);
  } catch {
    throw new KeyFileError(
      `it belongs to user ${uid}, group ${gid}: run this as that user, or as root`,
    );
  }
}

function ifMissing(error: unknown): null {
  if (error instanceof Deno.errors.NotFound) return null;
  throw error;
}
