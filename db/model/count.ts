/** Writes a number for people. */

/** A number with its thousands separated. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
