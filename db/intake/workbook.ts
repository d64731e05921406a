/** Opens an .xlsx workbook and streams the XML of its parts, within limits that hold for every file. */

import { SaxesParser } from "saxes";
import { createPause } from "../model/pause.ts";
import { refused, StoreError } from "../model/problems.ts";
import { type FileKind, kindOf, wrongKind } from "./file_kind.ts";
import { unsoundness, Zip } from "./zip.ts";

/** A sheet of a workbook. */
export interface Sheet {
  readonly name: string;
  /** The zip entry with its cells; null for charts and the like. */
  readonly part: string | null;
  readonly hidden: boolean;
}

/** Receives the elements of a part in their order; names are without prefix. */
export interface PartReader {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
  /** When it returns true, the rest is not read. */
  done?(): boolean;
  /** Awaited after each piece of the part, when it returns a promise. */
  settle?(): Promise<void> | undefined;
}

/** How a workbook is opened. */
export type BookOptions = Pick<Workbook, "file" | "max_bytes" | "signal">;

const MAX_RELATIONS = 10_000;
const MAX_SHEETS = 1_000;
const MAX_DEPTH = 64;
/** Characters between two tags; a cell has at most 32,767, or seven times as many in the file. */
const MAX_BETWEEN_TAGS = 1 << 22;
/** The bytes of a piece for the parser, whose work on one piece cannot be interrupted. */
const PIECE_BYTES = 1_024;
const KINDS_OF_ZIP: readonly FileKind[] = [
  "an Excel workbook",
  "a zip archive",
];
const SAVE_AGAIN = "Save it again as .xlsx, or as CSV, and replace it whole";

/** An open workbook: its sheets, and its parts as streams. */
export class Workbook implements Disposable {
  /** All of them, in the order of their tabs. */
  sheets: readonly Sheet[] = [];
  /** Whether serial dates count from 1904-01-01. */
  date_1904 = false;
  /** The zip entries of the strings that cells share and of the number formats, where there are any. */
  shared_strings: string | undefined;
  styles: string | undefined;
  #zip: Zip | undefined;
  #unpacked = 0;

  private constructor(
    /** Its name in refusals: its own, or that of the sheet that is being read. */
    public file: string,
    /** The largest size of its parts in bytes, unpacked. */
    readonly max_bytes: number,
    /** When it is aborted, reading a part ends and throws its reason. */
    readonly signal?: AbortSignal,
  ) {}

  /**
   * Opens the workbook at `path`. Throws a refusal, naming `file`, when it is not a
   * sound one, and what Deno does when it may not be read.
   */
  static async open(
    path: string,
    { file, max_bytes, signal }: BookOptions,
  ): Promise<Workbook> {
    const workbook = new Workbook(file, max_bytes, signal);
    await workbook.#checkMagic(path);
    try {
      await workbook.#openZip(path);
      await workbook.#readContents();
      return workbook;
    } catch (error) {
      workbook[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#zip?.[Symbol.dispose]();
  }

  /** Reads a part to its end. Throws a refusal when it is not sound or too large. */
  async read(part: string, reader: PartReader): Promise<void> {
    const entry = this.#zip!.entries.get(part.toLowerCase());
    if (!entry) throw this.unsound(`${part} is missing`);
    const parser = this.#parser(reader);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const pause = createPause();
    try {
      for await (const chunk of this.#zip!.read(entry)) {
        this.signal?.throwIfAborted();
        this.#unpacked += chunk.length;
        if (this.#unpacked > this.max_bytes) throw this.tooLarge();
        for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
          const piece = chunk.subarray(at, at + PIECE_BYTES);
          parser.write(decoder.decode(piece, { stream: true }));
          if (reader.done?.()) return;
          const settling = reader.settle?.();
          if (settling) await settling;
          await pause();
        }
      }
      parser.write(decoder.decode()).close();
    } catch (error) {
      // What ends the reading says nothing of the file.
      this.signal?.throwIfAborted();
      throw this.#soundError(error, part);
    }
  }

  /** The refusal of a workbook that is damaged, or written in a way that is not allowed. */
  unsound(detail: string, line?: number): StoreError {
    return refused({
      file: this.file,
      line,
      problem: `not a sound .xlsx workbook: ${detail}`,
      remedy: SAVE_AGAIN,
    });
  }

  /** The refusal of a workbook that unpacks to too much. */
  tooLarge(): StoreError {
    return refused({
      file: this.file,
      problem: `more than XLSX_MAX_BYTES=${this.max_bytes} bytes unpacked`,
      remedy: "Save its sheets as CSV, or raise XLSX_MAX_BYTES",
    });
  }

  async #checkMagic(path: string): Promise<void> {
    const kind = await kindOf(path);
    if (kind === "an old Excel workbook") {
      throw refused({
        file: this.file,
        problem:
          "an old .xls workbook, or one with a password: neither can be read",
        remedy: "Save it as .xlsx without a password, or as CSV",
      });
    }
    // Of a zip, its parts tell more than its bytes.
    if (kind !== null && !KINDS_OF_ZIP.includes(kind)) {
      throw wrongKind(this.file, kind);
    }
    if (this.file.toLowerCase().endsWith(".xls")) {
      throw refused({
        file: this.file,
        problem: "its name ends in .xls, and old workbooks cannot be read",
        remedy: "Save it as .xlsx, or as CSV",
      });
    }
  }

  async #openZip(path: string): Promise<void> {
    try {
      this.#zip = await Zip.open(path);
      let claimed = 0;
      for (const entry of this.#zip.entries.values()) {
        if (entry.isEncrypted()) throw this.unsound("it is encrypted");
        claimed += entry.uncompressedSize;
        if (claimed > this.max_bytes) throw this.tooLarge();
      }
    } catch (error) {
      throw this.#soundError(error, "the zip");
    }
  }

