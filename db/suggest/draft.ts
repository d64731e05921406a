/** Drafts a mapping from samples: which file is of which table, and what must be asked. */

import { foldHeader, matchHeader, tableOf, TABLES } from "../model/contract.ts";
import type { IdKind } from "../mapping/mapping.ts";
import { type ColumnFacts, factsOf, kindOfIds } from "./column_facts.ts";
import { customersBody, flatBody, withFewAttributes } from "./customer_keys.ts";
import { type Body, idOf, isTime } from "./draft_keys.ts";
import { globsOf } from "./globs.ts";
import { interactionsBody } from "./interaction_keys.ts";
import { namedAfter, rankOf, type Role } from "./known_headers.ts";
import type { Sample } from "./sample.ts";

/** Files of one table that are written alike. */
export interface DraftSource extends Body {
  readonly files: string;
  readonly file_names: readonly string[];
  readonly sheet?: string;
  readonly header_row?: number;
  readonly footer_rows?: number;
  readonly rows: number;
  readonly is_whole: boolean;
}

/** A draft of tally.toml. */
export interface Draft {
  readonly sources: readonly DraftSource[];
  /** Set where no file of customers was found: the kind of their ids. */
  readonly ids: IdKind | null;
  /** Files that need no mapping. */
  readonly fitting: readonly string[];
  /** Files that could be read, and of which nothing is proposed. */
  readonly left: readonly { readonly file: string; readonly reason: string }[];
}

/** Files with one header, and what their columns hold. */
interface Group {
  readonly samples: readonly Sample[];
  readonly first: Sample;
  readonly columns: readonly ColumnFacts[];
  readonly table: DraftSource["table"] | null;
}

/** Drafts a mapping. The same samples give the same draft. */
export function draftMapping(samples: readonly Sample[]): Draft {
  const fitting = samples.filter(fitsAlready);
  const others = samples.filter((sample) => !fitting.includes(sample));
  const groups = groupsOf(others);
  const files = [...new Set(samples.map(({ file }) => file))];
  const customers = groups.filter(({ table }) => table === "customers");
  const interactions = groups.filter(({ table }) => table === "interactions");
  const builtin = fitting.filter(({ file }) =>
    tableOf(stemOf(file)) === "customers"
  );

  const known = [
    ...customers.map(({ columns }) => columns),
    ...builtin.map(({ columns }) => columns.map(factsOf)),
  ];
  const kinds = customers.map(({ columns }) => kindOfIds(idOf(columns).ids));
  const kind: IdKind = new Set(kinds).size === 1 ? kinds[0] : "text";

  const bodies = withFewAttributes(
    customers.map((group) =>
      customersBody(group.columns, { kind, is_only: known.length === 1 })
    ),
  );
  const drafted: DraftSource[] = customers.flatMap((group, i) =>
    sourcesFor(group, { files, body: bodies[i] })
  );
  let ids: IdKind | null = null;
  const needs_customers = known.length === 0 && interactions.length > 0;
  const flat: DraftSource[] = [];
  for (const group of interactions) {
    const body = interactionsBody(group.columns, {
      named: group.first,
      customers: known,
    });
    drafted.push(...sourcesFor(group, { files, body }));
    if (!needs_customers) continue;
    const own = flatBody(group.columns, body);
    if (own) flat.push(...sourcesFor(group, { files, body: own }));
    const { facts } = body.keys.find(({ key }) => key === "customer") ?? {};
    const found = kindOfIds(facts?.values ?? []);
    ids = ids === null || ids === found ? found : "text";
  }
  return {
    sources: [...flat, ...drafted],
    ids: flat.length > 0 || !needs_customers ? null : ids,
    fitting: [...new Set(fitting.map(({ file }) => file))],
    left: groups.filter(({ table }) => table === null)
      .flatMap(({ samples }) =>
        samples.map(({ file, sheet, rows }) => ({
          file: sheet === undefined ? file : `${file}, sheet ${sheet}`,
          reason: rows === 0
            ? "a header without rows: nothing to go by"
            : "no ids of customers with a name, and no times with a customer",
        }))
      ),
  };
}

function stemOf(file: string): string {
  return file.replace(/\.((csv|tsv)(\.gz)?|parquet|xlsx)$/i, "");
}

/** Whether a file is read without a mapping, by its own name or that of its sheet. */
function fitsAlready({ file, sheet, columns, header_row }: Sample): boolean {
  const table = tableOf(sheet ?? stemOf(file)) ?? tableOf(stemOf(file));
  return table !== undefined && header_row === undefined &&
    matchHeader(TABLES[table], columns.map(({ header }) => header))
        .missing.length === 0;
}

function groupsOf(samples: readonly Sample[]): Group[] {
  const alike = Map.groupBy(samples, (sample) =>
    JSON.stringify([
      sample.columns.map(({ header }) => foldHeader(header)),
      sample.sheet,
      sample.header_row,
      sample.footer_rows,
      namedAfter(sample.file),
    ]));
  return Array.from(alike.values(), (samples) => {
    const [first] = samples;
    const columns = first.columns.map(({ header, has_native_dates }, i) =>
      factsOf({
        header,
        has_native_dates,
        cells: samples.flatMap(({ columns }) => columns[i].cells),
      })
    );
    return { samples, first, columns, table: tableFor(first, columns) };
  });
}

function tableFor(
  sample: Sample,
  columns: readonly ColumnFacts[],
): Group["table"] {
  if (sample.rows === 0) return null;
  const hint = namedAfter(sample.sheet ?? sample.file) ??
    namedAfter(sample.file);
  const knows = (role: Role) =>
    columns.some(({ header }) => rankOf(role, header) !== null);
  const { column: id, is_unique } = idOf(columns);
  const has_time = columns.some(isTime);
  const persons = [
    knows("name"),
    knows("occupation"),
    columns.some(({ emails }) => emails >= 0.5),
    columns.some(({ phones }) => phones >= 0.5),
  ].filter(Boolean).length;
  const may_be_customers = id !== undefined && is_unique &&
    (persons > 0 || hint === "customers");
  const may_be_interactions = has_time &&
    (knows("customer") || hint === "interactions");
  if (may_be_customers && may_be_interactions) {
    return hint ?? (persons > 1 ? "customers" : "interactions");
  }
  return may_be_customers
    ? "customers"
    : may_be_interactions
    ? "interactions"
    : null;
}

function sourcesFor(
  { samples, first }: Group,
  { files, body }: { readonly files: readonly string[]; readonly body: Body },
): DraftSource[] {
  const own = [...new Set(samples.map(({ file }) => file))];
  const { sheet, header_row, footer_rows } = first;
  return globsOf(own, files).map(({ glob, names }) => ({
    ...body,
    files: glob,
    file_names: names,
    ...sheet !== undefined && { sheet },
    ...header_row !== undefined && { header_row },
    ...footer_rows > 0 && { footer_rows },
    rows: samples.reduce((sum, { rows }) => sum + rows, 0),
    is_whole: samples.every(({ is_whole }) => is_whole),
  }));
}
