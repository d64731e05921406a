/** The attributes of customers that a draft proposes: which columns, by which names, and never what says who somebody is. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  MAX_ATTRIBUTES,
  nameProblem,
} from "../../db/mapping/attribute_names.ts";
import { attributeOf } from "../../db/suggest/known_headers.ts";
import { readMapping } from "../../db/mapping/mapping.ts";
import { csv } from "../support/data_folder.ts";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";

const ROWS = 60;

/** A file of customers, whose further columns hold what is given for each row. */
function people(columns: Readonly<Record<string, (row: number) => string>>) {
  return csv(
    ["Contact ID", "Full Name", ...Object.keys(columns)],
    ...Array.from({ length: ROWS }, (_, row) => [
      `C-${row}`,
      `Ann ${row}`,
      ...Object.values(columns).map((valueOf) => valueOf(row)),
    ]),
  );
}

const CALLS =
  "Contact ID,Start Time,Channel\nC-1,2024-01-31T10:00:00Z,Call\nC-2,2024-02-01T10:00:00Z,Mail\n";

async function attributesOf(
  columns: Parameters<typeof people>[0],
): Promise<[name: string, header: string][]> {
  const { sources } = await suggest({
    "contacts.csv": people(columns),
    "calls.csv": CALLS,
  });
  return sources[0].columns.flatMap(({ key, column }) =>
    key.startsWith("attributes.")
      ? [[key.slice("attributes.".length), column!]]
      : []
  );
}

const oneOf = (...values: string[]) => (row: number) =>
  values[row % values.length];

Deno.test("known headers come first, then columns whose values return; each has its evidence", async () => {
  const columns = {
    Fleet: oneOf("Cars", "Boats", "", "Cars"),
    "Preferred Language": oneOf("de", "en"),
    "Contact owner": oneOf("Ann", "Bob", "Zoë"),
    "Country/Region": oneOf("Chile", "Peru"),
    "Country": oneOf("CL", "PE"),
    "Type": oneOf("Red", "Blue"),
    "Job Title": oneOf("Jedi", "Sith"),
  };
  assertEquals(await attributesOf(columns), [
    ["country", "Country"],
    ["owner", "Contact owner"],
    ["language", "Preferred Language"],
    ["fleet", "Fleet"],
  ]);
  const { sources, toml } = await suggest({
    "contacts.csv": people(columns),
    "calls.csv": CALLS,
  });
  assertStringIncludes(toml, '\nattributes.owner = "Contact owner"\n');
  const owner = sources[0].columns.find(({ key }) => key.endsWith(".owner"));
  assertEquals([owner?.distinct, owner?.filled], [3, 1]);
  assertEquals(owner?.values, ['"Ann"', '"Bob"', '"Zoë"']);

  await using loaded = await loadTables({
    "contacts.csv": people(columns),
    "calls.csv": CALLS,
    "tally.toml": toml,
  });
  assertEquals(
    loaded.report.mapping!.attributes.map(({ name, names }) => [name, names]),
    [["country", 2], ["fleet", 2], ["language", 2], ["owner", 3]],
  );
});

Deno.test("what says who somebody is, when, or how much, is no attribute", async () => {
  assertEquals(
    await attributesOf({
      "Contact Email": oneOf("a@example.org", "b@example.org"),
      "Last seen by": oneOf("a@example.org", "Bob"),
      "Phone": oneOf("+49 30 123456", "+49 30 123457"),
      "First Name": oneOf("Ann", "Bob"),
      "Company": oneOf("Acme", "Umbrella"),
      "OwnerId": oneOf("A-1", "A-2"),
      "Account No": oneOf("x", "y"),
      "Created": oneOf("2024-01-31", "2024-02-01"),
      "Revenue": oneOf("$1,000.50", "$2"),
      "Discount": oneOf("10 %", "20%"),
      "Score": oneOf("1", "2", "3"),
      "Remarks": oneOf("She told us about her illness last year", "x y z"),
      "Password": oneOf("red", "blue"),
      "Kind": oneOf(["sk", "live", "51Habcdefghijkl"].join("_"), "b"),
      "One value": oneOf("x"),
      "Different values": (row) => `v${row}`,
      "Mostly empty": (row) => row < 4 ? `v${row % 2}` : "",
      "City": (row) => `City ${row % 30}`,
      "Is deleted": oneOf("false", "true"),
      "Website": oneOf("acme.example", "umbrella.example"),
    }),
    [],
  );
});

Deno.test("tally.toml takes every usual name, and the name is a known header", () => {
  const names = [
    "country",
    "owner",
    "segment",
    "lifecycle_stage",
    "lead_status",
    "lead_source",
    "source",
    "plan",
    "tier",
    "language",
    "industry",
    "region",
  ];
  for (const name of names) {
    assertEquals(nameProblem(name), undefined, name);
    assertEquals(attributeOf(name)?.name, name);
  }
});

Deno.test("names are such as tally.toml takes, and differ", async () => {
  const found = await attributesOf({
    "Größe & Art": oneOf("a", "b"),
    "GROSSE  ART": oneOf("a", "b"),
    "Quarter": oneOf("a", "b"),
    "2nd Level!": oneOf("a", "b"),
    "国": oneOf("a", "b"),
    ["Long ".repeat(20)]: oneOf("a", "b"),
    "Person - Loyalty__c": oneOf("a", "b"),
  });
  for (const [name] of found) assertEquals(nameProblem(name), undefined, name);
  assertEquals(found.map(([name]) => name), [
    "grosse_art",
    "grosse_art_2",
    "customer_quarter",
    "nd_level",
    "attribute",
    "long_long_long_long_long_long_l",
    "loyalty",
  ]);
  const alike = await attributesOf({
    "Car-Park": oneOf("a", "b"),
    "Car Park?": oneOf("a", "b"),
  });
  assertEquals(alike.map(([name]) => name), ["car_park", "car_park_2"]);
});

Deno.test("at most eight are proposed, the best ones, in all sources together", async () => {
  const other = (count: number) =>
    Object.fromEntries(
      Array.from(
        { length: count },
        (_, i) => [`Kind ${"ABCDEFGHIJK"[i]}`, oneOf("a", "b")],
      ),
    );
  const found = await attributesOf({
    ...other(10),
    "Country": oneOf("CL", "PE"),
  });
  assertEquals(found.length, MAX_ATTRIBUTES);
  assertEquals(found[0], ["country", "Country"]);

  const { toml } = await suggest({
    "contacts.csv": people(other(6)),
    "users.csv": people({
      ...other(3),
      "Owner": oneOf("Ann", "Bob"),
      "Plan": oneOf("Free", "Paid"),
      "Tier": oneOf("1st", "2nd"),
    }).replaceAll("C-", "U-"),
    "calls.csv": CALLS,
  });
  const { attributes } = readMapping(toml);
  assertEquals(attributes.length, MAX_ATTRIBUTES);
  assert(attributes.includes("owner"));
});
