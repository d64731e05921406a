/** The evidence of a draft, for people and for machines. */

import { harmless } from "../model/names.ts";
import type { Draft } from "./draft.ts";
import type { DraftKey } from "./draft_keys.ts";
import {
  draftToml,
  placeOf,
  type Question,
  questionsOf,
} from "./draft_toml.ts";
import type { Unread } from "./sample.ts";
import { shownHeader, shownValue } from "./shown_values.ts";

/** What is said of a key. */
export interface KeyEvidence {
  readonly key: string;
  readonly column: string | null;
  readonly evidence: string;
  readonly distinct: number | null;
  /** The share of the cells with a value. */
  readonly filled: number | null;
  /** The forms of times that fit, with the share of the values that do. */
  readonly formats: readonly {
    readonly format: string;
    readonly share: number;
  }[];
  /** Some values, without secrets and long texts. */
  readonly values: readonly string[];
}

/** What `--json` prints. */
export interface Suggestion {
  /** The text of tally.toml. */
  readonly toml: string;
  readonly sources: readonly {
    readonly key: string;
    readonly files: string;
    readonly file_names: readonly string[];
    readonly rows_seen: number;
    readonly is_whole: boolean;
    readonly columns: readonly KeyEvidence[];
    /** The headers of columns that the source does not use. */
    readonly unused: readonly string[];
    readonly filters: readonly string[];
  }[];
  readonly questions: readonly Question[];
  /** Files that need no mapping. */
  readonly fitting: readonly string[];
  readonly left: readonly Unread[];
}

const VALUES_SHOWN = 3;
const LISTED = 20;

/** A draft with its evidence; `unread` are files without a sample. */
export function suggestionOf(
  draft: Draft,
  unread: readonly Unread[],
): Suggestion {
  return {
    toml: draftToml(draft),
    sources: draft.sources.map((source) => ({
      key: placeOf(draft, source),
      files: source.files,
      file_names: source.file_names,
      rows_seen: source.rows,
      is_whole: source.is_whole,
      columns: source.keys.map(evidenceOf),
      unused: source.unused,
      filters: source.filters.map(({ key, header, values, evidence }) =>
        `${key} ${shownHeader(header)} = ${
          values.map((value) => JSON.stringify(value)).join(", ")
        }: ${evidence}`
      ),
    })),
    questions: questionsOf(draft),
    fitting: draft.fitting,
    left: [...draft.left, ...unread],
  };
}

function evidenceOf({ key, facts, evidence }: DraftKey): KeyEvidence {
  return {
    key,
    column: facts?.header ?? null,
    evidence,
    distinct: facts?.distinct ?? null,
    filled: facts && facts.rows > 0 ? facts.values.length / facts.rows : null,
    formats: facts?.times ?? [],
    values: facts
      ? [...new Set(facts.values)].slice(0, VALUES_SHOWN)
        .map((value) => shownValue(value, facts.header))
      : [],
  };
}

function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") +
    (more > 0 ? `, and ${more} more` : "");
}

/** The suggestion as lines for a terminal, without the text of tally.toml. */
export function evidenceText(suggestion: Suggestion): string {
  const { sources, questions, fitting, left } = suggestion;
  const lines: string[] = [];
  for (const source of sources) {
    const names = source.file_names;
    lines.push(
      `${source.key}: ${listed(names)} (${
        source.is_whole ? "all" : "the first"
      } ${source.rows_seen} rows)`,
    );
    const width = Math.max(...source.columns.map(({ key }) => key.length));
    for (const { key, column, evidence, values } of source.columns) {
      lines.push(
        `  ${key.padEnd(width)}  ${
          column === null ? "" : `${shownHeader(column)}: `
        }${evidence}${
          values.length > 0 ? `; such as ${values.join(", ")}` : ""
        }`,
      );
    }
    for (const filter of source.filters) lines.push(`  ${filter}`);
    if (source.unused.length > 0) {
      lines.push(`  not used: ${listed(source.unused.map(shownHeader))}`);
    }
    lines.push("");
  }
  if (questions.length > 0) {
    lines.push("Unsure, for you to say");
    for (const { key, text, must_answer } of questions) {
      lines.push(`  ${key}: ${text}${must_answer ? " (needed)" : ""}`);
    }
    lines.push("");
  }
  if (fitting.length > 0) {
    lines.push(`Read without a mapping: ${fitting.join(", ")}`, "");
  }
  if (left.length > 0) {
    lines.push("Nothing is proposed for");
    for (const { file, reason } of left.slice(0, LISTED)) {
      lines.push(`  ${file}: ${reason}`);
    }
    if (left.length > LISTED) {
      lines.push(`  and ${left.length - LISTED} more`);
    }
    lines.push("");
  }
  return harmless(lines.map((line) => line.replaceAll("\n", " ")).join("\n"));
}
