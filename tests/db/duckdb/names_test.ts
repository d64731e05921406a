/** Names, ids and headers: what cannot be seen makes no difference, in any format. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { nameKey } from "../../../db/model/names.ts";
import { csv } from "../../support/data_folder.ts";
import {
  countsOf,
  interactionsOf,
  loadFolder,
  NO_CUSTOMERS,
} from "../../support/load_folder.ts";
import { parquetFiles } from "../../support/parquet_files.ts";
import { sheetOf, xlsx } from "../../support/xlsx_files.ts";

const UNSEEN = [
  ..."\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufe00\ufe0e\ufe0f\ufeff\u{e0100}",
];

Deno.test("what cannot be seen, and full width: one channel, one type, one topic, one customer", async () => {
  await using loaded = await loadFolder({
    "customers.csv": csv(
      ["\u200eCustomer_Id\u200b", "Ty\u00adpe", "Occu\u2060pation"],
      ["1\u200b", "Gold", "Chef"],
      ["\u202a２\u202c", "Ｇｏｌｄ", "Chef\ufe0f"],
      ["3", "Go\u200dld", "ｃhef"],
      ["4", "gold", "\u200d"],
    ),
    "products.csv": csv(["Month", "Product"], ["1-2020", "Sa\u00adnd"]),
    "channels.csv": csv(
      ["Channel", "Aliases"],
      ["E\u200bmail", "Ｅ－Mail;Po\u200fst"],
    ),
    "interactions.csv": csv(
      ["\u2066Date Start", "Inter\u00adaction", "Custo\ufe0fmers", "Topic"],
      ["2020-01-01", "Call", "1", ""],
      ["2020-01-02", "Call", "1", "Ｓand"],
      ["2020-01-03", "Call\u200b", "\u200f1", ""],
      ["2020-01-04", "Ca\u200dll", "1;２", "sa\u200bnd"],
      ["2020-01-05", "Ｃａｌｌ", "1\ufe0f", ""],
      ["2020-01-06", "E-mail", "1", ""],
      ["2020-01-07", "post", "1", ""],
      ["\u200e2020-01-08", "👨\u200d👩\u200d👧", "1", ""],
      ["2020-01-09", "👨👩\u200b👧", "1", ""],
      ["2020-01-10", "\u200d\ufe0f", "1", ""],
    ),
  });
  const { snapshot, report } = loaded;
  assertEquals(snapshot.channels, ["Call", "Email", "👨\u200d👩\u200d👧"]);
  assertEquals(snapshot.topics, ["Sand"]);
  assertEquals(report.types, ["Gold"]);
  assertEquals(snapshot.names.occupation, ["Chef"]);
  assertEquals(await countsOf(snapshot, { customer_id: 1 }), {
    "Call": 5,
    "Email": 2,
    "👨\u200d👩\u200d👧": 2,
  });
  assertEquals(await interactionsOf(snapshot, 2), ["2020-01-04 Call: Sand"]);
  assertEquals(
    report.set_aside_listed.map(({ line, column, reason }) => [
      line,
      column,
      reason,
    ]),
    [[11, "interaction", "no value"]],
  );
  for (const name of ["ＣＡＬＬ", "ca\u200bll", "Call"]) {
    assertEquals(snapshot.positionOf("channel", name), 0, name);
  }
  assertEquals(snapshot.positionOf("occupation", "CH\u00adEF"), 0);
});

Deno.test("what cannot be seen, in TSV, workbooks and Parquet", async () => {
  const headers = ["Date\u200b Start", "\u200eInteraction", "Custom\u00aders"];
  const rows = [["2020-01-01", "Ca\u200bll", "\u200f7\u200e"], [
    "2020-01-01",
    "ｃａｌｌ",
    "７",
  ]];
  const parquet = await parquetFiles({
    "interactions/3.parquet": `select * from (values ${
      rows.map((cells) => `(${cells.map((cell) => `'${cell}'`).join(", ")})`)
        .join(", ")
    }) rows (${headers.map((name) => `"${name}"`).join(", ")})`,
  });
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions/1.tsv": [headers, ...rows].map((cells) =>
      `${cells.join("\t")}\n`
    ).join(""),
    "interactions/2.xlsx": xlsx({ Sheet1: sheetOf(headers, ...rows) }),
    ...parquet,
  });
  assertEquals(
    await countsOf(loaded.snapshot, { customer_id: 7 }),
    { Call: 6 },
  );
});

Deno.test("any names: as many channels as different keys, each found by every spelling", async () => {
  const spelling = fc.tuple(
    fc.oneof(
      fc.constantFrom("Call", "Mail", "Ünö", "Ｐost", "ﾒｰﾙ", "मेल", "❤\ufe0f"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }),
    ),
    fc.array(fc.tuple(fc.nat(5), fc.constantFrom(...UNSEEN)), { maxLength: 3 }),
  ).map(([name, unseen]) => {
    const chars = Array.from(name);
    for (const [at, char] of unseen) chars.splice(at, 0, char);
    return chars.join("");
  });
  // Words without a value, and what DuckDB or the file format changes, are other rules.
  const usable = spelling.filter((name) =>
    /[^\p{P}\p{Z}\p{C}]/u.test(nameKey(name)) &&
    !/[;\0\ud800-\udfff]/u.test(name) &&
    !/^(na|n\/a|null|none)$/.test(nameKey(name))
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(usable, { minLength: 1, maxLength: 40 }),
      async (spellings) => {
        await using loaded = await loadFolder({
          "customers.csv": NO_CUSTOMERS,
          "interactions.csv": csv(
            ["Date Start", "Interaction", "Customers"],
            ...spellings.map((name) => ["2020-01-01", name, "1"]),
          ),
        });
        const { snapshot } = loaded;
        const keys = Map.groupBy(spellings, nameKey);
        const counts = Array.from(
          (await snapshot.countByChannel({ customer_id: 1 }))!,
        );
        assertEquals(snapshot.channels.length, keys.size);
        for (const [key, names] of keys) {
          for (const name of [key, ...names]) {
            const position = snapshot.positionOf("channel", name);
            assertEquals(counts[position!], names.length, JSON.stringify(name));
          }
        }
      },
    ),
    { numRuns: 15 },
  );
});
