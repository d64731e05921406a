/** Reads staged files as tally.toml says: runs what must be known of a file or a zone before its rows are read. */

import type { StagedFile } from "../intake/stage_file.ts";
import type { Mapping, Where } from "../mapping/mapping.ts";
import { requireColumns } from "../model/contract.ts";
import { nameKey } from "../model/names.ts";
import { createPause } from "../model/pause.ts";
import { refused } from "../model/problems.ts";
import { type Database, quoteText } from "./database.ts";
import { idRule, matchedCells, readsIds } from "./mapped_ids.ts";
import { mappedRows } from "./mapped_source.ts";
import { zonesOf } from "./mapped_times.ts";

/** The headers of a file of customers, by which some may be missing. */
export interface CustomersHeader {
  readonly file: string;
  readonly headers: readonly string[];
  /** The columns of the layout that it has. */
  readonly columns: readonly string[];
  /** Headers that mean no column. */
  readonly unknown: readonly string[];
}

/** Throws a refusal when a file has rows, and fewer than its footer; with as many, it is an export without rows. */
function requireFooter({ file, source }: StagedFile, rows: number): void {
  const { footer_rows, key } = source!;
  if (rows === 0 || rows >= footer_rows) return;
  throw refused({
    file,
    problem:
      `${rows} rows, fewer than footer_rows = ${footer_rows} of ${key} in tally.toml`,
    remedy:
      "Write there how many rows at the end are no data, or leave footer_rows out",
  });
}

/** A date at midnight in the form of a key; its cell in a spreadsheet or in Parquet is the day. */
const MIDNIGHT = /^(\d{4}-\d\d-\d\d)[ t]00:00:00(?:\.0+)?$/;

/** So many cells are compared at once: some milliseconds of work. */
const CELLS_AT_ONCE = 1_000;
/** The largest number of repetitions that RE2 takes. */
const MAX_REPETITIONS = 1_000;

/** How the files of one load are read. */
export class MappedReading {
  readonly #database: Database;
  readonly #mapping: Mapping | null;
  /** By zone, the SQL that makes the column `local` a moment of TIME_ZONE. */
  readonly #shifts = new Map<string, string>();
  readonly #customers: CustomersHeader[] = [];
  #has_match_keys = false;

  constructor(database: Database, mapping: Mapping | null) {
    this.#database = database;
    this.#mapping = mapping;
  }

  /** The kind of customer ids. */
  get id_kind() {
    return this.#mapping?.id_kind ?? "integer";
  }

