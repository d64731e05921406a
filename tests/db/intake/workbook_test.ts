/** Opening workbooks: what is not a sound one is refused, soon and with a way out. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Workbook } from "../../../db/intake/workbook.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { messageOfRefusal } from "../../support/load_folder.ts";
import { longestHold } from "../../support/worked.ts";
import {
  partsOf,
  sheetOf,
  type WorkbookExtras,
  xlsx,
  xml,
  zipOf,
  type ZipPart,
} from "../../support/xlsx_files.ts";

const SHEETS = { customers: sheetOf(["Customer_Id"], [1]) };
const SHEET = "xl/worksheets/sheet0.xml";

/** Opens a workbook and reads its first sheet. */
async function read(
  bytes: Uint8Array,
  max_bytes = 1e8,
  name = "book.xlsx",
): Promise<string[]> {
  await using folder = await dataFolder({ [name]: bytes });
  using workbook = await Workbook.open(`${folder.path}/${name}`, {
    file: name,
    max_bytes,
  });
  const names: string[] = [];
  await workbook.read(workbook.sheets[0].part!, {
    open: (name) => names.push(name),
  });
  return names;
}

const refusal = (...args: Parameters<typeof read>) =>
  messageOfRefusal(() => read(...args));
const withParts = (...parts: ZipPart[]) => xlsx(SHEETS, { parts });
const withSheet = (content: string) => withParts({ name: SHEET, content });

Deno.test("Workbook, sheets: names, states and kinds", async () => {
  const extras: WorkbookExtras = {
    states: { b: "hidden", c: "veryHidden", d: "visible" },
    properties: `date1904="true"`,
  };
  const sheets = { a: "", b: "", c: "", d: "" };
  await using folder = await dataFolder({ "book.xlsx": xlsx(sheets, extras) });
  using workbook = await Workbook.open(`${folder.path}/book.xlsx`, {
    file: "b",
    max_bytes: 1e6,
  });
  assertEquals(
    workbook.sheets.map(({ name, hidden }) => [name, hidden]),
    [["a", false], ["b", true], ["c", true], ["d", false]],
  );
  assertEquals(workbook.date_1904, true);
  assertEquals(await read(xlsx(SHEETS)), [
    "worksheet",
    "sheetData",
    ...["row", "c", "is", "t", "row", "c", "v"],
  ]);
});

Deno.test("Workbook, names of its files in any case", async () => {
  for (const change of ["toUpperCase", "toLowerCase"] as const) {
    const parts = partsOf(SHEETS).map((part) => ({
      ...part,
      name: part.name[change](),
    }));
    assertEquals(await read(zipOf(parts)), await read(xlsx(SHEETS)));
  }
  assertEquals(
    await refusal(zipOf([
      ...partsOf(SHEETS),
      { name: "XL/Workbook.xml", content: "" },
    ])),
    'book.xlsx: not a sound .xlsx workbook: two files "XL/Workbook.xml" in it. Save it again as .xlsx, or as CSV, and replace it whole.',
  );
});

