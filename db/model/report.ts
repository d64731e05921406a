/** The schemas of the reports of loads and refreshes, from which the types, `snapshot.json` and OpenAPI are derived. */

import { z } from "zod";

/** An immutable value, at every depth. */
export type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
  : T;

/** The schema of a data version: equal for equal files, settings and load rules, on any machine. */
export const dataVersionSchema = z.string().regex(
  /^[0-9a-f]{16}$/,
  "A data_version is 16 hex digits.",
);

const dateRangeSchema = z.object({ first: z.iso.date(), last: z.iso.date() });

/** First and last day with an interaction. */
export type DateRange = DeepReadonly<z.output<typeof dateRangeSchema>>;

/** The kinds of warnings. */
export const WARNING_KINDS = [
  "orphan_customers",
  "conflicting_customers",
  "duplicate_interactions",
  "merged_interactions",
  "future_interactions",
  "date_orders",
  "mixed_dates",
  "sentinel_times",
  "without_customer",
  "unmatched_customers",
  "summary_rows",
  "na_types",
  "months_without_topic",
  "no_topics",
  "passed_over_columns",
  "unknown_columns",
  "ignored_files",
  "sources_without_files",
  "uncounted_attributes",
  "salesforce_pairs",
  "anonymous_interactions",
] as const;

/** The kind of a warning. */
export type WarningKind = typeof WARNING_KINDS[number];

const warningSchema = z.object({
  kind: z.enum(WARNING_KINDS),
  count: z.int().meta({ description: "Number of cases" }),
  text: z.string().meta({
    description: "In plain words, with the file and the first names if any",
  }),
});

/** Something in the data that may not be as meant. */
export type Warning = DeepReadonly<z.output<typeof warningSchema>>;

const setAsideCountSchema = z.object({
  column: z.string(),
  reason: z.string(),
  rows: z.int(),
});

/** How many rows of a file were set aside for one reason. */
export type SetAsideCount = DeepReadonly<z.output<typeof setAsideCountSchema>>;

const setAsideRowSchema = z.object({
  file: z.string(),
  line: z.int().meta({
    description:
      "The line that the record begins in, as an editor shows it. In a sheet, the row; in Parquet, the number of the record, with 1 for the names of the columns",
  }),
  column: z.string(),
  value: z.string().nullable().meta({
    description: "The cell as written in the file, its first 200 characters",
  }),
  reason: z.string(),
});

/** One row that breaks a rule. */
export type SetAsideRow = DeepReadonly<z.output<typeof setAsideRowSchema>>;

const dateFormCountSchema = z.object({
  form: z.string().meta({
    description:
      "Such as D/M/YYYY, YYYY-MM-DD, YYYY-MM-DD with an offset, M-YYYY, or native in Parquet",
  }),
  rows: z.int(),
});

/** How many rows of a file have a time or month in one form. */
export type DateFormCount = DeepReadonly<z.output<typeof dateFormCountSchema>>;

const dateOrderSchema = z.object({
  order: z.enum(["DMY", "MDY"]).meta({ description: "DATE_ORDER" }),
  only_this: z.int().meta({
    description: "Dates such as 31/12/2019 that fit only this order",
  }),
  only_other: z.int().meta({
    description: "Dates that fit only the other order, which are set aside",
  }),
});

/** The order of day and month in a file, and the evidence for and against it. */
export type DateOrder = DeepReadonly<z.output<typeof dateOrderSchema>>;

const channelCountSchema = z.object({
  channel: z.string(),
  interactions: z.int(),
});

/** How many interactions a channel has. */
export type ChannelCount = DeepReadonly<z.output<typeof channelCountSchema>>;

const ignoredFileSchema = z.object({ file: z.string(), reason: z.string() });

/** A file that is not read, and why. */
export type IgnoredFile = DeepReadonly<z.output<typeof ignoredFileSchema>>;