  /** Prepares the database for the first file. Throws a refusal when a pattern is not taken. */
  async begin(): Promise<void> {
    if (!this.#mapping) return;
    await this.#database.runFile("load/1_stage/mapped_rules");
    if (this.id_kind !== "integer") {
      await this.#database.runFile("load/1_stage/text_ids");
    }
    for (const { key, rules } of this.#mapping.sources) {
      for (const { pattern, file_name } of Object.values(rules)) {
        for (const one of [pattern, file_name]) {
          if (one !== undefined) await this.#checkPattern(key, one);
        }
      }
    }
  }

  /** Whether ids of a file are read as texts. */
  readsIds(file: StagedFile): boolean {
    return readsIds(file, this.id_kind);
  }

  /** Notes which headers a file of customers has. */
  addCustomers(header: CustomersHeader): void {
    this.#customers.push(header);
  }

  /** The SELECT of a file's rows as staging reads them, from `rows`, a SELECT of the columns of its layout. */
  async rowsOf(file: StagedFile, rows: string): Promise<string> {
    const { source } = file;
    const rule = source && idRule(source);
    const is_matched = rule?.match !== undefined;
    const conditions = new Map<string, string>();
    for (const where of source?.where ?? []) {
      conditions.set(where.column, await this.#condition(where, rows));
    }
    for (const zone of source ? zonesOf(source) : []) {
      if (!this.#shifts.has(zone)) {
        this.#shifts.set(zone, await this.#shiftOf(zone));
      }
    }
    const footer_rows = source?.footer_rows ?? 0;
    let row_count: number | undefined;
    if (is_matched || footer_rows > 0) {
      // Numbered by rowid, since a join keeps no order.
      await this.#database.run(
        `create or replace temp table source_rows as ${rows}`,
      );
      if (footer_rows > 0) {
        const [{ count }] = await this.#database.run(
          "select count(*)::integer as count from source_rows",
        );
        row_count = count as number;
        requireFooter(file, row_count);
      }
      rows = "select *, rowid as position from source_rows";
    }
    if (is_matched) {
      await this.#makeMatchKeys();
      await this.#database.run(matchedCells(rule, this.id_kind));
      rows = `select source_rows.*, source_rows.rowid as position,
  matched_ids, matched_problem
from source_rows left join matched_cells on matched_cell = customers
order by source_rows.rowid`;
    }
    return mappedRows(rows, await this.#withNamedValues(file), {
      id_kind: this.id_kind,
      attributes: this.#mapping?.attributes ?? [],
      shifts: this.#shifts,
      conditions,
      rows: row_count,
      is_matched,
    });
  }

  /** Removes what only the rows of one file need. */
  async endFile(): Promise<void> {
    if (this.#mapping) {
      await this.#database.run("drop table if exists source_rows");
    }
  }

  async #checkPattern(key: string, pattern: string): Promise<void> {
    try {
      await this.#database.run(
        `select regexp_extract('', ${quoteText(pattern)}, 1)`,
      );
    } catch (error) {
      throw refused({
        file: "tally.toml",
        problem: `the pattern ${
          JSON.stringify(pattern)
        } of ${key} is not taken: ${
          (error as Error).message.split("\n")[0].replace(/^[\w ]+ Error: /, "")
        }`,
        remedy: "Write it in the syntax of RE2, which has no look-around",
      });
    }
  }

  /** The file with the values that its name has, as constants of its source. Throws a refusal when it has none. */
  async #withNamedValues(file: StagedFile): Promise<StagedFile> {
    const { source, name = "" } = file;
    if (!source) return file;
    const rules = { ...source.rules };
    for (const [column, { file_name }] of Object.entries(rules)) {
      if (file_name === undefined) continue;
      const [text, pattern] = [name, file_name].map((of) =>
        quoteText(of.normalize("NFC"))
      );
      // Here, and not in JavaScript, whose time for some patterns has no bound.
      const [{ value }] = await this.#database.run(
        `select regexp_extract(${text}, ${pattern}, 1) as value`,
      );
      if (value === "") {
        throw refused({
          file: file.file,
          problem: `the pattern ${
            JSON.stringify(file_name)
          } of ${source.key} finds nothing in its name`,
          remedy: "Rename the file, or mend file_name in tally.toml",
        });
      }
      rules[column] = { headers: [], value: value as string };
    }
    return { ...file, source: { ...source, rules } };
  }

  /** The condition that a cell has one of the values, compared as names are. */
  async #condition(where: Where, rows: string): Promise<string> {
    const { column, keys } = where;
    const spelt = await this.#otherSpellings(where, rows);
    const listed = [...keys].filter((key) => key !== "");
    for (const key of keys) {
      if (MIDNIGHT.test(key)) listed.push(key.replace(MIDNIGHT, "$1"));
    }
    const found = keys.has("") ? [`has_no_value(${column})`] : [];
    for (
      const [cell, values] of [
        [`lower(clean_text(${column}))`, listed],
        [column, spelt],
      ] as const
    ) {
      if (values.length === 0) continue;
      found.push(`${cell} in (${values.map(quoteText).join(", ")})`);
    }
    return `coalesce(${found.join(" or ")}, false)`;
  }

  /** The cells with other characters than ASCII, whose keys DuckDB cannot compute, that have one of the values. */
  async #otherSpellings(
    { column, keys }: Where,
    rows: string,
  ): Promise<string[]> {
    const more = 1 + Math.max(
      ...Array.from(keys, (key) => Array.from(key).length),
    );
    // The key of a cell has at least its plain characters: a column of notes, of which no
    // two are equal, has few cells that can have one of the values.
    const too_long = more > MAX_REPETITIONS
      ? "false"
      : `regexp_matches(${column}, '(?:[!-~][^!-~]*){${more}}')`;
    const [{ Count }] = await this.#database.run(
      `create or replace temp table other_cells as
select distinct ${column} as cell from (${rows})
where strlen(${column}) <> length(${column}) and not ${too_long}`,
    );
    const spelt: string[] = [];
    const pause = createPause();
    for (let at = 0; at < Number(Count); at += CELLS_AT_ONCE) {
      await pause();
      const cells = await this.#database.run(
        `select cell from other_cells
where rowid >= ${at} and rowid < ${at + CELLS_AT_ONCE}`,
      );
      for (const { cell } of cells) {
        if (keys.has(nameKey(cell as string))) spelt.push(cell as string);
      }
    }
    await this.#database.run("drop table other_cells");
    return spelt;
  }

  /** The SQL that adds to `local`, a moment of the zone, what makes it one of TIME_ZONE. */
  async #shiftOf(zone: string): Promise<string> {
    await this.#database.run(`set variable zone = ${quoteText(zone)}`);
    const shifts = await this.#database.runFile("load/1_stage/zone_shifts");
    // A comparison for each halving: a list of all changes would be copied with
    // every batch of rows, and a join would lose the order of the rows.
    const choose = (start: number, end: number): string => {
      if (end - start === 1) return String(shifts[start].shift);
      const middle = (start + end) >>> 1;
      return `case when local < timestamp '${shifts[middle].moment}' then ${
        choose(start, middle)
      } else ${choose(middle, end)} end`;
    };
    return `local + to_seconds(${choose(0, shifts.length)})`;
  }

  async #makeMatchKeys(): Promise<void> {
    if (this.#has_match_keys) return;
    const matches = this.#mapping!.matches;
    for (const { column, header } of matches) {
      if (this.#customers.some(({ columns }) => columns.includes(column))) {
        continue;
      }
      requireColumns(this.#customers.flatMap(({ headers }) => headers), {
        missing: [{ name: column, headers: [header], required: true }],
        doubled: [],
        unknown: this.#customers.flatMap(({ unknown }) => unknown),
      }, {
        file: this.#customers.map(({ file }) => file).join(", "),
        remedy: "Mend match in tally.toml",
      });
    }
    const keys = matches.map(({ column, as }, i) =>
      `select ${quoteText(column)} as match,
  ${as}_match_key(match_cells[${i + 1}]) as key, customer_id
from records`
    );
    await this.#database.run(`create or replace temp table match_keys as
with records as (
  select customer_id, match_cells
  from staged_customers
  where rowid in (
    select max(rowid) from staged_customers where fault is null
    group by customer_id)),
keys as (${keys.join(" union all ")})
select
  match,
  key,
  case when count(distinct customer_id) = 1 then any_value(customer_id) end
    as id,
  count(distinct customer_id) > 1 as several
from keys
where key <> ''
group by match, key`);
    this.#has_match_keys = true;
  }
}
