/** What tally.toml says: globs, its meaning, and that no text of it ends in anything but a refusal. */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { z } from "zod";
import { readMapping } from "../../../db/mapping/mapping.ts";
import {
  MAPPING_MAX_BYTES,
  mappingJsonSchema,
} from "../../../db/mapping/mapping_file.ts";
import { StoreError } from "../../../db/model/problems.ts";

function sourceOf(files: string) {
  return readMapping(
    `[customers]\nfiles = ${JSON.stringify(files)}\nid = "x"\n`,
  ).sources[0];
}

Deno.test("a glob: * is any text, ? any character, case does not matter", () => {
  const table: [glob: string, name: string, fits: boolean][] = [
    ["contacts*.csv", "contacts.csv", true],
    ["contacts*.csv", "Contacts 2024.CSV", true],
    ["contacts*.csv", "contacts.csv.gz", false],
    ["contacts*.csv", "my contacts.csv", false],
    ["*", "", true],
    ["*.csv", ".csv", true],
    ["?.csv", "a.csv", true],
    ["?.csv", "ab.csv", false],
    ["?.csv", ".csv", false],
    // One character of two code units, and one that RegExp would take for more.
    ["?.csv", "😀.csv", true],
    ["a.c*v", "abcsv", false],
    ["[ab].csv", "a.csv", false],
    ["[ab].csv", "[ab].csv", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["*a*a*", "aa", true],
    ["*a*a*", "a", false],
    ["ÄRGER*", "ärger.csv", true],
    // The marks of letters apart from them, as macOS writes names of files.
    ["März*.csv", "Ma\u0308rz-2024.csv", true],
    ["Ma\u0308rz?.csv", "März1.csv", true],
  ];
  for (const [glob, name, fits] of table) {
    assertEquals(sourceOf(glob).has(name), fits, `${glob} and ${name}`);
  }
});

Deno.test("a glob matches what the same regular expression does", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "."),
    maxLength: 9,
  });
  const glob = fc.array(fc.constantFrom("a", "b", ".", "*", "?"), {
    minLength: 1,
    maxLength: 7,
  }).map((parts) => parts.join("").replaceAll(/\*+/g, "*"));
  fc.assert(fc.property(glob, text, (glob, name) => {
    const pattern = glob.replaceAll(".", "\\.").replaceAll("*", ".*")
      .replaceAll("?", ".");
    assertEquals(
      sourceOf(glob).has(name),
      RegExp(`^${pattern}$`).test(name),
    );
  }));
});

const WHOLE = `
# Of the CRM.
[[customers]]
files = "contacts*.csv"
id = { column = "Record ID", kind = "text", prefix = "a-" }
name = "Name"

[[interactions]]
files = "calls.csv"
customer = { column = "To", match = "Phone", match_as = "phone" }
time = { column = "At", format = "iso", zone = "Europe/Berlin" }
channel = { value = "Call" }
skip_where = { Status = ["Deleted", "Spam"], Kind = ["x"] }
`;

Deno.test("comments, spaces and the order of keys and values change no meaning", () => {
  const { meaning } = readMapping(WHOLE);
  const same = [
    WHOLE.replace("# Of the CRM.", "").replaceAll(" = ", "="),
    WHOLE.replace(
      `files = "calls.csv"\ncustomer`,
      "customer",
    ).replace(
      'channel = { value = "Call" }',
      'channel.value = "Call"\nfiles = "calls.csv"',
    ),
    WHOLE.replace('"Deleted", "Spam"', '"SPAM", "deleted", "Deleted"'),
    WHOLE.replace(
      'Status = ["Deleted", "Spam"], Kind = ["x"]',
      'Kind = ["x"], Status = ["Deleted", "Spam"]',
    ),
    WHOLE.replace(
      'column = "At", format = "iso", zone = "Europe/Berlin"',
      'zone = "Europe/Berlin", column = "At", format = "iso"',
    ),
    WHOLE.replaceAll("\n", "\r\n"),
  ];
  for (const text of same) {
    assertNotEquals(text, WHOLE);
    assertEquals(readMapping(text).meaning, meaning, text);
  }
});

