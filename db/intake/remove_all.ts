/** Removes folders that somebody else may remove too. */

/** Removes a folder with all in it, unless somebody else has. */
export async function removeAll(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
