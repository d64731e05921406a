/** Looks whether something has a name, before a command uses it. */

/** Whether there is a file, a folder or a link at `path`, as far as this process may look. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