const fileReportSchema = z.object({
  file: z.string().meta({
    description:
      "Path below the data folder; of a sheet, such as crm.xlsx, sheet customers",
  }),
  table: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  encoding: z.string().nullable().meta({
    description: "How the text was encoded; null for Parquet and Excel",
  }),
  delimiter: z.string().nullable().meta({
    description: "What separates the cells; null for Parquet and Excel",
  }),
  header_line: z.int().nullable().meta({
    description:
      "The line of the header, or its row in a sheet; null for Parquet",
  }),
  rows_read: z.int().meta({ description: "rows_kept + rows_set_aside" }),
  rows_kept: z.int(),
  rows_set_aside: z.int(),
  set_aside: z.array(setAsideCountSchema).meta({
    description: "Exact counts, the most frequent first",
  }),
  interactions_merged: z.int().meta({
    description:
      "Interactions of this file that an overlapping export also has; they are counted once, in that file",
  }),
  date_forms: z.array(dateFormCountSchema).meta({
    description:
      "How times are written in the rows kept, the most frequent first",
  }),
  date_order: dateOrderSchema.nullable().meta({
    description:
      "How dates with slashes were read; null where the file has none",
  }),
  spreadsheet_dates: z.int().meta({
    description: "Times of a sheet that are dates to the spreadsheet, not text",
  }),
  rows_without_customer: z.int().meta({
    description:
      "Rows set aside because they name no customer; they do not count towards MAX_SET_ASIDE",
  }),
  sentinel_times: z.int().meta({
    description:
      "Rows kept of 1900-01-01 or 1970-01-01 at midnight, which may stand for no time",
  }),
  na_types: z.int().meta({
    description: "Customers whose type is NA, which is read as no value",
  }),
  summary_rows: z.array(z.int()).meta({
    description:
      "Lines of rows kept whose label in a column that is not used is like Total; the first 100",
  }),
  passed_over_columns: z.array(z.object({
    used: z.string(),
    passed_over: z.string(),
  })).meta({
    description:
      "Columns that are not used, because another one has a name that comes first in the file contract; the first 100",
  }),
  unknown_columns: z.array(z.string()).meta({
    description: "Columns that are not used; the first 100",
  }),
  seconds: z.number().meta({ description: "Time to copy and read it" }),
  source: z.string().optional().meta({
    description:
      "The table of tally.toml that this file belongs to, such as interactions[1]; absent for files that follow the built-in contract",
  }),
  columns: z.array(z.object({
    column: z.string(),
    header: z.string().nullable().meta({
      description: "The header in the file; null for a constant",
    }),
    read_as: z.string().nullable().meta({
      description:
        "How its cells are read, such as %m/%d/%Y in America/New_York; null by the built-in rules",
    }),
  })).optional().meta({
    description: "How each column that tally.toml names was read",
  }),
  rows_passed_over: z.int().optional().meta({
    description:
      "Rows that footer_rows, skip_where or keep_where of tally.toml leave out; they are not among rows_read",
  }),
  rows_unmatched: z.int().optional().meta({
    description:
      "Rows set aside because no customer has what match of tally.toml compares; they do not count towards MAX_SET_ASIDE",
  }),
}).meta({ id: "FileReport" });

const mappingReportSchema = z.object({
  ids: z.enum(["integer", "text"]).meta({
    description: "What a customer_id is",
  }),
  names: z.boolean().meta({ description: "Whether customers have names" }),
  attributes: z.array(z.object({
    name: z.string(),
    names: z.int().meta({ description: "How many different names it has" }),
    is_counted: z.boolean().meta({
      description:
        "False where it has more than 10,000 names: it is shown, and nothing is grouped or chosen by it",
    }),
  })).meta({ description: "The attributes of customers, by name" }),
  has_customers: z.boolean().meta({
    description:
      "False where customers = false: everyone is known from interactions alone",
  }),
  sources_without_files: z.array(z.string()).meta({
    description: "Tables of tally.toml whose files are not there",
  }),
  anonymous_interactions: z.int().meta({
    description:
      "Interactions of nobody who is known; they count, but for no customer",
  }),
  salesforce_pairs: z.int().meta({
    description:
      "Ids of 15 and of 18 characters that Salesforce has for one record; they are two customers",
  }),
}).meta({
  id: "MappingReport",
  description: "What tally.toml says of the whole data",
});

