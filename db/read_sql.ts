/** Reads the statements of sql/, each once: each reading takes a thread, which is short under load. */

const texts = new Map<string, Promise<string>>();

/** The text of `sql/{name}.sql`. */
export function readSql(name: string): Promise<string> {
  const known = texts.get(name);
  if (known) return known;
  const text = Deno.readTextFile(
    new URL(`../sql/${name}.sql`, import.meta.url),
  );
  texts.set(name, text);
  // What could not be read is read again.
  text.catch(() => texts.delete(name));
  return text;
}
