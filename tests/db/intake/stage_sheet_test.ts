/** Staging a sheet: every cell as text in a form that the rules take, every row by its number. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SourceFile } from "../../../db/intake/find_files.ts";
import {
  copyWorkbook,
  type StagedFile,
} from "../../../db/intake/stage_file.ts";
import type { TableName } from "../../../db/model/contract.ts";
import { type DataFolder, dataFolder } from "../../support/data_folder.ts";
import { messageOfRefusal } from "../../support/load_folder.ts";
import {
  sheetOf,
  type WorkbookExtras,
  xlsx,
  xml,
} from "../../support/xlsx_files.ts";

const OPTIONS = {
  csv_encoding: "utf-8",
  max_file_bytes: 1e9,
  xlsx_max_bytes: 1e8,
};

interface Staged {
  readonly file: StagedFile;
  readonly lines: string[];
}

function sourceIn({ path }: DataFolder, table: TableName): SourceFile {
  return {
    file: `book.xlsx, sheet ${table}`,
    path: `${path}/book.xlsx`,
    table,
    sheet: table,
    format: "xlsx",
    gzip: false,
    part: false,
  };
}

/** Stages the sheet `sheet` of a workbook, XML inside its root. */
async function stage(
  sheet: string,
  extras: WorkbookExtras = {},
  { table = "customers" as TableName, xlsx_max_bytes = 1e8 } = {},
): Promise<Staged> {
  await using folder = await dataFolder({
    "book.xlsx": xlsx({ [table]: sheet }, extras),
  });
  const source = sourceIn(folder, table);
  const book = await copyWorkbook(source, `${folder.path}/copy`, {
    ...OPTIONS,
    xlsx_max_bytes,
  });
  const file = await book.stage(source, `${folder.path}/to`)
    .finally(() => book[Symbol.asyncDispose]());
  const names = Array.from(
    Deno.readDirSync(folder.path),
    ({ name }) => name,
  );
  assertEquals(names.sort(), ["book.xlsx", "to"], "no copy stays");
  const text = await Deno.readTextFile(`${folder.path}/to`);
  return { file, lines: text.split("\n").slice(0, -1) };
}

const refusal = (...args: Parameters<typeof stage>) =>
  messageOfRefusal(() => stage(...args));
const cell = (reference: string, attributes: string, inside: string) =>
  `<c r="${reference}" ${attributes}>${inside}</c>`;
const row = (number: number, ...cells: string[]) =>
  `<row r="${number}">${cells.join("")}</row>`;
const text = (reference: string, inside: string) =>
  cell(reference, `t="inlineStr"`, `<is><t>${inside}</t></is>`);
const HEADER = row(1, text("A1", "Customer_Id"), text("B1", "Occupation"));
const sheetData = (...rows: string[]) =>
  `<sheetData>${rows.join("")}</sheetData>`;

Deno.test("stageSheet, a sheet: the columns of the contract, and what it was", async () => {
  const { file, lines } = await stage(
    sheetOf(["Name", "customer id", "Type"], ["Ann", 1, "Red"], [
      "Bob",
      2,
      "Blue",
    ]),
  );
  assertEquals(lines, ["customer_id,type,cell_problem", "1,Red,", "2,Blue,"]);
  assertEquals(file.text?.header.match.positions, { customer_id: 0, type: 1 });
  assertEquals(file.text?.header.match.unknown, ["Name"]);
  assertEquals(file.text?.encoding, null);
  assertEquals(file.text?.quoted_line_breaks, false);
  assertEquals(file.sha256.length, 64);
});

