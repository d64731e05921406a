/** The interface between the loader, which cleans exports, and an engine elsewhere that takes the rows over. */

import type { BuildOptions } from "./engine.ts";
import type { StagedExports } from "./intake/staging.ts";
import { type NamedDimension, ofCustomers } from "./model/dimensions.ts";
import type { Loaded } from "./model/report.ts";

/** The tables that an engine takes over; docs/scaling.md has their columns. */
export const HANDED_OVER = [
  "set_topics",
  "kinds",
  "customers",
  "interactions",
  "products",
] as const;

/** The name of a table that is handed over. */
export type HandedOver = typeof HANDED_OVER[number];

/**
 * What both sides compute of the same rows: equal for equal rows, in any order. The
 * number of a row is the first 32 bits of the MD5 of its cells, split by "|"; that of
 * an interaction is plain arithmetic, since there are many.
 */
export interface TableSums {
  readonly rows: number;
  /** The sum of a number for each row, in decimal digits. */
  readonly checksum: string;
}

/** A column whose cells are in the number of a row. */
export interface SummedColumn {
  readonly column: string;
  readonly type: "text" | "number" | "boolean" | "date" | "list";
}

/** The columns whose cells are in the numbers of the rows of a table, in their order. */
export function summedColumns(
  table: Exclude<HandedOver, "interactions">,
  dimensions: readonly NamedDimension[],
): readonly SummedColumn[] {
  const columns = (
    type: SummedColumn["type"],
    ...names: readonly string[]
  ) => names.map((column) => ({ column, type }));
  const each = ofCustomers(dimensions);
  switch (table) {
    case "set_topics":
      return columns("number", "topic_set", "topic");
    case "kinds":
      return [
        ...columns("number", "kind", ...each.map(({ column }) => column)),
        ...columns("boolean", "has_record"),
        ...columns(
          "text",
          ...each.map(({ column }) => `${column}_name`),
          ...each.filter(({ is_searched }) => is_searched)
            .map(({ column }) => `${column}_key`),
        ),
      ];
    case "customers":
      return [
        ...columns("number", "customer_id", "kind", "total", "record_hash"),
        ...columns("text", "id", "id_key", "name", "name_key"),
        ...columns("date", "first_day", "last_day"),
        ...columns("list", "counts"),
      ];
    case "products":
      return [...columns("date", "month"), ...columns("text", "product")];
  }
}

/** A part of a table as a Parquet file, whose rows come in the order of the table. */
export interface Piece {
  readonly table: HandedOver;
  /** Removed when the next piece is asked for. */
  readonly file: string;
}

/** Exports that are loaded and cleaned, for another engine to take over. */
export interface Cleaned {
  readonly loaded: Loaded;
  /** Of the dimensions of customers; null where they are free text. */
  readonly customer_names: Readonly<Record<string, readonly string[] | null>>;
  /** Those with interactions, which decide what the rollup is by. */
  readonly days: number;
  /** Every row of every table, in pieces that bound the memory and the disk which they take. */
  pieces(): AsyncGenerator<Piece>;
  /** What the engine must find in a table when it has taken all pieces. */
  sumsOf(table: HandedOver): Promise<TableSums>;
  close(): void;
}

/** Loads and cleans exports as every engine does; throws the refusals of a load. */
export type Clean = (
  exports: StagedExports,
  options: BuildOptions,
) => Promise<Cleaned>;
