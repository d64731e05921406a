/** The forms of times that a text fits, among them none that loading would not take. */

import { assertEquals } from "@std/assert";
import { mappingSchema } from "../../db/mapping/mapping_schema.ts";
import { isClock, needsZone, TIME_FORMS } from "../../db/suggest/time_forms.ts";

const formsOf = (text: string) =>
  TIME_FORMS.filter((form) => form.fits(text)).map(({ format }) => format);

Deno.test("a text fits the forms that it may be meant in", () => {
  const table: readonly [text: string, forms: string[]][] = [
    ["31/12/2024", ["DMY"]],
    ["12/31/2024 4:05 PM", ["MDY"]],
    ["01.02.2024, 10:00", ["DMY", "MDY"]],
    ["2024-12-31", ["iso", "YMD"]],
    ["2024-12-31T16:05:06.25Z", ["iso"]],
    ["2024/12/31 16:05", ["YMD"]],
    ["2024-02-30", []],
    ["2024-02-29 24:00:00", []],
    ["1735661106", ["epoch_s"]],
    ["1735661106250", ["epoch_ms"]],
    ["45657.75", ["excel"]],
    ["20241231", ["%Y%m%d"]],
    ["13/2/24 10:00", ["%d/%m/%y %H:%M"]],
    ["31-Dec-2024", ["%d-%b-%Y"]],
    ["Sep 17, 2024 05:15 AM", ["%b %d, %Y %I:%M %p"]],
    ["31 August 2024 11:00", ["%d %B %Y %H:%M"]],
    // Later ones show which it is.
    ["31 May 2024", ["%d %b %Y", "%d %B %Y"]],
    ["10:00", []],
    ["", []],
  ];
  for (const [text, forms] of table) assertEquals(formsOf(text), forms, text);
});

Deno.test("tally.toml takes every form that is tried", () => {
  for (const { format } of TIME_FORMS) {
    const parsed = mappingSchema.safeParse({
      interactions: {
        files: "a",
        customer: "b",
        channel: "c",
        time: { column: "d", format },
      },
    });
    assertEquals(parsed.success, true, format);
  }
});

Deno.test("a zone matters to a time of day without an offset", () => {
  assertEquals(
    ["2024-01-31", "2024-01-31 10:00", "2024-01-31T10:00Z", "10:00 -0400"]
      .map(needsZone),
    [false, true, false, false],
  );
  assertEquals(["10:00", "4:05 pm", "25:00", "2024"].map(isClock), [
    true,
    true,
    false,
    false,
  ]);
});
