/** Locks on files, which the system drops when their process ends, however it ends. */

/** A lock that this process has. */
export interface FileLock extends Disposable {
  /** Whether the file of that name still is the one that is locked. */
  holds(): Promise<boolean>;
}

/** What file systems say that have no locks. */
const NO_LOCKS = ["ENOTSUP", "EOPNOTSUPP", "EINVAL"];
/** ENOLCK and ENOSYS of Linux and of macOS, to which Deno gives no code. */
const NO_LOCKS_TEXT = /\(os error (37|38|77|78)\)$/;

/** Whether an error of a lock says that the file system has none. */
export function isWithoutLocks(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return NO_LOCKS.includes(String(code)) || NO_LOCKS_TEXT.test(String(message));
}

/** Locks a file, which is made where it is missing, until the result is disposed; null while another process has the lock. */
export async function tryLock(
  path: string,
  { create = true }: { readonly create?: boolean } = {},
): Promise<FileLock | null> {
  const file = await Deno.open(path, { write: true, create });
  let is_ours = false;
  try {
    is_ours = await file.tryLock(true);
    if (!is_ours) return null;
    const { dev, ino } = await file.stat();
    return {
      async holds() {
        const info = await Deno.stat(path).catch(() => null);
        return info?.dev === dev && info.ino === ino;
      },
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    is_ours = false;
    throw error;
  } finally {
    if (!is_ours) file.close();
  }
}
