/** The log: readable on a terminal, elsewhere one harmless JSON object per line. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  fault,
  type LogEntry,
  type RequestRecord,
} from "../../db/model/log.ts";
import { jsonLine, requestLine, terminalText } from "../../operator/log.ts";

const TIME = new Date("2024-05-01T10:00:02.345Z");
const ENTRY: LogEntry = {
  level: "warning",
  event: "something_odd",
  text: "Something is odd",
  account: ["in two", "lines"],
  rows: 3,
  none: undefined,
  names: ["a", "b"],
};

const RECORD: RequestRecord = {
  time_ms: TIME.getTime(),
  id: "9c546c24-7b39",
  method: "GET",
  route: "/api/v1/interactions/:customer_id",
  status: 200,
  ms: 0.123,
  bytes: 97,
  key_id: null,
  data_version: "05a5515546cba763",
};

Deno.test("elsewhere an entry is one JSON object without the account", () => {
  assertEquals(
    jsonLine(ENTRY, TIME),
    '{"time":"2024-05-01T10:00:02.345Z","level":"warning","event":"something_odd","text":"Something is odd","rows":3,"names":["a","b"]}',
  );
});

Deno.test("on a terminal it has the local time, and further lines are indented", () => {
  const [first, ...further] = terminalText(ENTRY, TIME).split("\n");
  assertMatch(
    first,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:02 warning: Something is odd$/,
  );
  assertEquals(further, ["  in two", "  lines"]);
  assertMatch(
    terminalText({ ...ENTRY, level: "info" }, TIME),
    /:02 Something is odd\n/,
  );
});

Deno.test("a fault of the program has its stack, in both forms", () => {
  const entry = fault(new TypeError("x is not a function"), {
    event: "request_fault",
    text: "Request 7 failed",
    id: "7",
  });
  const { text, stack, id } = JSON.parse(jsonLine(entry, TIME));
  assertEquals(text, "Request 7 failed: x is not a function");
  assertEquals(id, "7");
  assertMatch(stack, /^TypeError: x is not a function\n {4}at /);
  assertMatch(
    terminalText(entry, TIME),
    /failed: x .+\n {2}TypeError: .+\n .+at /,
  );
  assertEquals(
    fault("a text", { event: "odd", text: "It failed" }).text,
    "It failed: a text",
  );
});

Deno.test("whatever data has in it, a line stays one, and no terminal obeys it", () => {
  const hostile = [
    "\x1b[2J\x9b2J\x07\x7f\r",
    "a\n2024-05-01 10:00:02 Listening on http://evil.example",
    '\u2028{"level":"error"}\u2029',
    "\ud800 alone",
  ];
  for (const text of hostile) {
    const entry: LogEntry = {
      ...ENTRY,
      text,
      account: [text],
      reasons: [text],
      stack: text,
    };
    const line = jsonLine(entry, TIME);
    assert(!/[\p{Cc}\u2028\u2029]/u.test(line), line);
    assertEquals(JSON.parse(line).text, text);
    const shown = terminalText(entry, TIME);
    assert(!/(?!\n)\p{Cc}/u.test(shown), shown);
    const [, ...further] = shown.split("\n");
    assert(further.every((one) => one.startsWith("  ")), shown);
  }
});

Deno.test("a line is never longer than container runtimes take", () => {
  for (const letter of ["a", "\x00", "ü", "漢", "😀", "\u2028", '"']) {
    for (const length of [100, 1_990, 3_000, 16_000, 1_000_000]) {
      const text = letter.repeat(length);
      const line = jsonLine({ ...ENTRY, text, reasons: [text] }, TIME);
      assert(new TextEncoder().encode(line).length < 16_384, letter);
      assertEquals(JSON.parse(line).event, "something_odd");
    }
  }
  const reasons = Array(1_000).fill("a reason of more than ten letters");
  const line = JSON.parse(jsonLine({ ...ENTRY, reasons }, TIME));
  assertEquals([line.text, line.cut], ["Something is odd", true]);
});

Deno.test("the line of a request is that of its entry, whatever is in it", () => {
  const records: RequestRecord[] = [
    RECORD,
    { ...RECORD, time_ms: 0, status: 404, key_id: "k-1", data_version: null },
    { ...RECORD, status: 503, customer_id: null },
    ...['a"b', "\\", "\n", "\u2028\x9b", "ü", "\ud800", "</script>"].map((
      odd,
    ) => ({
      ...RECORD,
      method: odd,
      id: odd,
      key_id: odd,
      customer_id: odd,
    })),
  ];
  for (const { time_ms, ...fields } of records) {
    const { method, route, status, ms, id } = fields;
    const level = status >= 500 ? "error" : status >= 400 ? "warning" : "info";
    const text = `${method} ${route} ${status} after ${ms} ms, request ${id}`;
    assertEquals(
      requestLine({ time_ms, ...fields }),
      jsonLine({ level, event: "request", text, ...fields }, new Date(time_ms)),
    );
  }
});

Deno.test("what cannot be written ends nothing", async () => {
  const { href } = new URL("../../operator/log.ts", import.meta.url);
  const program = `
    import { printEntry, printRequests } from ${JSON.stringify(href)};
    for (const level of ["info", "error"]) {
      printEntry({ level, event: "tried", text: "Tried" });
    }
    printRequests([${JSON.stringify(RECORD)}]);
    Deno.exit(7);`;
  const { code } = await new Deno.Command("sh", {
    args: [
      "-c",
      '"$0" eval --no-check "$1" >/dev/full 2>/dev/full',
      Deno.execPath(),
      program,
    ],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assertEquals(code, 7);
});