Deno.test("stageSheet, values of a cell", async (t) => {
  const styles = `<numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>
    <numFmt numFmtId="165" formatCode="#,##0.00"/></numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/>
    <xf numFmtId="22"/></cellXfs>`;
  const strings = `<si><t>shared</t></si><si><r><t>rich </t></r>
    <r><rPr><b/></rPr><t>text</t></r><rPh><t>spoken</t></rPh></si>
    <si><t>a_x000D_b_x005F_x</t></si><si/>`;
  const cases: [
    name: string,
    attributes: string,
    inside: string,
    is: string,
  ][] = [
    ["a number", "", "<v>12</v>", "12"],
    ["a number of a type", `t="n"`, "<v>12</v>", "12"],
    ["a whole number with a fraction", "", "<v>12.0</v>", "12"],
    ["a large number", "", "<v>1.0E+15</v>", "1000000000000000"],
    ["the largest id", "", "<v>9007199254740991</v>", "9007199254740991"],
    ["beyond it", "", "<v>9007199254740993</v>", "9007199254740993"],
    ["a fraction", "", "<v>12.5</v>", "12.5"],
    ["not decimal", "", "<v>0x10</v>", "0x10"],
    ["money", `s="2"`, "<v>1234</v>", "1234"],
    ["a date", `s="1"`, "<v>43742</v>", "2019-10-04 00:00:00"],
    ["a built-in date", `s="3"`, "<v>43742.5</v>", "2019-10-04 12:00:00"],
    ["a date before there were any", `s="1"`, "<v>-1</v>", "-1"],
    ["a style that is not there", `s="9"`, "<v>43742</v>", "43742"],
    [
      "a date in ISO 8601",
      `t="d"`,
      "<v>2019-10-04T09:00:00</v>",
      "2019-10-04T09:00:00",
    ],
    [
      "a date in ISO 8601 that says UTC, as it is shown",
      `t="d"`,
      "<v>2019-10-04T23:30:00.000Z</v>",
      "2019-10-04T23:30:00.000",
    ],
    ["a day in ISO 8601", `t="d"`, "<v>2019-10-04Z</v>", "2019-10-04"],
    [
      "the same as a text, by the rules of texts",
      `t="str"`,
      "<v>2019-10-04T23:30:00Z</v>",
      "2019-10-04T23:30:00Z",
    ],
    ["a shared string", `t="s"`, "<v>0</v>", "shared"],
    ["rich text", `t="s"`, "<v>1</v>", "rich text"],
    ["an escaped character", `t="s"`, "<v>2</v>", `"a\rb_x"`],
    [
      "an inline string",
      `t="inlineStr"`,
      "<is><t>a, &quot;b&quot; &amp; c</t></is>",
      `"a, ""b"" & c"`,
    ],
    ["CDATA", `t="inlineStr"`, "<is><t><![CDATA[<a>]]></t></is>", `"<a>"`],
    ["a formula's text", `t="str"`, "<f>A1</f><v>Zoë</v>", `"Zoë"`],
    ["a formula's number", "", "<f>A1</f><v>3</v>", "3"],
    ["a formula's empty text", `t="str"`, "<f>A1</f><v></v>", ""],
    ["true", `t="b"`, "<v>1</v>", "true"],
    ["false", `t="b"`, "<v>0</v>", "false"],
    ["nothing", "", "", ""],
    ["an empty shared string", `t="s"`, "<v>3</v>", ""],
  ];
  for (const [name, attributes, inside, is] of cases) {
    await t.step(name, async () => {
      const { lines } = await stage(
        sheetData(
          HEADER,
          row(2, cell("A2", "", "<v>1</v>"), cell("B2", attributes, inside)),
        ),
        { styles, strings },
      );
      assertEquals(lines.slice(1).join("\n"), `1,${is},`);
    });
  }
});

Deno.test("stageSheet, a column of times takes numbers without a format, if they can be dates", async () => {
  const { lines } = await stage(
    sheetOf(
      ["Date Start", "Interaction", "Customers"],
      ...[43742.375, 10_000, 69_999, 9_999, 2019, 201_910, 20_191_004, -43_742]
        .map((date) => [date, 43_742, 43_742]),
    ),
    {},
    { table: "interactions" },
  );
  assertEquals(lines.slice(1), [
    "2019-10-04 09:00:00,43742,43742,",
    "1927-05-18 00:00:00,43742,43742,",
    "2091-08-24 00:00:00,43742,43742,",
    "9999,43742,43742,",
    "2019,43742,43742,",
    "201910,43742,43742,",
    "20191004,43742,43742,",
    "-43742,43742,43742,",
  ]);
});

