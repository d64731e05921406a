/** How much memory the process may take: by the setting, else by the limit of its container. */

import process from "node:process";

/** The share of the container's limit that is ours; the kernel kills what passes the whole. */
const SHARE = 0.9;
/** A limit above it is none: version 1 of cgroups says nearly 2^63 then. */
const NO_LIMIT_BYTES = 2 ** 50;

/**
 * In bytes; null for no limit. `setting_mb` is MEMORY_LIMIT_MB, in millions of bytes.
 * Without the right to ask the system, or outside of a container, there is none.
 */
export function memoryLimit(setting_mb: number | undefined): number | null {
  if (setting_mb !== undefined) return setting_mb * 1e6;
  const right = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(right).state !== "granted") return null;
  return shareOf(process.constrainedMemory());
}

/** Our share of a container's limit in bytes; null where that is none. */
export function shareOf(limit_bytes: number | undefined): number | null {
  return limit_bytes && limit_bytes < NO_LIMIT_BYTES
    ? Math.floor(limit_bytes * SHARE)
    : null;
}
