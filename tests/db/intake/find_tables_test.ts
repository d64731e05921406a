/** Finding tables in workbooks: by the names of sheets, else by that of the file. */

import { assertEquals } from "@std/assert";
import { findFiles } from "../../../db/intake/find_files.ts";
import {
  findExports,
  findTables,
  type FoundTables,
} from "../../../db/intake/find_tables.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder, type Files } from "../../support/data_folder.ts";
import { messageOfRefusal } from "../../support/load_folder.ts";
import { sheetOf, xlsx } from "../../support/xlsx_files.ts";

const FILLED = sheetOf(["a"]);
const LIMITS = {
  folder: "/nowhere",
  max_file_bytes: 1e8,
  xlsx_max_bytes: 1e8,
  zip_max_bytes: 1e8,
};

function throwAll({ refusals }: Pick<FoundTables, "refusals">): void {
  if (refusals.length === 0) return;
  throw new StoreError(
    "refused",
    refusals.map(({ message }) => message).join("\n"),
  );
}

async function found(
  files: Files,
): Promise<{ files: string[]; ignored: string[] }> {
  await using folder = await dataFolder(files);
  const found = await findTables(await findFiles(folder.path), LIMITS);
  throwAll(found);
  return {
    files: found.files.map(({ file, table, part }) =>
      `${file}: ${table}${part ? " part" : ""}`
    ),
    ignored: found.ignored.map(({ file, reason }) => `${file}: ${reason}`),
  };
}

Deno.test("findTables, one workbook", async (t) => {
  const cases: [
    name: string,
    file: string,
    content: Uint8Array,
    files: string[],
    ignored: string[],
  ][] = [
    [
      "of any name, with sheets named after tables",
      "crm.xlsx",
      xlsx({ Notes: FILLED, Customers: "", "External Interactions": "" }),
      [
        "crm.xlsx, sheet Customers: customers",
        "crm.xlsx, sheet External Interactions: interactions",
      ],
      ["crm.xlsx, sheet Notes: not the name of a table"],
    ],
    [
      "of any name, with no such sheet",
      "crm.xlsx",
      xlsx({ Sheet1: FILLED }),
      [],
      ["crm.xlsx, sheet Sheet1: not the name of a table"],
    ],
    [
      "named after a table, with one sheet of any name",
      "interactions_2024.xlsx",
      xlsx({ Sheet1: "" }),
      ["interactions_2024.xlsx, sheet Sheet1: interactions"],
      [],
    ],
    [
      "named after a table, with one sheet that is not empty",
      "customers.xlsx",
      xlsx({ Sheet1: "", Sheet2: FILLED, Sheet3: sheetOf([null]) }),
      ["customers.xlsx, sheet Sheet2: customers"],
      [
        "customers.xlsx, sheet Sheet1: not the name of a table",
        "customers.xlsx, sheet Sheet3: not the name of a table",
      ],
    ],
    [
      "named after a table, with sheets named after tables: the sheets count",
      "customers.xlsx",
      xlsx({ customers: "", products: "", Pivot: FILLED }),
      [
        "customers.xlsx, sheet customers: customers",
        "customers.xlsx, sheet products: products",
      ],
      ["customers.xlsx, sheet Pivot: not the name of a table"],
    ],
    [
      "several sheets of one table: its parts",
      "crm.xlsx",
      xlsx({ "interactions 2023": "", customers: "", "interactions-2024": "" }),
      [
        "crm.xlsx, sheet interactions 2023: interactions part",
        "crm.xlsx, sheet customers: customers",
        "crm.xlsx, sheet interactions-2024: interactions part",
      ],
      [],
    ],
    [
      "hidden sheets do not count",
      "customers.xlsx",
      xlsx({ customers: FILLED, Sheet2: FILLED, Sheet3: FILLED }, {
        states: { customers: "hidden", Sheet3: "veryHidden" },
      }),
      ["customers.xlsx, sheet Sheet2: customers"],
      [
        "customers.xlsx, sheet customers: a hidden sheet",
        "customers.xlsx, sheet Sheet3: a hidden sheet",
      ],
    ],
    [
      "in a folder of parts: that table only",
      "interactions/2024.xlsx",
      xlsx({ customers: FILLED, Interactions: FILLED }),
      ["interactions/2024.xlsx, sheet Interactions: interactions part"],
      ["interactions/2024.xlsx, sheet customers: not the name of a table"],
    ],
    [
      "in a folder of parts, a sheet of any name",
      "interactions/2024.xlsx",
      xlsx({ January: FILLED }),
      ["interactions/2024.xlsx, sheet January: interactions part"],
      [],
    ],
    [
      "names that are not for terminals",
      "crm.xlsx",
      xlsx({
        ["a\u001f\u202eb".replace("\u001f", "\u0085") + "c".repeat(99)]: FILLED,
      }),
      [],
      [`crm.xlsx, sheet a\ufffd\ufffdb${
        "c".repeat(56)
      }: not the name of a table`],
    ],
  ];
  for (const [name, file, content, files, ignored] of cases) {
    await t.step(name, async () => {
      assertEquals(await found({ [file]: content }), { files, ignored });
    });
  }
});

