/** The structure of delimited text: headers, delimiters, quotes, line ends. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type TableName, TABLES } from "../../../db/model/contract.ts";
import {
  CsvScanner,
  DELIMITERS,
  type MarkedByte,
  readHeader,
  readPreamble,
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
    problem: [problem: string, line: number] | undefined,
    quoted_line_breaks: boolean,
  ][] = [
    ["nothing", "", undefined, false],
    ["LF", "a,b\n1,2\n", undefined, false],
    ["CRLF", "a,b\r\n1,2\r\n", undefined, false],
    ["LF and CRLF", "a,b\n1,2\r\n3,4\n", undefined, false],
    ["CR only", "a,b\r1,2\r", undefined, false],
    ["CR only, empty lines", "a\r\r\rb", undefined, false],
    ["CR and LF", "a,b\n1,2\r3,4\n", [BARE_CR, 2], false],
    ["CR before LF lines", "a,b\r1,2\n", [BARE_CR, 1], false],
    ["CR and CRLF", "a,b\r1,2\r\n", [BARE_CR, 1], false],
    ["LF and a CR at the end", "a,b\n1,2\r", [BARE_CR, 2], false],
    ["CR, CR, LF", "a\r\r\nb\n", [BARE_CR, 1], false],
    ["quoted", '"a","b"\n', undefined, false],
    ["quoted at the end", 'a\n"b"', undefined, false],
    ["quotes in quotes", '"say ""so""",""""\n""\n', undefined, false],
    ["spaces around quotes", ' "a" , "b" \n', undefined, false],
    ["several spaces before a quote", 'a,b\n1,   "x"\n', [
      AFTER_SPACES,
      2,
    ], false],
    ["several spaces before a quote at the start", '  "a"', [
      AFTER_SPACES,
      1,
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
    ["open by the last byte", 'a\n1,"', [NEVER_CLOSED, 2], false],
    ["open after a doubled quote", 'a\n"b""', [NEVER_CLOSED, 2], false],
    ["text after the closing quote", 'a\n"b"c\n', [GOES_ON, 2], false],
    ["text after a space", 'a\n"b" c\n', [GOES_ON, 2], false],
    ["a quote after a space", 'a\n"b" "c"\n', [GOES_ON, 2], false],
    [
      "the first of several",
      'a,b\n1,"x"y\n2,"x"y\n3,"',
      [GOES_ON, 2],
      false,
    ],
  ];
  for (const [name, text, problem, quoted_line_breaks] of cases) {
    await t.step(name, () => {
      const found = scan([text], ",");
      assertEquals(found.problem, problem);
      assertEquals(found.quoted_line_breaks, quoted_line_breaks);
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
      assertEquals(scan([...chunks, rest], d), scan([text], d));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("CsvScanner, long chunks at any alignment: as byte by byte", () => {
  const plain = fc.constantFrom("a,b\n", "word,1234\n", "x ", "é;ö\n", ",b\n");
  const pieces = fc.array(
    fc.oneof(
      { weight: 30, arbitrary: plain },
      {
        weight: 1,
        arbitrary: fc.constantFrom('"', '"x\ny"', "\r", ",", "\n", ",,\n"),
      },
    ),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(pieces, fc.nat(7), (parts, shift) => {
      const bytes = new TextEncoder().encode(parts.join(""));
      const shifted = new Uint8Array(bytes.length + shift);
      shifted.set(bytes, shift);
      assertEquals(
        scanBytes([shifted.subarray(shift)], ","),
        scanBytes([...bytes].map((byte) => Uint8Array.of(byte)), ","),
      );
    }),
    { numRuns: 2000 },
  );
});

Deno.test("CsvScanner, any text: as a reader of single characters finds", () => {
  fc.assert(
    fc.property(
      texts,
      fc.constantFrom(...DELIMITERS),
      (text, delimiter) => {
        const found = scan([text], delimiter);
        const expected = readByCharacter(text, delimiter);
        assertEquals(found.problem, expected.problem);
        if (!found.problem) assertEquals(found, expected);
      },
    ),
    { numRuns: 5000 },
  );
});

Deno.test("CsvScanner, a row of more than 2,000,000 bytes: found with its line, wherever chunks end", async (t) => {
  const most = 2_000_000;
  const cell = (bytes: number) => "x".repeat(bytes);
  const cases: [name: string, text: string, line: number | null][] = [
    ["as many as there may be", `a,b\n1,${cell(most - 2)}\n1,2\n`, null],
    ["as many, CRLF", `a,b\r\n1,${cell(most - 2)}\r\n1,2\r\n`, null],
    ["many rows of half as many", `a,b\n${`1,${cell(1e6)}\n`.repeat(3)}`, null],
    ["one more, not the last row", `a,b\n1,2\n1,${cell(most - 1)}\n1,2\n`, 3],
    ["one more, CRLF", `a,b\r\n1,2\r\n1,${cell(most - 1)}\r\n`, 3],
    ["one more, at the end", `a,b\n1,${cell(most - 1)}`, 2],
    ["in quotes", `a,b\n1,"${cell(most - 3)}"\n`, 2],
    ["lines in quotes", `a,b\n\n1,"${"x\n".repeat(1e6)}",2\n1,2\n`, 3],
    ["delimiters alone", `a,b\n${",".repeat(most + 1)}`, 2],
    ["in characters of two bytes", `a,b\n1,2\n${"é".repeat(1e6)},2\n`, 3],
    ["a quote that is never closed", `a,b\n1,"${cell(most)}`, 2],
  ];
  for (const [name, text, line] of cases) {
    await t.step(name, () => {
      const bytes = new TextEncoder().encode(text);
      for (const length of [bytes.length, 1 << 18, 99_999]) {
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += length) {
          chunks.push(bytes.subarray(at, at + length));
        }
        const { problem } = scanBytes(chunks, ",");
        const expected = name === "a quote that is never closed"
          ? NEVER_CLOSED
          : "Maximum line size of 2000000 bytes exceeded";
        assertEquals(problem, line === null ? undefined : [expected, line]);
      }
    });
  }
});

Deno.test("CsvScanner, marked bytes: their lines and cells", () => {
  fc.assert(
    fc.property(texts, texts, fc.nat(5), ([...text], rest, size) => {
      const body = text.join("").replaceAll("é", "?") + rest;
      const scanner = new CsvScanner(",");
      const found: MarkedByte[] = [];
      const bytes = new TextEncoder().encode(`head,"x"\n${body}`);
      for (let at = 0; at < bytes.length;) {
        const chunk = bytes.subarray(at, at += 5 + size);
        // The first byte of é.
        const marks = [...chunk.keys()].filter((i) => chunk[i] === 0xc3);
        found.push(...scanner.locate(chunk, marks));
        scanner.feed(chunk);
      }
      if (scanner.problem) return;
      assertEquals(found, cellsOf("é", `head,"x"\n${body}`));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("readPreamble, lines above the header", async (t) => {
  const cases: [
    name: string,
    text: string,
    above: [length: number, lines: number, delimiter?: string],
  ][] = [
    ["none", "id,Type\n", [0, 0]],
    ["blank lines", "\n\r\n  \nid\n", [6, 3]],
    ["blank lines that end in CR", "\r\rid\r", [2, 2]],
    ["rows of delimiters", ",,\n;;\r\n\t \nid\n", [10, 3]],
    ["a line for Excel", "sep=;\nid\n", [6, 1, ";"]],
    ["a line for Excel, CRLF", "SEP=,\r\nid\r\n", [7, 1, ","]],
    ["a line for Excel in quotes", '"sep=\t"\r\nid\r\n', [9, 1, "\t"]],
    ["a line for Excel and blank lines", "sep=|\n\n\nid\n", [8, 3, "|"]],
    ["a line for Excel alone", "sep=;", [5, 1, ";"]],
    ["a line for Excel that is not the first", "\nsep=;\nid\n", [1, 1]],
    ["another delimiter than there is", "sep=^\nid\n", [0, 0]],
    ["a column of that name", "sep=,id\n1,2\n", [0, 0]],
    ["nothing", "", [0, 0]],
    ["blank lines alone", "\n \n", [3, 2]],
  ];
  for (const [name, text, [length, lines, delimiter]] of cases) {
    await t.step(name, () => {
      const bytes = new TextEncoder().encode(text);
      assertEquals(
        readPreamble(bytes, { whole: true }),
        { length, lines, delimiter },
      );
      // A part of it says the same, or that more is needed.
      for (let end = 0; end < bytes.length; end++) {
        const part = readPreamble(bytes.subarray(0, end), { whole: false });
        if (part) assertEquals(part, { length, lines, delimiter });
      }
    });
  }
});

interface Finding {
  problem: [problem: string, line: number] | undefined;
  quoted_line_breaks: boolean;
  /** The line that each record begins in. */
  lines: number[];
  /** The text without its empty rows. */
  kept: string;
}

