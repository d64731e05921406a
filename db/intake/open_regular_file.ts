/** Opens files that others may change at any time. */

/**
 * Opens a regular file for reading. Throws `Deno.errors.NotFound` when there is
 * anything else by now: to open a pipe waits for its writer, maybe forever.
 */
export async function openRegularFile(path: string): Promise<Deno.FsFile> {
  const { isFile } = await Deno.stat(path);
  if (!isFile) throw new Deno.errors.NotFound(`${path} is no regular file`);
  return await Deno.open(path);
}
