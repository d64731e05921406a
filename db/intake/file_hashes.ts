/** Remembers the SHA-256 of files, so that a file is hashed once while it does not change. */

import { createHash } from "node:crypto";
import { identityOf } from "./find_files.ts";
import { openRegularFile } from "./open_regular_file.ts";

const CHUNK_BYTES = 1 << 18;

/** The hashes, in hex, of files by their identity: see `identityOf`. */
export class FileHashes {
  readonly #known = new Map<string, string>();

  /** The hash of the file in that state; undefined when it is not known. */
  known(identity: string | undefined): string | undefined {
    return this.#known.get(identity ?? "");
  }

  /** Stores the hash of the file in that state. */
  remember(identity: string, sha256: string): void {
    this.#known.set(identity, sha256);
  }

  /**
   * The hash of the file at `path` as it is now; reads it unless that is known. Throws
   * the errors of Deno, and the signal's reason when that is aborted.
   */
  async read(
    path: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<string> {
    using file = await openRegularFile(path);
    const identity = identityOf(await file.stat());
    const known = this.known(identity);
    if (known !== undefined) return known;
    const hash = createHash("sha256");
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      const length = await file.read(buffer);
      if (length === null) break;
      hash.update(buffer.subarray(0, length));
    }
    const sha256 = hash.digest("hex");
    if (identityOf(await file.stat()) === identity) {
      this.remember(identity, sha256);
    }
    return sha256;
  }

  /** Forgets the files that are not in one of these states, so that their number stays bounded. */
  keepOnly(identities: ReadonlySet<string>): void {
    for (const identity of this.#known.keys()) {
      if (!identities.has(identity)) this.#known.delete(identity);
    }
  }
}
