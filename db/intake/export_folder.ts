/** The data folder as clients see it: lists exports, takes new ones whole, removes them. */

import { createHash } from "node:crypto";
import type { Mapping } from "../mapping/mapping.ts";
import { MAPPING_FILE } from "../mapping/mapping_file.ts";
import type { TableName } from "../model/contract.ts";
import { createInTurn } from "../model/in_turn.ts";
import { refused, sentence, StoreError } from "../model/problems.ts";
import { isDenied, isOfSystem } from "../model/system_errors.ts";
import type {
  ExportFile,
  ExportFiles,
  Preconditions,
  UploadOptions,
} from "../store.ts";
import type { FileHashes } from "./file_hashes.ts";
import {
  dataDirProblem,
  findFiles,
  type FoundFile,
  foundFile,
  identityOf,
  isUnfinished,
  type Replacement,
  sourcesOf,
} from "./find_files.ts";
import { findMapping } from "./find_mapping.ts";
import { findTables } from "./find_tables.ts";
import { lookUp } from "./open_regular_file.ts";
import { checkPreconditions } from "./preconditions.ts";
import {
  checksumOf,
  MANIFEST,
  provenBy,
  readChecksum,
  readManifest,
} from "./proofs.ts";
import { copyWorkbook, stageFile, type StagingOptions } from "./stage_file.ts";
import { removeAll } from "./remove_all.ts";
import type { UnpackOptions } from "./unpack_zip.ts";
import { unreadable, unreadableThere } from "./unreadable.ts";
import { writeAll } from "./write_all.ts";

/** The settings that the folder needs. */
export interface ExportFolderOptions
  extends StagingOptions, Omit<UnpackOptions, "folder"> {
  readonly data_dir: string;
  /** The largest upload in bytes. */
  readonly max_upload_bytes: number;
  /** What all files in the folder may have together after an upload, in bytes. */
  readonly upload_quota_bytes: number;
  readonly hashes: FileHashes;
}

/** Characters of a name. */
const MAX_NAME_LENGTH = 120;
/** File systems take 255, and the name of the checksum is longer. */
const MAX_NAME_BYTES = 240;
/** The largest number of uploads at once: with more, each would be slower. */
const MAX_UPLOADS = 4;
/** An upload without a byte for this time is ended, in milliseconds. */
const IDLE_MS = 30_000;
/** After this time an unfinished upload counts as abandoned, where files cannot be locked. */
const ABANDONED_MS = 3_600_000;
const PREFIX = ".upload-";
/** The endings of an upload before and after it is locked. */
const UNLOCKED = ".new";
const LOCKED = ".part";

/** A file that says something of exports: of their bytes, or how they are read. */
interface Description {
  readonly file: string;
  readonly path: string;
  readonly format: "checksum" | "manifest" | "mapping";
}

/** A file that may be delivered. */
type Delivered = FoundFile | Description;

/** The size and the hash of a file, which a checksum or the manifest may describe. */
interface Bytes {
  readonly bytes: number;
  readonly sha256: string;
}

/** A file that was received and not stored; it is removed when it is disposed. */
export type ReceivedFile = Replacement & AsyncDisposable;

/**
 * The exports of `options.data_dir`. An upload is written there under a hidden
 * name, which intake ignores, because a rename is one step only within one
 * file system; it is checked as a load would, and then renamed.
 */
export class ExportFolder implements Omit<ExportFiles, "check"> {
  readonly #options: ExportFolderOptions;
  /** Where checks make their copies. */
  readonly #staging: string;
  readonly #uploads = new Set<Promise<unknown>>();
  /** Is aborted when no upload may go on, and no file be read for one. */
  readonly #closed = new AbortController();
  /** Checks that are followed by a change of the folder. */
  readonly #exclusive = createInTurn();

  constructor(staging: string, options: ExportFolderOptions) {
    this.#staging = staging;
    this.#options = { ...options, signal: this.#closed.signal };
  }

