/** The cleaning rules, a table a rule: what is kept of a cell, and why it is set aside. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { csv } from "../../support/data_folder.ts";
import {
  dateOfDay,
  interactionsOf,
  loadFolder,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  type OpenedStore,
  type Settings,
} from "../../support/load_folder.ts";

const HEADER = ["Date Start", "Interaction", "Customers"];
const DIRTY = { MAX_SET_ASIDE: "1" };

/** The rows set aside of a file, as `line column reason` by line. */
function setAsideOf({ report }: OpenedStore, file: string): string[] {
  return report.set_aside_listed
    .filter((row) => row.file === file)
    .map(({ line, column, reason }) => `${line} ${column}: ${reason}`);
}

/** A cell, and the date it stands for or the reason why it is set aside. */
type TimeCase = [cell: string, date_or_reason: string];

const NO_VALUE = "no value";
const NO_SUCH = "no such day or time";
const OUTSIDE = "outside 1900-01-01 to 2078-12-31";
const NOT_TIME =
  "not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59";
const ERROR = "a formula whose result is an error";
const NO_SUCH_MONTH = "no such month";
const AMBIGUOUS_MONTH =
  "ambiguous: a month and its year, or the number of a day; write it as 2019-12";
const TWO_DIGITS = "a year of two digits; write all four";
const OTHER_ORDER =
  "fits only the other order of day and month; see DATE_ORDER";

/** The line in which the row of a case begins, below a header and the cells before it. */
function lineOf(
  cases: readonly (readonly [cell: string, ...rest: unknown[]])[],
  i: number,
): number {
  const above = cases.slice(0, i).map(([cell]) => cell).join("|");
  return 2 + i + (above.match(/\r\n|\r|\n/g)?.length ?? 0);
}

/** Loads the cells as times, each of a customer of its own: 1, 2, … */
async function checkTimes(
  cases: readonly TimeCase[],
  settings: Settings,
): Promise<void> {
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": csv(
      HEADER,
      ...cases.map(([cell], i) => [cell, "Email", String(i + 1)]),
    ),
  }, { ...DIRTY, ...settings });
  const { snapshot, report } = loaded;

  const set_aside = new Map(
    report.set_aside_listed.map((one) => [one.line, one]),
  );
  const wrong: { cell: string; wanted: string; got: string }[] = [];
  for (const [i, [cell, wanted]] of cases.entries()) {
    const row = set_aside.get(lineOf(cases, i));
    const kept = await interactionsOf(snapshot, i + 1);
    if (row) {
      assertEquals([row.column, row.value], ["date_start", cell]);
      assertEquals(kept, null, cell);
    }
    const got = row?.reason ?? String(kept).replace(" Email", "");
    if (got !== wanted) wrong.push({ cell, wanted, got });
  }
  assertEquals(wrong, []);
}

