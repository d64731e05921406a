/** Cells: which numbers are dates, and which dates they are. */

import { assertEquals } from "@std/assert";
import { isDateFormat, serialText } from "../../../db/intake/sheet_cells.ts";

Deno.test("serialText, both date systems", async (t) => {
  const cases: [
    serial: number,
    date_1904: boolean,
    text: string | undefined,
  ][] = [
    [1, false, "1900-01-01 00:00:00"],
    [59, false, "1900-02-28 00:00:00"],
    [60, false, "1900-02-29 00:00:00"],
    [61, false, "1900-03-01 00:00:00"],
    [36_585, false, "2000-02-29 00:00:00"],
    [43_742.375, false, "2019-10-04 09:00:00"],
    [43_742.3798611111, false, "2019-10-04 09:07:00"],
    [43_745.9999884259, false, "2019-10-07 23:59:59"],
    [43_745.999999999, false, "2019-10-08 00:00:00"],
    [43_742.5000057870, false, "2019-10-04 12:00:00.500"],
    [65_380, false, "2078-12-31 00:00:00"],
    [2_958_465, false, "9999-12-31 00:00:00"],
    [0, false, "1899-12-31 00:00:00"],
    [0.375, false, "1899-12-31 09:00:00"],
    [-1, false, undefined],
    [2_958_466, false, undefined],
    [NaN, false, undefined],
    [0, true, "1904-01-01 00:00:00"],
    [60, true, "1904-03-01 00:00:00"],
    [42_280.3798611111, true, "2019-10-04 09:07:00"],
  ];
  for (const [serial, date_1904, text] of cases) {
    await t.step(`${serial}${date_1904 ? ", from 1904" : ""}`, () => {
      assertEquals(serialText(serial, date_1904), text);
    });
  }
});

Deno.test("serialText, every day of 180 years: as the calendar has it", () => {
  for (let serial = 61; serial < 66_000; serial++) {
    const day = new Date(Date.UTC(1899, 11, 30 + serial)).toISOString();
    assertEquals(serialText(serial, false), `${day.slice(0, 10)} 00:00:00`);
  }
});

Deno.test("isDateFormat", async (t) => {
  const dates = [
    "dd/mm/yyyy",
    "dd/mm/yyyy\\ hh:mm",
    "[$-409]d-mmm-yy;@",
    "mmm\\ yyyy",
    "[h]:mm:ss",
    "[Red]yyyy",
    'd" of "mmmm',
    "YYYY-MM-DD",
    'yyyy"年"m"月"',
  ];
  const numbers = [
    "",
    "General",
    "GENERAL",
    "0",
    "0.00",
    "#,##0.00",
    "[Red]0.00",
    "0.00E+00",
    "[$€-407]#,##0.00",
    '0" days"',
    "0\\d",
    '"unclosed d',
    "[unclosed d",
    "_d0",
    "*s0",
    "@",
  ];
  for (const format of dates) {
    await t.step(
      `${format}: dates`,
      () => assertEquals(isDateFormat(format), true),
    );
  }
  for (const format of numbers) {
    await t.step(
      `${format}: numbers`,
      () => assertEquals(isDateFormat(format), false),
    );
  }
});
