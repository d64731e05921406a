/** Looks at the data folder again and again, and finds when its files are complete and may be loaded. */

import type { Log } from "../model/log.ts";
import {
  type LoadProblem,
  refused,
  sentence,
  StoreError,
} from "../model/problems.ts";
import {
  type FolderView,
  type Found,
  type FoundFile,
  identityOf,
  listExports,
  placeOf,
  systemProblem,
} from "./find_files.ts";
import type { FileHashes } from "./file_hashes.ts";
import { lookUp, openRegularFile } from "./open_regular_file.ts";
import { readRange } from "./read_range.ts";
import { denied } from "./unreadable.ts";
import { endsAsZip } from "./zip.ts";
import {
  checksumOf,
  MANIFEST,
  type ManifestFiles,
  readChecksum,
  readManifest,
} from "./proofs.ts";

/** The settings that the watch needs. */
export interface ExportWatchOptions extends FolderView {
  readonly data_dir: string;
  /** How long a file that may be cut must stay unchanged, in milliseconds. */
  readonly settle_ms: number;
  /** Whether a text file without a line break at its end is refused. */
  readonly final_newline_required: boolean;
  /** Where the hashes of files are remembered. */
  readonly hashes: FileHashes;
  /** Gets the files that come and are not read. */
  readonly log?: Log;
  /** When it is aborted, a look that reads a file ends and throws its reason. */
  readonly signal?: AbortSignal;
}

/** The result of one look at the folder. */
export interface Look {
  /** Equal for two looks that saw the same files, unchanged. */
  readonly identity: string;
  /** The exports; null when they cannot be loaded. */
  readonly found: Found | null;
  /** The files that are not complete yet, in plain words; empty when the files may be loaded. */
  readonly waiting: readonly string[];
  /** Why the files cannot be loaded, known before they are read. */
  readonly problem: StoreError | null;
  /** Possible mistakes in files that are loaded all the same. */
  readonly warnings: readonly string[];
  /** The rows that manifest.json says a file has, by file. */
  readonly expected_rows: ReadonlyMap<string, number>;
}

/** A file counts when it is the same in two looks this far apart, in milliseconds. */
export const STEADY_MS = 500;

/** As many names are in one entry of the log. */
const NAMES_LOGGED = 20;

/** The facts about a file from looking at it. */
interface Seen {
  readonly identity: string;
  /** The file itself, whatever its content. */
  readonly inode: string;
  /** Unchanged since then, by `performance.now()`. */
  readonly since: number;
  readonly bytes: number;
  /** Whether it has grown from one look to the next without a rest. */
  readonly grows: boolean;
  /** Whether a look found it unchanged for long enough. */
  rested: boolean;
  /** Whether its last bytes are those of a whole text, or of a whole ZIP. */
  readonly ends_with_line_break: () => Promise<boolean>;
  readonly ends_as_zip: () => Promise<boolean>;
}

/** Remembers the state of each file, so that a file is read only when it has changed. */
export class ExportWatch {
  readonly #options: ExportWatchOptions;
  #seen = new Map<string, Seen>();
  #first = true;
  /** The files that are not read, and whether that is said; null before the folder was listed. */
  #ignored: ReadonlyMap<string, boolean> | null = null;

  constructor(options: ExportWatchOptions) {
    this.#options = options;
  }

  /** Looks at the folder. Throws only errors that neither a setting nor a file can mend. */
  async look(): Promise<Look> {
    try {
      const { data_dir } = this.#options;
      const found = await listExports(data_dir, this.#options);
      this.#noteIgnored(found);
      return await this.#look(found);
    } catch (error) {
      // The file disappeared in the middle; the next look reports it.
      if (error instanceof Deno.errors.NotFound) {
        return { ...NOTHING, waiting: ["files that come and go"] };
      }
      const broken = systemProblem(this.#options.data_dir, error);
      const problem = error instanceof StoreError
        ? error
        : broken && refused(broken);
      if (!problem) throw error;
      return { ...NOTHING, identity: problem.message, problem };
    } finally {
      this.#first = false;
    }
  }

  /** Logs the files that are not read and came since the first list, whose load reports those that lay there. */
  #noteIgnored({ ignored }: Found): void {
    const { log, replacement } = this.#options;
    const last = this.#ignored;
    this.#ignored = new Map(
      ignored.map(({ file }) => [file, last?.has(file) ?? true]),
    );
    // Twice seen: copies under a name of their own, until they are renamed, are many.
    const files = ignored.filter(({ file }) => last?.get(file) === false)
      .map(({ file, reason }) => `${file}: ${reason}`);
    if (files.length === 0 || replacement) return;
    log?.({
      level: "warning",
      event: "files_not_read",
      text:
        `New in DATA_DIR and not read: ${files.length}. Name exports as docs/file-contract.md says, or let tally.toml name them.`,
      account: files.slice(0, NAMES_LOGGED),
      files: files.slice(0, NAMES_LOGGED),
    });
  }

