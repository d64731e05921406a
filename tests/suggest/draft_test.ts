/** Drafts for the exports of ten systems, beside the mappings that people wrote for them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Mapping, readMapping } from "../../db/mapping/mapping.ts";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";
import { TYPICAL_EXPORTS } from "../support/typical_exports.ts";

const CONTRACT = await Deno.readTextFile(
  new URL("../../docs/file-contract.md", import.meta.url),
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
    ['\nid = "Record ID"\n# id', "\nid"],
    [
      '# time = { column = "Activity date", format = "MDY" }',
      'time = { column = "Activity date", format = "MDY", zone = "America/New_York" }',
    ],
  ],
  Salesforce: [[
    '# time = { column = "Date", format = "MDY" }',
    'time = { column = "Date", format = "MDY" }',
  ]],
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
  Dynamics: [
    zoned('column = "Actual End", format = "excel"', "America/Chicago"),
  ],
};

/** Values of filters that no row of the sample has. */
const NOT_IN_SAMPLE: Readonly<Record<string, number>> = {
  Zendesk: 1,
  Twilio: 1,
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
      return `${place} ${key} ${JSON.stringify(sorted)} ${sameForm(format)}`;
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

/** A pattern that a form with a name takes as well. */
function sameForm(format = "iso"): string {
  return { "%m/%d/%Y %I:%M %p": "MDY", "%Y-%m-%d %H:%M:%S": "iso" }[format] ??
    format;
}

for (const { system, files, mapping } of TYPICAL_EXPORTS) {
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
      `| ${system} | ${wanted.length} | ${found} | ${answers.length} | ${not_there} |`;
    const squeezed = CONTRACT.replace(/ +/g, " ");
    assert(squeezed.includes(row), `docs/file-contract.md: write ${row}`);

    await using loaded = await loadTables({ ...files, "tally.toml": answered });
    assert(loaded.report.interactions > 0);
  });
}
