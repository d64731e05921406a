/** Refuses files that are gone or that the process may not read, by their names. */

import { isDenied } from "../model/denied.ts";
import { type LoadProblem, refused } from "../model/problems.ts";

/** The problem of a file that may not be read; undefined for other errors. */
export function denied(file: string, error: unknown): LoadProblem | undefined {
  if (!isDenied(error)) return undefined;
  return {
    file,
    problem: "may not be read",
    remedy: "Make it readable for the user that this process runs as",
  };
}

/** The problem of a file that is gone or may not be read; undefined for other errors. */
export function unreadable(
  file: string,
  error: unknown,
): LoadProblem | undefined {
  return error instanceof Deno.errors.NotFound
    ? { file, problem: "gone before it was read", remedy: "Put it back" }
    : denied(file, error);
}

/** Throws a refusal of a file that may not be read; does nothing for other errors. */
export function refuseUnreadable(file: string, error: unknown): void {
  const problem = denied(file, error);
  if (problem) throw refused(problem);
}
