/** The text of an API key: `tly_`, an id, a secret and a checksum, so that a misspelt key is known without a look-up. */

import { createHash, getRandomValues, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/** A new key; only its owner keeps the text. */
export interface NewKey {
  readonly id: string;
  readonly text: string;
}

const PREFIX = "tly_";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 8;
const SECRET_BYTES = 32;
/** 62 ** 43 is more than 2 ** 256. */
const SECRET_LENGTH = 43;
/** 62 ** 6 is more than 2 ** 32. */
const CHECKSUM_LENGTH = 6;

/** The characters of an id, for the schema of the key file. */
export const ID = new RegExp(`^[0-9A-Za-z]{${ID_LENGTH}}$`);
/** Finds keys in any text; docs/security.md has it for secret scanners. */
export const KEY_IN_TEXT = new RegExp(
  `${PREFIX}[0-9A-Za-z]{${ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH}}`,
);
const KEY = new RegExp(`^${KEY_IN_TEXT.source}$`);

/** Makes a key with a secret of 32 random bytes, and a random id unless one is given. */
export function createKey(id = randomId()): NewKey {
  const secret = getRandomValues(new Uint8Array(SECRET_BYTES))
    .reduce((number, byte) => number << 8n | BigInt(byte), 0n);
  const text = PREFIX + id + base62(secret, SECRET_LENGTH);
  return { id, text: text + checksum(text) };
}

/** The id of a key; null for a text that is none, or whose checksum is wrong. */
export function keyIdOf(text: string): string | null {
  if (!KEY.test(text)) return null;
  const end = text.length - CHECKSUM_LENGTH;
  return text.slice(end) === checksum(text.slice(0, end))
    ? text.slice(PREFIX.length, PREFIX.length + ID_LENGTH)
    : null;
}

/** Whether a text claims to be a key of ours, right or wrong. */
export function isLikeKey(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** The SHA-256 of a text in UTF-8, or of bytes. */
export function sha256(of: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(of).digest();
}

function randomId(): string {
  return Array.from(
    { length: ID_LENGTH },
    () => BASE62[randomInt(BASE62.length)],
  ).join("");
}

function checksum(text: string): string {
  return base62(BigInt(crc32(text)), CHECKSUM_LENGTH);
}

function base62(number: bigint, length: number): string {
  let text = "";
  for (let rest = number; text.length < length; rest /= 62n) {
    text = BASE62[Number(rest % 62n)] + text;
  }
  return text;
}
