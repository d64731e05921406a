/** Knows callers by what they send: an API key, the administrator's key, or a token for one customer. */

import { timingSafeEqual } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { isLikeKey, keyIdOf, sha256 } from "./api_key.ts";
import { type CustomerId, isCustomerId } from "../db/model/customer_ids.ts";
import { type Grant, type Scope, SCOPES } from "./grant.ts";
import { endOf, type KeyFile } from "./key_file.ts";
import { TOKEN } from "./secrets.ts";

/** A token as its page gets it. */
export interface Token {
  readonly token: string;
  /** Date and time in ISO 8601, UTC. */
  readonly expires_at: string;
}

/** A key as requests are checked against it. */
interface Known {
  readonly hash: Uint8Array;
  readonly scopes: ReadonlySet<Scope>;
  readonly customers: ReadonlySet<string> | null;
  /** Milliseconds of the epoch. */
  readonly ends_at: number;
}

/** What the key file says, as requests need it. */
interface Keys {
  readonly by_id: ReadonlyMap<string, Known>;
  readonly token_secret: Uint8Array;
}

/** Keys and tokens that are remembered; a page has a token for each of its visitors. */
const REMEMBERED = 10_000;
/** Characters of what is remembered; spaces before a key can be 60,000. */
const REMEMBERED_LENGTH = 1_024;
/** How far apart the clocks of servers with one key file may be: a token is good at each at once. */
const CLOCKS_APART_MS = 60_000;
const ALGORITHM = "HS256";
const ISSUER = "tally";
const READING: ReadonlySet<Scope> = new Set(["read", "download"]);
const READ: ReadonlySet<Scope> = new Set(["read"]);
const NOTHING: ReadonlySet<Scope> = new Set();
/** Compared with where no key has the id, so that it takes the same time. */
const NO_HASH = Buffer.alloc(32);

const MISSING =
  "Send a key or a token as Authorization: Bearer or as X-API-Key.";
const WRONG =
  "The key or token is not known. Send another one as Authorization: Bearer or as X-API-Key.";
const KEY_ENDED = "The key has expired or was revoked. Send another one.";
const TOKEN_ENDED = "The token has expired. Ask for a new one.";
const TOKEN_EARLY =
  "The token was made by a clock that is ahead of this server's. Ask for a new one.";
const OFF =
  "Administration is off. Set ADMIN_KEY_SHA256 to the SHA-256, in hex, of a key of your own, and send that key as Authorization: Bearer.";

/** The claims of a token that are ours: `sub` is the customer, `key` the id of the key that minted it. */
const claimsSchema = z.object({
  sub: z.string().refine((text) => isCustomerId(text, "text")),
  key: z.string(),
  iat: z.number(),
  exp: z.number(),
});

/** The callers of one server. */
export class Callers {
  /** The administrator's key of the setting, and an id that ends together with it. */
  readonly #admin: { readonly id: string; readonly key: Known } | null;
  /** Null while reading needs no key. */
  #keys: Keys | null = null;
  /** By what was sent: a header's text, after a line break if it is X-API-Key's. */
  readonly #remembered = new LRUCache<string, Grant>({ max: REMEMBERED });

  /** Whether reading needs no key. */
  readonly is_open: boolean;
  /** What whoever sends no key may do. */
  readonly stranger: Grant;
  /** Why the key file cannot be read now, so that the keys of before are used; else null. */
  problem: string | null = null;

