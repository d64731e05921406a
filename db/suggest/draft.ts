/** Drafts a mapping from samples: which file is of which table, and what must be asked. */

import { foldHeader } from "../model/contract.ts";
import type { DateOrder } from "../model/report.ts";
import type { IdKind } from "../mapping/mapping.ts";
import { builtInTable, fitsContract, fitsIds } from "./built_in.ts";
import { type ColumnFacts, factsOf, kindOfIds } from "./column_facts.ts";
import { customersBody, flatBody, withFewAttributes } from "./customer_keys.ts";
import { type Body, idOf, isTime, quotedList } from "./draft_keys.ts";
import { globsOf, undated } from "./globs.ts";
import {
  channelColumns,
  interactionIdOf,
  interactionsBody,
  namedChannels,
  targetsOf,
} from "./interaction_keys.ts";
import { namedAfter, rankOf, type Role } from "./known_headers.ts";
import { idsIn, isCountable, linkTargets, referencesAmong } from "./links.ts";
import type { Sample, UnusableColumn } from "./sample.ts";

/** Files of one table that are written alike. */
export interface DraftSource extends Body {
  readonly files: string;
  readonly file_names: readonly string[];
  readonly sheet?: string;
  readonly header_row?: number;
  readonly footer_rows?: number;
  readonly rows: number;
  readonly is_whole: boolean;
  /** The headers of columns with values that it does not use. */
  readonly unused: readonly string[];
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

/** Files with one header and of one kind, and what their columns hold. */
interface Group {
  readonly samples: readonly Sample[];
  readonly first: Sample;
  readonly columns: readonly ColumnFacts[];
  readonly table: DraftSource["table"] | null;
  /** Which columns cannot be used, and why, as a sentence each. */
  readonly unusable: readonly string[];
}

/** Drafts a mapping. The same samples and settings give the same draft. */
export function draftMapping(
  samples: readonly Sample[],
  settings: { readonly date_order: DateOrder["order"] },
): Draft {
  const { fitting, groups } = fittingAndGroups(samples, settings);
  const files = [...new Set(samples.map(({ file }) => file))];
  const customers = groups.filter(({ table }) => table === "customers");
  const interactions = groups.filter(({ table }) => table === "interactions");
  const builtin = fitting.filter((sample) =>
    builtInTable(sample) === "customers"
  );

  const known = [
    ...customers.map(({ columns }) => columns),
    ...builtin.map(({ columns }) => columns.map((one) => factsOf(one))),
  ];
  const kind = kindOf(customers);

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
  const targets = linkTargets(known.flatMap(targetsOf));
  const siblings = Map.groupBy(interactions, contentsOf);
  for (const group of interactions) {
    const body = interactionsBody(group.columns, {
      named: group.samples,
      targets,
    });
    drafted.push(...withSiblings(sourcesFor(group, { files, body }), {
      are_there: siblings.get(contentsOf(group))!.length > 1,
    }));
    if (!needs_customers) continue;
    const own = flatBody(group.columns, body);
    if (own) flat.push(...sourcesFor(group, { files, body: own }));
    const { facts } = body.keys.find(({ key }) => key === "customer") ?? {};
    const found = kindOfIds(facts ? idsIn(facts).ids : []);
    ids = ids === null || ids === found ? found : "text";
  }
  return {
    sources: [...flat, ...drafted],
    ids: flat.length > 0 || !needs_customers ? null : ids,
    fitting: [...new Set(fitting.map(({ file }) => file))],
    left: groups.filter(({ table }) => table === null)
      .flatMap((group) =>
        group.samples.map(({ file, sheet }) => ({
          file: sheet === undefined ? file : `${file}, sheet ${sheet}`,
          reason: reasonOf(group),
        }))
      ),
  };
}

/** Why nothing is proposed for a group. */
function reasonOf({ first, columns, unusable }: Group): string {
  if (first.rows === 0) return "a header without rows: nothing to go by";
  const times = columns.filter(isTime).map(({ header }) => header);
  const numbers = columns.filter((facts) =>
    facts.values.length > 0 && isCountable(facts) && !isTime(facts) &&
    (times.length > 0 || facts.is_unique)
  ).map(({ header }) => header);
  const by_values = numbers.length === 0;
  return [
    times.length > 0
      ? `times in ${
        quotedList(times)
      }, and no column that says which customer, by its header${
        by_values ? " or by values of another file" : ""
      }`
      : `no times, and no ids of customers with a name${
        by_values ? " or that another file has" : ""
      }`,
    ...by_values ? [] : [
      `Numbers of up to five digits, as in ${
        quotedList(numbers)
      }, do not show whether they are ids: give ids the same header in both files`,
    ],
    ...unusable,
  ].join(". ");
}

/** The files that need no mapping, and the others as groups. */
function fittingAndGroups(
  samples: readonly Sample[],
  settings: { readonly date_order: DateOrder["order"] },
): { readonly fitting: readonly Sample[]; readonly groups: readonly Group[] } {
  const split = (fits: (sample: Sample) => boolean) => {
    const fitting = samples.filter(fits);
    const others = samples.filter((sample) => !fitting.includes(sample));
    return { fitting, groups: groupsOf(others, { beside: fitting }) };
  };
  const first = split((sample) => fitsContract(sample, settings));
  const customers = first.groups.filter(({ table }) => table === "customers");
  const kind = customers.length === 0 ? "integer" : kindOf(customers);
  const fitting = first.fitting.filter((sample) => fitsIds(sample, kind));
  return fitting.length === first.fitting.length
    ? first
    : split((sample) => fitting.includes(sample));
}

/** The kind of ids that all customers have. */
function kindOf(customers: readonly Group[]): IdKind {
  const kinds = customers.map(({ columns }) => kindOfIds(idOf(columns).ids));
  return new Set(kinds).size === 1 ? kinds[0] : "text";
}

function groupsOf(
  samples: readonly Sample[],
  { beside }: { readonly beside: readonly Sample[] },
): Group[] {
  const alike = Map.groupBy(samples, (sample) =>
    JSON.stringify([
      headersOf(sample),
      sample.sheet,
      sample.header_row,
      sample.footer_rows,
      namedAfter(sample.file),
    ]));
  const groups = [...alike.values()].map(groupOf);
  return withReferences(groups, { beside: beside.map((one) => groupOf([one])) })
    .map((group) => ({ ...group, table: tableFor(group) }))
    .flatMap(byChannel).flatMap(byKind);
}

/** The groups, with the columns marked by which files of interactions name the rows of others. */
function withReferences(
  groups: readonly Group[],
  { beside }: { readonly beside: readonly Group[] },
): Group[] {
  const { from, to } = referencesAmong(
    [...groups, ...beside].map(({ columns }) => columns),
  );
  return groups.map((group) => ({
    ...group,
    columns: group.columns.map((facts) => ({
      ...facts,
      refers: from.has(facts),
      is_referred: to.has(facts),
    })),
  }));
}

function headersOf({ columns }: Sample): string[] {
  return columns.map(({ header }) => foldHeader(header));
}

function groupOf(samples: readonly Sample[]): Group {
  const [first] = samples;
  const columns = first.columns.map((_, i) =>
    factsOf(...samples.map(({ columns }) => columns[i]))
  );
  return {
    samples,
    first,
    columns,
    table: null,
    unusable: unusableText(first.unusable),
  };
}

/** The interactions of each channel that the names of files and sheets say, where no column does. */
function byChannel(group: Group): Group[] {
  if (group.table !== "interactions") return [group];
  const { columns, samples: named } = group;
  if (channelColumns(columns, { named }).length > 0) return [group];
  return partsOf(group, (sample) => namedChannels(sample).channels.join());
}

/** Files of other names by themselves where one id stands for other things in them. */
function byKind(group: Group): Group[] {
  const { columns, samples, table } = group;
  if (table === null) return [group];
  const id = table === "customers"
    ? idOf(columns).column
    : interactionIdOf(columns, { named: samples });
  if (!id) return [group];
  const parts = partsOf(group, ({ file }) => undated(file));
  return areOfOtherThings(parts, columns.indexOf(id)) ? parts : [group];
}

function unusableText(unusable: readonly UnusableColumn[]): string[] {
  const reasons = Map.groupBy(unusable, ({ reason }) => reason);
  return Array.from(reasons, ([reason, columns]) => {
    const headers = [...new Set(columns.map(({ header }) => header))];
    return `Not read is ${quotedList(headers)}: ${reason}`;
  });
}

function partsOf(group: Group, kind: (sample: Sample) => string): Group[] {
  const parts = [...Map.groupBy(group.samples, kind).values()];
  return parts.length === 1 ? [group] : parts.map((samples) => {
    const part = groupOf(samples);
    return {
      ...part,
      table: group.table,
      columns: part.columns.map((facts, i) => {
        const { refers, is_referred } = group.columns[i];
        return { ...facts, refers, is_referred };
      }),
    };
  });
}

/** Whether most cells differ in rows of several parts that have one id, in the column at `id`. */
function areOfOtherThings(parts: readonly Group[], id: number): boolean {
  const seen = new Map<string, { part: Group; row: readonly string[] }>();
  let cells = 0;
  let equal = 0;
  for (const part of parts) {
    for (const { columns, rows } of part.samples) {
      for (let i = 0; i < rows; i++) {
        const row = columns.map(({ cells }) => cells[i]);
        const other = seen.get(row[id]);
        if (!other) seen.set(row[id], { part, row });
        if (!other || other.part === part || row[id] === "") continue;
        for (const [at, cell] of row.entries()) {
          const own = other.row[at];
          // Columns without values show nothing.
          if (at === id || cell === "" && own === "") continue;
          cells++;
          if (cell === own) equal++;
        }
      }
    }
  }
  return equal < cells / 2;
}

/** What files have in common that may have the same interactions in them. */
function contentsOf({ first }: Group): string {
  return JSON.stringify([headersOf(first), namedChannels(first).channels]);
}

/** Sources of interactions, with a question where others may have the same ones. */
function withSiblings(
  sources: readonly DraftSource[],
  { are_there }: { readonly are_there: boolean },
): DraftSource[] {
  if (!are_there && sources.length === 1) return [...sources];
  return sources.map((source) => ({
    ...source,
    unsure: [
      ...source.unsure,
      "Other files with these columns are a source of their own: an interaction in both counts twice",
    ],
  }));
}

function tableFor(
  { first: sample, columns }: Group,
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
    (persons > 0 || hint === "customers" || id.is_referred && !has_time);
  const may_be_interactions = has_time &&
    (knows("customer") || hint === "interactions" ||
      columns.some(({ refers }) => refers));
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
  { samples, first, columns, unusable }: Group,
  { files, body }: { readonly files: readonly string[]; readonly body: Body },
): DraftSource[] {
  const own = [...new Set(samples.map(({ file }) => file))];
  const { sheet, header_row, footer_rows } = first;
  const used = new Set([
    ...body.keys.flatMap(({ facts, choices }) => [
      facts?.header,
      ...choices.map((choice) => typeof choice !== "string" && choice.time),
    ]),
    ...body.filters.map(({ header }) => header),
  ]);
  const unused = columns.filter(({ header, values }) =>
    values.length > 0 && !used.has(header)
  ).map(({ header }) => header);
  return globsOf(own, files).map(({ glob, names }) => {
    const taken = samples.filter(({ file }) => names.includes(file));
    return {
      ...body,
      unsure: [...body.unsure, ...unusable],
      files: glob,
      file_names: names,
      ...sheet !== undefined && { sheet },
      ...header_row !== undefined && { header_row },
      ...footer_rows > 0 && { footer_rows },
      rows: taken.reduce((sum, { rows }) => sum + rows, 0),
      is_whole: taken.every(({ is_whole }) => is_whole),
      unused,
    };
  });
}
