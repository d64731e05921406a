/** Looks at and opens files that others may change at any time. */

// Beside a file with a long name, a .sha256 would have one that is too long.
const NO_SUCH_FILE = ["ENOTDIR", "ELOOP", "ENAMETOOLONG"];

/** Whether an error says that a path leads to nothing. */
export function isNowhere(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    NO_SUCH_FILE.includes((error as { code: string }).code);
}

/** What `path` leads to; null where that is nothing, such as a link to itself. Throws the other errors of Deno. */
export async function lookUp(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isNowhere(error)) return null;
    throw error;
  }
}

/**
 * Opens a regular file for reading. Throws `Deno.errors.NotFound` when something else
 * is there now, or nothing: opening a pipe would wait for its writer, perhaps for ever.
 */
export async function openRegularFile(path: string): Promise<Deno.FsFile> {
  const info = await lookUp(path);
  if (!info?.isFile) {
    throw new Deno.errors.NotFound(`${path} is no regular file`);
  }
  return await Deno.open(path);
}
