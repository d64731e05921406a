/** Values as evidence shows them: what is a secret, a note or an address is hidden, and ids are not. */

import { assertEquals } from "@std/assert";
import { shownHeader, shownValue } from "../../db/suggest/shown_values.ts";

Deno.test("ids, names and dates are shown, and nothing that is private", () => {
  const table: readonly [value: string, shown: string][] = [
    ["C-00123", '"C-00123"'],
    ["361530901234", '"361530901234"'],
    [
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1",
      '"a1e2f8c0-0b5e-ec11-8c62-00224822e2a1"',
    ],
    ["0035g00000XyZabAAF", '"0035g00000XyZabAAF"'],
    ["zcrm_3652397000000190001", '"zcrm_3652397000000190001"'],
    ["2024-01-31 10:00", '"2024-01-31 10:00"'],
    ["ann@example.org", '"a…@example.org"'],
    ["+49 30 1234567", '"+49 …"'],
    ["(030) 1234567", '"(030…"'],
    [`${"gh"}p_abcdefghijklmnop`, "(not shown)"],
    ["Bearer abc", "(not shown)"],
    ["https://x.org/?token=abc", "(not shown)"],
    ["d41d8cd98f00b204e9800998ecf8427e", "(not shown)"],
    ["one two three four five six seven", "(a text of 33 characters)"],
    ["\x1b[2Jx", '"\ufffd[2Jx"'],
  ];
  for (const [value, shown] of table) {
    assertEquals(shownValue(value, "Column"), shown);
  }
  assertEquals(shownValue("x", "API key"), "(not shown)");
  assertEquals(shownHeader("n".repeat(100)).length, 62);
});