Deno.test("stageSheet, the date system is the workbook's", async () => {
  const sheet = sheetOf(["Date", "Product"], [42_280.375, "Sand"]);
  for (const properties of [`date1904="1"`, `date1904="true"`]) {
    const { lines } = await stage(sheet, { properties }, { table: "products" });
    assertEquals(lines[1], "2019-10-04 09:00:00,Sand,");
  }
  const { lines } = await stage(sheet, { properties: `date1904="0"` }, {
    table: "products",
  });
  assertEquals(lines[1], "2015-10-03 09:00:00,Sand,");
});

Deno.test("stageSheet, errors and formulas that were never computed: told beside the row", async () => {
  const { lines } = await stage(
    sheetData(
      HEADER,
      row(2, cell("A2", `t="e"`, "<v>#REF!</v>"), text("B2", "Jedi")),
      row(3, cell("A3", "", "<v>3</v>"), text("B3", "#N/A")),
      row(4, cell("A4", "", "<f>A3+1</f>"), text("B4", "Jedi")),
      row(
        5,
        cell("A5", "", "<v>5</v>"),
        text("B5", "Jedi"),
        cell("C5", `t="e"`, "<v>#N/A</v>"),
      ),
      row(6, cell("A6", `t="e"`, "<v>#N/A</v>")),
    ),
  );
  assertEquals(lines.slice(1), [
    `,Jedi,"customer_id\ta formula whose result is an error\t#REF!"`,
    `3,,"occupation\ta formula whose result is an error\t#N/A"`,
    `,Jedi,"customer_id\ta formula that was never computed\t"`,
    `5,Jedi,,"#N/A"`,
    `,,"customer_id\ta formula whose result is an error\t#N/A"`,
  ]);
});

Deno.test("stageSheet, empty rows and columns, and where the rows stand", async () => {
  const { file, lines } = await stage(
    sheetData(
      row(3, text("C3", "Customer_Id"), text("E3", "Type")),
      row(4, cell("C4", `s="0"`, "")),
      row(6, cell("C6", "", "<v>1</v>"), text("E6", "Red")),
      row(7, text("C7", "  ")),
      row(9, cell("C9", "", "<v>2</v>"), text("F9", "beyond the header")),
      row(10, text("A10", "left of the header")),
      row(11, text("D11", "below no name")),
    ),
  );
  assertEquals(lines, [
    "customer_id,type,cell_problem",
    "1,Red,",
    "2,,,beyond the header",
    ",,",
    ",,",
  ]);
  assertEquals([1, 2, 3, 4, 5].map((i) => file.row_numbers!.rowOf(i)), [
    3,
    6,
    9,
    10,
    11,
  ]);
  assertEquals(file.text?.header.match.unknown, []);
});

Deno.test("stageSheet, references may be left out, and prefixes are all the same", async () => {
  const { file, lines } = await stage(
    `<x:sheetData xmlns:x="main"><x:row><x:c t="inlineStr"><x:is><x:t>Customer_Id</x:t></x:is></x:c></x:row>
     <x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData>`,
  );
  assertEquals(lines, ["customer_id,cell_problem", "7,"]);
  assertEquals(file.row_numbers!.rowOf(2), 2);
});

