/** Days and times of day in two columns, and months in letters: as a load reads them, or with a question. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";

/** The draft for rows of calls: its line of the time, its question, and the times that it loads. */
async function draftFor(header: string, ...rows: readonly string[]) {
  const files = {
    "contacts.csv": "Contact ID,Name\n1,Ann\n2,Bo\n",
    "calls.csv": `Contact ID,${header}\n${
      rows.map((row, i) => `${1 + i % 2},${row}\n`).join("")
    }`,
  };
  const { toml, questions } = await suggest(files);
  const { text = "", lines = [] } =
    questions.find(({ key }) => key === "interactions[1].time") ?? {};
  const load = async (time?: string) => {
    await using folder = await loadTables({
      ...files,
      "tally.toml": time ? toml.replace(/^time = .*$/m, time) : toml,
    });
    const found = await folder.query(
      "select date_start::varchar as at from interactions order by all",
    );
    return found.map(({ at }) => at);
  };
  return { time: /^time = .*/m.exec(toml)?.[0], text, lines, load };
}

Deno.test("a day and its time of day are read by a form that fits both", async () => {
  const draft = await draftFor(
    "Date,Time",
    "31.01.24,14:05",
    "01.02.24,9:30",
  );
  assertEquals(
    draft.time,
    'time = { date = "Date", time = "Time", format = "%d.%m.%y %H:%M" }',
  );
  assertEquals(await draft.load(), [
    "2024-01-31 14:05:00",
    "2024-02-01 09:30:00",
  ]);
});

Deno.test("where no form fits both, the day is drafted, and the time of day is asked for", async () => {
  const draft = await draftFor("Date,Time", "45293,2:01 PM", "45294,3:02 PM");
  assertEquals(draft.time, 'time = { column = "Date", format = "excel" }');
  assertStringIncludes(draft.text, 'the time of day in "Time"');
  assertEquals(await draft.load(), [
    "2024-01-02 00:00:00",
    "2024-01-03 00:00:00",
  ]);
});

Deno.test("a column of times of day with another header is asked for", async () => {
  const draft = await draftFor(
    "Date,Begun",
    "2024-01-31,14:05",
    "2024-02-01,09:30",
  );
  assertEquals(draft.time, 'time = { column = "Date", format = "iso" }');
  assertStringIncludes(draft.text, '"Begun" is their time of day');
  assertEquals(await draft.load(draft.lines[1]), [
    "2024-01-31 14:05:00",
    "2024-02-01 09:30:00",
  ]);
  const timed = await draftFor("Start Time,Duration", "2024-01-31T10:00Z,0:35");
  assertEquals(timed.text, "");
});

Deno.test("months in letters leave a choice only where all are May", async () => {
  const formOf = async (...days: readonly string[]) => {
    const draft = await draftFor("Date", ...days);
    if (draft.time) assertEquals((await draft.load()).length, days.length);
    return /format = "(.*?)"/.exec(draft.time ?? "")?.[1];
  };
  assertEquals(
    await formOf('"Sep 17, 2024 05:15 AM"', '"May 1, 2024 06:15 PM"'),
    "%b %d, %Y %I:%M %p",
  );
  assertEquals(
    await formOf("31 May 2024 11:00", "1 September 2024 12:00"),
    "%d %B %Y %H:%M",
  );
  assertEquals(await formOf("31 May 2024 11:00"), undefined);
});
