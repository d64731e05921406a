/** The structure of delimited text: headers, delimiters, quotes, line ends. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type TableName, TABLES } from "../../../db/model/contract.ts";
import {
  CsvScanner,
  DELIMITERS,
  readHeader,
} from "../../../db/intake/csv_scanner.ts";

Deno.test("readHeader, delimiter and names", async (t) => {
  const cases: [
    name: string,
    table: TableName,
    text: string,
    delimiter: string,
    names: string[],
  ][] = [
    [
      "comma",
      "customers",
      "Customer_Id,Occupation,Type\n1,a,b\n",
      ",",
      ["Customer_Id", "Occupation", "Type"],
    ],
    ["semicolon", "customers", "id;Type\n1;b\n", ";", ["id", "Type"]],
    ["tab", "customers", "id\tType\n1\tb\n", "\t", ["id", "Type"]],
    ["bar", "customers", "id|Type\n1|b\n", "|", ["id", "Type"]],
    ["one column needs none", "channels", "Channel\nEmail\n", ",", ["Channel"]],
    ["no line end", "channels", "Channel", ",", ["Channel"]],
    ["CRLF", "channels", "Channel\r\nEmail\r\n", ",", ["Channel"]],
    ["CR", "channels", "Channel\rEmail\r", ",", ["Channel"]],
    [
      "another delimiter in the names",
      "customers",
      "Customer_Id;Height, cm;Weight, kg;Age|Sex\n",
      ";",
      ["Customer_Id", "Height, cm", "Weight, kg", "Age|Sex"],
    ],
    [
      "quoted names with delimiters, quotes and line breaks",
      "customers",
      '"Customer_Id","a,b","say ""so""","two\nlines"\r\n1,2,3,4\r\n',
      ",",
      ["Customer_Id", "a,b", 'say "so"', "two\nlines"],
    ],
    [
      "white space around names and quotes",
      "customers",
      ' Customer_Id , "Type" \n1,b\n',
      ",",
      ["Customer_Id", "Type"],
    ],
    [
      "a quote inside a name",
      "customers",
      'Customer_Id,5" pipes\n',
      ",",
      ["Customer_Id", '5" pipes'],
    ],
    [
      "names that are empty",
      "customers",
      "Customer_Id,,Type,\n1,a,b,c\n",
      ",",
      ["Customer_Id", "", "Type", ""],
    ],
    [
      "an empty name before a quoted row",
      "customers",
      'Customer_Id,Type,\n"1","b",""\n',
      ",",
      ["Customer_Id", "Type", ""],
    ],
    [
      "an empty name before a quoted one, split by tabs",
      "customers",
      'Customer_Id\t\t"Type"\n1\ta\tb\n',
      "\t",
      ["Customer_Id", "", "Type"],
    ],
    [
      "no column fits: the delimiter that splits most",
      "customers",
      "Name;Height, cm;Age\n",
      ";",
      ["Name", "Height, cm", "Age"],
    ],
    ["an empty file", "customers", "", ",", [""]],
  ];
  for (const [name, table, text, delimiter, names] of cases) {
    await t.step(name, () => {
      const header = readHeader(TABLES[table], text);
      assertEquals([header.delimiter, header.names], [delimiter, names]);
    });
  }
});

const NEVER_CLOSED = "a quote that is never closed";
const GOES_ON = "a quoted cell that goes on after its closing quote";
const AFTER_SPACES = "a quote after several spaces";
const BARE_CR = "a line that ends in CR where others end in LF or CRLF";

Deno.test("CsvScanner, what is sound and what is not", async (t) => {
  const cases: [
    name: string,
    text: string,
    problem: [problem: string, offset: number] | undefined,
    quoted_line_breaks: boolean,
  ][] = [
    ["nothing", "", undefined, false],
    ["LF", "a,b\n1,2\n", undefined, false],
    ["CRLF", "a,b\r\n1,2\r\n", undefined, false],
    ["LF and CRLF", "a,b\n1,2\r\n3,4\n", undefined, false],
    ["CR only", "a,b\r1,2\r", undefined, false],
    ["CR only, empty lines", "a\r\r\rb", undefined, false],
    ["CR and LF", "a,b\n1,2\r3,4\n", [BARE_CR, 7], false],
    ["CR before LF lines", "a,b\r1,2\n", [BARE_CR, 3], false],
    ["CR and CRLF", "a,b\r1,2\r\n", [BARE_CR, 3], false],
    ["LF and a CR at the end", "a,b\n1,2\r", [BARE_CR, 7], false],
    ["CR, CR, LF", "a\r\r\nb\n", [BARE_CR, 1], false],
    ["quoted", '"a","b"\n', undefined, false],
    ["quoted at the end", 'a\n"b"', undefined, false],
    ["quotes in quotes", '"say ""so""",""""\n""\n', undefined, false],
    ["spaces around quotes", ' "a" , "b" \n', undefined, false],
    ["several spaces before a quote", 'a,b\n1,   "x"\n', [
      AFTER_SPACES,
      9,
    ], false],
    ["several spaces before a quote at the start", '  "a"', [
      AFTER_SPACES,
      2,
    ], false],
    [
      "several spaces, then a quote inside a cell",
      'a  "b"\n',
      undefined,
      false,
    ],
    ["delimiters in quotes", '"a,b","c"\n', undefined, false],
    ["LF in quotes", 'a\n"1\n2"\n', undefined, true],
    ["CR in quotes", 'a\n"1\r2"\n', undefined, true],
    ["CRLF in quotes", 'a\r\n"1\r\n2"\r\n', undefined, true],
    ["LF in quotes, lines that end in CR", 'a\r"1\n2"\r', undefined, true],
    ["a quote inside a plain cell", 'a\n5" pipe,6" pipe\n', undefined, false],
    ["two quotes inside a plain cell", 'a\nb""\n', undefined, false],
    ["open to the end", 'a\n"b\nc\n', [NEVER_CLOSED, 2], true],
    ["open by the last byte", 'a\n1,"', [NEVER_CLOSED, 4], false],
    ["open after a doubled quote", 'a\n"b""', [NEVER_CLOSED, 2], false],
    ["text after the closing quote", 'a\n"b"c\n', [GOES_ON, 2], false],
    ["text after a space", 'a\n"b" c\n', [GOES_ON, 2], false],
    ["a quote after a space", 'a\n"b" "c"\n', [GOES_ON, 2], false],
    [
      "the first of several",
      'a,b\n1,"x"y\n2,"x"y\n3,"',
      [GOES_ON, 6],
      false,
    ],
  ];
  for (const [name, text, problem, quoted_line_breaks] of cases) {
    await t.step(name, () => {
      const scanner = scan([text], ",");
      assertEquals(
        scanner.problem && [scanner.problem.problem, scanner.problem.offset],
        problem,
      );
      assertEquals(scanner.quoted_line_breaks, quoted_line_breaks);
    });
  }
});

/** Texts in which everything that matters is frequent. */
const texts = fc.array(
  fc.constantFrom("a", "bc", '"', '"', ",", ";", "\n", "\r", "\r\n", " ", "é"),
  { maxLength: 40 },
).map((parts) => parts.join(""));