Deno.test("stageSheet, a header that does not fit: refused, and what to do", async (t) => {
  const merged = (ref: string) =>
    `<mergeCells count="1"><mergeCell ref="${ref}"/></mergeCells>`;
  const where = "book.xlsx, sheet customers";
  const cases: [name: string, sheet: string, message: string][] = [
    [
      "a title above",
      sheetOf(["Our customers"], [], ["Customer_Id", "Type"], [1, "Red"]),
      `${where}, line 1: a title above the header, which is in line 3. Delete what is above the header.`,
    ],
    [
      "a merged title above",
      sheetOf(["Our customers"], ["Customer_Id", "Type"]) + merged("A1:B1"),
      `${where}, line 1: a title above the header, which is in line 2. Delete what is above the header.`,
    ],
    [
      "merged cells across",
      sheetOf(["Customer_Id", null, "Type"], [1, "x", "Red"]) + merged("A1:B1"),
      `${where}, line 1: merged cells in the header, A1:B1. Unmerge them and name each column in one cell of one row.`,
    ],
    [
      "merged cells downwards",
      sheetOf(["Customer_Id", "Type"], [null, "of 2019"]) + merged("A1:A2"),
      `${where}, line 1: merged cells in the header, A1:A2. Unmerge them and name each column in one cell of one row.`,
    ],
    [
      "merged cells in place of names",
      sheetOf(["Customer"], ["Number", "Kind"]) + merged("A1:B1"),
      `${where}, line 1: merged cells in the header, A1:B1. Unmerge them and name each column in one cell of one row.`,
    ],
    [
      "a missing column",
      sheetOf([], ["Name", "Type"], ["Ann", "Red"]),
      `${where}, line 2: no column Customer_Id among "Name", "Type". Name the columns as docs/file-contract.md says.`,
    ],
    [
      "a column twice",
      sheetOf(["Customer_Id", "customer id"]),
      `${where}, line 1: two columns named "customer id". Rename or remove one of them.`,
    ],
    [
      "an empty sheet",
      sheetOf(),
      `${where}: the sheet is empty. Name the columns in its first row; a header alone counts.`,
    ],
  ];
  for (const [name, sheet, message] of cases) {
    await t.step(name, async () => assertEquals(await refusal(sheet), message));
  }
  await t.step("merged cells elsewhere are no problem", async () => {
    const { lines } = await stage(
      sheetOf(["Customer_Id", "Type"], [1, "Red"], [2]) + merged("B2:B3") +
        merged("F1:G1") + merged("A1:A1") + merged("nonsense"),
    );
    assertEquals(lines.slice(1), ["1,Red,", "2,,"]);
  });
});

Deno.test("stageSheet, a sheet that is no longer there: told as a change", async () => {
  assertEquals(
    await refusal(sheetOf(["Customer_Id"]), {
      parts: [{
        name: "xl/workbook.xml",
        content: xml("workbook", `<sheet name="other"/>`),
      }],
    }),
    "book.xlsx, sheet customers: changed while it was being read. Write it under another name and rename it when it is whole.",
  );
});

Deno.test("stageSheet, a header alone: no rows", async () => {
  const { lines } = await stage(sheetOf(["Customer_Id"]));
  assertEquals(lines, ["customer_id,cell_problem"]);
});

Deno.test("stageSheet, rows and cells that cannot be: refused", async (t) => {
  const cases: [name: string, sheet: string, detail: string][] = [
    [
      "rows out of order",
      sheetData(row(2, text("A2", "Customer_Id")), row(1)),
      "row 1 comes after row 2",
    ],
    ["a row twice", sheetData(HEADER, row(1)), "row 1 comes after row 1"],
    ["row 0", sheetData(row(0)), "a row 0"],
    ["a row too far down", sheetData(row(1_048_577)), "a row 1048577"],
    ["a row of no number", sheetData(`<row r="x"/>`), "a row x"],
    [
      "a cell twice",
      sheetData(row(1, text("A1", "a"), text("A1", "b"))),
      "a cell A1 that cannot be there",
    ],
    [
      "cells out of order",
      sheetData(row(1, text("B1", "a"), text("A1", "b"))),
      "a cell A1 that cannot be there",
    ],
    [
      "a cell of another row",
      sheetData(row(1, text("A2", "a"))),
      "a cell A2 that cannot be there",
    ],
    [
      "a column too far right",
      sheetData(row(1, text("XFE1", "a"))),
      "a cell XFE1 that cannot be there",
    ],
    [
      "a shared string that is not there",
      sheetData(row(1, cell("A1", `t="s"`, "<v>0</v>"))),
      "no shared string 0",
    ],
    [
      "a long text",
      sheetData(HEADER, row(2, text("A2", "a".repeat(32_768)))),
      "a text of more than 32767 characters in a cell",
    ],
    [
      "a longer text",
      sheetData(HEADER, row(2, text("A2", "a".repeat(7 * 32_767 + 1)))),
      "a text of more than 32767 characters in a cell",
    ],
    [
      "a long value",
      sheetData(
        HEADER,
        row(2, cell("A2", "", `<v>${"1".repeat(7 * 32_767 + 1)}</v>`)),
      ),
      "a text of more than 32767 characters in a cell",
    ],
    [
      "a long row",
      sheetData(
        HEADER,
        `<row r="2">${
          `<c t="inlineStr"><is><t>${"a".repeat(32_767)}</t></is></c>`.repeat(
            19,
          )
        }</row>`,
      ),
      "a row of more than 600000 characters",
    ],
  ];
  for (const [name, sheet, detail] of cases) {
    await t.step(name, async () => {
      const message = await refusal(sheet);
      assert(
        message.includes(
          `not a sound .xlsx workbook: ${detail}. Save it again`,
        ),
        message,
      );
    });
  }
});

