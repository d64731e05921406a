/** Opens files that others may change at any time. */

/**
 * Opens a regular file for reading. Throws `Deno.errors.NotFound` when something else
 * is there now: opening a pipe would wait for its writer, perhaps for ever.
 */
export async function openRegularFile(path: string): Promise<Deno.FsFile> {
  const { isFile } = await Deno.stat(path);
  if (!isFile) throw new Deno.errors.NotFound(`${path} is no regular file`);
  return await Deno.open(path);
}