/** The report of one file. */
export type FileReport = DeepReadonly<z.output<typeof fileReportSchema>>;

/** The schema of a load's report as it is served: without the rows set aside, which have an endpoint of their own. */
export const servedReportSchema = z.object({
  data_version: dataVersionSchema,
  loaded_at: z.iso.datetime().meta({ description: "When loading ended" }),
  seconds: z.number().meta({ description: "Duration of the whole load" }),
  files: z.array(fileReportSchema),
  ignored: z.array(ignoredFileSchema).meta({
    description: "Files in the folder that are not read; the first 100",
  }),
  ignored_files: z.int().meta({
    description: "Number of ignored files",
  }),
  customers: z.int().meta({
    description:
      "Known customers: those with a record and those known only from interactions",
  }),
  mapping: mappingReportSchema.optional().meta({
    description: "Absent where the folder has no tally.toml",
  }),
  example_customer_id: z.union([z.int(), z.string()]).nullable().meta({
    description:
      "A customer to try the API with: the one with the lowest customer_id",
  }),
  orphan_customers: z.int().meta({
    description: "Customers known only from interactions",
  }),
  conflicting_customers: z.int().meta({
    description: "Customers with different records; the later record is used",
  }),
  interactions: z.int().meta({
    description:
      "Interactions, after a row that lists several customers is split, and one with a count is repeated",
  }),
  duplicate_interactions: z.int().meta({
    description:
      "Interactions equal in customer, time, channel and topic to an earlier one; they are counted, and those that a count in tally.toml stands for are among them",
  }),
  merged_interactions: z.int().meta({
    description:
      "Interactions found in several overlapping exports and counted once",
  }),
  future_interactions: z.int().meta({
    description: "Interactions later than the moment of loading",
  }),
  date_range: dateRangeSchema.nullable().meta({
    description:
      "First and last day with an interaction; null when there is none",
  }),
  latest_interaction: z.string().nullable().meta({
    description:
      "The latest interaction that is not later than the moment of loading, YYYY-MM-DD HH:MM:SS",
  }),
  channels: z.array(channelCountSchema).meta({
    description:
      "Interactions on each channel, in code-point order of the channels",
  }),
  too_many_set_aside: z.array(z.string()).meta({
    description:
      "Files with a larger share of rows set aside than MAX_SET_ASIDE, in plain words",
  }),
  types: z.array(z.string()).meta({
    description: "Every type of a customer, in code-point order",
  }),
  months_without_topic: z.array(z.string()).meta({
    description:
      "Months, YYYY-MM, with interactions that have no topic; empty when there are no topics at all",
  }),
  warnings: z.array(warningSchema).meta({
    description: "What was loaded but may be a mistake",
  }),
}).meta({ id: "Report" });

/** The report of a load, as far as it is served. */
export type ServedReport = DeepReadonly<z.output<typeof servedReportSchema>>;

/** The schema of a load's whole report. */
const reportSchema = servedReportSchema.extend({
  set_aside_listed: z.array(setAsideRowSchema).meta({
    description:
      "The first rows set aside, in the order of files and lines; at most SET_ASIDE_KEPT",
  }),
  upcoming: z.array(z.string()).meta({
    description:
      "Of the first 366 days with an interaction later than the moment of loading, the latest of each, YYYY-MM-DD HH:MM:SS",
  }),
  time_zone: z.string().meta({ description: "TIME_ZONE, that of all times" }),
});

/** The report of a load, of every file: printed in short, served in full. */
export type LoadReport = DeepReadonly<z.output<typeof reportSchema>>;

/** The seconds since data was loaded. */
export function secondsSinceLoad(loaded_at: string): number {
  // Not below 0: the clock may have been set back.
  return Math.max(0, Date.now() - Date.parse(loaded_at)) / 1_000;
}

/** The number of rows of some files that were set aside. */
export function sumSetAside(files: LoadReport["files"]): number {
  return files.reduce((sum, { rows_set_aside }) => sum + rows_set_aside, 0);
}

