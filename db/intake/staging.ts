/** The exports of one load in a staging folder: each file is read once; the next file is copied while one is loaded. */

import { createHash } from "node:crypto";
import type { Mapping, Source } from "../mapping/mapping.ts";
import { TABLE_NAMES } from "../model/contract.ts";
import { stagingFull, StoreError } from "../model/problems.ts";
import type { IgnoredFile } from "../model/report.ts";
import type { FileHashes } from "./file_hashes.ts";
import type { SourceFile } from "./find_files.ts";
import type { FoundTables } from "./find_tables.ts";
import {
  copyWorkbook,
  type StagedFile,
  stageFile,
  type StagingOptions,
  type WorkbookCopy,
} from "./stage_file.ts";
import { unreadable } from "./unreadable.ts";

/** The settings by which equal files give other answers. */
export interface ReadingRules {
  readonly date_order: "DMY" | "MDY";
  readonly time_zone: string;
  /** Encoding of text that is neither UTF-8 nor UTF-16. */
  readonly csv_encoding: string;
}

/** How exports are staged. */
export interface StageExportsOptions
  extends ReadingRules, Omit<StagingOptions, "csv_encoding"> {
  /** An empty folder for the copies, which `dispose` removes. */
  readonly folder: string;
  readonly hashes: FileHashes;
}

/** A file in staging, or why it is refused. */
export type Copied =
  & {
    readonly source: SourceFile;
    /** Position among `files`. */
    readonly number: number;
    /** Time to copy it. */
    readonly seconds: number;
  }
  & ({ readonly staged: StagedFile } | { readonly problem: StoreError });

/** Raised by one when the same files give other answers than before, or answers of another meaning or shape. */
const RULES_VERSION = 3;

/** The exports of one load, copied as they are needed. */
export class StagedExports implements AsyncDisposable {
  /** In the order they are loaded: table by table, then as they were found. */
  readonly files: readonly SourceFile[];
  readonly ignored: readonly IgnoredFile[];
  /** Why they are refused whatever is in the files. */
  readonly refusals: readonly StoreError[];
  /** What tally.toml says; null where there is none. */
  readonly mapping: Mapping | null;
  /** The folder of the copies. */
  readonly folder: string;
  readonly #options: StageExportsOptions;
  readonly #copies = new Map<number, Promise<Copied>>();
  /** The copied workbooks by path, and how many of their sheets are still to be staged. */
  readonly #books = new Map<string, { copy: WorkbookCopy; sheets: number }>();

  constructor(found: FoundTables, options: StageExportsOptions) {
    this.files = TABLE_NAMES.flatMap((table) =>
      found.files.filter((file) => file.table === table)
    );
    this.ignored = found.ignored;
    this.refusals = found.refusals;
    this.mapping = found.mapping;
    this.folder = options.folder;
    this.#options = options;
  }

  /**
   * The data version of these exports; a file whose hash is known is not copied for
   * it. Null when they are refused. Throws errors that no other file would mend.
   */
  async dataVersion(): Promise<string | null> {
    if (this.refusals.length > 0) return null;
    const hashed: HashedFile[] = [];
    for (const [number, file] of this.files.entries()) {
      const { hashes } = this.#options;
      let sha256 = hashes.known(file.identity);
      if (sha256 === undefined) {
        const copied = await this.#copy(number);
        if ("problem" in copied) return null;
        sha256 = copied.staged.sha256;
      }
      hashed.push({ ...file, sha256 });
    }
    return dataVersion(hashed, { ...this.#options, mapping: this.mapping });
  }

  /**
   * Yields the files in order; the next one is copied while this one is loaded. A
   * copy exists until the next one is read. Throws errors that no other file would mend.
   */
  async *copies(progress: (step: string) => void): AsyncGenerator<Copied> {
    if (this.files.length === 0) return;
    let next = this.#copy(0);
    try {
      for (const [number, { file }] of this.files.entries()) {
        progress(`copying ${file}`);
        const copied = await next;
        if (number + 1 < this.files.length) {
          next = this.#copy(number + 1);
          // The await above throws its error; until then it must not count as unhandled.
          next.catch(() => {});
        }
        yield copied;
        await Deno.remove(this.#pathOf(number)).catch(() => {});
      }
    } finally {
      await next.catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#copies.values());
    for (const { copy } of this.#books.values()) {
      await copy[Symbol.asyncDispose]();
    }
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }

  #copy(number: number): Promise<Copied> {
    let copied = this.#copies.get(number);
    if (!copied) {
      copied = this.#start(number);
      this.#copies.set(number, copied);
    }
    return copied;
  }

  async #start(number: number): Promise<Copied> {
    const source = this.files[number];
    const began = performance.now();
    const seconds = () => Math.round(performance.now() - began) / 1000;
    try {
      const staged = source.format === "xlsx"
        ? await this.#stageSheet(source, number)
        : await stageFile(source, this.#pathOf(number), this.#options);
      return { source, number, seconds: seconds(), staged };
    } catch (error) {
      const full = stagingFull(error);
      if (full) throw full;
      const problem = unreadable(source.file, error) ?? error;
      if (!(problem instanceof StoreError) || problem.kind !== "refused") {
        throw problem;
      }
      return { source, number, seconds: seconds(), problem };
    }
  }

  async #stageSheet(source: SourceFile, number: number): Promise<StagedFile> {
    const { path } = source;
    let book = this.#books.get(path);
    if (!book) {
      const copied_path = `${this.#pathOf(number)}.xlsx`;
      book = {
        copy: await copyWorkbook(source, copied_path, this.#options),
        sheets: this.files.filter((file) => file.path === path).length,
      };
      this.#books.set(path, book);
    }
    try {
      return await book.copy.stage(source, this.#pathOf(number));
    } finally {
      if (--book.sheets === 0) {
        this.#books.delete(path);
        await book.copy[Symbol.asyncDispose]();
      }
    }
  }

  #pathOf(number: number): string {
    return `${this.folder}/${number}`;
  }
}

/** The parts of a file on which the data version depends. */
export type HashedFile = Pick<
  StagedFile,
  "table" | "part" | "sha256" | "source" | "name"
>;

/** The data version of these exports, in the order they are loaded, with these settings. */
export function dataVersion(
  files: readonly HashedFile[],
  { date_order, time_zone, csv_encoding, mapping }: ReadingRules & {
    readonly mapping: Mapping | null;
  },
): string {
  const parts = [
    RULES_VERSION,
    date_order,
    time_zone,
    csv_encoding,
    ...files.map(({ table, part, sha256, source, name }) => [
      table,
      part,
      sha256,
      ...source ? [source.number] : [],
      ...source && readsName(source) ? [name] : [],
    ]),
    ...mapping ? [mapping.meaning] : [],
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex")
    .slice(0, 16);
}

/** Whether the rows of a file depend on its name. */
function readsName({ rules }: Source): boolean {
  return Object.values(rules).some((rule) => rule.file_name !== undefined);
}