Deno.test("findTables, files in order, and what was ignored before", async () => {
  assertEquals(
    await found({
      "customers.csv": "",
      "customers_2.xlsx": xlsx({ Sheet1: FILLED }),
      "customers_3.csv": "",
      "notes.txt": "",
    }),
    {
      files: [
        "customers.csv: customers",
        "customers_2.xlsx, sheet Sheet1: customers",
        "customers_3.csv: customers",
      ],
      ignored: [
        "notes.txt: not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip",
      ],
    },
  );
});

Deno.test("findTables, every workbook that cannot be used is named", async () => {
  assertEquals(
    await messageOfRefusal(() =>
      found({
        "crm.xlsx": "not a zip",
        "customers.xlsx": xlsx({ a: FILLED, b: FILLED }),
        "products.xlsx": xlsx({ a: "", b: "" }),
        "interactions.xls": Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0),
      })
    ),
    [
      "crm.xlsx: its name ends in .xlsx, but it is text. Rename it to crm.csv, or export it again.",
      "customers.xlsx: several sheets and none named after a table: a, b. Name the sheets after their tables, as docs/file-contract.md says, or leave only one.",
      "interactions.xls: an old .xls workbook, or one with a password: neither can be read. Save it as .xlsx without a password, or as CSV.",
      "products.xlsx: no visible sheet has a value. Name the columns in the first row; a header alone counts.",
    ].join("\n"),
  );
});

Deno.test("findExports, a table that is missing: names what is nearly called so", async (t) => {
  const cases: [file: string, content: string | Uint8Array, told: string][] = [
    [
      "interactions (1).csv",
      "",
      '; "interactions (1).csv" is not read: not the name of a table',
    ],
    [
      "interactions_export.csv",
      "",
      '; "interactions_export.csv" is not read: not the name of a table',
    ],
    [
      "2024 Interactions final.csv.gz",
      "",
      '; "2024 Interactions final.csv.gz" is not read: not the name of a table',
    ],
    [
      "Intercations.csv",
      "",
      '; "Intercations.csv" is not read: not the name of a table',
    ],
    [
      "interactions.xlsm",
      "",
      '; "interactions.xlsm" is not read: not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip',
    ],
    [
      "interactions.ods",
      "",
      '; "interactions.ods" is not read: not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip',
    ],
    [
      "crm.xlsx",
      xlsx({ "Interactions (old)": FILLED, "Notes": FILLED }),
      '; "crm.xlsx, sheet Interactions (old)" is not read: not the name of a table',
    ],
    ["notes.txt", "", ""],
    ["sales.csv", "", ""],
    ["actions.csv", "", ""],
  ];
  for (const [file, content, told] of cases) {
    await t.step(file, async () => {
      await using folder = await dataFolder({
        "customers.csv": "",
        [file]: content,
      });
      const found = await findFiles(folder.path);
      assertEquals(
        await messageOfRefusal(async () =>
          throwAll(
            await findExports(found, { ...LIMITS, data_dir: "/data" }),
          )
        ),
        `/data has no file of interactions${told}. Put interactions.csv (or .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx, or a workbook with a sheet interactions) there; a header alone counts.`,
      );
    });
  }
});
