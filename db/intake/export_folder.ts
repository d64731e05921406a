/** The data folder as clients see it: lists exports, takes new ones whole, removes them. */

import { createHash } from "node:crypto";
import { refused, StoreError } from "../model/problems.ts";
import type { ExportFile, ExportFiles } from "../store.ts";
import type { FileHashes } from "./file_hashes.ts";
import {
  findFiles,
  type FoundFile,
  foundFile,
  isUnfinished,
  unreadable,
} from "./find_files.ts";
import { tablesOf } from "./find_tables.ts";
import { stageFile, type StagingOptions } from "./stage_file.ts";
import { writeAll } from "./write_all.ts";

/** What the folder needs to know of the settings. */
export interface ExportFolderOptions extends StagingOptions {
  readonly data_dir: string;
  /** Most bytes of one upload. */
  readonly max_upload_bytes: number;
  readonly hashes: FileHashes;
}

/** Characters; file systems take 255 bytes. */
const MAX_NAME_LENGTH = 120;
/** More at once would only be slower each. */
const MAX_UPLOADS = 4;
/** An upload of which nothing comes for so long is given up, in milliseconds. */
const IDLE_MS = 30_000;
/** After this long an unfinished upload is an abandoned one also where files cannot be locked. */
const ABANDONED_MS = 3_600_000;
const PREFIX = ".upload-";
const SUFFIX = ".part";

/**
 * The exports of `options.data_dir`. An upload is written there under a hidden
 * name, which intake passes over, because a rename is one step only within one
 * file system; it is checked as a load would, and then renamed.
 */
export class ExportFolder implements ExportFiles {
  readonly #options: ExportFolderOptions;
  /** Where checks make their copies. */
  readonly #staging: string;
  #uploads = 0;

  constructor(staging: string, options: ExportFolderOptions) {
    this.#staging = staging;
    this.#options = options;
  }

  async list(): Promise<ExportFile[]> {
    const { files } = await findFiles(this.#options.data_dir);
    const { hashes } = this.#options;
    const listed: ExportFile[] = [];
    for (const { file, path, table } of files) {
      try {
        const { size, mtime } = await Deno.stat(path);
        const sha256 = await hashes.read(path);
        const modified_at = mtime!.toISOString();
        listed.push({ name: file, table, bytes: size, sha256, modified_at });
      } catch (error) {
        // Gone since the folder was listed.
        if (error instanceof Deno.errors.NotFound) continue;
        const problem = unreadable(file, error);
        throw problem ? refused(problem) : error;
      }
    }
    return listed;
  }

  async put(
    name: string,
    body: ReadableStream<Uint8Array>,
  ): Promise<ExportFile> {
    const source = this.#sourceOf(name);
    if (this.#uploads >= MAX_UPLOADS) {
      throw new StoreError(
        "busy",
        `${MAX_UPLOADS} uploads are under way. Try again when one is done.`,
      );
    }
    this.#uploads++;
    try {
      return await this.#receive(source, body);
    } catch (error) {
      throw folderError(error, name) ?? error;
    } finally {
      this.#uploads--;
    }
  }

  async remove(name: string): Promise<void> {
    const { path } = this.#sourceOf(name);
    try {
      await Deno.remove(path);
    } catch (error) {
      throw folderError(error, name) ?? error;
    }
  }

  /** Removes what uploads of killed processes left. */
  async clean(): Promise<void> {
    const { data_dir } = this.#options;
    for await (const { name } of Deno.readDir(data_dir)) {
      if (!name.startsWith(PREFIX) || !name.endsWith(SUFFIX)) continue;
      const path = `${data_dir}/${name}`;
      // Gone since it was listed, or of a user whose files are not ours to judge.
      const file = await Deno.open(path, { write: true }).catch(() => null);
      if (!file) continue;
      using _ = file;
      const { mtime } = await file.stat();
      const is_abandoned = await file.tryLock(true).catch(() => false) ||
        Date.now() - mtime!.getTime() > ABANDONED_MS;
      if (is_abandoned) await Deno.remove(path).catch(() => {});
    }
  }

  #sourceOf(name: string): FoundFile {
    const source = /[/\\\0]/.test(name) || name.length > MAX_NAME_LENGTH
      ? "not a plain file name"
      : isUnfinished(name)
      ? "a name of unfinished files"
      : foundFile(name, `${this.#options.data_dir}/${name}`);
    if (typeof source !== "string") return source;
    throw new StoreError(
      "invalid",
      `${
        JSON.stringify(name.slice(0, 60))
      } is ${source}. Name the file as docs/file-contract.md says, such as interactions_2024-01.csv.`,
    );
  }