Deno.test("CsvScanner, any text in any chunks: as in one", () => {
  const chunked = fc.tuple(texts, fc.array(fc.nat(8), { maxLength: 20 }));
  fc.assert(
    fc.property(chunked, fc.constantFrom(...DELIMITERS), ([text, sizes], d) => {
      const chunks: string[] = [];
      let rest = text;
      for (const size of sizes) {
        chunks.push(rest.slice(0, size));
        rest = rest.slice(size);
      }
      const whole = scan([text], d);
      const split = scan([...chunks, rest], d);
      assertEquals(split.problem, whole.problem);
      assertEquals(split.quoted_line_breaks, whole.quoted_line_breaks);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("CsvScanner, long chunks at any alignment: as byte by byte", () => {
  const plain = fc.constantFrom("a,b\n", "word,1234\n", "x ", "é;ö\n");
  const pieces = fc.array(
    fc.oneof(
      { weight: 9, arbitrary: plain },
      { weight: 1, arbitrary: fc.constantFrom('"', '"', "\r", '"x\ny"', ",") },
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(pieces, fc.nat(7), (parts, shift) => {
      const bytes = new TextEncoder().encode(parts.join(""));
      const shifted = new Uint8Array(bytes.length + shift);
      shifted.set(bytes, shift);
      const whole = new CsvScanner(",");
      whole.feed(shifted.subarray(shift));
      const single = new CsvScanner(",");
      for (const byte of bytes) single.feed(Uint8Array.of(byte));
      assertEquals(whole.problem, single.problem);
      assertEquals(whole.quoted_line_breaks, single.quoted_line_breaks);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("CsvScanner, any text: as a reader of single characters finds", () => {
  fc.assert(
    fc.property(
      texts,
      fc.constantFrom(...DELIMITERS),
      (text, delimiter) => {
        const { problem, quoted_line_breaks } = scan([text], delimiter);
        const expected = readByCharacter(text, delimiter);
        assertEquals(problem?.problem, expected.problem);
        if (problem) {
          // Offsets are in bytes.
          const before = text.slice(0, expected.position);
          assertEquals(
            problem.offset,
            new TextEncoder().encode(before).length,
          );
        } else assertEquals(quoted_line_breaks, expected.quoted_line_breaks);
      },
    ),
    { numRuns: 5000 },
  );
});

function scan(chunks: string[], delimiter: string): CsvScanner {
  const scanner = new CsvScanner(delimiter);
  for (const chunk of chunks) scanner.feed(new TextEncoder().encode(chunk));
  return scanner;
}

interface Finding {
  problem?: string;
  position?: number;
  quoted_line_breaks: boolean;
}

/** What CsvScanner looks for, in the plainest way. */
function readByCharacter(text: string, delimiter: string): Finding {
  // The first position of each problem.
  const found = new Map<string, number>();
  const note = (problem: string, position: number) =>
    found.has(problem) || found.set(problem, position);
  let quoted_line_breaks = false;
  let has_lf = false;
  const endsCell = (char: string | undefined) =>
    char === undefined || char === delimiter || char === "\n" || char === "\r";

  let at = 0;
  while (at < text.length) {
    // A cell: spaces, then a quoted one or a plain one.
    const start = at;
    while (text[at] === " ") at++;
    if (text[at] === '"' && at - start > 1) note(AFTER_SPACES, at);
    else if (text[at] === '"') {
      const opened = at++;
      while (at < text.length && (text[at] !== '"' || text[at + 1] === '"')) {
        if (text[at] === "\n" || text[at] === "\r") quoted_line_breaks = true;
        at += text[at] === '"' ? 2 : 1;
      }
      if (at >= text.length) note(NEVER_CLOSED, opened);
      at++;
      while (text[at] === " ") at++;
      if (!endsCell(text[at])) note(GOES_ON, opened);
    }
    while (!endsCell(text[at])) at++;

    // What ends it.
    if (text.startsWith("\r\n", at)) {
      has_lf = true;
      at += 2;
    } else {
      if (text[at] === "\n") has_lf = true;
      if (text[at] === "\r") note(BARE_CR, at);
      at++;
    }
  }
  if (!has_lf) found.delete(BARE_CR);
  const problem = [GOES_ON, AFTER_SPACES, NEVER_CLOSED, BARE_CR]
    .find((one) => found.has(one));
  return {
    problem,
    position: problem === undefined ? undefined : found.get(problem),
    quoted_line_breaks,
  };
}
