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
    ["Bearer abcdefghijklmnop", "(not shown)"],
    [`${"AK"}IAIOSFODNN7EXAMPLE`, "(not shown)"],
    ["Asiakas", '"Asiakas"'],
    ["ASIA Pacific", '"ASIA Pacific"'],
    ["Aizawa", '"Aizawa"'],
    ["PK_10023", '"PK_10023"'],
    ["Basic yearly", '"Basic yearly"'],
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

Deno.test("of a telephone number, in any form, the beginning is shown", () => {
  const numbers = [
    "+49 30 1234567",
    "+493012345",
    "+1-555-010-9999 ext. 12",
    "whatsapp:+4917155512",
    "(030) 1234567",
    "030 1234567",
    "0 30 / 5551",
    "030/1234567",
    "030.1234567",
    "0171-5551234",
    "01715551234",
    "0049 171 5551234",
    "06 12 34 56 78",
    "555 010 9999",
    "555-010-9999",
    "555.010.9999",
    "1-800-555-0199",
    "49 171 5551234",
    "44 20 7946 0958",
    "anna;030 1234567",
    "+4930 12345 / +49171 55512",
    "030 1234567, 0171-5551234",
  ];
  for (const number of numbers) {
    assertEquals(
      shownValue(number, "To"),
      JSON.stringify(`${number.slice(0, 4)}…`),
    );
  }
  for (const header of ["Phone", "mobile_phone", "Tel.", "Telefonnummer"]) {
    assertEquals(shownValue("4930123456", header), '"4930…"');
    assertEquals(shownValue("555-0109", header), '"555-…"');
  }
});

Deno.test("ids, dates and amounts are no telephone numbers", () => {
  const others = [
    "4930123456",
    "100000042",
    "000000012345",
    "0012345",
    "2024-00123",
    "12-345678",
    "2024-01-31",
    "2024-01-31 1000",
    "31.12.2024",
    "01/02/2025",
    "01-2024",
    "20240131",
    "1735689600",
    "0.1234567",
    "12.345678",
    "1 234 567 890",
    "1,234,567",
    "1234567.89",
    "01:02:03",
  ];
  for (const other of others) {
    assertEquals(shownValue(other, "To"), JSON.stringify(other));
  }
  // The header alone says little.
  assertEquals(shownValue("12", "Phone calls"), '"12"');
  assertEquals(shownValue("2024-01-31", "Phone date"), '"2024-01-31"');
  assertEquals(shownValue("4930123456", "Hotel number"), '"4930123456"');
});