  async #look(found: Found): Promise<Look> {
    const now = performance.now();
    const last = this.#seen;
    this.#seen = new Map();
    const see = async (path: string) => {
      const seen = await this.#see(path, last.get(path));
      if (seen) this.#seen.set(path, seen);
      return seen;
    };
    const waiting: string[] = [];
    const problems: LoadProblem[] = [];
    const warnings: string[] = [];
    const judge = (since: number, problem: LoadProblem) => {
      if (now - since < this.#options.settle_ms) {
        waiting.push(`${problem.file}: ${problem.problem}`);
      } else problems.push(problem);
    };
    const unread = new Map<string, LoadProblem>();
    const reading: Reading = async (file, action) => {
      try {
        return await action();
      } catch (error) {
        const problem = denied(file, error);
        if (!problem) throw error;
        unread.set(file, problem);
      }
    };

    const { replacement, hashes, signal } = this.#options;
    const hash = (path: string) => hashes.read(path, { signal });
    const root = await Deno.realPath(this.#options.data_dir);
    const folder = { root, replacement };
    const { vouched, expected_rows } = await reading(MANIFEST, async () => {
      const manifest = await see(placeOf(MANIFEST, folder));
      return manifest &&
        await checkManifest(manifest, { folder, see, judge, reading, hash });
    }) ?? NOTHING_LISTED;

    const judgeSource = async (source: FoundFile) => {
      const { file, path } = source;
      const seen = await see(path);
      // Beside the name that it is found by, which may be a link.
      const checksum = checksumOf(file);
      const proof_path = placeOf(checksum, folder);
      const proof = await reading(checksum, () => see(proof_path));
      // What counts as a file of the folder is written already.
      const is_steady = seen !== null &&
        (now - seen.since >= STEADY_MS || file === replacement?.file);
      if (!is_steady || seen.identity !== source.identity) {
        return void waiting.push(`${file}: still changing`);
      }
      const told = proof &&
        await reading(checksum, () => readChecksum(proof_path));
      if (unread.has(checksum)) return;
      if (proof && told !== await hash(path)) {
        judge(Math.max(seen.since, proof.since), {
          file,
          problem: told
            ? `not the bytes that ${checksum} describes`
            : `${checksum} has no SHA-256 in it`,
          remedy: "Deliver the file and its .sha256 again",
        });
      }
      const end = endOf(source);
      if (proof || vouched.has(file) || !end) {
        seen.rested = true;
        return;
      }
      const rests = now - seen.since >= this.#options.settle_ms;
      if (seen.grows && !rests) {
        return void waiting.push(`${file}: was growing, so more may come`);
      }
      const { is_whole, cut, remedy } = end;
      const whole = await is_whole(seen);
      if (!whole && !rests) return void waiting.push(`${file}: ${cut}`);
      seen.rested = true;
      if (whole) return;
      if (source.format === "zip" || this.#options.final_newline_required) {
        problems.push({ file, problem: cut, remedy });
      } else warnings.push(`${file}: ${cut}`);
    };
    const { files, unfinished, mapping_file } = found;
    // However long it rests: only its job, or who removes its traces, knows the end.
    for (const { problem: { file, problem, remedy } } of unfinished) {
      waiting.push(`${file}: ${problem}. ${remedy}`);
    }
    for (const source of mapping_file ? [mapping_file, ...files] : files) {
      await reading(source.file, () => judgeSource(source));
    }
    problems.unshift(...unread.values());

    const identities = Array.from(this.#seen.values(), (seen) => seen.identity);
    // The look at the folder as it is says which files are there.
    if (!replacement) hashes.keepOnly(new Set(identities));
    const identity = [
      ...Array.from(this.#seen, ([path, seen]) => `${path} ${seen.identity}`),
      // A folder of parts may become one that is refused, with the same files in it.
      ...found.unusable.map(({ problem }) => sentence(problem)),
    ].join("\n");
    return {
      identity,
      found,
      waiting,
      problem: problems.length > 0 ? refused(...problems) : null,
      warnings,
      expected_rows,
    };
  }

  async #see(path: string, last?: Seen): Promise<Seen | null> {
    const info = await lookUp(path);
    if (!info?.isFile) return null;
    const identity = identityOf(info);
    if (last?.identity === identity) return last;
    const now = performance.now();
    const { dev, ino, size, mtime, ctime } = info;
    const changed_at = Math.max(mtime?.getTime() ?? 0, ctime?.getTime() ?? 0);
    // Files that lay there before this process are as old as they say.
    const age_ms = this.#first ? Math.max(0, Date.now() - changed_at) : 0;
    const inode = [dev, ino].join(" ");
    // Written to again before it had rested: its writer is slow.
    const restless = last?.inode === inode && !last.rested;
    return {
      identity,
      inode,
      since: now - age_ms,
      grows: restless && (last.grows || size > last.bytes),
      rested: false,
      bytes: size,
      ends_with_line_break: once(() => endsWithLineBreak(path, size)),
      ends_as_zip: once(() => endsAsZip(path)),
    };
  }
}

/** Reads something of a file; undefined where that may not be read, which is a problem of the look. */
type Reading = <T>(
  file: string,
  action: () => Promise<T>,
) => Promise<T | undefined>;

/** The contents of manifest.json that were checked: the files that match it, and their numbers of rows. */
interface Manifest {
  readonly vouched: Set<string>;
  readonly expected_rows: Map<string, number>;
}

const NOTHING_LISTED: Manifest = {
  vouched: new Set(),
  expected_rows: new Map(),
};

const NOTHING: Look = {
  identity: "",
  found: null,
  waiting: [],
  problem: null,
  warnings: [],
  expected_rows: new Map(),
};

// Every file of the manifest must be there before any file is loaded.
async function checkManifest(
  { since }: Seen,
  { folder, see, judge, reading, hash }: {
    folder: Parameters<typeof placeOf>[1];
    see: (path: string) => Promise<Seen | null>;
    judge: (since: number, problem: LoadProblem) => void;
    reading: Reading;
    hash: (path: string) => Promise<string>;
  },
): Promise<Manifest> {
  const vouched = new Set<string>();
  const expected_rows = new Map<string, number>();
  const remedy = "Deliver the whole set again, manifest.json last";
  const manifest = await readManifest(placeOf(MANIFEST, folder));
  if (typeof manifest === "string") {
    judge(since, { file: MANIFEST, problem: manifest, remedy });
    return { vouched, expected_rows };
  }
  const check = async (
    { file, sha256, bytes, rows }: ManifestFiles[number],
  ) => {
    if (rows !== undefined) expected_rows.set(file, rows);
    const inside = !file.split("/").includes("..") && !file.startsWith("/");
    const place = placeOf(file, folder);
    const seen = inside ? await see(place) : null;
    const problem = seen === null
      ? "listed and not there"
      : seen.bytes !== bytes
      ? `listed with ${bytes} bytes, and has ${seen.bytes}`
      : await hash(place) !== sha256.toLowerCase()
      ? "not the bytes that are listed"
      : null;
    if (problem) {
      const name = `${MANIFEST}, ${file.slice(0, 200)}`;
      judge(Math.max(since, seen?.since ?? 0), { file: name, problem, remedy });
    } else vouched.add(file);
  };
  for (const one of manifest) await reading(one.file, () => check(one));
  return { vouched, expected_rows };
}

/** By what the end of a file tells whether it is whole; null where loading finds it out. */
function endOf(source: FoundFile): {
  readonly is_whole: (seen: Seen) => Promise<boolean>;
  readonly cut: string;
  readonly remedy: string;
} | null {
  if (source.format === "zip") {
    return {
      is_whole: (seen) => seen.ends_as_zip(),
      cut: "no list of its files at its end, so it is cut or no ZIP",
      remedy: "Copy it there again, whole",
    };
  }
  return source.format === "text" && !source.gzip
    ? {
      is_whole: (seen) => seen.ends_with_line_break(),
      cut: "no line break at its end, so it may be cut",
      remedy:
        "End its last line with a line break, or set CSV_FINAL_NEWLINE=optional",
    }
    : null;
}

/** Whether the last character is a line break, in UTF-8 or UTF-16; true for an empty file. */
async function endsWithLineBreak(path: string, size: number): Promise<boolean> {
  if (size === 0) return true;
  using file = await openRegularFile(path);
  const bytes = await readRange(file, {
    offset: Math.max(0, size - 2),
    length: 2,
  });
  const [before, last] = bytes.length === 2 ? bytes : [-1, bytes[0]];
  const isBreak = (byte: number) => byte === 0x0a || byte === 0x0d;
  return isBreak(last) || last === 0 && isBreak(before);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
}