Deno.test("every other change is another meaning", () => {
  const { meaning } = readMapping(WHOLE);
  const other = [
    WHOLE.replace("contacts*", "contact*"),
    WHOLE.replace("Record ID", "Record"),
    WHOLE.replace('"a-"', '"b-"'),
    WHOLE.replace('kind = "text"', 'kind = "salesforce"'),
    WHOLE.replace('name = "Name"', ""),
    WHOLE.replace('match = "Phone"', 'match = "Mobile"'),
    WHOLE.replace('match_as = "phone"', 'match_as = "text"'),
    WHOLE.replace('"iso"', '"YMD"'),
    WHOLE.replace("Berlin", "Paris"),
    WHOLE.replace('value = "Call"', 'value = "Phone"'),
    WHOLE.replace("skip_where", "keep_where"),
    WHOLE.replace('"Spam"', '"Ham"'),
    WHOLE.replace(
      'files = "calls.csv"',
      'files = "calls.csv"\nfooter_rows = 1',
    ),
    WHOLE.replace('files = "calls.csv"', 'files = "calls.csv"\nheader_row = 1'),
    WHOLE.replace('files = "calls.csv"', 'files = "calls.csv"\nsheet = "a"'),
    WHOLE.replace(
      'match_as = "phone"',
      'match_as = "phone", unmatched = "anonymous"',
    ),
  ];
  for (const text of other) {
    assertNotEquals(text, WHOLE);
    assertNotEquals(readMapping(text).meaning, meaning, text);
  }
});

const KEYS = [
  "customers",
  "interactions",
  "products",
  "ids",
  "files",
  "id",
  "time",
  "date",
  "column",
  "value",
  "format",
  "match",
  "skip_where",
  "header_row",
  "x",
  "__proto__",
];

const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>("a", "%Y", "", "\u0000", 1, -1, 1.5, true, false),
    fc.date({ noInvalidDate: true }),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("table"),
  ),
  table: fc.dictionary(fc.constantFrom(...KEYS), tie("value"), { maxKeys: 5 }),
})).table;

Deno.test("whatever is in it, the end is a mapping or a refusal of at most ten lines", () => {
  fc.assert(
    fc.property(anything, (value) => {
      const text = stringify(value as Record<string, unknown>);
      try {
        readMapping(text);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        const lines = error.message.split("\n");
        assert(lines.length <= 10);
        for (const line of lines) {
          assert(/^tally\.toml[:,] .*\S\.$/.test(line), line);
          assert(!/undefined|\[object|Invalid input|Too /.test(line), line);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("any bytes are a mapping or a refusal", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      try {
        readMapping(text);
      } catch (error) {
        assert(error instanceof StoreError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("the JSON Schema describes every table of the file", () => {
  const { properties } = mappingJsonSchema() as {
    properties: Record<string, unknown>;
  };
  assertEquals(Object.keys(properties).sort(), [
    "channels",
    "customers",
    "ids",
    "interactions",
    "products",
  ]);
});

/** A text of nearly the largest size, of lines that are counted. */
function largest(begin: string, lineOf: (i: number) => string): string {
  const lines = [begin];
  let length = begin.length;
  for (let i = 0;; i++) {
    const line = lineOf(i);
    length += line.length + 1;
    if (length >= MAPPING_MAX_BYTES) return lines.join("\n");
    lines.push(line);
  }
}

Deno.test("of 256 KB of mistakes ten are named, and the schema is made once for all", async (t) => {
  const customers = '[customers]\nfiles = "c"\nid = "x"';
  const key = (i: number) => `k${i.toString(36)}`;
  const table: [name: string, toml: string][] = [
    ["keys of no table", largest("", (i) => `${key(i)} = 1`)],
    ["keys of a table", largest(customers, (i) => `${key(i)} = 1`)],
    [
      "keys of one column of several forms",
      largest("[[interactions]]", (i) => `time.${key(i)} = 1`),
    ],
    [
      "conditions",
      largest(`${customers}\n[customers.skip_where]`, (i) => `${key(i)} = 1`),
    ],
    [
      "attributes of one wrong key each",
      largest(
        `${customers}\n[customers.attributes]`,
        (i) => `${key(i)} = { a = 1 }`,
      ),
    ],
  ];
  const { get } = z.globalRegistry;
  let asked = 0;
  let once = Infinity;
  z.globalRegistry.get = (schema) => {
    asked++;
    // Another making would be one for each mistake, of which there are thousands.
    assert(asked <= once, "the schema is made again");
    return get.call(z.globalRegistry, schema);
  };
  try {
    mappingJsonSchema();
    once = asked;
    asked = 0;
    for (const [name, toml] of table) {
      await t.step(name, () => {
        const { message } = assertThrows(() => readMapping(toml), StoreError);
        assertEquals(message.split("\n").length, 10);
      });
    }
  } finally {
    z.globalRegistry.get = get;
  }
});
