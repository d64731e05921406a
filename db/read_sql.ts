/** Reads the statements of sql/. */

/** The text of `sql/{name}.sql`. */
export function readSql(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`../sql/${name}.sql`, import.meta.url));
}