  /** `admin_key_sha256` is in hex. Without a key file, reading needs no key. */
  constructor(
    { admin_key_sha256, key_file = null }: {
      readonly admin_key_sha256?: string | undefined;
      readonly key_file?: KeyFile | null;
    } = {},
  ) {
    this.#admin = admin_key_sha256 === undefined ? null : {
      id: `admin-${admin_key_sha256.slice(0, 16)}`,
      key: {
        hash: Buffer.from(admin_key_sha256, "hex"),
        scopes: new Set(SCOPES),
        customers: null,
        ends_at: Infinity,
      },
    };
    if (key_file) this.use(key_file);
    this.is_open = key_file === null;
    this.stranger = this.#unknown(MISSING);
  }

  /** Whether a key for administration is known and has not ended. */
  get has_admin(): boolean {
    return this.#admin !== null ||
      this.#working().some(({ scopes }) => scopes.has("admin"));
  }

  /** The number of keys of the key file that have not ended. */
  get key_count(): number {
    return this.#working().length;
  }

  /** Takes the keys of a key file instead of those of before. */
  use({ keys, token_secret }: KeyFile): void {
    this.#keys = {
      by_id: new Map(keys.map((key) => [key.id, {
        hash: Buffer.from(key.sha256, "hex"),
        scopes: new Set(key.scopes.includes("admin") ? SCOPES : key.scopes),
        customers: key.customers && new Set(key.customers.map(String)),
        ends_at: endOf(key),
      }])),
      token_secret: Buffer.from(token_secret, "base64url"),
    };
    this.#remembered.clear();
  }

  /** What the sender of a request may do: by X-API-Key or, without it, by Authorization. */
  identify(headers: Headers): Grant | Promise<Grant> {
    const api_key = headers.get("x-api-key");
    const sent = api_key === null
      ? headers.get("authorization")
      : `\n${api_key}`;
    if (sent === null) return this.stranger;
    const grant = this.#remembered.get(sent);
    if (grant && isNow(grant)) return grant;

    const credential = api_key ?? bearerOf(sent);
    // Other schemes than Bearer may be for a proxy.
    if (credential === undefined) return this.stranger;
    if (this.#keys && TOKEN.test(credential)) {
      return this.#byToken(this.#keys, { token: credential, sent });
    }
    return this.#remember(sent, this.#byKey(credential));
  }

  /** Whether what was granted to a caller still is, for answers that go on. */
  holds(grant: Grant): boolean {
    if (grant.key_id === null) return this.is_open;
    const key = this.#keyOf(grant.key_id);
    return key !== undefined && key.ends_at > Date.now() && isNow(grant);
  }

  /**
   * A token that reads one customer's data for some minutes, and not longer than the
   * key works that `minter` came with. Needs a key file, which has the secret.
   */
  async mint(
    minter: Grant,
    { customer_id, minutes }: {
      readonly customer_id: CustomerId;
      readonly minutes: number;
    },
  ): Promise<Token> {
    const now = Math.floor(Date.now() / 1_000);
    const expires = Math.min(
      now + minutes * 60,
      Math.floor(minter.ends_at / 1_000),
    );
    const token = await new SignJWT({ key: minter.key_id })
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setIssuer(ISSUER)
      .setSubject(String(customer_id))
      .setIssuedAt(now)
      .setExpirationTime(expires)
      .sign(this.#keys!.token_secret);
    return { token, expires_at: new Date(expires * 1_000).toISOString() };
  }

  #working(): Known[] {
    return [...this.#keys?.by_id.values() ?? []]
      .filter(({ ends_at }) => ends_at > Date.now());
  }

  #keyOf(id: string): Known | undefined {
    return id === this.#admin?.id ? this.#admin.key : this.#keys?.by_id.get(id);
  }

  /** What a caller without a known key gets. */
  #unknown(error: string): Grant {
    const is_off = this.is_open && !this.#admin;
    return {
      scopes: this.is_open ? READING : NOTHING,
      customers: null,
      is_token: false,
      key_id: null,
      begins_at: -Infinity,
      ends_at: Infinity,
      problem: is_off ? { status: 403, error: OFF } : { status: 401, error },
    };
  }

  #remember(sent: string, grant: Grant): Grant {
    if (grant.problem === null && sent.length <= REMEMBERED_LENGTH) {
      this.#remembered.set(sent, grant);
    }
    return grant;
  }

  #byKey(text: string): Grant {
    const like_key = isLikeKey(text);
    const id = like_key ? keyIdOf(text) : null;
    if (like_key ? id === null : !this.#admin) return this.#unknown(WRONG);

    const named = id === null ? undefined : this.#keys?.by_id.get(id);
    const hashes = hashesOf(text);
    // All comparisons are made, so that the time does not say which key is known.
    const is_named = isOneOf(hashes, named?.hash ?? NO_HASH);
    const is_admin = isOneOf(hashes, this.#admin?.key.hash ?? NO_HASH);
    const [key_id, key] = is_named && named
      ? [id, named]
      : is_admin && this.#admin
      ? [this.#admin.id, this.#admin.key]
      : [null, null];
    if (key === null) return this.#unknown(WRONG);
    if (key.ends_at <= Date.now()) return this.#unknown(KEY_ENDED);
    const { scopes, customers, ends_at } = key;
    return {
      scopes,
      customers,
      is_token: false,
      key_id,
      begins_at: -Infinity,
      ends_at,
      problem: null,
    };
  }

  async #byToken(
    keys: Keys,
    { token, sent }: { readonly token: string; readonly sent: string },
  ): Promise<Grant> {
    let claims: z.output<typeof claimsSchema>;
    try {
      const { payload } = await jwtVerify(token, keys.token_secret, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        requiredClaims: ["exp"],
      });
      claims = claimsSchema.parse(payload);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return this.#unknown(TOKEN_ENDED);
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) {
        return this.#unknown(WRONG);
      }
      throw error;
    }
    // The key file changed meanwhile.
    if (this.#keys !== keys) {
      return await this.#byToken(this.#keys!, { token, sent });
    }
    const { sub: customer_id, key: key_id, iat, exp } = claims;
    const minter = this.#keyOf(key_id);
    if (
      !minter || minter.ends_at <= Date.now() || !minter.scopes.has("embed") ||
      minter.customers?.has(customer_id) === false
    ) return this.#unknown(TOKEN_ENDED);
    // Once the clock that made it is right, it would live until then and for its minutes.
    const begins_at = iat * 1_000 - CLOCKS_APART_MS;
    if (begins_at > Date.now()) return this.#unknown(TOKEN_EARLY);
    return this.#remember(sent, {
      scopes: READ,
      customers: new Set([customer_id]),
      is_token: true,
      key_id,
      begins_at,
      ends_at: Math.min(exp * 1_000, minter.ends_at),
      problem: null,
    });
  }
}

function isNow({ begins_at, ends_at }: Grant): boolean {
  const now = Date.now();
  return begins_at <= now && now < ends_at;
}

function bearerOf(authorization: string): string | undefined {
  // Not trimmed: the last byte of a letter in UTF-8 may be one of the spaces of Latin-1,
  // and headers have no others at their ends.
  return /^Bearer +(.+)$/i.exec(authorization)?.[1];
}

/**
 * The SHA-256 of a header's value: of its bytes, and of the text that they are in
 * Latin-1, since clients send other letters than those of ASCII in either encoding.
 */
function hashesOf(text: string): Uint8Array[] {
  const of_bytes = sha256(Buffer.from(text, "latin1"));
  return /^[\0-\x7f]*$/.test(text) ? [of_bytes] : [of_bytes, sha256(text)];
}

function isOneOf(
  hashes: readonly Uint8Array[],
  hash: Uint8Array,
): boolean {
  return hashes.map((one) => timingSafeEqual(one, hash)).includes(true);
}