Deno.test("Workbook, not a workbook: refused, and what to do", async (t) => {
  const ole2 = Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1);
  const old =
    "an old .xls workbook, or one with a password: neither can be read. " +
    "Save it as .xlsx without a password, or as CSV.";
  await t.step("OLE2", async () => {
    assertEquals(await refusal(ole2), `book.xlsx: ${old}`);
  });
  await t.step("a real .xls", async () => {
    const bytes = await Deno.readFile(
      new URL("../../fixtures/customers_title.xls", import.meta.url),
    );
    assertEquals(await refusal(bytes, 1e8, "c.xls"), `c.xls: ${old}`);
  });
  await t.step("a real one with a password", async () => {
    const bytes = await Deno.readFile(
      new URL("../../fixtures/locked.xlsx", import.meta.url),
    );
    assertEquals(await refusal(bytes), `book.xlsx: ${old}`);
  });
  await t.step("its name ends in .xls", async () => {
    assertEquals(
      await refusal(xlsx(SHEETS), 1e8, "c.xls"),
      "c.xls: its name ends in .xls, and old workbooks cannot be read. Save it as .xlsx, or as CSV.",
    );
  });

  const whole = xlsx(SHEETS);
  const flipped = whole.slice();
  flipped[60] ^= 0xff;
  const far = zipOf(partsOf(SHEETS), { zip64: true });
  new DataView(far.buffer).setBigUint64(far.length - 34, 1n << 63n, true);
  const cases: [name: string, bytes: Uint8Array, detail: RegExp][] = [
    ["empty", new Uint8Array(), /the zip: .*end of central directory/i],
    ["cut at the end", whole.subarray(0, -1), /the zip: /],
    ["cut in the middle", whole.subarray(0, whole.length / 2), /the zip: /],
    ["cut at the start", whole.subarray(10), /./],
    ["bytes damaged", flipped, /./],
    [
      "a list of files far beyond its end",
      far,
      /it names bytes beyond its end/,
    ],
    [
      "a zip of something else",
      zipOf([{ name: "a.txt", content: "a" }]),
      /_rels\/.rels is missing/,
    ],
    [
      "a package of something else",
      zipOf([{ name: "_rels/.rels", content: xml("Relationships", "") }]),
      /a zip without a workbook/,
    ],
    [
      "a sheet that is missing",
      zipOf(partsOf(SHEETS).filter(({ name }) => name !== SHEET)),
      /sheet0.xml is missing/,
    ],
    [
      "encrypted in the zip",
      withParts({ name: "x", content: "x", encrypted: true }),
      /it is encrypted/,
    ],
    [
      "a file twice",
      zipOf([...partsOf(SHEETS), { name: SHEET, content: "" }]),
      /two files "xl\/worksheets\/sheet0.xml"/,
    ],
    [
      "a name with a path out",
      withParts({ name: "../../etc/passwd", content: "x" }),
      /the zip: invalid relative path/,
    ],
    [
      "an absolute name",
      withParts({ name: "/etc/passwd", content: "x" }),
      /the zip: absolute path/,
    ],
    [
      "many files",
      withParts(
        ...Array.from(
          { length: 10_001 },
          (_, i) => ({ name: `f${i}`, content: "" }),
        ),
      ),
      /more than 10000 files/,
    ],
    [
      "a checksum that is wrong",
      withParts({ name: SHEET, content: xml("worksheet", ""), crc: 1 }),
      /sheet0.xml is damaged/,
    ],
    [
      "more than it claims",
      withParts({
        name: SHEET,
        content: xml("worksheet", "<a/>".repeat(9_999)),
        claimed_bytes: 99,
      }),
      /sheet0.xml: too many bytes/,
    ],
    [
      "less than it claims",
      withParts({
        name: SHEET,
        content: xml("worksheet", ""),
        claimed_bytes: 9_999,
      }),
      /sheet0.xml: not enough bytes/,
    ],
    ["not XML", withSheet("Customer_Id,Type"), /sheet0.xml: /],
    [
      "XML that is cut",
      withSheet("<worksheet><sheetData>"),
      /sheet0.xml: .*unclosed/,
    ],
    [
      "XML that is not UTF-8",
      withParts({ name: SHEET, content: Uint8Array.of(0x3c, 0xff) }),
      /sheet0.xml: /,
    ],
    [
      "a DOCTYPE",
      withSheet(`<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>`),
      /XML with a DOCTYPE/,
    ],
    [
      "entities without a DOCTYPE",
      withSheet("<worksheet>&lol;</worksheet>"),
      /sheet0.xml: .*entity/,
    ],
    ["deep XML", withSheet("<a>".repeat(65)), /XML nested too deep/],
    [
      "two sheets of a name",
      withParts({
        name: "xl/workbook.xml",
        content: xml("workbook", `<sheet name="a"/><sheet name="a"/>`),
      }),
      /two sheets "a"/,
    ],
  ];
  for (const [name, bytes, detail] of cases) {
    await t.step(name, async () => {
      const message = await refusal(bytes);
      assert(
        message.startsWith("book.xlsx: not a sound .xlsx workbook: ") &&
          message.endsWith(
            ". Save it again as .xlsx, or as CSV, and replace it whole.",
          ),
        message,
      );
      assert(detail.test(message), message);
    });
  }
});