Deno.test("times, DATE_ORDER=DMY and TIME_ZONE=UTC", async () => {
  const day = "2019-10-04";
  await checkTimes([
    ["04/10/2019", day],
    ["4/10/2019", day],
    ["4/1/2019", "2019-01-04"],
    ["04/1/2019", "2019-01-04"],
    ["04/10/2019 09:00", day],
    ["4/10/2019 9:00", day],
    ["04/10/2019 9:05:59", day],
    ["04/10/2019 00:00", day],
    ["04/10/2019 0:00:00", day],
    ["04/10/2019 23:59:59", day],
    ["2019-10-04", day],
    ["2019-10-04 09:00", day],
    ["2019-10-04T09:00", day],
    ["2019-10-04T09:00:00", day],
    ["2019-10-04 23:59:59.5", day],
    ["2019-10-04T23:59:59.999999", day],
    ["2019-10-04T23:59:59.9999999999", day],
    ["2019-10-04T23:59:59.9999999999Z", day],
    // With a zone: converted.
    ["2019-10-04T09:00Z", day],
    ["2019-10-04 09:00:00.123Z", day],
    ["2019-10-04T00:30+02:00", "2019-10-03"],
    ["2019-10-04T00:30:00+0200", "2019-10-03"],
    ["2019-10-04 00:30+02", "2019-10-03"],
    ["2019-10-04T02:00+02:00", day],
    ["2019-10-04T01:59:59.999+02:00", "2019-10-03"],
    ["2019-10-04T23:30-00:30", "2019-10-05"],
    ["2019-10-04T23:30-05", "2019-10-05"],
    ["2019-12-31T23:30-00:45", "2020-01-01"],
    ["2020-02-29T12:00+14:00", "2020-02-28"],
    ["2019-10-04T09:00+00:00", day],
    // UTC, or a space before the offset.
    ["2019-10-04 09:00:00 UTC", day],
    ["2019-10-04 09:00:00.123456 UTC", day],
    ["2019-10-04T09:00UTC", day],
    ["2019-10-04 00:30 +0200", "2019-10-03"],
    ["2019-10-04 00:30:00 +02:00", "2019-10-03"],
    ["2019-10-04T23:30:00 -05", "2019-10-05"],
    ["04/10/2019 09:00Z", day],
    ["04/10/2019 09:00 UTC", day],
    ["04/10/2019 00:30 +0200", "2019-10-03"],
    ["04/10/2019 23:30:00-05:00", "2019-10-05"],
    ["2019-10-04 09:00 Z", day],
    ["2019-10-04T09:00:00.5 Z", day],
    ["2019/10/04 09:00 Z", day],
    ["04/10/2019 09:00 Z", day],
    ["04.10.2019 09:00:00 Z", day],
    ["2019-10-04 24:00 UTC", NO_SUCH],
    ["2019-10-04 24:00 Z", NO_SUCH],
    ["29/02/2019 09:00 Z", NO_SUCH],
    ["2019-10-04 Z", NOT_TIME],
    ["04/10/2019 09:00 z", NOT_TIME],
    ["04/10/2019 09:00 +24:00", NO_SUCH],
    ["04/10/2019 UTC", NOT_TIME],
    ["2019-10-04 09:00 GMT", NOT_TIME],
    // The year first.
    ["2019/10/04", day],
    ["2019/10/4", day],
    ["2019/1/4 9:05", "2019-01-04"],
    ["2019/10/04 23:59:59", day],
    ["2019/10/04 00:30 +0200", "2019-10-03"],
    ["2019/13/04", NO_SUCH],
    ["2019/02/29", NO_SUCH],
    ["2079/01/01", OUTSIDE],
    ["201/10/04", NOT_TIME],
    // Points: the day is always first.
    ["04.10.2019", day],
    ["4.1.2019", "2019-01-04"],
    ["04.10.2019 09:00", day],
    ["04.10.2019 9:05:59", day],
    ["31.12.2019", "2019-12-31"],
    ["10.25.2019", NO_SUCH],
    ["29.02.2019", NO_SUCH],
    ["04.10.19", TWO_DIGITS],
    ["04.10.", NOT_TIME],
    // AM and PM.
    ["04/10/2019 09:00 PM", day],
    ["04/10/2019 9:00:00 am", day],
    ["4/10/2019 12:30AM", day],
    ["2019-10-04 11:59:59 PM", day],
    ["2019-10-04 9:05 pm", day],
    ["04.10.2019 9:05 PM", day],
    ["2019-10-04 11:30 PM +0200", day],
    ["2019-10-04 12:30 AM +0200", "2019-10-03"],
    ["04/10/2019 10:11 PM Z", day],
    ["2019-10-04 1:11 PM Z", day],
    ["2019-10-04 1:11 PMZ", day],
    ["2019-10-04 1:11:12 PM UTC", day],
    ["2019-10-04 1:11PMUTC", day],
    ["2019-10-04 12:30 AM+02:00", "2019-10-03"],
    ["2019-10-04 13:11 PM Z", NO_SUCH],
    ["04/10/2019 13:00 PM", NO_SUCH],
    ["04/10/2019 00:30 AM", NO_SUCH],
    ["04/10/2019 9 PM", NOT_TIME],
    ["04/10/2019 PM", NOT_TIME],
    // The number of a day, as spreadsheets count.
    ["43742", day],
    ["43742.375", day],
    ["43742.999988425926", day],
    ["10000", "1927-05-18"],
    ["65380", "2078-12-31"],
    ["65381", OUTSIDE],
    ["69999", OUTSIDE],
    ["9999", NOT_TIME],
    ["70000", NOT_TIME],
    ["-43742", NOT_TIME],
    ["43742,5", NOT_TIME],
    // White space.
    [" 04/10/2019 09:00", day],
    ["04/10/2019 09:00 ", day],
    ["\t04/10/2019\t09:00\t", day],
    ["\u00a004/10/2019\u00a009:00\u00a0", day],
    ["04/10/2019  09:00", day],
    ["04/10/2019 \u00a0\t 9:00", day],
    ["04/10/2019\n09:00\r\n", day],
    ["\u300004/10/2019\u2003", day],
    ["\ufeff04/10/2019", day],
    ["2019-10-04   09:00:00", day],
    [" 4/10/2019", day],
    ["04/10/2019  9:00", day],
    ["04/10/2019 10:3\t", NOT_TIME],
    ["04/10/2019 10:30:3\t", NOT_TIME],
    ["04/10/201\t", NOT_TIME],
    ["2019-10-4\t", NOT_TIME],
    ["2019-10-4 ", NOT_TIME],
    ["2019-10-04 10:30:3\t", NOT_TIME],
    ["2019-10-04  9:30:00", NOT_TIME],
    ["2019-10-04 \t9:30:00", NOT_TIME],
    ["2019-10-04T 9:30:00", NOT_TIME],
    ["04/ 1/2019", NOT_TIME],
    [" 4/ 1/2019", NOT_TIME],
    ["04 /1/2019", NOT_TIME],
    ["04/10/201  10:30", NOT_TIME],
    ["04/10/201\t 10:30:00", NOT_TIME],
    ["2019-10-4  10:30:00", NOT_TIME],
    ["201 -10-04 10:30:00", NOT_TIME],
    ["04/10/2019 10: 3", NOT_TIME],
    ["2019- 1-04", NOT_TIME],
    ["2019-10 -4", NOT_TIME],
    // Real days.
    ["29/02/2020", "2020-02-29"],
    ["29/02/2000 12:00", "2000-02-29"],
    ["2024-02-29T12:00", "2024-02-29"],
    ["31/01/2020", "2020-01-31"],
    ["29/02/2019", NO_SUCH],
    ["29/02/1900", NO_SUCH],
    ["30/02/2020", NO_SUCH],
    ["31/04/2020 10:00", NO_SUCH],
    ["32/01/2020", NO_SUCH],
    ["00/01/2020", NO_SUCH],
    ["01/00/2020", NO_SUCH],
    ["13/13/2020", NO_SUCH],
    ["2019-02-29", NO_SUCH],
    ["2020-13-01", NO_SUCH],
    ["2020-00-10", NO_SUCH],
    ["2020-01-00", NO_SUCH],
    ["2020-01-32T10:00Z", NO_SUCH],
    // Times of a day.
    ["04/10/2019 24:00", NO_SUCH],
    ["04/10/2019 25:00", NO_SUCH],
    ["04/10/2019 09:60", NO_SUCH],
    ["04/10/2019 09:00:60", NO_SUCH],
    ["04/10/2019 9:5", NOT_TIME],
    ["04/10/2019 9:05:5", NOT_TIME],
    ["04/10/2019 9", NOT_TIME],
    ["04/10/2019 009:00", NOT_TIME],
    ["04/10/2019 :", NOT_TIME],
    ["2019-10-04T24:00", NO_SUCH],
    ["2019-10-04T24:00:00Z", NO_SUCH],
    ["2019-10-04T23:60", NO_SUCH],
    ["2019-10-04T23:59:60", NO_SUCH],
    ["2019-10-04T23:59:60Z", NO_SUCH],
    ["2019-10-04T9:00", NOT_TIME],
    ["2019-10-04T09", NOT_TIME],
    ["2019-10-04T09:00:00.", NOT_TIME],
    ["2019-10-04T09:00+24:00", NO_SUCH],
    ["2019-10-04T09:00+02:60", NO_SUCH],
    ["2019-10-04T09:00+2", NOT_TIME],
    ["2019-10-04T09:00z", NOT_TIME],
    ["2019-10-04t09:00", NOT_TIME],
    ["2019-10-04Z", NOT_TIME],
    ["2019-10-04+02", NOT_TIME],
    ["04/10/2019T09:00", NOT_TIME],
    ["04/10/2019 09:00:00.5", NOT_TIME],
    // The calendar's ends.
    ["01/01/1900", "1900-01-01"],
    ["1900-01-01T00:00:00Z", "1900-01-01"],
    ["31/12/2078 23:59:59", "2078-12-31"],
    ["2078-12-31T23:59:59.999999", "2078-12-31"],
    ["31/12/1899 23:59:59", OUTSIDE],
    ["1899-12-31", OUTSIDE],
    ["01/01/2079", OUTSIDE],
    ["2079-01-01 00:00:00", OUTSIDE],
    ["1900-01-01T00:30+01:00", OUTSIDE],
    ["2078-12-31T23:30-01:00", OUTSIDE],
    ["04/10/0019", OUTSIDE],
    ["0001-01-01", OUTSIDE],
    ["9999-12-31", OUTSIDE],
    // The other order.
    ["10/25/2019", OTHER_ORDER],
    ["10/25/2019 09:00", OTHER_ORDER],
    ["2/29/2020 9:00:00", OTHER_ORDER],
    // No value.
    ["", NO_VALUE],
    [" ", NO_VALUE],
    ["\u00a0", NO_VALUE],
    ["NULL", NO_VALUE],
    ["n/a", NO_VALUE],
    ["-", NO_VALUE],
    ["NaT", NOT_TIME],
    ["\\N", NO_VALUE],
    ["#N/A", ERROR],
    [" #VALUE! ", ERROR],
    // Other ways to write a time.
    ["19", NOT_TIME],
    ["2019", NOT_TIME],
    ["04/10/19", TWO_DIGITS],
    ["04/10/19 09:00", TWO_DIGITS],
    ["04/10/19   09:00", TWO_DIGITS],
    ["04/10/ 019 09:00", NOT_TIME],
    ["04/10/02019", NOT_TIME],
    ["004/10/2019", NOT_TIME],
    ["2019-10", NOT_TIME],
    ["2019-1-4", NOT_TIME],
    ["20191004", NOT_TIME],
    ["02019-10-04", NOT_TIME],
    ["04-10-2019", NOT_TIME],
    ["4 Oct 2019", NOT_TIME],
    ["2019-W40-5", NOT_TIME],
    ["1570179600", NOT_TIME],
    ["09:00", NOT_TIME],
    ["infinity", NOT_TIME],
    ["-infinity", NOT_TIME],
    ["epoch", NOT_TIME],
    ["now", NOT_TIME],
    ["today", NOT_TIME],
    ["-2019-10-04", NOT_TIME],
    ["+2019-10-04", NOT_TIME],
    ["0044-03-15 (BC)", NOT_TIME],
    ["2019-10-04 (BC)", NOT_TIME],
    ["2019-10-04 09:00:00 BC", NOT_TIME],
    ["2019-10-04T09:00+02:00[Europe/Zurich]", NOT_TIME],
    ["2019-10-04 09:00 Europe/Zurich", NOT_TIME],
    ["０４/１０/２０１９", NOT_TIME],
    ["٠٤/١٠/٢٠١٩", NOT_TIME],
    ["__/__/____", NOT_TIME],
    ["%d/%m/%Y", NOT_TIME],
    ["04/10/2019'); drop table interactions; --", NOT_TIME],
    ["04/10/2019\0", NOT_TIME],
    ["9".repeat(150), NOT_TIME],
  ], { TIME_ZONE: "UTC" });
});

