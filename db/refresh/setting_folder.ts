/** Errors of a folder that a setting names and that cannot be used. */

import { SettingError } from "../model/problems.ts";

/** The setting of the folder for working files. */
export const STAGING_DIR = "STAGING_DIR";

/** A folder, and the setting that names it. */
export interface SettingFolder {
  readonly setting: string;
  /** Undefined where it is not set. */
  readonly path: string | undefined;
}

/** Turns a system error about a folder that must be writable into a SettingError; returns other errors unchanged. */
export function folderError(
  { setting, path }: SettingFolder,
  error: unknown,
): unknown {
  const problem = problemOf(error);
  return problem === null ? error : new SettingError(setting, {
    value: path,
    problem: `must be a folder that this process may write (${problem})`,
  });
}

function problemOf(error: unknown): string | null {
  // Denied by the permissions that Deno was started with.
  if (error instanceof Deno.errors.NotCapable) return "permission denied";
  switch ((error as { code?: unknown }).code) {
    case "ENOENT":
      return "it is not there";
    case "EEXIST":
    case "ENOTDIR":
      return "it is a file, or below one";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "the disk is read-only";
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full";
    case undefined:
      return null;
  }
  return (error as Error).message;
}
