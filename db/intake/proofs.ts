/** The files that describe the bytes of others: `NAME.sha256` for one file, `manifest.json` for a whole delivery. */

import { normalize } from "node:path/posix";
import { z } from "zod";

/** The name of the file that lists a whole delivery. */
export const MANIFEST = "manifest.json";

const CHECKSUM = ".sha256";
const PROOF_MAX_BYTES = 1 << 20;

const manifestSchema = z.object({
  files: z.array(z.object({
    // `find` writes `./` before a name.
    file: z.string().regex(/^[^\0]+$/, "not the name of a file")
      .transform(normalize),
    sha256: z.string().regex(/^[0-9a-f]{64}$/i),
    bytes: z.int().nonnegative(),
    rows: z.int().nonnegative().optional(),
  })).max(10_000),
}).superRefine(({ files }, { addIssue }) => {
  const names = new Set<string>();
  for (const [i, { file }] of files.entries()) {
    if (names.has(file)) {
      const message = `${JSON.stringify(file.slice(0, 200))} is listed twice`;
      addIssue({ code: "custom", path: ["files", i, "file"], message });
    }
    names.add(file);
  }
});

/** The files that a manifest.json lists. */
export type ManifestFiles = z.output<typeof manifestSchema>["files"];

/** Whether a file of that name is a checksum or the manifest, and so no export. */
export function isProof(name: string): boolean {
  return name === MANIFEST || name.endsWith(CHECKSUM);
}

/** The name of the file with the checksum of `file`. */
export function checksumOf(file: string): string {
  return `${file}${CHECKSUM}`;
}

/** The name of the file that a checksum describes; null for other names. */
export function provenBy(name: string): string | null {
  return name.endsWith(CHECKSUM) ? name.slice(0, -CHECKSUM.length) : null;
}

/** The files that a manifest.json lists, or the error in it. */
export async function readManifest(
  path: string,
): Promise<ManifestFiles | string> {
  const { size } = await Deno.stat(path);
  if (size > PROOF_MAX_BYTES) return `more than ${PROOF_MAX_BYTES} bytes`;
  try {
    const result = manifestSchema.safeParse(
      JSON.parse(await Deno.readTextFile(path)),
    );
    if (result.success) return result.data.files;
    const [{ path: where, message }] = result.error.issues;
    return `${where.join(".") || "the whole"}: ${message}`;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return "no JSON";
  }
}

/** The hash in a file of sha256sum, or in a file with the hash only; null when there is none. */
export async function readChecksum(path: string): Promise<string | null> {
  const { size } = await Deno.stat(path);
  if (size > PROOF_MAX_BYTES) return null;
  const text = await Deno.readTextFile(path);
  return /^\\?([0-9a-f]{64})(\s|$)/i.exec(text)?.[1].toLowerCase() ?? null;
}