Deno.test("Workbook, a file that may not be read or is not there: what Deno says", async () => {
  const error = await Workbook.open("/nowhere/book.xlsx", {
    file: "book.xlsx",
    max_bytes: 1e6,
  }).catch((error) => error);
  assert(error instanceof Deno.errors.NotFound);
});

Deno.test("Workbook, bombs: refused without being unpacked", async (t) => {
  const zeros = new Uint8Array(64 << 20);
  const too_large =
    "book.xlsx: more than XLSX_MAX_BYTES=1000000 bytes unpacked. Save its sheets as CSV, or raise XLSX_MAX_BYTES.";
  await t.step("one that tells its size", async () => {
    assertEquals(
      await refusal(withParts({ name: "x", content: zeros }), 1e6),
      too_large,
    );
  });
  await t.step("many parts together", async () => {
    const parts = Array.from(
      { length: 11 },
      (_, i) => ({ name: `f${i}`, content: zeros.subarray(0, 100_000) }),
    );
    assertEquals(await refusal(withParts(...parts), 1e6), too_large);
  });
  await t.step("one that lies", async () => {
    const message = await refusal(
      withParts({ name: SHEET, content: zeros, claimed_bytes: 10 }),
      1e6,
    );
    assert(message.includes("too many bytes"), message);
  });
  const between_tags: [name: string, content: string][] = [
    ["a text", `<a>${"x".repeat(20 << 20)}</a>`],
    ["a comment", `<a><!--${"x".repeat(20 << 20)}--></a>`],
    ["a tag", `<${"x".repeat(20 << 20)}/>`],
    ["attributes", `<a ${`b="" `.repeat(4 << 20)}/>`],
    ["a DOCTYPE", `<!DOCTYPE ${"x".repeat(20 << 20)}><a/>`],
  ];
  for (const [name, content] of between_tags) {
    await t.step(`${name} that does not end`, async () => {
      const message = await refusal(withSheet(content));
      assert(/without a tag|sheet0.xml: /.test(message), message);
    });
  }
});

Deno.test("Workbook, the signal ends the reading of a part, with its own reason", async () => {
  await using folder = await dataFolder({
    "book.xlsx": withSheet(xml("worksheet", "<a/>".repeat(1_000_000))),
  });
  const ending = new AbortController();
  using workbook = await Workbook.open(`${folder.path}/book.xlsx`, {
    file: "b",
    max_bytes: 1e8,
    signal: ending.signal,
  });
  let read = 0;
  await assertRejects(
    () =>
      workbook.read(SHEET, {
        open() {
          if (++read === 10) ending.abort();
        },
      }),
    DOMException,
    "aborted",
  );
  assert(read < 100_000, `${read} elements`);
});

Deno.test("Workbook, a part comes in small pieces, and what each makes its reader do is waited for", async () => {
  await using folder = await dataFolder({
    "book.xlsx": withSheet(xml("worksheet", "<a/>".repeat(100_000))),
  });
  using workbook = await Workbook.open(`${folder.path}/book.xlsx`, {
    file: "b",
    max_bytes: 1e8,
  });
  let told = 0;
  let most = 0;
  let waiting = false;
  await workbook.read(SHEET, {
    open() {
      assert(!waiting);
      most = Math.max(most, ++told);
    },
    settle() {
      told = 0;
      if (Math.random() < 0.9) return undefined;
      waiting = true;
      return new Promise((resolve) =>
        setTimeout(() => {
          waiting = false;
          resolve();
        }, 0)
      );
    },
  });
  // 1,024 bytes of elements of 4, and the one that is cut at their start.
  assert(most <= 257, `${most} elements in a piece`);
});

Deno.test("Workbook, reading a large part lets others run", async () => {
  const content = xml(
    "worksheet",
    `<row r="1"><c r="A1" t="n"><v>1</v></c></row>`.repeat(200_000),
  );
  const bytes = withSheet(content);
  const longest_ms = await longestHold(async () => void await read(bytes));
  // At most 20; 130 without a pause.
  assert(longest_ms < 50, `${longest_ms} ms`);
});
