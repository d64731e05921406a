/** Opens the key file of a server, and follows its changes without ever opening what it closed. */

import type { Log } from "../db/model/log.ts";
import { SettingError } from "../db/model/problems.ts";
import { Callers } from "./callers.ts";
import { KeyFileError, parseKeyFile, readKeyText } from "./key_file.ts";

/** Time between two looks at the file, in milliseconds. */
const LOOK_MS = 1_000;

/** The callers of a server, whose keys follow the key file. */
export interface FollowedCallers {
  readonly callers: Callers;
  /** Looks at the file now. */
  look(): Promise<void>;
  /** Ends the looks. */
  stop(): void;
}

/**
 * The callers that the settings name. Throws a SettingError when the key file is
 * missing, empty or broken. Later, the file is read again when its text changes;
 * while it is missing or broken, the last good keys are used, and `log` says so.
 */
export async function openCallers(
  { API_KEYS_FILE: path, ADMIN_KEY_SHA256: admin_key_sha256, log }: {
    readonly API_KEYS_FILE?: string | undefined;
    readonly ADMIN_KEY_SHA256?: string | undefined;
    readonly log: Log;
  },
): Promise<FollowedCallers> {
  if (path === undefined) {
    const callers = new Callers({ admin_key_sha256 });
    return { callers, look: () => Promise.resolve(), stop() {} };
  }
  let text: string;
  let callers: Callers;
  try {
    text = await readKeyText(path);
    const key_file = parseKeyFile(text);
    callers = new Callers({ admin_key_sha256, key_file });
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    throw new SettingError("API_KEYS_FILE", {
      value: path,
      problem: error.message,
    });
  }

  // By its text: a file that is rewritten in place may keep size and time.
  async function look(): Promise<void> {
    try {
      const now = await readKeyText(path!);
      if (now === text && callers.problem === null) return;
      if (now !== text) callers.use(parseKeyFile(now));
      text = now;
      callers.problem = null;
      log({
        level: "info",
        event: "key_file_read",
        text: `API_KEYS_FILE was read again: ${keysText(callers.key_count)}.`,
        keys: callers.key_count,
      });
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      if (callers.problem === error.message) return;
      callers.problem = error.message;
      log({
        level: "error",
        event: "key_file_unusable",
        text: `API_KEYS_FILE=${
          JSON.stringify(path)
        }: ${error.message}. The keys of before are used.`,
      });
    }
  }

  let is_looking = false;
  const timer = setInterval(async () => {
    // A file system that does not answer must not collect looks.
    if (is_looking) return;
    is_looking = true;
    await look();
    is_looking = false;
  }, LOOK_MS);
  return { callers, look, stop: () => clearInterval(timer) };
}

function keysText(count: number): string {
  return count === 1 ? "1 key works" : `${count} keys work`;
}
