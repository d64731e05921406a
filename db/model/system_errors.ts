/** Which errors are of the system, and which of these are about rights. */

/** Whether the rights of the system or the permissions of Deno do not allow something. */
export function isDenied(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable;
}

/** Whether the system gives an error such as EIO or ESTALE; those of Deno's and Node's own code have other codes, or none. */
export function isOfSystem(error: unknown): error is Error {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code);
}