/**
 * The listed rows set aside of each of `files`, in their order. A file that two tables
 * of tally.toml read is among them twice, so its name does not tell whose a row is.
 */
export function setAsideByFile(
  { files, set_aside_listed }: LoadReport,
): (readonly SetAsideRow[])[] {
  let start = 0;
  return files.map(({ rows_set_aside }) =>
    set_aside_listed.slice(start, start += rows_set_aside)
  );
}

/** The schema of the results of a load that are not in tables. */
export const loadedSchema = z.object({
  channels: z.array(z.string()),
  topics: z.array(z.string()),
  row_counts: z.object({
    customers: z.int(),
    interactions: z.int(),
    products: z.int(),
  }),
  report: reportSchema,
});

/** The results of a load other than its tables. */
export type Loaded = DeepReadonly<z.output<typeof loadedSchema>>;

/** A table of which the rows are counted in `/api/v1/stats/{table}`. */
export type CountedTable = keyof Loaded["row_counts"];

const tableChangeSchema = z.object({
  rows_added: z.int(),
  rows_gone: z.int(),
});

/** Numbers of rows added and removed. */
export type TableChange = DeepReadonly<z.output<typeof tableChangeSchema>>;

/** The schema of the differences between a snapshot and the one served before. */
export const changesSchema = z.object({
  previous_data_version: dataVersionSchema,
  tables: z.object({
    customers: tableChangeSchema,
    interactions: tableChangeSchema,
    products: tableChangeSchema,
  }),
  new_customers: z.int(),
  vanished_customers: z.int(),
  new_channels: z.array(z.string()),
  vanished_channels: z.array(z.string()),
  new_types: z.array(z.string()),
  vanished_types: z.array(z.string()),
  new_topics: z.array(z.string()),
  vanished_topics: z.array(z.string()),
  new_attributes: z.array(z.string()).meta({
    description: "Attributes of customers that tally.toml did not name before",
  }),
  vanished_attributes: z.array(z.string()),
  date_range: dateRangeSchema.nullable(),
  previous_date_range: dateRangeSchema.nullable(),
}).meta({ id: "Changes" });

/** The differences between a snapshot and the one served before. */
export type Changes = DeepReadonly<z.output<typeof changesSchema>>;

/** The schema of the result of the latest refresh. */
export const refreshStateSchema = z.enum([
  "building",
  "serving",
  "held",
  "failed",
]);

/** `building` while a snapshot is built, else the result of the latest refresh. */
export type RefreshState = z.output<typeof refreshStateSchema>;

/** The schema of what would become of the data with another file in the folder. */
export const outcomeSchema = z.enum([
  "served",
  "held",
  "unchanged",
  "discarded",
  "refused",
]).meta({
  description:
    "What the next refresh would do: serve the version; hold it for a decision; nothing, because these files are served already, or because they were discarded; or fail",
});

/** What a refresh would do. */
export type Outcome = z.output<typeof outcomeSchema>;

/** One build of a snapshot, or a decision, and its result. */
export interface Refresh {
  /** Rises, also over a restart: when it ended, in milliseconds of the epoch, or one more than the refresh before. */
  readonly sequence: number;
  /** ISO 8601 in UTC. */
  readonly started_at: string;
  /** ISO 8601 in UTC. */
  readonly ended_at: string;
  readonly state: Exclude<RefreshState, "building">;
  /** Why it is held or has failed, or the warnings with which it is served, in plain words. */
  readonly reasons: readonly string[];
  /** Null when the files could not be loaded. */
  readonly report: LoadReport | null;
  /** Against the snapshot served before; null when there was none, or nothing else goes live. */
  readonly changes: Changes | null;
}

/** How the reason of a result begins whose files are those of a known version. */
export const FILES_ARE_OF = "the files are those of data version";

/** Whether a result tells that the files could be read, which that of a decision does not. */
export function tellsOfFiles({ reasons }: Pick<Refresh, "reasons">): boolean {
  return reasons.some((one) => one.startsWith(FILES_ARE_OF));
}