Deno.test("times, DATE_ORDER=MDY and TIME_ZONE=Europe/Zurich", async () => {
  await checkTimes([
    ["04/10/2019", "2019-04-10"],
    ["4/10/2019 9:00", "2019-04-10"],
    ["10/25/2019 09:00", "2019-10-25"],
    ["02/29/2020", "2020-02-29"],
    ["25/10/2019 09:00", OTHER_ORDER],
    ["25/10/2019 9:00 PM", OTHER_ORDER],
    ["29/2/2020", OTHER_ORDER],
    ["10/25/2019 9:00 PM", "2019-10-25"],
    ["25.10.2019", "2019-10-25"],
    ["04.10.2019", "2019-10-04"],
    ["04/10/2019 23:30 UTC", "2019-04-11"],
    ["04/10/2019 11:30 PM Z", "2019-04-11"],
    ["2019-04-10 11:30 PM Z", "2019-04-11"],
    ["2019-04-10T23:30 Z", "2019-04-11"],
    ["13/13/2020", NO_SUCH],
    // ISO is what it is.
    ["2019-04-10", "2019-04-10"],
    ["2019-04-10T23:30:00", "2019-04-10"],
    // Winter: one hour, summer: two.
    ["2019-01-31T22:30Z", "2019-01-31"],
    ["2019-01-31T23:00Z", "2019-02-01"],
    ["2019-07-31T21:59:59Z", "2019-07-31"],
    ["2019-07-31T22:00Z", "2019-08-01"],
    ["2019-07-31T18:00-05:00", "2019-08-01"],
    ["2019-07-31T23:30+02:00", "2019-07-31"],
    // The changes of 2019: 31 March and 27 October, 01:00 UTC.
    ["2019-03-30T22:59Z", "2019-03-30"],
    ["2019-03-30T23:00Z", "2019-03-31"],
    ["2019-03-31T21:59Z", "2019-03-31"],
    ["2019-03-31T22:00Z", "2019-04-01"],
    ["2019-10-26T21:59Z", "2019-10-26"],
    ["2019-10-26T22:00Z", "2019-10-27"],
    ["2019-10-27T22:59Z", "2019-10-27"],
    ["2019-10-27T23:00Z", "2019-10-28"],
    // An hour that the change leaves out, without a zone: as it is written.
    ["03/31/2019 02:30", "2019-03-31"],
    ["2078-12-31T22:59:59Z", "2078-12-31"],
    ["2078-12-31T23:00Z", OUTSIDE],
  ], { DATE_ORDER: "MDY", TIME_ZONE: "Europe/Zurich" });
});

