/** The errors of files in the data folder that cannot be read, by their names. */

import {
  type LoadProblem,
  refused,
  sentence,
  StoreError,
} from "../model/problems.ts";
import { isDenied, isOfSystem } from "../model/system_errors.ts";
import { isNowhere } from "./open_regular_file.ts";

/** The problem of a file that may not be read; undefined for other errors. */
export function denied(file: string, error: unknown): LoadProblem | undefined {
  if (!isDenied(error)) return undefined;
  return {
    file,
    problem: "may not be read",
    remedy: "Make it readable for the user that this process runs as",
  };
}

/**
 * The error of a file that is gone, may not be read, or that its disk or mount does not
 * give now; undefined for errors that are not of the system.
 */
export function unreadable(
  file: string,
  error: unknown,
): StoreError | undefined {
  if (error instanceof Deno.errors.NotFound) {
    return refused({
      file,
      problem: "gone before it was read",
      remedy: "Put it back",
    });
  }
  const problem = denied(file, error);
  if (problem) return refused(problem);
  if (!isOfSystem(error)) return undefined;
  // No refusal: the same file may be read later, without a change.
  return new StoreError(
    "unavailable",
    sentence({
      file,
      problem: `cannot be read: ${error.message}`,
      remedy: "Check the disks and mounts of DATA_DIR and STAGING_DIR",
    }),
  );
}

/** As `unreadable`, but a file that is gone keeps its error, which the caller knows; other errors stay as they are. */
export function unreadableThere(file: string, error: unknown): unknown {
  return isNowhere(error) ? error : unreadable(file, error) ?? error;
}
