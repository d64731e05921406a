/** The exports of ten systems load, and answer, as the tally.toml of their page in docs/exports/ says. */

import { assert, assertEquals } from "@std/assert";
import { readMapping } from "../../db/mapping/mapping.ts";
import type { Files } from "../support/data_folder.ts";
import { loadTables } from "../support/load_folder.ts";
import { openApp } from "../support/open_app.ts";
import {
  type Asked,
  TYPICAL_EXPORTS,
  type TypicalExport,
} from "../support/typical_exports.ts";

const SETTINGS = { TIME_ZONE: "Europe/Berlin" };

for (const sample of TYPICAL_EXPORTS) {
  Deno.test(`an export of ${sample.system} loads as its tally.toml says`, async () => {
    await using loaded = await loadTables(
      { ...sample.files, "tally.toml": sample.mapping },
      SETTINGS,
    );
    const { report } = loaded;
    const id = report.mapping!.ids === "text"
      ? "(select id from ids where ids.customer_id = of.customer_id)"
      : "of.customer_id::varchar";
    const name = report.mapping!.names ? "name" : "null";
    const customers = await loaded.query(
      `select ${id} as id, ${name} as name, type::varchar as type, occupation
       from customers as of order by customer_id`,
    );
    const interactions = await loaded.query(
      `select ${id} as id, strftime(date_start, '%Y-%m-%d %H:%M') as time,
         channel::varchar as channel,
         list_aggregate(topic_codes, 'string_agg', ',') as codes
       from interactions as of join topic_sets using (topic_set)
       order by customer_id, date_start, channel`,
    );
    const topicsOf = (codes: string) =>
      codes === ""
        ? ""
        : codes.split(",").map((code) => loaded.topics[Number(code)]).join("+");
    const joined = (...parts: unknown[]) =>
      parts.map((part) => part ?? "").join(", ").replace(/(, )+$/, "");
    assertEquals(
      {
        customers: customers.map((one) =>
          joined(one.id, one.name, one.type, one.occupation)
        ),
        interactions: interactions.map((one) =>
          joined(
            one.id,
            one.time,
            one.channel,
            topicsOf(String(one.codes ?? "")),
          )
        ),
        set_aside: report.set_aside_listed.map(
          ({ file, line, column, reason }) =>
            `${file}:${line} ${column}: ${reason}`,
        ),
        passed_over: Object.fromEntries(
          Map.groupBy(
            report.files.filter(({ rows_passed_over }) => rows_passed_over),
            ({ file }) => file,
          ).entries().map(([file, reports]) => [
            file,
            reports.reduce((sum, one) => sum + one.rows_passed_over!, 0),
          ]),
        ),
      },
      {
        customers: sample.customers,
        interactions: sample.interactions,
        set_aside: sample.set_aside ?? [],
        passed_over: sample.passed_over ?? {},
      },
    );
  });
}

/** Asks the API over `files`, and compares the data of its answers. */
async function ask(files: Files, questions: readonly Asked[]): Promise<void> {
  await using opened = await openApp(files, SETTINGS);
  for (const [path, expected] of questions) {
    const answer = await opened.app.request(`/api/v1/${path}`);
    const { data, error } = await answer.json();
    assertEquals(error ?? data, expected, path);
  }
}

/** The files of a system with the interactions of another one, which find its customers by e-mail. */
function mix(one: TypicalExport): Files {
  const other = TYPICAL_EXPORTS.find(({ system }) =>
    system === one.mixed.with
  )!;
  const sources = readMapping(other.mapping).sources
    .filter(({ table }) => table === "interactions");
  // As docs/exports/README.md says.
  const [, block] = other.mapping.split(/^(?=\[\[interactions\]\])/m);
  const customer = `customer = ${
    JSON.stringify({ column: other.email, match: one.email })
      .replaceAll(/"(column|match)":/g, " $1 = ").replace("}", " }")
  }`;
  const replaced = block.replace(/^customer = .*$/m, customer);
  return {
    ...Object.fromEntries(
      Object.entries(other.files).filter(([name]) =>
        sources.some((source) => source.has(name))
      ),
    ),
    ...one.files,
    "tally.toml": `${one.mapping}\n${replaced}`,
  };
}

for (const sample of TYPICAL_EXPORTS) {
  const { system, files, mapping, asked, mixed } = sample;
  Deno.test(`questions over an export of ${system} have their answers`, async () => {
    await ask({ ...files, "tally.toml": mapping }, asked);
    await ask(mix(sample), [mixed.asked]);
  });
}

const folder = new URL("../../docs/exports/", import.meta.url);

Deno.test("the example of two systems is made of two pages", async () => {
  const index = await Deno.readTextFile(new URL("README.md", folder));
  const [, example] = /^```toml\n([^]*?)^```$/m.exec(index)!;
  const tables = example.split(/\n(?=\[)/);
  assertEquals(tables.length, 2);
  for (const table of tables) {
    assert(
      TYPICAL_EXPORTS.some(({ mapping }) => mapping.includes(table.trim())),
      table,
    );
  }
});

Deno.test("there is a page for each of the ten, with at most fifteen lines of TOML", async () => {
  const pages: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name !== "README.md") pages.push(name);
  }
  assertEquals(
    pages.sort(),
    TYPICAL_EXPORTS.map(({ page }) => `${page}.md`).sort(),
  );
  assertEquals(pages.length, 10);
  for (const { page, mapping } of TYPICAL_EXPORTS) {
    const lines = mapping.trimEnd().split("\n");
    assert(lines.length <= 15, `${page}.md has ${lines.length} lines`);
  }
});