Deno.test("times, one moment written in many ways: duplicates of each other", async () => {
  const spellings = [
    "05/03/2020 09:05",
    "5/3/2020 9:05",
    "5/3/2020 09:05:00",
    " 05/03/2020\u00a09:05 ",
    "2020-03-05 09:05",
    "2020-03-05T09:05",
    "2020-03-05T09:05:00",
    "2020-03-05T09:05:00.000",
    "2020-03-05T09:05:00.000000000",
    "2020-03-05T09:05Z",
    "2020-03-05T10:05+01:00",
    "2020-03-05 10:05:00+0100",
    "2020-03-04 23:05:00.0-10",
  ];
  const others = [
    "05/03/2020",
    "05/03/2020 09:50",
    "05/03/2020 21:05",
    "05/03/2020 09:05:01",
    "2020-03-05T09:05:00.001",
    "2020-03-05T09:05:00.000001",
    "2020-03-05T09:05:00+01",
  ];
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": csv(
      HEADER,
      ...[...spellings, ...others].map((cell) => [cell, "Email", "1"]),
    ),
  });
  assertEquals(loaded.report.interactions, 20);
  assertEquals(loaded.report.duplicate_interactions, 12);
});

Deno.test("times, thousands of misspelt ones: kept exactly where the rules say, on that day", async (t) => {
  const seeds = fc.constantFrom(
    "04/10/2019 09:00",
    "4/3/2020 9:05",
    "29/02/2020",
    "02/29/2020",
    "31/12/2078 23:59:59",
    "01/01/1900 00:00",
    "4.3.2020 09:05",
    "2019/10/04 9:05",
    "2019-10-04 09:00:00 UTC",
    "04/10/2019 11:30 PM",
    "04/10/2019 00:30 +0200",
    "2019-10-04 12:30:00 am",
    "43742.25",
    "2019-10-04",
    "2020-02-29T12:30:45",
    "2019-12-31 23:59:59",
    "2019-10-04T09:00:00.25Z",
    "2019-10-04 00:30+02:00",
    "2020-03-01T00:15:00-0130",
  );
  const chars = fc.constantFrom(..."0123456789/-: TZ+.\t\u00a0,x");
  const edits = fc.array(
    fc.record({
      at: fc.nat(24),
      remove: fc.integer({ min: 0, max: 2 }),
      insert: fc.oneof(fc.constant(""), chars),
    }),
    { maxLength: 3 },
  );
  const cells = fc.tuple(seeds, edits).map(([seed, edits]) =>
    edits.reduce<string>(
      (text, { at, remove, insert }) =>
        text.slice(0, at) + insert + text.slice(at + remove),
      seed,
    )
  );
  for (const date_order of ["DMY", "MDY"] as const) {
    await t.step(date_order, async () => {
      const sample = fc.sample(cells, 4000);
      await using loaded = await loadFolder({
        "customers.csv": NO_CUSTOMERS,
        "interactions.csv": csv(
          HEADER,
          ...sample.map((cell, i) => [cell, "Email", String(i + 1)]),
        ),
      }, { ...DIRTY, DATE_ORDER: date_order });

      const wrong: { cell: string; wanted: string | null; got: string }[] = [];
      let kept = 0;
      for (const [i, cell] of sample.entries()) {
        const wanted = dayByTheRules(cell, date_order);
        if (wanted) kept++;
        const got = await interactionsOf(loaded.snapshot, i + 1);
        if (String(got) !== (wanted ? `${wanted} Email` : "null")) {
          wrong.push({ cell, wanted, got: String(got) });
        }
      }
      assertEquals(wrong.slice(0, 20), []);
      // The sample is a fair one.
      assertEquals(kept > 500 && kept < 3500, true, `${kept} of 4000 kept`);
    });
  }
});

