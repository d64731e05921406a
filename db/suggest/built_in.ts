/** Finds the files that need no mapping: by their names, their headers, and what is in their cells. */

import {
  foldHeader,
  matchHeader,
  type TableName,
  tableOf,
  TABLES,
} from "../model/contract.ts";
import type { IdKind } from "../mapping/mapping.ts";
import type { DateOrder } from "../model/report.ts";
import { valuesOf } from "./column_facts.ts";
import type { Sample, SampledColumn } from "./sample.ts";
import { fitsForm } from "./time_forms.ts";

/** A larger share of cells that are not read would refuse the load. */
const MOST = 0.9;

/** The table that a sample is of by its own name, or by that of its sheet. */
export function builtInTable({ file, sheet }: Sample): TableName | undefined {
  const stem = file.replace(/\.((csv|tsv)(\.gz)?|parquet|xlsx)$/i, "");
  return tableOf(sheet ?? stem) ?? tableOf(stem);
}

/** Whether the rules for cells read a sample of a table, ids of interactions apart. */
export function fitsContract(
  sample: Sample,
  { date_order }: { readonly date_order: DateOrder["order"] },
): boolean {
  const table = builtInTable(sample);
  if (table === undefined || sample.header_row !== undefined) return false;
  const headers = sample.columns.map(({ header }) => header);
  if (matchHeader(TABLES[table], headers).missing.length > 0) return false;
  if (table === "customers") {
    return areMostly(columnOf(sample, "customer_id"), isInteger);
  }
  if (table !== "interactions") return true;
  const time = columnOf(sample, "date_start");
  return time.has_native_dates ||
    areMostly(time, (value) => isBuiltInTime(value, date_order));
}

/** Whether the ids in a sample of interactions are read as those of the customers are. */
export function fitsIds(sample: Sample, kind: IdKind): boolean {
  return builtInTable(sample) !== "interactions" ||
    areMostly(
      columnOf(sample, "customers"),
      (value) =>
        kind === "integer"
          ? value.split(/[;|,]/).every((id) => isInteger(id.trim()))
          // Nothing separates ids that are texts.
          : !/[;|,]/.test(value),
    );
}

function columnOf({ columns }: Sample, name: string): SampledColumn {
  const [{ headers }] = Object.values(TABLES)
    .flatMap(({ columns }) => columns).filter((one) => one.name === name);
  return headers.map(foldHeader).flatMap((wanted) =>
    columns.filter(({ header }) => foldHeader(header) === wanted)
  )[0];
}

function areMostly(
  { cells }: SampledColumn,
  fits: (value: string) => boolean,
): boolean {
  const values = valuesOf(cells);
  return values.filter(fits).length >= MOST * values.length;
}

// Spreadsheets write 12.0, and 0 is no customer.
function isInteger(value: string): boolean {
  return /^(0|[1-9]\d{0,15})(\.0+)?$/.test(value);
}

function isBuiltInTime(value: string, order: DateOrder["order"]): boolean {
  return fitsForm("iso", value) || fitsForm("excel", value) ||
    /^\d{4}[/-]/.test(value) && fitsForm("YMD", value) ||
    /^\d{1,2}\./.test(value) && fitsForm("DMY", value) ||
    /^\d{1,2}\//.test(value) && fitsForm(order, value);
}