  async #readContents(): Promise<void> {
    const [book] = await this.#relations("_rels/.rels", "");
    if (book?.type !== "officeDocument") {
      throw this.unsound("a zip without a workbook");
    }
    const at = book.target.lastIndexOf("/") + 1;
    const folder = book.target.slice(0, at);
    const relations = await this.#relations(
      `${folder}_rels/${book.target.slice(at)}.rels`,
      folder,
    );
    const targetOf = (type: string) =>
      relations.find((one) => one.type === type)?.target;
    this.shared_strings = targetOf("sharedStrings");
    this.styles = targetOf("styles");

    const sheets: Sheet[] = [];
    await this.read(book.target, {
      open: (name, attributes) => {
        if (name === "workbookPr") {
          this.date_1904 = isTrue(attributes.date1904);
        }
        if (name !== "sheet") return;
        if (sheets.length >= MAX_SHEETS) {
          throw this.unsound(`more than ${MAX_SHEETS} sheets`);
        }
        if (sheets.some((one) => one.name === attributes.name)) {
          throw this.unsound(`two sheets ${quote(attributes.name ?? "")}`);
        }
        const key = Object.keys(attributes).find((one) => /:id$/.test(one));
        const relation = relations.find(({ id }) => id === attributes[key!]);
        sheets.push({
          name: attributes.name ?? "",
          part: relation?.type === "worksheet" ? relation.target : null,
          hidden: /hidden$/i.test(attributes.state ?? ""),
        });
      },
    });
    this.sheets = sheets;
  }

  async #relations(part: string, folder: string): Promise<Relation[]> {
    const relations: Relation[] = [];
    await this.read(part, {
      open: (name, { Id, Type, Target, TargetMode }) => {
        if (name !== "Relationship" || TargetMode === "External") return;
        if (relations.length >= MAX_RELATIONS) {
          throw this.unsound(`more than ${MAX_RELATIONS} relations`);
        }
        // Only ever looked up among the zip's entries, never on the disk.
        const path = Target?.startsWith("/") ? Target : `/${folder}${Target}`;
        relations.push({
          id: Id,
          type: Type?.slice(Type.lastIndexOf("/") + 1) ?? "",
          target: resolve(path),
        });
      },
    });
    // The workbook comes first, before other relations of the file.
    return relations.sort((a, b) =>
      Number(b.type === "officeDocument") - Number(a.type === "officeDocument")
    );
  }

  #parser(reader: PartReader): { write(text: string): { close(): void } } {
    const parser = new SaxesParser({ position: false });
    let between_tags = 0;
    let depth = 0;
    const local = (name: string) => name.slice(name.indexOf(":") + 1);
    parser.on("opentag", ({ name, attributes }) => {
      between_tags = 0;
      if (++depth > MAX_DEPTH) throw this.unsound("XML nested too deep");
      reader.open?.(local(name), attributes as Record<string, string>);
    });
    parser.on("closetag", ({ name }) => {
      between_tags = 0;
      depth--;
      reader.close?.(local(name));
    });
    parser.on("text", (text) => reader.text?.(text));
    parser.on("cdata", (text) => reader.text?.(text));
    parser.on("doctype", () => {
      throw this.unsound("XML with a DOCTYPE");
    });
    return {
      write: (text) => {
        parser.write(text);
        // The parser keeps text in memory until the next tag.
        between_tags += text.length;
        if (between_tags > MAX_BETWEEN_TAGS) {
          throw this.unsound(
            `more than ${MAX_BETWEEN_TAGS} characters without a tag`,
          );
        }
        return parser;
      },
    };
  }

  #soundError(error: unknown, where: string): unknown {
    if (error instanceof StoreError) return error;
    const detail = unsoundness(error, where);
    return detail === null ? error : this.unsound(detail);
  }
}

interface Relation {
  readonly id: string;
  readonly type: string;
  readonly target: string;
}

/** Whether an attribute of XML says yes. */
export function isTrue(attribute: string | undefined): boolean {
  return attribute === "1" || attribute === "true";
}

function resolve(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names.join("/");
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}