/** The day in UTC that a cell stands for, after the rules of the file contract; null when none. */
function dayByTheRules(cell: string, order: "DMY" | "MDY"): string | null {
  const text = cell.normalize("NFC").replace(/[\s\x85]+/g, " ").trim();
  if (/^[1-6]\d{4}(\.\d{1,12})?$/.test(text)) {
    const moment = new Date(Math.round((Number(text) - 25_569) * 86_400_000));
    const date = moment.toISOString().slice(0, 10);
    return date <= "2078-12-31" ? date : null;
  }
  const zone = "(?: ?(Z|UTC|[+-]\\d\\d(?::?\\d\\d)?))?";
  const free = new RegExp(
    "^(?:(\\d{1,2})([/.])(\\d{1,2})\\2(\\d{4})|(\\d{4})/(\\d{1,2})/(\\d{1,2}))" +
      `(?: (\\d{1,2}):(\\d\\d)(?::(\\d\\d))?(?: ?([ap]m))?${zone})?$`,
    "i",
  ).exec(text);
  const iso = new RegExp(
    "^(\\d{4})-(\\d\\d)-(\\d\\d)" +
      `(?:[ T](\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.\\d+)?)?${zone})?$`,
  ).exec(text);
  const iso_half = new RegExp(
    "^(\\d{4})-(\\d\\d)-(\\d\\d)" +
      ` (\\d{1,2}):(\\d\\d)(?::(\\d\\d))? ?([ap]m)${zone}$`,
    "i",
  ).exec(text);
  if (free && /utc|z/.test(text)) return null;
  if (iso_half && /utc|z/.test(text)) return null;
  const parts = free
    ? {
      date: free[5]
        ? [free[5], free[6], free[7]]
        : free[2] === "." || order === "DMY"
        ? [free[4], free[3], free[1]]
        : [free[4], free[1], free[3]],
      time: free.slice(8, 11),
      half: free[11],
      zone: free[12],
    }
    : iso
    ? { date: iso.slice(1, 4), time: iso.slice(4, 7), zone: iso[7] }
    : iso_half
    ? {
      date: iso_half.slice(1, 4),
      time: iso_half.slice(4, 7),
      half: iso_half[7],
      zone: iso_half[8],
    }
    : null;
  if (!parts) return null;
  const [year, month, day] = parts.date.map(Number);
  const [written_hour, minute, second] = parts.time
    .map((digits) => Number(digits ?? 0));
  if (parts.half && (written_hour < 1 || written_hour > 12)) return null;
  const hour = parts.half
    ? written_hour % 12 + (/p/i.test(parts.half) ? 12 : 0)
    : written_hour;
  const [, sign, hours, minutes] =
    /^([+-])(\d\d):?(\d\d)?$/.exec(parts.zone ?? "") ?? [];
  const [offset_hours, offset_minutes] = [
    Number(hours ?? 0),
    Number(minutes ?? 0),
  ];

  if (hour > 23 || minute > 59 || second > 59) return null;
  if (offset_hours > 23 || offset_minutes > 59) return null;
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  if (moment.getUTCMonth() !== month - 1 || moment.getUTCDate() !== day) {
    return null;
  }
  const offset = (offset_hours * 60 + offset_minutes) * (sign === "-" ? -1 : 1);
  moment.setUTCHours(hour, minute - offset, second);
  const date = moment.toISOString().slice(0, 10);
  return date >= "1900-01-01" && date <= "2078-12-31" &&
      moment.getUTCFullYear() < 2079
    ? date
    : null;
}

Deno.test("months", async () => {
  const not_month = "not a month in a known form, such as 2019-12 or 12-2019";
  const cases: [cell: string, month_or_reason: string][] = [
    ["01-2019", "2019-01"],
    ["1-2019", "2019-01"],
    ["2019-01", "2019-01"],
    ["1/2019", "2019-01"],
    ["01/2019", "2019-01"],
    ["15/01/2019", "2019-01"],
    ["15/1/2019 10:00", "2019-01"],
    ["2019-01-31", "2019-01"],
    ["2019-01-31T23:59:59", "2019-01"],
    ["2019-02-01T00:30+01:00", "2019-01"],
    [" 01-2019\u00a0", "2019-01"],
    ["12-2019", "2019-12"],
    ["1-1900", "1900-01"],
    ["2078-12", "2078-12"],
    ["12/2078", "2078-12"],
    ["12-1899", OUTSIDE],
    ["1/2079", OUTSIDE],
    ["2079-01", OUTSIDE],
    ["01/01/2079", OUTSIDE],
    ["13-2019", NO_SUCH_MONTH],
    ["0-2019", NO_SUCH_MONTH],
    ["00/2019", NO_SUCH_MONTH],
    ["2019-13", NO_SUCH_MONTH],
    ["2019-00", NO_SUCH_MONTH],
    ["30/02/2019", NO_SUCH],
    ["01/31/2019", OTHER_ORDER],
    ["", NO_VALUE],
    ["None", NO_VALUE],
    ["2019-1", not_month],
    ["#REF!", ERROR],
    ["Jan-19", "2019-01"],
    ["jan-2019", "2019-01"],
    ["JAN-19", "2019-01"],
    ["Dec-19", "2019-12"],
    ["01.01.2019", "2019-01"],
    ["2019/1/31", "2019-01"],
    ["43466", "2019-01"],
    ["1/15/2019 1:00 PM", OTHER_ORDER],
    ["Jan-99", OUTSIDE],
    ["Oct-1899", OUTSIDE],
    ["Jen-19", not_month],
    ["Jan-019", not_month],
    ["Jan 19", not_month],
    ["1-Jan-19", TWO_DIGITS],
    ["12019", AMBIGUOUS_MONTH],
    ["2019/01", not_month],
    ["1.2019", not_month],
    ["1 - 2019", not_month],
    ["1-19", not_month],
    ["January 2019", not_month],
    ["001-2019", not_month],
    ["1-20199", not_month],
    ["201901", not_month],
    ["-1-2019", not_month],
    ["１-２０１９", not_month],
  ];
  const months = ["1900-01", "2019-01", "2019-12", "2078-12"];
  const isMonth = (text: string) => months.includes(text);
  const topicOf = (i: number) => `T${String(i).padStart(2, "0")}`;
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": csv(
      HEADER,
      ...months.map((month) => [`${month}-15`, "Email", "1"]),
    ),
    "products.csv": csv(
      ["Month", "Product"],
      ...cases.map(([cell], i) => [cell, topicOf(i)]),
    ),
  }, DIRTY);

  const expected = months.map((month) => {
    const topics = cases.flatMap(([, one], i) =>
      one === month ? [topicOf(i)] : []
    );
    return `${month}-15 Email: ${topics.join("+")}`;
  });
  assertEquals(await interactionsOf(loaded.snapshot, 1), expected);
  assertEquals(
    loaded.report.set_aside_listed.map(({ line, column, value, reason }) => [
      line,
      column,
      value,
      reason,
    ]),
    cases.flatMap(([cell, reason], i) =>
      isMonth(reason) ? [] : [[i + 2, "date", cell, reason]]
    ),
  );
  assertEquals(loaded.snapshot.row_counts.products, 22);
});

