/** The answers of the API, as far as the page reads them; docs/api.md has them whole. */

import type {
  Changes,
  Outcome,
  Refresh,
  RefreshState,
  ServedReport,
} from "../db/model/report.ts";
import type { Range } from "./view.ts";

/** Numbers by name. */
export type Counts = Readonly<Record<string, number>>;

/** What each question is answered with. */
export interface Answers {
  readonly data: Answer<DataState>;
  readonly dimensions: Answer<Dimensions, OfferedMeta>;
  readonly timeline: Answer<readonly Group[], Totals>;
  readonly channels: Answer<readonly Group[], Totals>;
  readonly reached: Answer<readonly Group[], Compared>;
  readonly types: Answer<readonly Group[], Totals>;
  readonly topics: Answer<readonly Group[], Totals>;
  readonly weekdays: Answer<readonly Group[], Totals>;
  readonly customers: Answer<readonly CustomerCounts[], ListMeta>;
  readonly record: Answer<CustomerRecord>;
  readonly contacts: Answer<readonly PeriodCounts[]>;
  readonly customer_topics: Answer<readonly TopicCounts[]>;
}

/** An answer of the API; a failure has another body. */
export interface Answer<Data, Meta = unknown> {
  readonly data: Data;
  readonly meta: Meta & {
    readonly data_version: string;
    readonly explain?: Explanation;
  };
}

/** Of `/api/v1/data`. */
export interface DataState {
  readonly state: RefreshState;
  readonly data_version: string | null;
  readonly loaded_at: string | null;
  readonly age_seconds: number | null;
  readonly newest_day: string | null;
  readonly restored: boolean;
  readonly reasons: readonly string[];
  readonly waiting: readonly string[];
  readonly notice: string | null;
  readonly held:
    | (Pick<Refresh, "reasons" | "changes"> & {
      readonly data_version: string;
    })
    | null;
  readonly discarded: string | null;
  readonly changes: Changes | null;
  readonly report: ServedReport | null;
}

/** Of `/api/v1/dimensions`: the names of each dimension, by its plural, and the days. */
export interface Dimensions {
  readonly date_range: Range | null;
  /** By name, those that `tally.toml` names. */
  readonly attributes?: Readonly<Record<string, readonly NameCount[] | null>>;
  readonly [plural: string]:
    | readonly NameCount[]
    | Readonly<Record<string, readonly NameCount[] | null>>
    | null
    | Range
    | undefined;
}

interface OfferedMeta {
  /** By attribute, how many names its list leaves out. */
  readonly not_listed?: Readonly<Record<string, number>>;
}

/** A name of a dimension. */
export interface NameCount {
  readonly name: string | null;
  readonly interactions: number;
}

/** A row of `/api/v1/metrics/…`; its dimensions are beside the numbers. */
export interface Group {
  readonly [dimension: string]: unknown;
  readonly interactions: number | Counts;
  readonly customers: number;
  readonly total: number;
  readonly previous?: number;
}

interface Compared {
  readonly compared_with?: {
    readonly start_date: string;
    readonly end_date: string;
  };
}

interface Totals extends Compared {
  readonly interactions: number;
}

/** A row of `/api/v1/interactions`. */
export interface CustomerCounts {
  readonly customer_id: number | string;
  readonly name?: string | null;
  readonly type: string | null;
  readonly occupation: string | null;
  readonly interactions: Counts;
  readonly total: number;
  /** What tally.toml names beside, by its name there. */
  readonly [attribute: string]: Counts | number | string | null | undefined;
}

interface ListMeta {
  readonly customers: number;
  readonly next: string | null;
}

/** Of `/api/v1/customers/{customer_id}`. */
export interface CustomerRecord extends CustomerCounts {
  readonly known_from: "customers" | "interactions";
  readonly first_contact: string | null;
  readonly last_contact: string | null;
}

interface PeriodCounts {
  readonly period: string;
  readonly interactions: Counts;
  readonly total: number;
}

interface TopicCounts {
  readonly topic: string | null;
  readonly total: number;
}

/** Where a number comes from: `meta.explain`. */
export interface Explanation {
  readonly filters: Readonly<Record<string, unknown>>;
  readonly files: readonly {
    readonly file: string;
    readonly rows_kept: number;
    readonly rows_set_aside: number;
  }[];
  readonly set_aside: readonly {
    readonly file: string;
    readonly column: string;
    readonly reason: string;
    readonly rows: number;
  }[];
  readonly sql: readonly { readonly name: string; readonly text: string }[];
}

/** Of `POST /api/v1/data/check/{name}`: what would become of the data with a file in it. */
export interface Checked {
  readonly outcome: Outcome;
  readonly reasons: readonly string[];
  readonly changes: Changes | null;
  /** Null where it would be refused. */
  readonly report: ServedReport | null;
}