  async list(): Promise<ExportFile[]> {
    const missing = new StoreError(
      "conflict",
      "The data folder changed while it was listed. Ask again.",
    );
    return await this.#inFolder({ missing }, async () => {
      const { data_dir } = this.#options;
      const { files, proofs, mapping_file, mapping } = await findFiles(
        data_dir,
      );
      const listed: ExportFile[] = [];
      const vouching = proofs.filter(({ file }) =>
        this.#vouches(file, mapping?.mapping ?? null)
      );
      const descriptions = [
        ...vouching,
        ...mapping_file ? [mapping_file] : [],
      ].map(describing);
      for (const found of [...files, ...descriptions]) {
        try {
          const info = await lookUp(found.path);
          // A folder or a pipe is no checksum and no manifest, nor is a link to itself.
          if (!info?.isFile) continue;
          const sha256 = await this.#hash(found.path);
          const { size: bytes, mtime } = info;
          listed.push(describe(found, { bytes, sha256, mtime }));
        } catch (error) {
          // Gone since the folder was listed.
          if (error instanceof Deno.errors.NotFound) continue;
          throw unreadable(found.file, error) ?? error;
        }
      }
      return listed.sort((a, b) => a.name < b.name ? -1 : 1);
    });
  }

  async put(
    name: string,
    body: ReadableStream<Uint8Array>,
    { content_length = 0, ...preconditions }: UploadOptions = {},
  ): Promise<ExportFile> {
    requireSize(content_length, this.#options);
    return await this.#upload(async () => {
      const { target, mapping } = await this.#target(name, preconditions);
      // Before it is received, and again with its bytes.
      await this.#checkQuota(target, content_length);
      return await this.#receive(target, body, { mapping, preconditions });
    });
  }

  /** Receives a file as `put` does, with the same checks, and does not store it. */
  async receive(
    name: string,
    body: ReadableStream<Uint8Array>,
    { content_length = 0, ...preconditions }: UploadOptions = {},
  ): Promise<ReceivedFile> {
    requireSize(content_length, this.#options);
    return await this.#upload(async () => {
      // It is not written to, and must be there all the same.
      await Deno.stat(this.#options.data_dir);
      const { target, mapping } = await this.#target(name, preconditions);
      return await this.#receiveAside(target, { body, mapping });
    });
  }

  /** What is uploaded; what is refused without its bytes is refused here. */
  async #target(name: string, preconditions: Preconditions) {
    // Read once: it may change during the upload, and name and content go by one.
    const mapping = await this.#mapping();
    const target = this.#deliveredAs(name, mapping);
    await this.#checkPresent(target, preconditions);
    await this.#checkSpelling(target);
    return { target, mapping };
  }

  /** Runs an upload, one of a few at once. */
  async #upload<T>(action: () => Promise<T>): Promise<T> {
    this.#closed.signal.throwIfAborted();
    if (this.#uploads.size >= MAX_UPLOADS) {
      throw new StoreError(
        "busy",
        `${MAX_UPLOADS} uploads are under way. Try again when one is done.`,
      );
    }
    const missing = new StoreError(
      "conflict",
      "The data folder or STAGING_DIR was changed during the upload. Send the file again.",
    );
    const upload = this.#inFolder({ missing }, action);
    this.#uploads.add(upload);
    try {
      return await upload;
    } finally {
      this.#uploads.delete(upload);
    }
  }

  /** Ends the uploads that are still received, and waits until nothing is left of them. */
  async close(): Promise<void> {
    this.#closed.abort(
      new StoreError(
        "unavailable",
        "The process stops; nothing was kept. Send the file again.",
      ),
    );
    await Promise.allSettled(this.#uploads);
  }

  async remove(name: string, preconditions: Preconditions = {}): Promise<void> {
    const missing = new StoreError("missing", `There is no file ${name}.`);
    await this.#inFolder({ missing }, async () => {
      const target = this.#deliveredAs(name, await this.#mapping());
      await this.#exclusive(async () => {
        // Deno.remove would take an empty folder too.
        await this.#checkPresent(target, preconditions);
        await Deno.remove(target.path);
      });
    });
  }

  /** Removes the unfinished uploads of killed processes. */
  async clean(): Promise<void> {
    const { data_dir } = this.#options;
    // The next look at the folder reports why.
    if (await dataDirProblem(data_dir)) return;
    for await (const { name } of Deno.readDir(data_dir)) {
      const is_locked = name.endsWith(LOCKED);
      if (!name.startsWith(PREFIX) || !is_locked && !name.endsWith(UNLOCKED)) {
        continue;
      }
      const path = `${data_dir}/${name}`;
      // Gone since it was listed, or of a user whose files are not ours to judge.
      const file = await Deno.open(path, { write: true }).catch(() => null);
      if (!file) continue;
      using _ = file;
      const { mtime } = await file.stat();
      const is_abandoned = Date.now() - mtime!.getTime() > ABANDONED_MS ||
        is_locked && await file.tryLock(true).catch(() => false);
      if (is_abandoned) await Deno.remove(path).catch(() => {});
    }
  }

  /** What tally.toml says now; null where there is none that can be used. */
  async #mapping(): Promise<Mapping | null> {
    const path = `${this.#options.data_dir}/${MAPPING_FILE}`;
    // When tally.toml may not be read, the refresh reports it; an upload does not.
    const info = await lookUp(path).catch(() => null);
    return info?.isFile ? (await findMapping(path)).mapping : null;
  }

  #deliveredAs(name: string, mapping: Mapping | null): Delivered {
    const delivered = this.#whatIs(name, mapping);
    if (typeof delivered !== "string") return delivered;
    throw new StoreError(
      "invalid",
      `${
        JSON.stringify(name.slice(0, 60))
      } is ${delivered}. Name the file as docs/file-contract.md says, such as interactions_2024-01.csv, or let tally.toml name it; it may have a .sha256, and manifest.json.`,
    );
  }

  /** Whether a proof is of an export, there or not: one in a folder is of a part. */
  #vouches(file: string, mapping: Mapping | null): boolean {
    return file.includes("/")
      ? provenBy(file) !== null
      : typeof this.#whatIs(file, mapping) !== "string";
  }

  /** The kind of a file of that name; or the reason why it is refused. */
  #whatIs(name: string, mapping: Mapping | null): Delivered | string {
    const path = `${this.#options.data_dir}/${name}`;
    if (name === MANIFEST || name === MAPPING_FILE) {
      return describing({ file: name, path });
    }
    const proven = provenBy(name);
    const exported = proven ?? name;
    const found = !isPlainName(exported)
      ? "not a plain file name"
      : isUnfinished(exported)
      ? "a name of unfinished files"
      : exported === MAPPING_FILE
      ? describing({ file: exported, path })
      : foundFile(exported, {
        path,
        sources: sourcesOf(mapping?.sources ?? [], exported),
      });
    if (proven === null) return found;
    return typeof found === "string"
      ? `the checksum of what is ${found}`
      : describing({ file: name, path });
  }

  /** Throws a StoreError when the folder would have too much with `bytes` in the place of `target`. */
  async #checkQuota({ file }: Delivered, bytes: number): Promise<void> {
    const { data_dir, upload_quota_bytes } = this.#options;
    let sum = bytes;
    for await (const { name, isFile } of Deno.readDir(data_dir)) {
      if (!isFile || name === file || name.startsWith(PREFIX)) continue;
      // Gone since it was listed.
      const info = await Deno.lstat(`${data_dir}/${name}`).catch(() => null);
      sum += info?.size ?? 0;
    }
    if (sum <= upload_quota_bytes) return;
    throw new StoreError(
      "full",
      `With ${file}, the data folder would have ${sum} bytes, more than UPLOAD_QUOTA_BYTES=${upload_quota_bytes}. Delete files that are not needed, or raise it.`,
    );
  }

  /** Throws a conflict where the file is there in another spelling: its rows would count twice. */
  async #checkSpelling({ file }: Delivered): Promise<void> {
    for await (const { name } of Deno.readDir(this.#options.data_dir)) {
      if (name === file || spelling(name) !== spelling(file)) continue;
      throw new StoreError(
        "conflict",
        `${name} is there. Send ${file} under that name, or delete that one first.`,
      );
    }
  }

  /** Throws a StoreError when the present file may not be changed. */
  async #checkPresent(
    { file, path }: Delivered,
    preconditions: Preconditions,
  ): Promise<void> {
    const info = await Deno.lstat(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    });
    if (info?.isDirectory) throw isFolder(file);
    await checkPreconditions(
      info && {
        name: file,
        sha256: () =>
          this.#hash(path).catch((error) => {
            throw unreadableThere(file, error);
          }),
      },
      preconditions,
    );
  }

  async #receive(
    target: Delivered,
    body: ReadableStream<Uint8Array>,
    { mapping, preconditions }: {
      readonly mapping: Mapping | null;
      readonly preconditions: Preconditions;
    },
  ): Promise<ExportFile> {
    const upload = `${this.#options.data_dir}/${PREFIX}${crypto.randomUUID()}`;
    let part = `${upload}${UNLOCKED}`;
    let check: string | undefined;
    try {
      using file = await Deno.open(part, {
        write: true,
        createNew: true,
        mode: 0o600,
      });
      // The system drops the lock when the process ends in any way, so an unlocked
      // upload is a leftover; some file systems have no locks. The file is locked
      // before it gets the name by which a process that starts finds it.
      await file.lock(true).catch(() => {});
      await Deno.rename(part, `${upload}${LOCKED}`);
      part = `${upload}${LOCKED}`;
      check = await Deno.makeTempDir({
        dir: this.#staging,
        prefix: "upload-",
      });
      const written = await this.#write(file, body);
      await Deno.chmod(part, 0o644);
      const { mtime } = await this.#remember(part, written);
      await this.#check({ ...target, path: part }, {
        folder: check,
        mapping,
      });
      await this.#exclusive(async () => {
        await this.#checkPresent(target, preconditions);
        await this.#checkSpelling(target);
        await this.#checkProofs(target, written);
        await this.#checkQuota(target, written.bytes);
        await Deno.rename(part, target.path);
        await this.#remember(target.path, written);
      });
      return describe(target, { ...written, mtime });
    } finally {
      await Deno.remove(part).catch(() => {});
      if (check) {
        await Deno.remove(check, { recursive: true }).catch(() => {});
      }
    }
  }

  async #receiveAside(
    target: Delivered,
    { body, mapping }: {
      readonly body: ReadableStream<Uint8Array>;
      readonly mapping: Mapping | null;
    },
  ): Promise<ReceivedFile> {
    const folder = await Deno.makeTempDir({
      dir: this.#staging,
      prefix: "received-",
    });
    // It is gone already where the store was closed meanwhile.
    const remove = () => removeAll(folder);
    try {
      const path = `${folder}/file`;
      const written = await (async () => {
        using file = await Deno.open(path, { write: true, createNew: true });
        return await this.#write(file, body);
      })();
      await this.#remember(path, written);
      const check = `${folder}/check`;
      await Deno.mkdir(check);
      await this.#check({ ...target, path }, { folder: check, mapping });
      await Deno.remove(check, { recursive: true });
      await this.#checkProofs(target, written);
      return { file: target.file, path, [Symbol.asyncDispose]: remove };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  #hash(path: string): Promise<string> {
    const { hashes, signal } = this.#options;
    return hashes.read(path, { signal });
  }

  #write(file: Deno.FsFile, body: ReadableStream<Uint8Array>): Promise<Bytes> {
    const { max_upload_bytes } = this.#options;
    const { signal } = this.#closed;
    return write(file, body, { max_upload_bytes, signal });
  }

  /** Remembers the hash that was computed during the upload, so that the file is not read again for it. */
  async #remember(path: string, { sha256 }: Bytes): Promise<Deno.FileInfo> {
    const info = await Deno.stat(path);
    this.#options.hashes.remember(identityOf(info), sha256);
    return info;
  }

  /** Throws a conflict when a checksum or the manifest describes other bytes or may not be read, because the export could not go live. */
  async #checkProofs(target: Delivered, { bytes, sha256 }: Bytes) {
    // A checksum or manifest comes before the files that it describes.
    if (describes(target) && target.format !== "mapping") return;
    const { file } = target;
    const { data_dir } = this.#options;
    const inTheWay = (proof: string, why: string) =>
      new StoreError(
        "conflict",
        `${file} could not go live: ${proof} ${why}. Upload the right ${proof} first, or delete it.`,
      );
    /** What `read` finds in a proof; undefined where there is no such file. */
    const readProof = async <T>(
      proof: string,
      read: (path: string) => Promise<T>,
    ): Promise<T | undefined> => {
      const path = `${data_dir}/${proof}`;
      try {
        return (await lookUp(path))?.isFile ? await read(path) : undefined;
      } catch (error) {
        throw isDenied(error) ? inTheWay(proof, "may not be read") : error;
      }
    };
    const checksum = checksumOf(file);
    const told = await readProof(checksum, readChecksum);
    if (told === null) throw inTheWay(checksum, "has no SHA-256 in it");
    if (told && told !== sha256) throw inTheWay(checksum, "is for other bytes");
    const listed = await readProof(MANIFEST, readManifest);
    if (typeof listed === "string") {
      throw inTheWay(MANIFEST, `is not valid (${listed})`);
    }
    const differs = listed?.some((one) =>
      one.file === file &&
      (one.bytes !== bytes || one.sha256.toLowerCase() !== sha256)
    );
    if (differs) throw inTheWay(MANIFEST, "lists other bytes for it");
  }

  /** Reads the file as a load does, every sheet of a workbook and every file in a ZIP. */
  async #check(
    found: Delivered,
    { folder, mapping }: {
      /** An empty folder for copies. */
      readonly folder: string;
      readonly mapping: Mapping | null;
    },
  ): Promise<void> {
    if (describes(found)) return await checkDescription(found);
    const { files, refusals } = await findTables({
      files: [found],
      ignored: [],
      mapping: mapping && { mapping },
    }, { ...this.#options, folder });
    if (refusals.length > 0) throw refusals[0];
    if (files.length === 0) {
      const [problem, remedy] = found.format === "zip"
        ? ["no file in it is a table's", "files in it"]
        : ["no sheet is named after a table", "sheets"];
      throw refused({
        file: found.file,
        problem,
        remedy: `Name the ${remedy} as docs/file-contract.md says`,
      });
    }
    const copy = `${folder}/copy`;
    for (const of_path of Map.groupBy(files, ({ path }) => path).values()) {
      if (of_path[0].format !== "xlsx") {
        // Each source of tally.toml reads other columns of it.
        for (const file of of_path) await stageFile(file, copy, this.#options);
        continue;
      }
      await using book = await copyWorkbook(
        of_path[0],
        `${copy}.xlsx`,
        this.#options,
      );
      for (const file of of_path) await book.stage(file, copy);
    }
  }

  /** Runs an action on the folder. Throws a StoreError for errors that people can mend, `missing` for a file that is not there. */
  async #inFolder<T>(
    { missing }: { readonly missing: StoreError },
    action: () => Promise<T>,
  ): Promise<T> {
    try {
      return await action();
    } catch (error) {
      // A missing folder can look like a file that may not be read.
      if (error instanceof StoreError && error.kind !== "refused") throw error;
      const away = await dataDirProblem(this.#options.data_dir);
      if (away) throw new StoreError("unavailable", sentence(away));
      if (error instanceof Deno.errors.NotFound) throw missing;
      throw folderError(error) ?? error;
    }
  }
}

/** Whether it is a short name without slashes, and without the control characters that intake takes from nobody. */
function isPlainName(name: string): boolean {
  return !/[/\\\p{Cc}]/u.test(name) && name.length <= MAX_NAME_LENGTH &&
    new TextEncoder().encode(name).length <= MAX_NAME_BYTES;
}

function describing(
  { file, path }: Pick<Delivered, "file" | "path">,
): Description {
  const format = file === MAPPING_FILE
    ? "mapping"
    : provenBy(file) === null
    ? "manifest"
    : "checksum";
  return { file, path, format };
}

function describes(delivered: Delivered): delivered is Description {
  return !("sources" in delivered);
}

function describe(
  found: Delivered,
  { bytes, sha256, mtime }: Bytes & Pick<Deno.FileInfo, "mtime">,
): ExportFile {
  return {
    name: found.file,
    kind: describes(found) ? found.format : "export",
    table: describes(found) ? null : tableOfAll(found),
    bytes,
    sha256,
    modified_at: mtime!.toISOString(),
  };
}

/** The table of everything in the file; null where that may be several. */
function tableOfAll({ table, sources }: FoundFile): TableName | null {
  const tables = new Set(sources.map((source) => source.table));
  return tables.size === 1 ? [...tables][0] : table;
}

/** Throws a refusal of a checksum, manifest or mapping that cannot be used. */
async function checkDescription(
  { file, path, format }: Description,
): Promise<void> {
  if (format === "mapping") {
    const { problem } = await findMapping(path);
    if (problem) throw problem;
    return;
  }
  if (format === "manifest") {
    const problem = await readManifest(path);
    if (typeof problem !== "string") return;
    const remedy = "Write it as docs/operations.md says";
    throw refused({ file, problem, remedy });
  }
  if (await readChecksum(path) !== null) return;
  throw refused({
    file,
    problem: "no SHA-256 in it",
    remedy: "Write it as sha256sum does",
  });
}

async function write(
  file: Deno.FsFile,
  body: ReadableStream<Uint8Array>,
  { max_upload_bytes, signal }: {
    readonly max_upload_bytes: number;
    /** When it is aborted, its reason is thrown. */
    readonly signal: AbortSignal;
  },
): Promise<Bytes> {
  const hash = createHash("sha256");
  let bytes = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await readInTime(reader, signal);
      if (done) break;
      bytes += value.length;
      requireSize(bytes, { max_upload_bytes });
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

/** Throws the refusal of an upload of so many bytes, if they are too many. */
function requireSize(
  bytes: number,
  { max_upload_bytes }: Pick<ExportFolderOptions, "max_upload_bytes">,
): void {
  if (bytes <= max_upload_bytes) return;
  throw new StoreError(
    "too_large",
    `The upload has more than MAX_UPLOAD_BYTES=${max_upload_bytes} bytes.`,
  );
}

async function readInTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const error = new StoreError(
    "invalid",
    `The upload stopped: nothing came for ${IDLE_MS / 1000} seconds.`,
  );
  const timer = setTimeout(() => reject(error), IDLE_MS);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    return await Promise.race([reader.read(), ended]);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError("invalid", "The upload was cut off. Send it again.");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** The StoreError for a system error that people can mend; undefined for others. */
function folderError(error: unknown): StoreError | undefined {
  switch ((error as { code?: unknown }).code) {
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
  // Denied by the permissions that Deno was started with.
  if (error instanceof Deno.errors.NotCapable) return readOnly();
  return isOfSystem(error)
    ? new StoreError(
      "unavailable",
      `The disk of DATA_DIR or STAGING_DIR fails: ${error.message}. Check it and its mount, and try again.`,
    )
    : undefined;
}

/** What two names have in common that a person takes for one. */
function spelling(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

function isFolder(name: string): StoreError {
  return new StoreError(
    "conflict",
    `${name} is a folder. Folders are neither replaced nor removed.`,
  );
}

function readOnly(): StoreError {
  return new StoreError(
    "conflict",
    "The data folder is read-only for this process. Mount it writable, or put the file there by other means.",
  );
}