Deno.test("ids and lists of them", async () => {
  const not_id = "not a customer id from 1 to 9007199254740991";
  const ambiguous =
    "ambiguous: one number with grouped digits, or several ids; write ids without grouping, and separate several by ;";
  const zeros = "an id with leading zeros; ids are whole numbers, without them";
  const letters = "an id with letters; ids are whole numbers, such as 12";
  const nobody = "no customer";
  const empty = "a list of customers with an empty element";
  const many = Array.from({ length: 1000 }, (_, i) => 100_000 + i);
  const cases: [cell: string, ids_or_reason: number[] | string][] = [
    ["1", [1]],
    ["12", [12]],
    ["12.0", [12]],
    ["12.00", [12]],
    ["1234.000", [1234]],
    ["12.000", ambiguous],
    ["1.000", ambiguous],
    ["1.234", ambiguous],
    ["1.234.567", ambiguous],
    ["1.234,00", ambiguous],
    [" 12 ", [12]],
    ["\t12\u00a0", [12]],
    ["9007199254740991", [9007199254740991]],
    ["9007199254740991.0", [9007199254740991]],
    ["0", nobody],
    ["0.0", nobody],
    ["00", not_id],
    ["01", zeros],
    ["007", zeros],
    ["#N/A", ERROR],
    ["-4", not_id],
    ["+1", not_id],
    ["1e2", letters],
    ["1E2", letters],
    ["0x10", letters],
    ["0b1", letters],
    ["1_000", not_id],
    ["1'000", not_id],
    ["1 000", not_id],
    ["1.5", not_id],
    ["12.", not_id],
    [".5", not_id],
    ["12.01", not_id],
    ["9007199254740992", not_id],
    ["9999999999999999", not_id],
    ["10000000000000000", not_id],
    ["18446744073709551617", not_id],
    ["9".repeat(150), not_id],
    ["１２", [12]],
    ["٣", not_id],
    ["①", not_id],
    ["R2D2", letters],
    ["12a", letters],
    ["#12", not_id],
    ["'12", not_id],
    ["=12", not_id],
    ["NaN", nobody],
    ["Infinity", not_id],
    ["true", not_id],
    ["1-3", not_id],
    ["12\0", not_id],
    ["1); drop table interactions; --", not_id],
    ["", nobody],
    ["\u00a0", nobody],
    ["N/A", nobody],
    ["none", nobody],
    ["-", nobody],
    ["1;2", [1, 2]],
    ["1|2", [1, 2]],
    ["1,2", [1, 2]],
    ["1, 2, 8", [1, 2, 8]],
    [" 1 ; 2\u00a0;\t3 ", [1, 2, 3]],
    ["1;2|3", [1, 2, 3]],
    ["2;2;2", [2]],
    ["12.0;12;2", [2, 12]],
    ["12.0,13.0", [12, 13]],
    [many.join(";"), many],
    ["100, 200", [100, 200]],
    ["1 ,234", [1, 234]],
    ["12,1234", [12, 1234]],
    ["1234,567", [567, 1234]],
    ["1,23", [1, 23]],
    ["1,2,3", [1, 2, 3]],
    ["1,23,456", ambiguous],
    ["12,34,567", ambiguous],
    ["1.000;2", ambiguous],
    ["1;007", zeros],
    ["1;C-12", letters],
    ["1,234", ambiguous],
    ["12,345", ambiguous],
    ["123,456", ambiguous],
    [" 1,234 ", ambiguous],
    ["1,234,567", ambiguous],
    ["1,234.0", ambiguous],
    ["1,234;5", ambiguous],
    ["5|1,234", ambiguous],
    ["1,234,", empty],
    ["1;", empty],
    [";1", empty],
    ["1;;2", empty],
    ["1,000;;2", ambiguous],
    ["12\u20ac", not_id],
    ["\u04167", letters],
    ["1; ;2", empty],
    ["1,,2", empty],
    ["1,", empty],
    [";", empty],
    [",", empty],
    ["1|", empty],
    ["1;abc", not_id],
    ["1;N/A", not_id],
    ["1;-2", not_id],
    ["0;1", not_id],
    ["1;2,3", not_id],
    ["1 2;3", not_id],
    ["1;9007199254740992", not_id],
    ["1/2", not_id],
    ["1 and 2", not_id],
  ];
  const dateOfCase = (i: number) => dateOfDay(40_000 + i);
  // A customer record needs an id of its own, which no list is.
  const reasonOfId = (cell: string, reason: string) =>
    reason === nobody && !/^0/.test(cell) ? NO_VALUE : !/[;|]|,$/.test(cell) &&
        [ambiguous, zeros, letters, ERROR].includes(reason)
      ? reason
      : not_id;
  // The same cells as ids of customers, where a list is no id.
  const isKept = (i: number) =>
    Array.isArray(cases[i][1]) && !/[;|,]/.test(cases[i][0]);
  await using loaded = await loadFolder({
    "customers.csv": csv(["Customer_Id"], ...cases.map(([cell]) => [cell])),
    "interactions.csv": csv(
      HEADER,
      ...cases.map(([cell], i) => [dateOfCase(i), "Email", cell]),
    ),
  }, DIRTY);

  // The kept interactions, from the expected ones' customers.
  const days = new Map<number, string[]>();
  for (const [i, [, ids]] of cases.entries()) {
    if (typeof ids === "string") continue;
    for (const id of ids) {
      days.set(id, [...days.get(id) ?? [], `${dateOfCase(i)} Email`]);
    }
  }
  for (const [id, expected] of days) {
    assertEquals(await interactionsOf(loaded.snapshot, id), expected, `${id}`);
  }
  assertEquals(loaded.report.customers, days.size);
  assertEquals(
    loaded.report.set_aside_listed
      .filter(({ file }) => file === "interactions.csv")
      .map(({ line, column, value, reason }) => [line, column, value, reason]),
    cases.flatMap(([cell, reason], i) =>
      typeof reason === "string" ? [[i + 2, "customers", cell, reason]] : []
    ),
  );
  assertEquals(
    loaded.report.set_aside_listed
      .filter(({ file }) => file === "customers.csv")
      .map(({ line, column, value, reason }) => [line, column, value, reason]),
    cases.flatMap(([cell, reason], i) =>
      isKept(i) ? [] : [[
        i + 2,
        "customer_id",
        cell.slice(0, 200),
        reasonOfId(cell, String(reason)),
      ]]
    ),
  );
  // 1, 12, 1234 and 9007199254740991.
  assertEquals(loaded.snapshot.row_counts.customers, 4);
});

