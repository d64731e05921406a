/** The file contract: the table of each file, and the columns that it must have. */

import { editDistance } from "./edit_distance.ts";
import { listed } from "./listed.ts";
import { escapeUnseen, seenText } from "./names.ts";
import { refused } from "./problems.ts";

/** A table the exports fill. */
export type TableName = "customers" | "interactions" | "products" | "channels";

/** A column of a table, and the header names it may have. */
export interface Column {
  /** Its name from here on: in the SQL and in the report. */
  readonly name: string;
  /** Header names that mean it, the preferred one first. */
  readonly headers: readonly string[];
  readonly required: boolean;
}

/** A table of the contract. */
export interface Table {
  /** File names without extension, folded by `foldHeader`. */
  readonly stems: readonly string[];
  /** Whether a load without such a file is refused. */
  readonly required: boolean;
  readonly columns: readonly Column[];
}

/** The number of headers that a refusal names. */
const NAMES_LISTED = 20;
/** The number of headers that are compared with a missing one: some 20 ms of work. */
const NAMES_COMPARED = 1_000;

/** Every table of docs/file-contract.md, in the order they are loaded. */
export const TABLES: Readonly<Record<TableName, Table>> = {
  channels: {
    stems: ["channels", "channel"],
    required: false,
    columns: [
      column("channel", ["Channel"]),
      column("aliases", ["Aliases"], { required: false }),
    ],
  },
  products: {
    stems: [
      "productsofdiscussion",
      "products",
      "productofdiscussion",
      "product",
    ],
    required: false,
    columns: [
      column("date", ["Date", "Month"]),
      column("product", ["Product", "Topic"]),
    ],
  },
  customers: {
    stems: ["customers", "customer"],
    required: true,
    columns: [
      column("customer_id", ["Customer_Id", "id"]),
      column("occupation", ["Occupation"], { required: false }),
      column("type", ["Type"], { required: false }),
    ],
  },
  interactions: {
    stems: [
      "externalinteractions",
      "interactions",
      "externalinteraction",
      "interaction",
    ],
    required: true,
    columns: [
      column("date_start", ["Date Start", "Timestamp", "Date"]),
      column("interaction", ["Interaction", "Channel", "Event"]),
      column("customers", ["Customers", "Customer_Id", "Customer"]),
      column("topic", ["Topic", "Product"], { required: false }),
    ],
  },
};

/** The tables' names, in the order they are loaded. */
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

function column(
  name: string,
  headers: string[],
  { required } = { required: true },
): Column {
  return { name, headers, required };
}

/** Header and file names are equal when they differ only in case, spaces, `_` and invisible characters. */
export function foldHeader(name: string): string {
  return seenText(name).toLowerCase().replace(/[\s_]/g, "");
}

/** The table whose exports are named `stem`, a file name without extension. */
export function tableOf(stem: string): TableName | undefined {
  const folded = foldHeader(stem).replaceAll("-", "").replace(/\d+$/, "");
  return TABLE_NAMES.find((table) => TABLES[table].stems.includes(folded));
}

/** A header that could mean a column, where another one does. */
export interface PassedOver {
  /** The header that the contract names first. */
  readonly used: string;
  readonly passed_over: string;
}

/** The column of each header. */
export interface HeaderMatch {
  /** For each column of the table, the position of its header, or undefined. */
  readonly positions: Readonly<Record<string, number | undefined>>;
  /** Headers that mean no column. */
  readonly unknown: readonly string[];
  /** Headers that would mean a column if a preferred one were not there. */
  readonly passed_over: readonly PassedOver[];
  /** Required columns without a header. */
  readonly missing: readonly Column[];
  /** Headers that appear twice and mean a column. */
  readonly doubled: readonly string[];
}

/**
 * Finds the columns of `table` among `headers`. Where several headers could mean
 * one column, the one that comes first in the contract does.
 */
