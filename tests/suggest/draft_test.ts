/** Drafts for the exports of ten systems, beside the mappings of docs/exports/. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Mapping, readMapping } from "../../db/mapping/mapping.ts";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";
import { TYPICAL_EXPORTS } from "../support/typical_exports.ts";

const INDEX = await Deno.readTextFile(
  new URL("../../docs/exports/README.md", import.meta.url),
);

/** An answer: the text of the draft, and what a person makes of it. */
type Answer = readonly [draft: string, answer: string];

const zoned = (time: string, zone: string): Answer => [
  `\ntime = { ${time} }`,
  `\ntime = { ${time}, zone = "${zone}" }`,
];

/** What each draft asks, answered as the mapping has it. */
const ANSWERS: Readonly<Record<string, readonly Answer[]>> = {
  HubSpot: [
    zoned('column = "Activity date", format = "iso"', "America/New_York"),
  ],
  Pipedrive: [
    zoned(
      'date = "Activity - Due date", time = "Activity - Due time", format = "iso"',
      "UTC",
    ),
  ],
  Zoho: [zoned('column = "Call Start Time", format = "iso"', "Asia/Kolkata")],
  Freshdesk: [
    zoned('column = "Created time", format = "iso"', "America/Los_Angeles"),
  ],
  "Dynamics 365": [
    zoned('column = "Actual End", format = "excel"', "America/Chicago"),
  ],
};

/** Values of filters that no row of the sample has. */
const NOT_IN_SAMPLE: Readonly<Record<string, number>> = {
  Zendesk: 1,
};

/** What a mapping says, key by key, in a form that equal meanings share. */
function meaningsOf(mapping: Mapping, files: readonly string[]): string[] {
  return mapping.sources.flatMap((source) => {
    const place = source.key;
    const keys = Object.entries(source.rules).map(([key, rule]) => {
      const { format, match, ...rest } = rule;
      const sorted = Object.entries({ ...rest, match: match?.header })
        .filter(([, value]) => value !== undefined)
        .sort(([a], [b]) => a < b ? -1 : 1);
      return `${place} ${key} ${JSON.stringify(sorted)} ${format}`;
    });
    return [
      `${place} files ${files.filter((file) => source.has(file))}`,
      `${place} ids ${mapping.id_kind}`,
      ...source.header_row === undefined
        ? []
        : [`${place} header_row ${source.header_row}`],
      ...source.footer_rows === 0
        ? []
        : [`${place} footer_rows ${source.footer_rows}`],
      ...keys,
      ...source.where.flatMap(({ header, skips, keys }) =>
        [...keys].map((value) => `${place} where ${header} ${skips} ${value}`)
      ),
    ];
  }).sort();
}

for (const { system, page, files, mapping } of TYPICAL_EXPORTS) {
  Deno.test(`the draft for ${system} is its mapping, but for what it asks`, async () => {
    const { toml, questions } = await suggest(files);
    const answers = ANSWERS[system] ?? [];
    let answered = toml;
    for (const [draft, answer] of answers) {
      assertStringIncludes(answered, draft);
      answered = answered.replace(draft, answer);
    }
    const names = Object.keys(files);
    const wanted = meaningsOf(readMapping(mapping), names);
    const drafted = meaningsOf(readMapping(answered), names);
    const missing = wanted.filter((one) => !drafted.includes(one));
    assertEquals(drafted.filter((one) => !wanted.includes(one)), []);
    const not_there = NOT_IN_SAMPLE[system] ?? 0;
    assertEquals(missing.length, not_there, missing.join("\n"));
    assert(questions.length >= answers.length);

    const found = wanted.length - answers.length - not_there;
    const row =
      `| [${system}](${page}.md) | ${wanted.length} | ${found} | ${answers.length} | ${not_there} |`;
    const squeezed = INDEX.replace(/ +/g, " ");
    assert(squeezed.includes(row), `docs/exports/README.md: write ${row}`);

    await using loaded = await loadTables({ ...files, "tally.toml": answered });
    assert(loaded.report.interactions > 0);
  });
}

Deno.test("a report with a title, a footer and dates of two orders is drafted", async () => {
  const files = {
    "Contact.csv": `"Id","Name","Type__c"
"0035g00000XyZabAAF","Rose Gonzalez","Prospect"
"0035g00000XyZacAAF","Sean Forbes","Customer"
`,
    "Task.csv": `"Id","WhoId","ActivityDate","Type","IsDeleted"
"00T5g00000AbCdeEAF","0035g00000XyZabAAF","2024-07-01T09:00:00.000Z","Call","false"
"00T5g00000AbCdfEAF","0035g00000XyZacAAF","2024-07-02T08:00:00.000Z","Email","true"
`,
    // The ids of a report have 15 characters.
    "report1720000000.csv": `Calls of the quarter

"Contact ID","Date","Type"
"0035g00000XyZab","7/3/2024","Call"
"0035g00000XyZab","7/4/2024","Call"
"Grand Summaries","",""
"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved.","",""
`,
  };
  const { toml } = await suggest(files);
  for (
    const line of [
      'id = { column = "Id", kind = "salesforce" }',
      "header_row = 3",
      "footer_rows = 2",
      'skip_where = { IsDeleted = ["true"] }',
      '# time = { column = "Date", format = "DMY" }',
    ]
  ) assertStringIncludes(toml, `\n${line}\n`);
  const chosen = 'time = { column = "Date", format = "MDY" }';
  assertStringIncludes(toml, `# ${chosen}`);
  await using loaded = await loadTables({
    ...files,
    "tally.toml": toml.replace(`# ${chosen}`, chosen),
  });
  const { files: reports, interactions } = loaded.report;
  assertEquals(
    [interactions, ...reports.map((one) => one.rows_passed_over)],
    [3, 0, 1, 2],
  );
});