Deno.test("text: NFC, trimmed, folded; words that stand for no value", async () => {
  const cases: [cell: string, channel: string | null][] = [
    ["Email", "Email"],
    [" Mail ", "Mail"],
    ["\u00a0\tText\r\n", "Text"],
    ["two  words", "two words"],
    ["three\u00a0\u00a0more\twords", "three more words"],
    ["four\nmore\u2003or\u3000less", "four more or less"],
    ["Cafe\u0301", "Café"],
    ["\u212b", "Å"],
    ["ﬁ", "ﬁ"],
    ["zero\u200bwidth", "zerowidth"],
    ["", null],
    [" ", null],
    ["\u00a0\u3000\ufeff", null],
    ["NULL", null],
    ["null", null],
    ["Null", null],
    ["N/A", null],
    ["n/a", null],
    ["NA", null],
    ["na", null],
    ["-", null],
    ["None", null],
    ["NONE", null],
    [" n/a\u00a0", null],
    ["\t-\n", null],
    ["nan", null],
    ["<NA>", null],
    ["<na>", null],
    ["(null)", null],
    ["[NULL]", null],
    ["\\N", null],
    ["(blank)", null],
    ["----", null],
    ["—", null],
    [" \u2212 ", null],
    // Close, but with a value.
    ["<NaN>", "<NaN>"],
    ["N", "N"],
    ["blank", "blank"],
    ["- -", "- -"],
    ["-1", "-1"],
    ["(n/a)", "(n/a)"],
    ["#", "#"],
    ["#N", "#N"],
    ["#1", "#1"],
    ["N / A", "N / A"],
    ["n.a.", "n.a."],
    ["nil", "nil"],
    ["NaN", null],
    ["--", null],
    ["–", null],
    ["nullable", "nullable"],
    ["N/A!", "N/A!"],
    ["0", "0"],
    ["false", "false"],
    ["undefined", null],
    ["nonе", "nonе"], // with a Cyrillic е
  ];
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": csv(
      HEADER,
      ...cases.map(([cell], i) => ["2020-01-01", cell, String(i + 1)]),
    ),
  }, DIRTY);
  const set_aside = setAsideOf(loaded, "interactions.csv");
  for (const [i, [cell, channel]] of cases.entries()) {
    const expected = channel === null ? null : [`2020-01-01 ${channel}`];
    assertEquals(await interactionsOf(loaded.snapshot, i + 1), expected, cell);
    assertEquals(
      set_aside.includes(`${lineOf(cases, i)} interaction: no value`),
      channel === null,
      cell,
    );
  }
  assertEquals(loaded.snapshot.channels.length, 27);
});

Deno.test("channels: one name each, declared or most frequent; in code-point order", async () => {
  const day = "2020-01-01";
  /** Interactions of customer `id`, one a spelling. */
  const used = (id: number, ...spellings: string[]) =>
    spellings.map((spelling) => [day, spelling, String(id)]);
  const set_aside = (...spellings: string[]) =>
    spellings.map((spelling) => ["never", spelling, "1"]);
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "channels.csv": csv(
      ["Channel", "Aliases"],
      ["E-Mail", "email; Mail ;;E\u00a0Mail;e-mail"],
      ["e-MAIL", "electronic mail"],
      ["Letter", "N/A"],
      ["Straße", "Road"],
      ["N/A", "x"],
    ),
    "interactions.csv": csv(
      HEADER,
      ...used(1, "E-MAIL", "e-mail", "Email", " mail", "e mail"),
      ...used(1, "ELECTRONIC  MAIL", "eMAIL", "eMAIL", "eMAIL"),
      // Undeclared: the most frequent spelling of the kept rows.
      ...used(2, "call", "Call", "Call", "CALL"),
      ...set_aside("CALL", "CALL", "CALL", "Ghost"),
      // A tie: by byte order.
      ...used(3, "fax", "FAX", "Fax"),
      ...used(3, "ébauche", "Ébauche"),
      // Spellings that differ in white space are one.
      ...used(4, "Home visit", "HOME VISIT", "Home\u00a0 visit"),
      // The final sigma is a sigma.
      ...used(5, "ΟΔΟΣ", "οδος", "οδοσ", "οδος"),
      ...used(6, "Cafe\u0301", "CAFÉ", "Café"),
      ...used(7, "road", "STRAßE", "straße"),
      // Names that break things.
      ...used(8, "10", "2", "customer_id", "__proto__", '"quoted"', "it's"),
      ...used(8, "🐦", "\uff5e", "constructor", "a;b"),
    ),
  }, DIRTY);
  const { snapshot } = loaded;
  assertEquals(snapshot.channels, [
    '"quoted"',
    "10",
    "2",
    "Café",
    "Call",
    "E-Mail",
    "FAX",
    "Home visit",
    "Letter",
    "Straße",
    "__proto__",
    "a;b",
    "constructor",
    "customer_id",
    "it's",
    "Ébauche",
    "οδος",
    "\uff5e",
    "🐦",
  ]);
  const counts = async (customer_id: number) =>
    Array.from((await snapshot.countByChannel({ customer_id }))!).join("");
  //                               " 1 2 C C E F H L S _ a c c i É ο ～🐦
  assertEquals(await counts(1), "0000090000000000000");
  assertEquals(await counts(2), "0000400000000000000");
  assertEquals(await counts(3), "0000003000000002000");
  assertEquals(await counts(4), "0000000300000000000");
  assertEquals(await counts(5), "0000000000000000400");
  assertEquals(await counts(6), "0003000000000000000");
  assertEquals(await counts(7), "0000000003000000000");
  assertEquals(await counts(8), "1110000000111110011");
  assertEquals(setAsideOf(loaded, "channels.csv"), ["6 channel: no value"]);
});

