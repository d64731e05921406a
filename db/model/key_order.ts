/** Puts the keys of objects in one order, so that equal objects are equal texts. */

/** An object with its keys in order; anything else as it is. For JSON.stringify, which asks about each part of a value. */
export function inKeyOrder(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1),
  );
}
