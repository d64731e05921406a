/** Staging: every encoding becomes UTF-8, and a file that is not whole is refused. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import type { SourceFile } from "../../../db/intake/find_files.ts";
import {
  type StagedFile,
  stageFile,
  type StagingOptions,
} from "../../../db/intake/stage_file.ts";
import type { Source } from "../../../db/mapping/mapping.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { messageOfRefusal } from "../../support/load_folder.ts";
import { latin, utf16be, utf16le, utf8 } from "../../support/text_bytes.ts";

const OPTIONS: StagingOptions = {
  csv_encoding: "windows-1252",
  max_file_bytes: 1e9,
  xlsx_max_bytes: 1e9,
};
const MIB = 1 << 20;

/** customers.csv, wherever it lies. */
const sourceAt = (path: string): SourceFile => ({
  file: "customers.csv",
  path,
  table: "customers",
  format: "text",
  gzip: false,
  part: false,
});

interface Staged {
  readonly file: StagedFile;
  /** What is in staging. */
  readonly text: string;
}

/** Stages `content` as customers.csv, or under another name and table. */
async function stage(
  content: Uint8Array | string,
  options: Partial<StagingOptions> = {},
  source: Partial<SourceFile> = {},
): Promise<Staged> {
  await using folder = await dataFolder({ from: content });
  const file = await stageFile(
    { ...sourceAt(`${folder.path}/from`), ...source },
    `${folder.path}/to`,
    { ...OPTIONS, ...options },
  );
  return { file, text: await Deno.readTextFile(`${folder.path}/to`) };
}

const stageGzip = (
  content: Uint8Array,
  options: Partial<StagingOptions> = {},
) => stage(content, options, { file: "customers.csv.gz", gzip: true });

Deno.test("stageFile, a plain file: copied and described", async () => {
  const { file, text } = await stage('Customer_Id,Type\n1,"a\nb"\n');
  assertEquals(text, 'Customer_Id,Type\n1,"a\nb"\n');
  assertEquals(file.bytes, 25);
  assertEquals(
    file.sha256,
    "8bf5e5c425a0b05471a96e3f98057fac5a2cd39a92e89654ba1b7a16bd4a38b2",
  );
  assertEquals(file.text?.encoding, "utf-8");
  assertEquals(file.text?.header.names, ["Customer_Id", "Type"]);
  assertEquals(file.text?.quoted_line_breaks, true);
});

Deno.test("stageFile, encodings", async (t) => {
  const text = "Customer_Id;Type\n1;Zoë 日本\n";
  const western = "Customer_Id;Type\n1;Zoë €\n";
  const cases: [
    name: string,
    bytes: Uint8Array,
    encoding: string,
    text: string,
    csv_encoding?: string,
  ][] = [
    ["UTF-8", utf8(text), "utf-8", text],
    ["UTF-8 with a byte order mark", utf8("\ufeff" + text), "utf-8", text],
    ["UTF-16LE", utf16le("\ufeff" + text), "utf-16le", text],
    ["UTF-16BE", utf16be("\ufeff" + text), "utf-16be", text],
    [
      "UTF-16 of characters beyond 16 bits",
      utf16le("\ufeffChannel,id\n🐦,1\n"),
      "utf-16le",
      "Channel,id\n🐦,1\n",
    ],
    [
      "windows-1252",
      latin("Customer_Id;Type\n1;Zo\xeb \x80\n"),
      "windows-1252",
      western,
    ],
    [
      "a UTF-8 character cut at the end",
      latin("Customer_Id;Type\n1;Zo\xc3"),
      "windows-1252",
      "Customer_Id;Type\n1;ZoÃ",
    ],
    [
      "an overlong and a surrogate are not UTF-8",
      latin("id\n\xc0\xaf\xed\xa0\x80"),
      "windows-1252",
      "id\nÀ¯í\xa0€",
    ],
    [
      "CSV_ENCODING=shift_jis",
      latin("id,Type\n1,\x93\xfa\x96{\n"),
      "shift_jis",
      "id,Type\n1,日本\n",
      "shift_jis",
    ],
    [
      "CSV_ENCODING=shift_jis, a file of UTF-8",
      utf8(text),
      "utf-8",
      text,
      "shift_jis",
    ],
    [
      "CSV_ENCODING=shift_jis, a file of UTF-16",
      utf16le("\ufeff" + text),
      "utf-16le",
      text,
      "shift_jis",
    ],
    [
      "CSV_ENCODING=iso-8859-2",
      latin("id,Type\n1,\xb1\n"),
      "iso-8859-2",
      "id,Type\n1,ą\n",
      "iso-8859-2",
    ],
    ["two bytes of text", utf8("id"), "utf-8", "id"],
    ["NULs are text", utf8("id\n\0\n"), "utf-8", "id\n\0\n"],
  ];
  for (const [name, bytes, encoding, expected, csv_encoding] of cases) {
    await t.step(name, async () => {
      const { file, text } = await stage(
        bytes,
        csv_encoding ? { csv_encoding } : {},
      );
      assertEquals(text, expected);
      assertEquals(file.text?.encoding, encoding);
    });
  }

  await t.step("a mark of UTF-8 before what is not", async () => {
    assertEquals(
      await messageOfRefusal(() => stage(latin("\xef\xbb\xbfid\nZo\xeb\n"))),
      'customers.csv, line 2: a byte in column "id" that is not UTF-8, though the file is. Mend the cell, or export the file again in UTF-8.',
    );
  });
  for (const csv_encoding of ["utf-8", "UTF-8", "utf8"]) {
    await t.step(`CSV_ENCODING=${csv_encoding} takes UTF-8 only`, async () => {
      const message = await messageOfRefusal(() =>
        stage(latin("id\nZo\xeb\n"), { csv_encoding })
      );
      assert(!message.includes("byte order mark"), message);
    });
  }
});

