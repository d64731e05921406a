/** Workbooks for tests, put together by hand, so that any byte of them can be wrong. */

import { crc32, deflateRawSync } from "node:zlib";

/** A file in a zip, and what the zip says of it, true or not. */
export interface ZipPart {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** Said instead of its length. */
  readonly claimed_bytes?: number;
  readonly crc?: number;
  readonly encrypted?: boolean;
  /** How its bytes are packed, said or in truth; 8 is Deflate, 0 not at all. */
  readonly method?: number;
  /** The mode of Unix, such as 0o120777 for a link. */
  readonly mode?: number;
  /** Whether its bytes are those of the file before it. */
  readonly shares_bytes?: boolean;
}

/** A zip with these files; with `zip64`, its list of them is written as for more than 4 GB. */
export function zipOf(
  parts: readonly ZipPart[],
  { zip64 = false } = {},
): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const part of parts) {
    const name = new TextEncoder().encode(part.name);
    const content = typeof part.content === "string"
      ? new TextEncoder().encode(part.content)
      : part.content;
    const packed = part.method === 0 ? content : deflateRawSync(content);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true);
    common.setUint16(2, part.encrypted ? 1 : 0, true);
    common.setUint16(4, part.method ?? 8, true);
    common.setUint32(10, part.crc ?? crc32(content), true);
    common.setUint32(14, packed.length, true);
    common.setUint32(18, part.claimed_bytes ?? content.length, true);
    common.setUint16(22, name.length, true);
    const head = new Uint8Array(common.buffer);
    const local = joined(utf8("PK\x03\x04"), head, name, packed);
    if (part.shares_bytes) offset -= pieces.at(-1)!.length;
    else pieces.push(local);
    const tail = new DataView(new ArrayBuffer(14));
    tail.setUint32(6, (part.mode ?? 0) * 0x10000, true);
    tail.setUint32(10, zip64 ? 0xffffffff : offset, true);
    const of_list = head.slice();
    if (zip64) of_list.fill(0xff, 14, 22).set([28], 24);
    directory.push(
      joined(
        utf8("PK\x01\x02"),
        Uint8Array.of(20, part.mode === undefined ? 0 : 3),
        of_list,
        new Uint8Array(tail.buffer),
        name,
        ...zip64
          ? [
            Uint8Array.of(1, 0, 24, 0),
            longs(
              part.claimed_bytes ?? content.length,
              packed.length,
              offset,
            ),
          ]
          : [],
      ),
    );
    offset += part.shares_bytes ? pieces.at(-1)!.length : local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = new DataView(new ArrayBuffer(18));
  end.setUint16(4, zip64 ? 0xffff : parts.length, true);
  end.setUint16(6, zip64 ? 0xffff : parts.length, true);
  end.setUint32(8, zip64 ? 0xffffffff : size, true);
  end.setUint32(12, zip64 ? 0xffffffff : offset, true);
  return joined(
    ...pieces,
    ...directory,
    ...zip64
      ? [
        utf8("PK\x06\x06"),
        longs(44),
        Uint8Array.of(45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        longs(parts.length, parts.length, size, offset),
        utf8("PK\x06\x07"),
        new Uint8Array(4),
        longs(offset + size),
        Uint8Array.of(1, 0, 0, 0),
      ]
      : [],
    utf8("PK\x05\x06"),
    new Uint8Array(end.buffer),
  );
}

/** Whole numbers as ZIP64 writes them, of 8 bytes each. */
function longs(...numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * numbers.length));
  for (const [i, one] of numbers.entries()) {
    view.setBigUint64(8 * i, BigInt(one), true);
  }
  return new Uint8Array(view.buffer);
}

/** What a workbook has beside its sheets. */
export interface WorkbookExtras {
  /** XML of `xl/styles.xml`, inside its root. */
  readonly styles?: string;
  /** XML of `xl/sharedStrings.xml`, inside its root. */
  readonly strings?: string;
  /** Attributes of `workbookPr`. */
  readonly properties?: string;
  /** The `state` of sheets that have one. */
  readonly states?: Readonly<Record<string, string>>;
  /** More files; one of the same name replaces what would be there. */
  readonly parts?: readonly ZipPart[];
}

/** The XML of a part. */
export function xml(root: string, inside: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${inside}</${
    root.split(" ")[0]
  }>`;
}

/** The files of a workbook whose sheets have this XML inside their roots. */
export function partsOf(
  sheets: Readonly<Record<string, string>>,
  { styles, strings, properties = "", states = {}, parts = [] }:
    WorkbookExtras = {},
): ZipPart[] {
  const names = Object.keys(sheets);
  const relation = (
    id: string,
    { type, target }: { readonly type: string; readonly target: string },
  ) =>
    `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"/>`;
  const made: ZipPart[] = [
    {
      name: "_rels/.rels",
      content: xml(
        "Relationships",
        relation("rId1", { type: "officeDocument", target: "xl/workbook.xml" }),
      ),
    },
    {
      name: "xl/workbook.xml",
      content: xml(
        `workbook xmlns:r="r"`,
        `<workbookPr ${properties}/><sheets>${
          names.map((name, i) =>
            `<sheet name="${name}" sheetId="${i + 1}" ${
              states[name] ? `state="${states[name]}"` : ""
            } r:id="s${i}"/>`
          ).join("")
        }</sheets>`,
      ),
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: xml(
        "Relationships",
        [
          ...names.map((_, i) =>
            relation(`s${i}`, {
              type: "worksheet",
              target: `worksheets/sheet${i}.xml`,
            })
          ),
          styles &&
          relation("styles", { type: "styles", target: "/xl/styles.xml" }),
          strings &&
          relation("strings", {
            type: "sharedStrings",
            target: "sharedStrings.xml",
          }),
        ].filter(Boolean).join(""),
      ),
    },
    ...names.map((name, i) => ({
      name: `xl/worksheets/sheet${i}.xml`,
      content: xml("worksheet", sheets[name]),
    })),
  ];
  if (styles) {
    made.push({
      name: "xl/styles.xml",
      content: xml("styleSheet", styles),
    });
  }
  if (strings) {
    made.push({ name: "xl/sharedStrings.xml", content: xml("sst", strings) });
  }
  const replaced = new Set(parts.map(({ name }) => name));
  return [...made.filter(({ name }) => !replaced.has(name)), ...parts];
}

/** A workbook whose sheets have this XML inside their roots. */
export function xlsx(
  sheets: Readonly<Record<string, string>>,
  extras: WorkbookExtras = {},
): Uint8Array<ArrayBuffer> {
  return zipOf(partsOf(sheets, extras));
}

/** The XML of a sheet with these rows; a text is an inline string, null is no cell. */
export function sheetOf(
  ...rows: readonly (readonly (string | number | null)[])[]
): string {
  return `<sheetData>${
    rows.map((cells, row) =>
      `<row r="${row + 1}">${
        cells.map((cell, column) => {
          if (cell === null) return "";
          const r = `${String.fromCharCode(65 + column)}${row + 1}`;
          return typeof cell === "number"
            ? `<c r="${r}"><v>${cell}</v></c>`
            : `<c r="${r}" t="inlineStr"><is><t>${cell}</t></is></c>`;
        }).join("")
      }</row>`
    ).join("")
  }</sheetData>`;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