  async #receive(
    source: FoundFile,
    body: ReadableStream<Uint8Array>,
  ): Promise<ExportFile> {
    const part = await Deno.makeTempFile({
      dir: this.#options.data_dir,
      prefix: PREFIX,
      suffix: SUFFIX,
    });
    const check = await Deno.makeTempDir({
      dir: this.#staging,
      prefix: "upload-",
    });
    try {
      using file = await Deno.open(part, { write: true });
      // The system drops the lock of a process that ends, however it ends, and
      // so tells what is left of it; some file systems have none.
      await file.lock(true).catch(() => {});
      const { bytes, sha256 } = await write(
        file,
        body,
        this.#options.max_upload_bytes,
      );
      await this.#check({ ...source, path: part }, `${check}/copy`);
      await Deno.chmod(part, 0o644);
      const { mtime } = await Deno.stat(part);
      await Deno.rename(part, source.path);
      const modified_at = mtime!.toISOString();
      const { file: name, table } = source;
      return { name, table, bytes, sha256, modified_at };
    } finally {
      await Deno.remove(part).catch(() => {});
      await Deno.remove(check, { recursive: true });
    }
  }

  /** Reads the file as a load does, every sheet of a workbook. */
  async #check(found: FoundFile, copy: string): Promise<void> {
    const { files } = await tablesOf(found, this.#options.xlsx_max_bytes);
    if (files.length === 0) {
      throw refused({
        file: found.file,
        problem: "no sheet is named after a table",
        remedy: "Name the sheets as docs/file-contract.md says",
      });
    }
    for (const file of files) await stageFile(file, copy, this.#options);
  }
}

async function write(
  file: Deno.FsFile,
  body: ReadableStream<Uint8Array>,
  max_bytes: number,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await readInTime(reader);
      if (done) break;
      bytes += value.length;
      if (bytes > max_bytes) {
        throw new StoreError(
          "too_large",
          `The upload has more than MAX_UPLOAD_BYTES=${max_bytes} bytes.`,
        );
      }
      hash.update(value);
      await writeAll(file, value);
    }
    // On disk before it gets its name, so that a power cut cannot leave half.
    await file.sync();
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function readInTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const idle = new Promise<never>((_, reject) => {
    const error = new StoreError(
      "invalid",
      `The upload stopped: nothing came for ${IDLE_MS / 1000} seconds.`,
    );
    timer = setTimeout(() => reject(error), IDLE_MS);
  });
  try {
    return await Promise.race([reader.read(), idle]);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError("invalid", "The upload was cut off. Send it again.");
  } finally {
    clearTimeout(timer);
  }
}

/** What people can mend of what the system says of the folder; undefined for the rest. */
function folderError(error: unknown, name: string): StoreError | undefined {
  switch ((error as { code?: unknown }).code) {
    case "ENOENT":
      return new StoreError("missing", `There is no file ${name}.`);
    case "EISDIR":
    case "ENOTEMPTY":
      return new StoreError("conflict", `${name} is a folder.`);
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new StoreError(
        "full",
        "The disk is full; nothing was kept. Free some space and send the file again.",
      );
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return readOnly();
  }
  // By the rights that Deno was started with.
  return error instanceof Deno.errors.NotCapable ? readOnly() : undefined;
}

function readOnly(): StoreError {
  return new StoreError(
    "conflict",
    "The data folder is read-only for this process. Mount it writable, or put the file there by other means.",
  );
}