const scan = (chunks: string[], delimiter: string) =>
  scanBytes(chunks.map((chunk) => new TextEncoder().encode(chunk)), delimiter);

function scanBytes(chunks: Uint8Array[], delimiter: string): Finding {
  const scanner = new CsvScanner(delimiter);
  const decoder = new TextDecoder();
  let kept = "";
  for (const chunk of chunks) {
    kept += decoder.decode(scanner.feed(chunk), { stream: true });
  }
  scanner.finish();
  const { problem, quoted_line_breaks, lines } = scanner;
  return {
    problem: problem && [problem.problem, problem.line],
    quoted_line_breaks,
    lines: Array.from({ length: lines.count }, (_, i) => lines.rowOf(i + 1)),
    kept: kept + decoder.decode(),
  };
}

/** What CsvScanner looks for, in the plainest way. */
function readByCharacter(text: string, delimiter: string): Finding {
  // The first position of each problem.
  const found = new Map<string, number>();
  const note = (problem: string, position: number) =>
    found.has(problem) || found.set(problem, position);
  const lines: number[] = [];
  let quoted_line_breaks = false;
  let has_lf = false;
  let kept = "";
  const endsCell = (char: string | undefined) =>
    char === undefined || char === delimiter || char === "\n" || char === "\r";

  let at = 0;
  let row = 0;
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
    const end = at;
    if (text[at] === delimiter) {
      at++;
      if (at < text.length) continue;
    } else if (text.startsWith("\r\n", at)) {
      has_lf = true;
      at += 2;
    } else {
      if (text[at] === "\n") has_lf = true;
      if (text[at] === "\r") note(BARE_CR, at);
      at++;
    }
    if (text.slice(row, end).replaceAll(delimiter, "") !== "") {
      lines.push(lineOf(text, row));
      kept += text.slice(row, at);
    }
    row = at;
  }
  if (!has_lf) found.delete(BARE_CR);
  const problem = [GOES_ON, AFTER_SPACES, NEVER_CLOSED, BARE_CR]
    .find((one) => found.has(one));
  return {
    problem: problem === undefined
      ? undefined
      : [problem, lineOf(text, found.get(problem)!)],
    quoted_line_breaks,
    lines,
    kept,
  };
}

/** The line of a position, as an editor shows it. */
function lineOf(text: string, position: number): number {
  return text.slice(0, position).split(/\r\n|\r(?!\n)|\n/).length;
}

/** The lines and cells of a character below the header of a sound text that is split by commas. */
function cellsOf(wanted: string, text: string): MarkedByte[] {
  const found: MarkedByte[] = [];
  let cell = 0;
  let in_header = true;
  let quoted = false;
  let closed = -2;
  for (let at = 0; at < text.length; at++) {
    const starts_cell = /(^|[,\r\n]) ?$/.test(text.slice(0, at));
    if (text[at] === '"' && (quoted || starts_cell || closed === at - 1)) {
      if (quoted) closed = at;
      quoted = !quoted;
    } else if (quoted && text[at] !== wanted) continue;
    else if (text[at] === ",") cell++;
    else if (/[\r\n]/.test(text[at])) {
      cell = 0;
      in_header = false;
    } else if (text[at] === wanted && !in_header) {
      found.push({ line: lineOf(text, at), cell });
    }
  }
  return found;
}
