/** The file contract: the table of each file, and the columns that it must have. */

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

/** Every table of docs/file-contract.md, in the order they are loaded. */
export const TABLES: Readonly<Record<TableName, Table>> = {
  channels: {
    stems: ["channels"],
    required: false,
    columns: [
      column("channel", ["Channel"]),
      column("aliases", ["Aliases"], { required: false }),
    ],
  },
  products: {
    stems: ["productsofdiscussion", "products"],
    required: false,
    columns: [
      column("date", ["Date", "Month"]),
      column("product", ["Product", "Topic"]),
    ],
  },
  customers: {
    stems: ["customers"],
    required: true,
    columns: [
      column("customer_id", ["Customer_Id", "id"]),
      column("occupation", ["Occupation"], { required: false }),
      column("type", ["Type"], { required: false }),
    ],
  },
  interactions: {
    stems: ["externalinteractions", "interactions"],
    required: true,
    columns: [
      column("date_start", ["Date Start", "Date", "Timestamp"]),
      column("interaction", ["Interaction", "Event", "Channel"]),
      column("customers", ["Customers", "Customer", "Customer_Id"]),
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

/** Header and file names are equal when they differ in case, spaces and `_` only. */
function foldHeader(name: string): string {
  return name.normalize("NFC").toLowerCase().replace(/[\s_\u00a0\ufeff]/g, "");
}

/** The table whose exports are named `stem`, a file name without extension. */
export function tableOf(stem: string): TableName | undefined {
  const folded = foldHeader(stem).replaceAll("-", "").replace(/\d+$/, "");
  return TABLE_NAMES.find((table) => TABLES[table].stems.includes(folded));
}

/** The column of each header. */
export interface HeaderMatch {
  /** For each column of the table, the position of its header, or undefined. */
  readonly positions: Readonly<Record<string, number | undefined>>;
  /** Headers that mean no column. */
  readonly unknown: readonly string[];
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
  for (const { name, headers: wanted } of table.columns) {
    const header = wanted.map(foldHeader).find((one) => folded.includes(one));
    if (header === undefined) continue;
    positions[name] = folded.indexOf(header);
    if (folded.lastIndexOf(header) !== positions[name]) {
      doubled.push(headers[folded.lastIndexOf(header)]);
    }
  }
  const used = new Set(Object.values(positions));
  return {
    positions,
    unknown: headers.filter((_, position) => !used.has(position)),
    missing: table.columns.filter(({ name, required }) =>
      required && positions[name] === undefined
    ),
    doubled,
  };
}

/** Throws a refusal when a required column of `file` is missing, or a column appears twice; the header is in `line`. */
export function requireColumns(
  file: string,
  headers: readonly string[],
  { missing, doubled }: HeaderMatch,
  line = 1,
): void {
  const listed = (names: readonly string[]) =>
    names.slice(0, 20).map((name) => JSON.stringify(name.slice(0, 60)))
      .join(", ");
  if (missing.length > 0) {
    const wanted = missing.map(({ headers }) => headers[0]).join(", ");
    throw refused({
      file,
      line,
      problem: `no column ${wanted} among ${listed(headers)}`,
      remedy: "Name the columns as docs/file-contract.md says",
    });
  }
  if (doubled.length > 0) {
    throw refused({
      file,
      line,
      problem: `two columns named ${listed(doubled)}`,
      remedy: "Rename or remove one of them",
    });
  }
}
