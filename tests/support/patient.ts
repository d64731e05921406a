/** A setting for tests that are not about time limits. */

/** Neither a busy machine nor one that stands still for a moment makes an answer late. */
export const PATIENT = { QUERY_TIMEOUT_MS: "20000" };
