/** What is known of a file while a mapping is drafted: the cells that a file or a sheet begins with. */

/** A column of a sample. */
export interface SampledColumn {
  readonly header: string;
  /** Its cells, trimmed, and cut where they are very long. */
  readonly cells: readonly string[];
  /** Whether the file itself says that it holds dates, as spreadsheets and Parquet do. */
  readonly has_native_dates: boolean;
  /** Whether these are times of day of some zone, rather than days or moments in UTC. */
  readonly has_local_times: boolean;
}

/** A column that tally.toml cannot name, or whose values no load reads, and why. */
export interface UnusableColumn {
  readonly header: string;
  readonly reason:
    | "another column has this name"
    | "its values are nested"
    | "its header looks like a key or a token: name the columns in the first line"
    | "its header is too long for tally.toml"
    | "its header has broken characters, which another CSV_ENCODING may read";
}

/** The begin of a file or of a sheet. */
export interface Sample {
  /** Its name in the data folder. */
  readonly file: string;
  /** Its sheet, where the workbook has several with a value. */
  readonly sheet?: string;
  readonly format: "text" | "parquet" | "xlsx";
  /** The line of the header, where that is not the first with a value. */
  readonly header_row?: number;
  /** Rows at its end that are no data. */
  readonly footer_rows: number;
  readonly columns: readonly SampledColumn[];
  readonly unusable: readonly UnusableColumn[];
  readonly rows: number;
  /** Whether these are all of its rows. */
  readonly is_whole: boolean;
}

/** A file of which no sample could be taken, and why. */
export interface Unread {
  readonly file: string;
  readonly reason: string;
}

/** The length of a row, as one of a text counts: with what separates its cells. */
export function lengthOf(cells: readonly string[]): number {
  return cells.reduce((sum, { length }) => sum + length + 1, 0);
}

/** How much is read of a folder, and of each of its files. */
export const LIMITS = {
  files: 200,
  /** From this number of files on, less is read of each. */
  whole_files: 16,
  bytes: 1 << 22,
  rows: 10_000,
  columns: 300,
  cell_length: 500,
} as const;
