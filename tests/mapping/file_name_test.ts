/** The channel that the name of a file says. */

import { assertEquals } from "@std/assert";
import type { Files } from "../support/data_folder.ts";
import { loadTables, refusalOf } from "../support/load_folder.ts";
import { sheetOf, xlsx, zipOf } from "../support/xlsx_files.ts";

const CUSTOMERS: Files = { "customers.csv": "Customer_Id\n1\n2\n" };
const CALLS = "who,at\n1,2020-01-01\n2,2020-01-02\n";

const toml = (pattern: string, files = "*_2024*") =>
  `[[interactions]]
files = ${JSON.stringify(files)}
customer = "who"
time = "at"
channel = { file_name = ${JSON.stringify(pattern)} }
`;

/** How many interactions each channel has. */
async function channels(files: Files): Promise<Record<string, number>> {
  await using loaded = await loadTables({ ...CUSTOMERS, ...files });
  return Object.fromEntries(
    loaded.report.channels.map((
      { channel, interactions },
    ) => [channel, interactions]),
  );
}

Deno.test("the channel of all rows comes from the name of the file, wherever it lies", async () => {
  assertEquals(
    await channels({
      "tally.toml": toml("^(.*)_2024"),
      "E-mail_2024-05.csv": CALLS,
      "e-mail_2024-06.CSV": CALLS.replaceAll("2020", "2021"),
      "It's \\ 100%_2024.tsv": CALLS.replaceAll(",", "\t"),
      "more.zip": zipOf([{ name: "a/Visit_2024.csv", content: CALLS }]),
      "Post_2024.xlsx": xlsx({
        "Fax_2024": sheetOf(["who", "at"], [1, "2020-01-01"]),
      }),
      "folder_2024/Call_2024.csv": CALLS,
    }),
    { Call: 2, "E-mail": 4, "It's \\ 100%": 2, Post: 1, Visit: 2 },
  );
});

Deno.test("letters and their marks may lie apart in the name of a file, as macOS writes it", async () => {
  assertEquals(
    await channels({
      "tally.toml": toml("^(Gespräch)_2024", "Gespräch_*"),
      "Gespra\u0308ch_2024.csv": CALLS,
    }),
    { Gespräch: 2 },
  );
});

Deno.test("the report says where the channel comes from", async () => {
  await using loaded = await loadTables({
    ...CUSTOMERS,
    "tally.toml": toml("^(.*)_2024"),
    "Call_2024.csv": CALLS,
  });
  assertEquals(loaded.report.files[1].columns?.at(1), {
    column: "interaction",
    header: null,
    read_as: "from the name of the file by the pattern ^(.*)_2024",
  });
});

Deno.test("a file in whose name nothing is found is refused by its name", async () => {
  const refusal = (file: string, pattern: string) =>
    `${file}: the pattern ${
      JSON.stringify(pattern)
    } of interactions[1] finds nothing in its name. Rename the file, or mend file_name in tally.toml.`;
  const pattern = "^([A-Z].*)_2024";
  assertEquals(
    await refusalOf({
      ...CUSTOMERS,
      "tally.toml": toml(pattern),
      "Call_2024.csv": CALLS,
      "mail_2024.csv": CALLS,
      "a.zip": zipOf([{ name: "b/post_2024.csv", content: CALLS }]),
    }),
    [
      refusal("mail_2024.csv", pattern),
      refusal("a.zip/b/post_2024.csv", pattern),
    ]
      .join("\n"),
  );
  // A group without a character is no channel.
  assertEquals(
    await refusalOf({
      ...CUSTOMERS,
      "tally.toml": toml("^(.*)_2024"),
      "_2024.csv": CALLS,
    }),
    refusal("_2024.csv", "^(.*)_2024"),
  );
});

Deno.test("a pattern that takes others for ever is done at once", async () => {
  const name = `${"a".repeat(200)}_2024.csv`;
  assertEquals(
    await refusalOf({
      ...CUSTOMERS,
      "tally.toml": toml("^((?:a|a?|aa)*)!"),
      [name]: CALLS,
    }),
    `${name}: the pattern "^((?:a|a?|aa)*)!" of interactions[1] finds nothing in its name. Rename the file, or mend file_name in tally.toml.`,
  );
});

Deno.test("another name is another channel, and another data version", async () => {
  const versionOf = async (name: string, pattern?: string) => {
    await using loaded = await loadTables({
      ...CUSTOMERS,
      "tally.toml": pattern
        ? toml(pattern)
        : toml("").replace(/channel = .*/, 'channel = { value = "Call" }'),
      [name]: CALLS,
    });
    return loaded.report.data_version;
  };
  const pattern = "^(.*)_2024";
  const call = await versionOf("Call_2024.csv", pattern);
  assertEquals(await versionOf("Call_2024.csv", pattern), call);
  assertEquals(await versionOf("Post_2024.csv", pattern) === call, false);
  // Where nothing depends on the name, it does not matter.
  assertEquals(
    await versionOf("Call_2024.csv"),
    await versionOf("Post_2024.csv"),
  );
});
