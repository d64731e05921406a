/** The separator of tally.toml splits the cells with topics and aliases, and nothing else does. */

import { assertEquals } from "@std/assert";
import { loadTables } from "../support/load_folder.ts";

/** A separator, and a name that it does not split. */
const SEPARATORS: readonly (readonly [separator: string, whole: string])[] = [
  [";", "a,b"],
  [",", "a;b"],
  ["; ", "a;b"],
  [";#", "a;b#c"],
  [";;", "a;b"],
  [" ; ", "a; b"],
  [",;", "a,b;c"],
];

for (const [separator, whole] of SEPARATORS) {
  Deno.test(`${JSON.stringify(separator)} splits topics and aliases`, async () => {
    const says = JSON.stringify(separator);
    await using loaded = await loadTables({
      "customers.csv": "Customer_Id\n1\n",
      "calls.csv": [
        "who\tat\thow\twhat",
        `1\t2020-01-01\tTel\tSand${separator}${whole}${separator}Sea`,
        `1\t2020-01-02\t${whole}\t`,
        "1\t2020-01-03\tCall\tSea",
      ].join("\n"),
      "channels.csv": `name\tsame\nCall\tTel${separator}${whole}`,
      "tally.toml": `[[interactions]]
files = "calls.csv"
customer = "who"
time = "at"
channel = "how"
topic = { column = "what", separator = ${says} }

[channels]
files = "channels.csv"
channel = "name"
aliases = { column = "same", separator = ${says} }
`,
    });
    assertEquals(loaded.topics, ["Sand", "Sea", whole]);
    assertEquals(loaded.channels, ["Call"]);
  });
}
