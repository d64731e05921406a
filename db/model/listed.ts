/** Writes a list of names of which there may be too many. */

/** The first names, and how many more there are. */
export function listed(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).join(", ");
  const more = names.length - most;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