Deno.test("channels: also what a file does not begin with, in ever so many spellings", async () => {
  const day = "2020-01-01";
  const spaced = (spaces: number) => `e${" ".repeat(spaces)}mail`;
  const CALLS = 20_000;
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "products.csv": csv(["Month", "Product"], ["1-2020", "Sand"]),
    "interactions/1.csv": csv(
      [...HEADER, "Topic"],
      ...Array(CALLS).fill([day, "Call", "1", ""]),
      [day, "Fax", "1", ""],
      [day, " fax", "1;2", ""],
      [day, "Fax", "2", "Stone"],
      [day, "Call", "2", "Stone"],
      [day, "N/A", "2", "Stone"],
    ),
    "interactions/2.csv": csv(
      HEADER,
      [day, "Fax", "3"],
      [day, "call", "3"],
      ...Array.from({ length: 150 }, (_, i) => [day, spaced(i + 1), "3"]),
    ),
  }, DIRTY);
  const { snapshot } = loaded;
  assertEquals(snapshot.channels, ["Call", "Fax", "e mail"]);
  const counts = (customer_id: number, topic?: string) =>
    snapshot.countByChannel({
      customer_id,
      topics: topic === undefined ? undefined : [topic],
    });
  const asked = [counts(1), counts(2), counts(2, "Stone"), counts(3, "Sand")];
  assertEquals((await Promise.all(asked)).map((one) => Array.from(one!)), [
    [CALLS, 2, 0],
    [1, 2, 0],
    [1, 1, 0],
    [1, 1, 150],
  ]);
  assertEquals(setAsideOf(loaded, "interactions/1.csv"), [
    `${CALLS + 6} interaction: no value`,
  ]);
});

Deno.test("topics: the month's products, or the interaction's own", async () => {
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "products.csv": csv(
      ["Month", "Product"],
      ["1-2020", "Sand"],
      ["2-2020", "Sand"],
      ["2-2020", "Lemon"],
      ["2-2020", "LEMON"],
      ["3-2020", "lemon"],
      ["3-2020", "N/A"],
      ["5-2020", "lemon"],
      ["12-2020", "Sand"],
    ),
    "interactions.csv": csv(
      [...HEADER, "Topic"],
      ["31/12/2019 23:59:59", "Email", "1", ""],
      ["01/01/2020", "Email", "1", ""],
      ["31/01/2020 23:59:59", "Email", "1", "N/A"],
      ["01/02/2020", "Email", "1", "-"],
      ["29/02/2020 23:59", "Email", "1", ""],
      ["15/03/2020", "Email", "1", " ; "],
      ["15/04/2020", "Email", "1", ""],
      // Its own topics override the month's.
      ["01/01/2020", "Email", "2", "Lemon"],
      ["02/01/2020", "Email", "2", "lemon; SAND"],
      ["03/01/2020", "Email", "2", "Stone;stone; Stone ;N/A"],
      ["15/04/2020", "Email", "2", "lemon"],
      ["16/04/2020", "Email", "2", "a, b"],
      // The most frequent spelling, here with 5 rows to 4.
      ...Array(4).fill(["17/04/2020", "Email", "3", "LEMON"]),
    ),
  }, DIRTY);
  const { snapshot } = loaded;
  assertEquals(snapshot.topics, ["LEMON", "Sand", "Stone", "a, b"]);
  assertEquals(await interactionsOf(snapshot, 1), [
    "2019-12-31 Email",
    "2020-01-01 Email: Sand",
    "2020-01-31 Email: Sand",
    "2020-02-01 Email: LEMON+Sand",
    "2020-02-29 Email: LEMON+Sand",
    "2020-03-15 Email: LEMON",
    "2020-04-15 Email",
  ]);
  assertEquals(await interactionsOf(snapshot, 2), [
    "2020-01-01 Email: LEMON",
    "2020-01-02 Email: LEMON+Sand",
    "2020-01-03 Email: Stone",
    "2020-04-15 Email: LEMON",
    "2020-04-16 Email: a, b",
  ]);
  assertEquals(setAsideOf(loaded, "products.csv"), ["7 product: no value"]);
  assertEquals(snapshot.row_counts.products, 7);
});

Deno.test("topics, looking one up by its name", async (t) => {
  // Every letter whose upper case has several letters, and its neighbours.
  const special = Array.from({ length: 0xffff }, (_, i) => i + 1)
    .filter((point) => point < 0xd800 || point > 0xdfff)
    .map((point) => String.fromCodePoint(point))
    .filter((char) => char === char.normalize("NFC"))
    .filter((char) =>
      char.toUpperCase().length > 1 || char.toLowerCase().length > 1 ||
      /[ıſςσΣµμÅÅ]/.test(char)
    );
  const names = [
    "Strasse",
    "Straße",
    "Sand",
    "ΟΔΟΣ",
    "Two words",
    ...special.flatMap((char) => [`x${char}y`, `x${char.toUpperCase()}y`]),
  ].map((name) => name.normalize("NFC"));
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": NO_INTERACTIONS,
    "products.csv": csv(
      ["Month", "Product"],
      ...names.map((name) => ["1-2020", name]),
    ),
  });
  const { snapshot } = loaded;
  await t.step("each by its own spelling", () => {
    const wrong = snapshot.topics.filter((topic, code) =>
      snapshot.positionOf("topic", topic) !== code
    );
    assertEquals(wrong, []);
  });
  const cases: [name: string, topic: string | undefined][] = [
    ["Sand", "Sand"],
    ["sand", "Sand"],
    ["SAND", "Sand"],
    [" sand\u00a0", "Sand"],
    ["οδος", "ΟΔΟΣ"],
    ["οδοσ", "ΟΔΟΣ"],
    ["two  WORDS", "Two words"],
    ["Straße", "Straße"],
    ["Strasse", "Strasse"],
    ["STRASSE", "Strasse"],
    ["sandy", undefined],
    ["san", undefined],
    ["", undefined],
    ["null", undefined],
    ["__proto__", undefined],
    ["%", undefined],
  ];
  for (const [name, topic] of cases) {
    await t.step(JSON.stringify(name), () => {
      const code = snapshot.positionOf("topic", name);
      assertEquals(code === undefined ? code : snapshot.topics[code], topic);
    });
  }
});
