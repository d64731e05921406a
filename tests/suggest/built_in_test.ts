/** Which files need no mapping: those whose headers, ids and times a load reads as they are. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";

Deno.test("headers that fit are not enough: what check-data refuses is drafted", async () => {
  const files = {
    "customers.csv": "id,name,type\nC-001,Ann,a\nC-002,Bo,b\nC-003,Cy,a\n",
    "interactions.csv":
      "Date,Channel,Customer\n12/31/2024 4:05 PM,Call,C-001\n12/30/2024 4:05 PM,Email,C-002\n",
  };
  const { toml, fitting } = await suggest(files);
  assertEquals(fitting, []);
  assertStringIncludes(toml, '\nid = { column = "id", kind = "text" }\n');
  assertStringIncludes(toml, '\ntime = { column = "Date", format = "MDY" }\n');
  await using folder = await loadTables({ ...files, "tally.toml": toml });
  assertEquals(folder.report.interactions, 2);
});

Deno.test("each cell decides by the rules of a load", async (t) => {
  const both = ["customers.csv", "interactions.csv"];
  const cases: readonly [
    name: string,
    ids: readonly [string, string],
    row: readonly [time: string, customer: string],
    fitting: readonly string[],
  ][] = [
    ["ISO", ["1", "2.0"], ["2024-01-31T10:00:00Z", "1;2"], both],
    ["the day first", ["1", "2"], ["31/12/2024 16:05", "0"], both],
    ["ids that are texts", ["C-1", "C-2"], ["45657.5", "C-1"], [both[1]]],
    ["lists of texts", ["C-1", "C-2"], ["31.12.2024", "C-1;C-2"], []],
    ["texts among integers", ["1", "2"], ["2024/12/31", "C-1"], [both[0]]],
    ["another order", ["1", "2"], ["12/31/2024", "1"], [both[0]]],
    ["seconds", ["1", "2"], ["1735689600", "1"], [both[0]]],
  ];
  for (const [name, ids, [time, customer], fitting] of cases) {
    await t.step(name, async () => {
      const found = await suggest({
        "customers.csv": `id,name\n${ids[0]},Ann\n${ids[1]},Bo\n`,
        "interactions.csv":
          `Date,Channel,Customer\n${time},Call,"${customer}"\n`,
      });
      assertEquals(found.fitting, fitting);
    });
  }
});

Deno.test("a form that only some times fit is drafted with their share", async () => {
  const { questions } = await suggest({
    "contacts.csv": "Contact ID,Name\n1,Ann\n2,Bo\n",
    "calls.csv":
      "Contact ID,Start Time\n1,2024-01-31T10:00:00Z\n2,soon\n2,2024-02-01T10:00:00Z\n1,2024-02-02T10:00:00Z\n",
  });
  const asked = questions.find(({ key }) => key === "interactions[1].time");
  assertStringIncludes(asked!.text, "1 of 4 values have another form");
});