Deno.test("stageSheet, all the columns there can be: taken", async () => {
  const names = Array.from(
    { length: 16_384 },
    (_, i) => i === 16_383 ? "Customer_Id" : `c${i}`,
  );
  const { lines, file } = await stage(sheetData(
    `<row r="1">${
      names.map((name) => `<c t="inlineStr"><is><t>${name}</t></is></c>`).join(
        "",
      )
    }</row>`,
    row(2, cell("XFD2", "", "<v>7</v>")),
  ));
  assertEquals(lines, ["customer_id,cell_problem", "7,"]);
  assertEquals(file.text?.header.match.unknown.length, 16_383);
});

Deno.test("stageSheet, long texts of a spreadsheet: taken whole", async () => {
  const long = "ä\n".repeat(16_383);
  const { lines, file } = await stage(
    sheetData(HEADER, row(2, cell("A2", "", "<v>1</v>"), text("B2", long))),
  );
  assertEquals(lines.slice(1).join("\n"), `1,"${long}",`);
  assertEquals(file.text?.quoted_line_breaks, true);
});

Deno.test("stageSheet, characters that are written as seven: the text's length counts", async () => {
  const { lines } = await stage(
    sheetData(
      HEADER,
      row(2, cell("A2", "", "<v>1</v>"), text("B2", "_x0041_".repeat(32_767))),
    ),
  );
  assertEquals(lines[1], `1,${"A".repeat(32_767)},`);
});

Deno.test("stageSheet, a long text that the cells of a row share: refused before it is looked at often", async (t) => {
  const shared = `<row>${`<c t="s"><v>0</v></c>`.repeat(16_384)}</row>`;
  const strings = `<si><t xml:space="preserve">${" ".repeat(32_767)}</t></si>`;
  const sheets: [name: string, sheet: string, line: number][] = [
    ["in a header", sheetData(shared), 1],
    ["below a header", sheetData(HEADER, shared), 2],
    ["below a title", sheetData(row(1, text("A1", "Ours")), shared), 2],
  ];
  for (const [name, sheet, line] of sheets) {
    await t.step(name, async () => {
      assertEquals(
        await refusal(sheet, { strings }),
        `book.xlsx, sheet customers, line ${line}: not a sound .xlsx workbook: a row of more than 600000 characters. Save it again as .xlsx, or as CSV, and replace it whole.`,
      );
    });
  }
});

Deno.test("stageSheet, a text that many cells share: what is written counts as well", async () => {
  const rows = Array.from(
    { length: 200 },
    (_, i) =>
      row(
        i + 2,
        cell(`A${i + 2}`, "", "<v>1</v>"),
        cell(`B${i + 2}`, `t="s"`, "<v>0</v>"),
      ),
  );
  const strings = `<si><t>${"a".repeat(32_767)}</t></si>`;
  assertEquals(
    await refusal(sheetData(HEADER, ...rows), { strings }, {
      xlsx_max_bytes: 2e6,
    }),
    "book.xlsx, sheet customers: more than XLSX_MAX_BYTES=2000000 bytes unpacked. Save its sheets as CSV, or raise XLSX_MAX_BYTES.",
  );
});

Deno.test("the signal ends the staging of a sheet, after its workbook was copied", async () => {
  await using folder = await dataFolder({
    "book.xlsx": xlsx({ customers: sheetOf(["Customer_Id"], [1]) }),
  });
  const source = sourceIn(folder, "customers");
  const ending = new AbortController();
  await using book = await copyWorkbook(source, `${folder.path}/copy`, {
    ...OPTIONS,
    signal: ending.signal,
  });
  ending.abort();
  await assertRejects(
    () => book.stage(source, `${folder.path}/to`),
    DOMException,
    "aborted",
  );
});