Deno.test("stageFile, any bytes that are not UTF-8 in any text: as their number and columns say", async () => {
  const broken = ["\xff", "\xe9-", "\xf0\x9f-"];
  const valid = ["\xc3\xab", "\xe6\x97\xa5", "\xf0\x9f\x90\xa6", "\ufffd"];
  const cells = fc.array(
    fc.constantFrom("a", ...broken, ...valid.slice(0, 3), "\xef\xbf\xbd"),
    { maxLength: 3 },
  ).map((parts) => parts.join(""));
  const rows = fc.record({
    type: fc.oneof({ weight: 5, arbitrary: fc.constant("x") }, cells),
    note: cells,
    quoted: fc.boolean(),
    marks: fc.array(fc.constantFrom(...valid.slice(0, 3)), { maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(rows, { maxLength: 12 }),
      fc.boolean(),
      async (rows, packed) => {
        const text = ["id,Type,Note,Marks\n"].concat(
          rows.map((row) =>
            `1,${row.type},${row.quoted ? `"${row.note}\n\n"` : row.note},${
              row.marks.join("")
            }\n`
          ),
        ).join("");
        const good =
          /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g;
        const bad = text.replaceAll(good, "").match(/[\x80-\xff]/g) ?? [];
        const more_valid = (text.match(good) ?? []).length > bad.length;
        const bad_type = rows.findIndex(({ type }) =>
          /[\x80-\xff]/.test(type.replaceAll(good, ""))
        );
        const staging = stage(
          packed ? gzipSync(latin(text)) : latin(text),
          {},
          {
            gzip: packed,
          },
        );

        if (bad.length > 0 && more_valid && bad_type >= 0) {
          const line = 2 + bad_type +
            2 * rows.slice(0, bad_type).filter(({ quoted }) => quoted).length;
          const message = await messageOfRefusal(() => staging);
          assert(
            message.startsWith(
              `customers.csv, line ${line}: a byte in column "Type" that is not UTF-8, though the file is.`,
            ),
            message,
          );
          return;
        }
        const { file, text: staged } = await staging;
        const is_utf8 = bad.length === 0 || more_valid;
        assertEquals(file.text!.encoding, is_utf8 ? "utf-8" : "windows-1252");
        const label = is_utf8 ? "utf-8" : "windows-1252";
        // A decoder replaces the bytes of a cut character by one U+FFFD.
        const single = is_utf8
          ? text.replaceAll("\xf0\x9f-", "\xff\xff-")
          : text;
        assertEquals(staged, new TextDecoder(label).decode(latin(single)));
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("stageFile, broken bytes far apart and many", async (t) => {
  const row = "1,a,Zo\xc3\xab\n";
  await t.step(
    "one after the first chunks, in a column that is not used",
    async () => {
      const { file, text } = await stage(latin(
        "id,Type,Note\n" + row.repeat(MIB / 8) + "1,a,\xff\n" + row,
      ));
      assertEquals(file.text?.encoding, "utf-8");
      assertEquals(text.slice(-15), "\n1,a,\ufffd\n1,a,Zoë\n");
    },
  );
  await t.step(
    "one after the first chunks, in a column that is used",
    async () => {
      assertEquals(
        await messageOfRefusal(() =>
          stage(latin("id,Note,Type\n" + row.repeat(MIB / 8) + "1,a,\xff\n"))
        ),
        `customers.csv, line ${
          MIB / 8 + 2
        }: a byte in column "Type" that is not UTF-8, though the file is. Mend the cell, or export the file again in UTF-8.`,
      );
    },
  );
  await t.step("windows-1252 is known before the end", async () => {
    const { file, text } = await stage(latin(
      "id,Type,Note\n" + "1,\xeb,\n".repeat(2_000) + row.repeat(MIB / 8),
    ));
    assertEquals(file.text?.encoding, "windows-1252");
    assertEquals(text.slice(-10), "\n1,a,ZoÃ«\n");
  });
});

Deno.test("stageFile, UTF-16 without its mark", async (t) => {
  const cases: [name: string, text: string][] = [
    ["short", "id\n1\n"],
    ["other scripts in the header and below", "日本,Type,id\n東京,ë,1\n"],
    ["zero bytes in letters", "id,Type\n1,\u0100\u3000\n"],
    ["a line for Excel", "sep=;\r\nid;Type\r\n1;b\r\n"],
    ["blank lines first", "\r\n\r\nid\r\n1\r\n"],
    ["rows of delimiters first", ";;\r\n,\r\nid;Type\r\n1;b\r\n"],
    ["long", "id,Type\n" + "1,日\n".repeat(200_000)],
  ];
  for (const [name, text] of cases) {
    for (const packed of [false, true]) {
      await t.step(`${name}${packed ? ", gzip" : ""}`, async () => {
        for (const encode of [utf16le, utf16be]) {
          const bytes = packed ? gzipSync(encode(text)) : encode(text);
          const { file, text: staged } = await stage(bytes, {}, {
            gzip: packed,
          });
          assertEquals(
            file.text?.encoding,
            encode === utf16le ? "utf-16le" : "utf-16be",
          );
          const kept = text.replace(/^((sep=;|[;,]*)[\r\n]+)+/, "");
          assert(staged === kept, staged.slice(0, 100));
        }
      });
    }
  }
  await t.step("zero bytes in UTF-8 are none of it", async () => {
    const texts = [
      "id\0\n1\0\n",
      "id,T\0y\0p\0e\0\n1,2\n",
      "id,Type\n" + "\0".repeat(400),
      "id\n" + "\0a".repeat(200),
    ];
    for (const text of texts) {
      const staged = await stage(text).catch((error) => {
        assert(error instanceof StoreError, String(error));
      });
      assertEquals(staged?.file.text?.encoding ?? "utf-8", "utf-8");
    }
  });
});

Deno.test("stageFile, characters over the border of a chunk: whole", async (t) => {
  for (const char of ["ë", "日", "🐦"]) {
    for (const encoding of ["utf-8", "utf-16le"]) {
      await t.step(`${char} in ${encoding}`, async () => {
        // Each text has the character one byte further on.
        for (let shift = 0; shift < 5; shift++) {
          const text = "id\n" + "x".repeat(shift) + char.repeat(MIB / 4);
          const { text: staged, file } = await stage(
            encoding === "utf-8" ? utf8(text) : utf16le("\ufeff" + text),
          );
          // Not assertEquals, which would print a megabyte.
          assert(staged === text, `shift ${shift}`);
          assertEquals(file.text?.encoding, encoding);
        }
      });
    }
  }
});

Deno.test("stageFile, not UTF-8 after the first chunks: read again from the start", async () => {
  const { text, file } = await stage(latin(
    "id\nZo\xc3\xab\n" + "x\n".repeat(1.5 * MIB) + "\xeb\n",
  ));
  assertEquals(file.text?.encoding, "windows-1252");
  assertEquals(text.slice(0, 8), "id\nZoÃ«\n");
  assertEquals(text.slice(-4), "x\në\n");
  assertEquals(text.length, 8 + 3 * MIB + 2);
});

Deno.test("stageFile, files over several chunks: the same bytes", async (t) => {
  const lines = Array.from({ length: 400_000 }, (_, i) => `${i},t\n`);
  const bytes = utf8("id,Type\n" + lines.join(""));
  await t.step("plain", async () => {
    const { text, file } = await stage(bytes);
    assert(text === new TextDecoder().decode(bytes));
    assertEquals(file.bytes, bytes.length);
  });
  await t.step("gzip", async () => {
    const packed = gzipSync(bytes);
    const { text, file } = await stageGzip(packed);
    assert(text === new TextDecoder().decode(bytes));
    assertEquals(file.bytes, packed.length);
  });
});

Deno.test("stageFile, structure that is refused: with the line", async (t) => {
  const remedy = {
    open: "Export the file again, whole and with every quote closed.",
    goes_on: 'Write a quote inside a quoted cell twice, as "".',
    cr: "Export the file again with one kind of line end.",
  };
  const many = "1,a\n".repeat(700_000);
  const cases: [name: string, text: string, message: string][] = [
    [
      "an open quote",
      'id,Type\n1,a\n2,"b\n3,c\n4,d\n',
      `customers.csv, line 3: a quote that is never closed. ${remedy.open}`,
    ],
    [
      "an open quote in the header",
      'id,"Type\n1,a\n',
      `customers.csv, line 1: a quote that is never closed. ${remedy.open}`,
    ],
    [
      "an open quote in the last byte",
      'id,Type\n1,a\n2,"',
      `customers.csv, line 3: a quote that is never closed. ${remedy.open}`,
    ],
    [
      "an open quote, lines that end in CRLF",
      'id,Type\r\n1,a\r\n2,"b\r\n3,c\r\n',
      `customers.csv, line 3: a quote that is never closed. ${remedy.open}`,
    ],
    [
      "an open quote, lines that end in CR",
      'id,Type\r1,a\r2,"b\r3,c\r',
      `customers.csv, line 3: a quote that is never closed. ${remedy.open}`,
    ],
    [
      "an open quote far down",
      `id,Type\n${many}2,"b\n${many}`,
      `customers.csv, line 700002: a quote that is never closed. ${remedy.open}`,
    ],
    [
      "text after a closing quote",
      'id,Type\n1,"a"b\n',
      `customers.csv, line 2: a quoted cell that goes on after its closing quote. ${remedy.goes_on}`,
    ],
    [
      "text after a closing quote, in the quoted cell's first line",
      'id,Type\n1,"a\n\n"b\n',
      `customers.csv, line 2: a quoted cell that goes on after its closing quote. ${remedy.goes_on}`,
    ],
    [
      "a CR among LF",
      "id,Type\n1,a\n2,b\r3,c\n",
      `customers.csv, line 3: a line that ends in CR where others end in LF or CRLF. ${remedy.cr}`,
    ],
    [
      "a CR before the first LF",
      "id,Type\r1,a\n2,b\n",
      `customers.csv, line 1: a line that ends in CR where others end in LF or CRLF. ${remedy.cr}`,
    ],
  ];
  for (const [name, text, message] of cases) {
    await t.step(name, async () => {
      assertEquals(await messageOfRefusal(() => stage(text)), message);
    });
  }
  await t.step("in UTF-16, by the line too", async () => {
    assertEquals(
      await messageOfRefusal(() => stage(utf16le('\ufeffid\n1\n"2\n'))),
      `customers.csv, line 3: a quote that is never closed. ${remedy.open}`,
    );
  });
});

Deno.test("stageFile, any number of lines without a value above the header", async (t) => {
  const blank = "\r\n".repeat(3e5);
  const delimiters = ",;\r".repeat(2e5);
  const cases: [
    name: string,
    above: string,
    line: number,
    delimiter: string,
  ][] = [
    ["blank lines", blank, 300_001, ","],
    ["blank lines, of which chunks cut one", ` ${blank}`, 300_001, ","],
    ["rows of delimiters", delimiters, 200_001, ","],
    ["a line for Excel, then others", `sep=;\n${blank}`, 300_002, ";"],
  ];
  for (const [name, above, line, delimiter] of cases) {
    await t.step(name, async () => {
      const text = `id${delimiter}Type\r\n1${delimiter}a\r\n`;
      for (
        const content of [
          utf8(above + text),
          utf16le(`\ufeff${above}${text}`),
        ]
      ) {
        const { file, text: staged } = await stage(content);
        assertEquals(staged, text);
        assertEquals(file.text?.header.delimiter, delimiter);
        assertEquals(file.row_numbers?.rowOf(2), line + 1);
      }
    });
  }
  const columns = "Name the columns as docs/file-contract.md says.";
  const refused: [name: string, text: string, message: string][] = [
    [
      "a line for Excel that is not the first",
      `${blank}sep=;\nid;Type\n`,
      "customers.csv, line 300001: a title above the header, which is in line 300002. Delete what is above the header.",
    ],
    [
      "no column of that name",
      `${blank}no\n`,
      `customers.csv, line 300001: no column Customer_Id among "no". ${columns}`,
    ],
    [
      "no value at all",
      blank,
      `customers.csv, line 1: no column Customer_Id among "". ${columns}`,
    ],
    [
      "a long line",
      `${blank}${";".repeat(6e5)}\nid\n`,
      "customers.csv, line 300001: a first line of more than 262144 bytes. Name the columns in the first line, then break the line.",
    ],
  ];
  for (const [name, text, message] of refused) {
    await t.step(`refused: ${name}`, async () => {
      assertEquals(await messageOfRefusal(() => stage(text)), message);
    });
  }
});

Deno.test("stageFile, a broken byte above header_row hides none below it", async () => {
  const source = { key: "customers", header_row: 2 } as Source;
  const broken = (text: string) =>
    latin(text.replaceAll("ë", "\xc3\xab").replaceAll("?", "\xff"));
  const below = "id,Type\n1,Zoë Zoë Zoë\n";
  const { file } = await stage(broken(`tit?le\n${below}`), {}, { source });
  assertEquals(file.text?.encoding, "utf-8");
  assertEquals(
    await messageOfRefusal(() =>
      stage(broken(`tit?le\n${below}2,x?\n`), {}, { source })
    ),
    'customers.csv, line 4: a byte in column "Type" that is not UTF-8, though the file is. Mend the cell, or export the file again in UTF-8.',
  );
});

Deno.test("stageFile, headers", async (t) => {
  const no_id = (found: string) =>
    `customers.csv, line 1: no column Customer_Id among ${found}. Name the columns as docs/file-contract.md says.`;
  const refused: [name: string, content: string | Uint8Array, found: string][] =
    [
      ["a byte order mark alone", "\ufeff", '""'],
      ["blank lines alone", "\n,;\n\r\n", '""'],
    ];
  for (const [name, content, found] of refused) {
    await t.step(`refused: ${name}`, async () => {
      const message = await messageOfRefusal(() => stage(content));
      assertEquals(
        message.slice(0, no_id(found).indexOf(found)),
        no_id("").slice(0, no_id(found).indexOf(found)),
      );
      assert(message.includes(found), message);
    });
  }
  await t.step("refused: an empty file, packed or not", async () => {
    const problem =
      "the file is empty. Export it again; a header alone counts.";
    assertEquals(
      await messageOfRefusal(() => stage("")),
      `customers.csv: ${problem}`,
    );
    assertEquals(
      await messageOfRefusal(() => stageGzip(gzipSync(""))),
      `customers.csv.gz: ${problem}`,
    );
  });
  await t.step("a header without rows", async () => {
    assertEquals((await stage("id")).file.text?.header.names, ["id"]);
  });
  await t.step("a header of 100 kB: read whole, or refused", async () => {
    const wide = Array.from({ length: 10_000 }, (_, i) => `column_${i}`);
    const text = `${["id", ...wide].join(",")}\n1,2\n`;
    const staged = await stage(text).catch((error) => {
      assert(error instanceof StoreError, String(error));
    });
    assertEquals(staged?.file.text?.header.names.length ?? 10_001, 10_001);
  });
});

Deno.test("stageFile, gzip", async (t) => {
  const cut = "the gzip data ends too early: the file is cut";
  const unsound = "not sound gzip data";
  const refusal = async (bytes: Uint8Array) => {
    const message = await messageOfRefusal(() => stageGzip(bytes));
    return message.slice("customers.csv.gz".length, message.indexOf(". "))
      .replace(/^[:,] /, "");
  };
  const rows = "id,Type\n" + "1,a\n2,b\n".repeat(200);
  const packed = gzipSync(utf8(rows));

  await t.step("one member", async () => {
    assertEquals((await stageGzip(packed)).text, rows);
  });
  await t.step("several members, the last of a byte", async () => {
    const members = ["id,Type\n1,a\n", "2,b\n", "", "3,c\n", "4"];
    const bytes = members.flatMap((text) => [...gzipSync(utf8(text))]);
    assertEquals(
      (await stageGzip(Uint8Array.from(bytes))).text,
      members.join(""),
    );
  });
  await t.step("a comment, a name and padding with zeros", async () => {
    const header = [0x1f, 0x8b, 8, 0x18, 0, 0, 0, 0, 0, 3];
    const named = [...header, ...utf8("name\0comment\0"), ...packed.slice(10)];
    assertEquals(
      (await stageGzip(Uint8Array.from([...named, 0, 0, 0, 0]))).text,
      rows,
    );
  });
  await t.step("cut anywhere", async () => {
    assert(packed.length < 200);
    for (let length = 1; length < packed.length; length++) {
      assertEquals(await refusal(packed.slice(0, length)), cut, `${length}`);
    }
  });
  await t.step("cut in the second member", async () => {
    const second = gzipSync(utf8("3,c\n"));
    for (let length = 1; length < second.length; length++) {
      const bytes = Uint8Array.from([...packed, ...second.slice(0, length)]);
      assertEquals(await refusal(bytes), cut, `${length}`);
    }
  });
  await t.step("no bytes at all", async () => {
    await messageOfRefusal(() => stageGzip(new Uint8Array()));
  });
  await t.step("garbage after the end", async () => {
    const bytes = Uint8Array.from([...packed, ...utf8("3,c\n")]);
    assertEquals(await refusal(bytes), unsound);
  });
  await t.step("a byte changed", async () => {
    for (let at = 10; at < packed.length; at++) {
      const bytes = packed.slice();
      bytes[at] ^= 0x40;
      const message = await refusal(bytes);
      assert([unsound, cut].includes(message), `${at}: ${message}`);
    }
  });
  await t.step("refused by its first chunk, with more to come", async () => {
    const bytes = gzipSync(utf8("Name\n" + "a\n".repeat(1.5 * MIB)));
    assertEquals(
      await refusal(bytes),
      'line 1: no column Customer_Id among "Name"',
    );
  });
  await t.step("windows-1252, with more to come", async () => {
    const bytes = gzipSync(latin("id\nZo\xeb\n" + "1\n".repeat(1.5 * MIB)));
    const { file, text } = await stageGzip(bytes);
    assertEquals(file.text?.encoding, "windows-1252");
    assertEquals(text.slice(0, 9), "id\nZoë\n1\n");
  });
  await t.step("not gzip at all", async () => {
    assertEquals(
      await refusal(utf8(rows)),
      "its name ends in .csv.gz, but it is text",
    );
  });
});

Deno.test("stageFile, MAX_FILE_BYTES", async (t) => {
  const text = "id,Type\n1,a\n";
  const message =
    "more than 11 bytes unpacked. Split the export, or raise MAX_FILE_BYTES.";
  await t.step("as many bytes are fine", async () => {
    assertEquals((await stage(text, { max_file_bytes: 12 })).text, text);
  });
  await t.step("one more is not", async () => {
    assertEquals(
      await messageOfRefusal(() => stage(text, { max_file_bytes: 11 })),
      `customers.csv: ${message}`,
    );
  });
  await t.step("counted unpacked", async () => {
    const packed = gzipSync(utf8(text));
    assertEquals(
      await messageOfRefusal(() => stageGzip(packed, { max_file_bytes: 11 })),
      `customers.csv.gz: ${message}`,
    );
  });
  await t.step("a gzip bomb stops there", async () => {
    const bomb = gzipSync(new Uint8Array(256 * MIB));
    const bytes = Uint8Array.from([...gzipSync(utf8("id\n")), ...bomb]);
    await using folder = await dataFolder({ from: bytes });
    await messageOfRefusal(() =>
      stageFile(
        { ...sourceAt(`${folder.path}/from`), gzip: true },
        `${folder.path}/to`,
        { ...OPTIONS, max_file_bytes: 8 * MIB },
      )
    );
    const { size } = await Deno.stat(`${folder.path}/to`);
    assert(size <= 8 * MIB, `${size} bytes written`);
  });
});

Deno.test("stageFile, Parquet: PAR1 at both ends", async (t) => {
  const parquet = {
    file: "customers.parquet",
    format: "parquet",
  } as const;
  const cases: [name: string, content: string][] = [
    ["empty", ""],
    ["too short", "PAR1PAR1"],
    ["cut", "PAR1....some bytes"],
    ["without its beginning", "some bytes....PAR1"],
    ["encrypted", "PARE....some bytes....PARE"],
  ];
  for (const [name, content] of cases) {
    await t.step(name, async () => {
      assertEquals(
        await messageOfRefusal(() => stage(content, {}, parquet)),
        "customers.parquet: not a whole Parquet file: it must begin and end with PAR1. Export the file again and replace it whole.",
      );
    });
  }
  await t.step("whole", async () => {
    const { file, text } = await stage("PAR1....PAR1", {}, parquet);
    assertEquals([text, file.text], ["PAR1....PAR1", null]);
  });
});

Deno.test("stageFile, a disk that fails: its error, and no other one", async () => {
  await using folder = await dataFolder({
    from: `Customer_Id\n${"1\n".repeat(4 * MIB)}`,
  });
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  const { read } = Deno.FsFile.prototype;
  let reads = 0;
  Deno.FsFile.prototype.read = function (buffer) {
    return ++reads === 4
      ? Promise.reject(new Error("Input/output error"))
      : read.call(this, buffer);
  };
  addEventListener("unhandledrejection", note);
  try {
    await assertRejects(
      () =>
        stageFile(sourceAt(`${folder.path}/from`), `${folder.path}/to`, {
          ...OPTIONS,
          pace: () => new Promise((resolve) => setTimeout(resolve, 1)),
        }),
      Error,
      "Input/output error",
    );
    assert(reads >= 4);
    assertEquals(unhandled, []);
  } finally {
    Deno.FsFile.prototype.read = read;
    removeEventListener("unhandledrejection", note);
  }
});

Deno.test("stageFile, a file that is written to while it is read: refused", async (t) => {
  const ways: [name: string, options: Deno.OpenOptions][] = [
    ["it grows", { append: true }],
    ["it keeps its size", { write: true }],
  ];
  for (const [name, options] of ways) {
    await t.step(name, async () => {
      await using folder = await dataFolder({
        from: "id,Type\n" + "1,a\n".repeat(4 * MIB),
      });
      const path = `${folder.path}/from`;
      let done = false;
      async function keepWriting() {
        using file = await Deno.open(path, options);
        while (!done) {
          await file.write(utf8("id,x\n"));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
      const writing = keepWriting();
      const message = await messageOfRefusal(() =>
        stageFile(sourceAt(path), `${folder.path}/to`, OPTIONS)
          .finally(() => done = true)
      );
      await writing;
      assertEquals(
        message,
        "customers.csv: changed while it was being read. Write it under another name and rename it when it is whole.",
      );
    });
  }
});
