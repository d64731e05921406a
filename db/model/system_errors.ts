/** Which errors of the system are about rights. */

/** Whether the rights of the system or the permissions of Deno do not allow something. */
export function isDenied(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable;
}
