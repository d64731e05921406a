/** Writes a draft as the text of tally.toml, with what it is unsure of as comments. */

import { MAPPING_SCHEMA_FILE, MUST_CHOOSE } from "../mapping/mapping_file.ts";
import type { Draft, DraftSource } from "./draft.ts";
import {
  type DraftFilter,
  type DraftKey,
  type DraftValue,
  quoted,
  tomlOf,
} from "./draft_keys.ts";

/** A question that the draft leaves to a person. */
export interface Question {
  /** Such as `interactions[1].time`. */
  readonly key: string;
  readonly text: string;
  /** Whether the draft is refused until it is answered. */
  readonly must_answer: boolean;
  /** The lines of TOML of which one is to be taken, if any is known. */
  readonly lines: readonly string[];
}

/** The text of tally.toml. Lines of which one must be chosen are comments: until then it is refused. */
export function draftToml(draft: Draft): string {
  const lines = [
    `#:schema ./${MAPPING_SCHEMA_FILE}`,
    "# A draft, from the headers and the first rows of the files: read it before you use it.",
    "# Nothing here was decided for you where a line says ASK or CHOOSE.",
  ];
  if (draft.ids !== null) {
    lines.push(
      "",
      "# No file of customers was found: everyone is known from the interactions.",
      "customers = false",
    );
    if (draft.ids !== "integer") lines.push(`ids = ${quoted(draft.ids)}`);
  }
  const several = severalOf(draft);
  for (const source of draft.sources) {
    const { table } = source;
    lines.push("", several.has(table) ? `[[${table}]]` : `[${table}]`);
    for (const text of source.unsure) lines.push(`# ASK: ${text}.`);
    lines.push(`files = ${quoted(source.files)}`);
    if (source.sheet !== undefined) {
      lines.push(`sheet = ${quoted(source.sheet)}`);
    }
    for (const key of ["header_row", "footer_rows"] as const) {
      if (source[key] !== undefined) lines.push(`${key} = ${source[key]}`);
    }
    for (const key of source.keys) lines.push(...keyLines(key));
    lines.push(...filterLines(source.filters));
  }
  return `${lines.join("\n")}\n`;
}

/** The questions of a draft, in the order of its lines. */
export function questionsOf(draft: Draft): Question[] {
  return draft.sources.flatMap((source) => {
    const place = placeOf(draft, source);
    return [
      ...source.unsure.map((text) => ({
        key: place,
        text,
        must_answer: false,
        lines: [],
      })),
      ...source.keys.flatMap((key): Question[] =>
        key.asks === undefined ? [] : [{
          key: `${place}.${key.key}`,
          text: key.asks,
          must_answer: key.choices.length !== 1,
          lines: [...key.choices, ...key.instead ? [key.instead] : []]
            .map((value) => `${key.key} = ${tomlOf(value)}`),
        }]
      ),
    ];
  });
}

/** Where a source stands in tally.toml, such as `interactions[2]`. */
export function placeOf(draft: Draft, source: DraftSource): string {
  const alike = draft.sources.filter(({ table }) => table === source.table);
  return severalOf(draft).has(source.table)
    ? `${source.table}[${alike.indexOf(source) + 1}]`
    : source.table;
}

/** The tables in double brackets: interactions always, since other systems may follow. */
function severalOf({ sources }: Draft): Set<string> {
  const customers = sources.filter(({ table }) => table === "customers");
  return new Set(
    customers.length > 1 ? ["customers", "interactions"] : ["interactions"],
  );
}

function keyLines({ key, choices, instead, asks }: DraftKey): string[] {
  const line = (value: DraftValue) => `${key} = ${tomlOf(value)}`;
  const is_open = choices.length !== 1;
  return [
    ...asks === undefined
      ? []
      : [`${is_open ? MUST_CHOOSE : "# ASK: "}${asks}.`],
    ...choices.map((value) => is_open ? `# ${line(value)}` : line(value)),
    ...instead === undefined ? [] : [`# ${line(instead)}`],
  ];
}

function filterLines(filters: readonly DraftFilter[]): string[] {
  return (["skip_where", "keep_where"] as const).flatMap((key) => {
    const own = filters.filter((filter) => filter.key === key);
    if (own.length === 0) return [];
    const conditions = own.map(({ header, values }) =>
      `${bareOr(header)} = [${values.map(quoted).join(", ")}]`
    );
    return [`${key} = { ${conditions.join(", ")} }`];
  });
}

function bareOr(key: string): string {
  return /^[\w-]+$/.test(key) && /^[\x20-\x7e]+$/.test(key) ? key : quoted(key);
}