export function matchHeader(
  table: Table,
  headers: readonly string[],
): HeaderMatch {
  const folded = headers.map(foldHeader);
  const positions: Record<string, number | undefined> = {};
  const doubled: string[] = [];
  const passed_over = new Map<number, PassedOver>();
  for (const { name, headers: names } of table.columns) {
    const wanted = names.map(foldHeader);
    const header = wanted.find((one) => folded.includes(one));
    if (header === undefined) continue;
    positions[name] = folded.indexOf(header);
    if (folded.lastIndexOf(header) !== positions[name]) {
      doubled.push(headers[folded.lastIndexOf(header)]);
    }
    const used = headers[positions[name]];
    for (const [position, other] of folded.entries()) {
      if (other === header || !wanted.includes(other)) continue;
      passed_over.set(position, { used, passed_over: headers[position] });
    }
  }
  const used = new Set(Object.values(positions));
  for (const position of used) passed_over.delete(position!);
  return {
    positions,
    unknown: headers.filter((_, position) =>
      !used.has(position) && !passed_over.has(position)
    ),
    passed_over: [...passed_over.values()],
    missing: table.columns.filter(({ name, required }) =>
      required && positions[name] === undefined
    ),
    doubled,
  };
}

/** What to do where the columns of a file have not the names of the contract. */
export const COLUMNS_REMEDY = "Name the columns as docs/file-contract.md says";

/** Throws a refusal when a required column of `file` is missing, or a column appears twice; the header is in `line`. */
export function requireColumns(
  headers: readonly string[],
  { missing, doubled, unknown }: Pick<
    HeaderMatch,
    "missing" | "doubled" | "unknown"
  >,
  { file, line = 1, remedy = COLUMNS_REMEDY }: {
    readonly file: string;
    readonly line?: number;
    readonly remedy?: string;
  },
): void {
  if (missing.length > 0) {
    const wanted = missing.map(({ headers }) => headers[0]).join(", ");
    const closest = missing.map((column) => closestHeader(column, unknown));
    const meant = missing.flatMap((column, i) => {
      const header = closest[i];
      // One header that is like several columns holds them all: a wrong delimiter.
      return header === undefined || closest.indexOf(header) !== i ||
          closest.lastIndexOf(header) !== i
        ? []
        : [`${column.headers[0]} by ${quoted(header)}`];
    });
    throw refused({
      file,
      line,
      problem: `no column ${wanted} among ${
        listed(headers.map(quoted), NAMES_LISTED)
      }`,
      remedy: (meant.length > 0 ? `Did you mean ${meant.join(", ")}? ` : "") +
        remedy,
      may_be_mapped: true,
    });
  }
  if (doubled.length > 0) {
    throw refused({
      file,
      line,
      problem: `two columns named ${listed(doubled.map(quoted), NAMES_LISTED)}`,
      remedy: "Rename or remove one of them",
    });
  }
}

function quoted(name: string): string {
  return escapeUnseen(JSON.stringify(name.slice(0, 60)));
}

/** The header that is most like a name of `column`; undefined when none is. */
function closestHeader(
  column: Column,
  headers: readonly string[],
): string | undefined {
  const wanted = column.headers.map(foldHeader);
  const scored = headers.slice(0, NAMES_COMPARED).map((header) => {
    const folded = foldHeader(header.slice(0, 60));
    return {
      header,
      score: Math.min(...wanted.map((name) => unlikeness(folded, name))),
    };
  });
  const best = scored.filter(({ score }) => score < 1)
    .sort((a, b) => a.score - b.score).at(0);
  return best?.header;
}

/** How far two folded names are apart: 0 when they are equal, 1 or more when they are nothing alike. */
export function unlikeness(name: string, wanted: string): number {
  const letters = (text: string) => Array.from(text).sort().join("");
  const longer = Math.abs(name.length - wanted.length);
  // The words in another order, as in Start Date.
  if (longer === 0 && letters(name) === letters(wanted)) return 0.1;
  const limit = 1 + Math.floor(wanted.length / 3);
  if (wanted.length >= 4) {
    // As many letters are left out at least, which takes less time to find.
    const edits = longer < limit ? editDistance(name, wanted) : limit;
    if (edits < limit) return edits / limit;
    if (name.includes(wanted)) return 0.9;
  }
  return 1;
}
