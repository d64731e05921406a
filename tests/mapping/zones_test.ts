/** Times of one zone become those of TIME_ZONE as DuckDB's own conversion does, in gaps and repeats too. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { csv, type Files } from "../support/data_folder.ts";
import { loadTables } from "../support/load_folder.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const ZONES = [
  "America/New_York",
  "Europe/Berlin",
  "Europe/London",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Pacific/Apia",
  "Africa/Casablanca",
  "America/Sao_Paulo",
  "Antarctica/Troll",
  "Europe/Amsterdam",
  "Africa/Monrovia",
  "UTC",
];

/** Room for the customers of one zone. */
const IDS = 100_000;

/** A folder in which the n-th time of the i-th zone is that of customer i * IDS + n + 1. */
function folderOf(times: readonly (readonly [string, readonly string[]])[]) {
  const files: Record<string, string> = {};
  let mapping = "customers = false\n";
  for (const [i, [zone, own]] of times.entries()) {
    mapping += `
[[interactions]]
files = "zone${i}.csv"
customer = "who"
channel = { value = "Call" }
time = { column = "at", format = "%Y-%m-%d %H:%M:%S", zone = "${zone}" }
`;
    files[`zone${i}.csv`] = csv(
      ["who", "at"],
      ...own.map((time, n) => [String(i * IDS + n + 1), time]),
    );
  }
  return { ...files, "tally.toml": mapping } satisfies Files;
}

/** What becomes of the times of each zone. */
async function converted(
  times: readonly (readonly [string, readonly string[]])[],
  time_zone: string,
): Promise<{ got: string[]; wanted: string[] }> {
  await using loaded = await loadTables(folderOf(times), {
    TIME_ZONE: time_zone,
  });
  const got = await loaded.query(
    `select strftime(date_start, '%Y-%m-%d %H:%M:%S') as moment
     from interactions order by customer_id`,
  );
  const list = times.flatMap(([zone, own]) =>
    own.map((time) => `('${zone}', timestamp '${time}')`)
  );
  const wanted = await loaded.query(
    `select strftime(
       timezone('${time_zone}', timezone(zone, moment)), '%Y-%m-%d %H:%M:%S')
       as moment
     from (values ${list.join(", ")}) as times(zone, moment)`,
  );
  return {
    got: got.map(({ moment }) => moment as string),
    wanted: wanted.map(({ moment }) => moment as string),
  };
}

function textOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 19).replace("T", " ");
}

const DAY = 86_400;
const FIRST = Date.UTC(1900, 0, 3) / 1_000;
const LAST = Date.UTC(2078, 11, 29) / 1_000;

/** Seconds around the changes of a zone's offset, as the runtime knows them. */
function changesOf(zone: string): number[] {
  const format = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    timeZoneName: "longOffset",
  });
  const offsetAt = (seconds: number) =>
    format.formatToParts(seconds * 1_000)
      .find(({ type }) => type === "timeZoneName")!.value;
  const changes: number[] = [];
  for (let day = FIRST; day < LAST; day += 60 * DAY) {
    if (offsetAt(day) === offsetAt(day + 60 * DAY)) continue;
    let [low, high] = [day, day + 60 * DAY];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === offsetAt(low)) low = middle;
      else high = middle;
    }
    changes.push(high);
  }
  return changes;
}

Deno.test("every wall-clock time becomes what DuckDB's own conversion makes of it", async (t) => {
  const near = fc.oneof(
    fc.integer({ min: -14 * 3_600, max: 14 * 3_600 }),
    fc.constantFrom(-3_600, -1_800, -1, 0, 1, 1_799, 1_800, 3_599, 3_600),
  );
  const changes = new Map(ZONES.map((zone) => [zone, changesOf(zone)]));
  for (
    const time_zone of ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"]
  ) {
    await t.step(`TIME_ZONE=${time_zone}`, async () => {
      const times = ZONES.map((zone) => {
        const around = [...changes.get(zone)!, ...changes.get(time_zone)!];
        const anywhere = fc.integer({ min: FIRST, max: LAST });
        const time = around.length === 0 ? anywhere : fc.oneof(
          anywhere,
          fc.tuple(fc.constantFrom(...around), near)
            .map(([change, seconds]) => change + seconds),
        );
        return [zone, fc.sample(time, 120).map(textOf)] as const;
      });
      const { got, wanted } = await converted(times, time_zone);
      const all = times.flatMap(([zone, own]) =>
        own.map((time) => `${zone} ${time}`)
      );
      assertEquals(
        all.map((time, i) => `${time}: ${got[i]}`),
        all.map((time, i) => `${time}: ${wanted[i]}`),
      );
    });
  }
});

Deno.test("a time that a zone skips has the offset before it, one that it repeats the offset after it", async () => {
  const table: [zone: string, time: string, utc: string][] = [
    ["America/New_York", "2024-03-10 01:59:59", "2024-03-10 06:59:59"],
    ["America/New_York", "2024-03-10 02:00:00", "2024-03-10 07:00:00"],
    ["America/New_York", "2024-03-10 02:30:00", "2024-03-10 07:30:00"],
    ["America/New_York", "2024-03-10 03:00:00", "2024-03-10 07:00:00"],
    ["America/New_York", "2024-11-03 00:59:59", "2024-11-03 04:59:59"],
    ["America/New_York", "2024-11-03 01:00:00", "2024-11-03 06:00:00"],
    ["America/New_York", "2024-11-03 01:30:00", "2024-11-03 06:30:00"],
    ["America/New_York", "2024-11-03 02:00:00", "2024-11-03 07:00:00"],
    ["Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-10-05 15:45:00"],
    ["Australia/Lord_Howe", "2024-04-07 01:45:00", "2024-04-06 15:15:00"],
    // A whole day that Samoa skipped.
    ["Pacific/Apia", "2011-12-29 12:00:00", "2011-12-29 22:00:00"],
    ["Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 22:00:00"],
    ["Pacific/Apia", "2011-12-31 12:00:00", "2011-12-30 22:00:00"],
    // No whole minutes, until 1972.
    ["Africa/Monrovia", "1950-01-01 00:00:00", "1950-01-01 00:44:30"],
    ["Asia/Kathmandu", "2024-01-01 12:00:00", "2024-01-01 06:15:00"],
  ];
  const { got } = await converted(
    table.map(([zone, time]) => [zone, [time]]),
    "UTC",
  );
  assertEquals(got, table.map(([, , utc]) => utc));
});

Deno.test("where both zones skip an hour at once, its times are moved out of it", async () => {
  const skipped = ["2024-03-31 01:59:59", "2024-03-31 02:30:00"];
  const { got } = await converted([
    ["Europe/Berlin", skipped],
    ["Europe/Paris", skipped],
  ], "Europe/Berlin");
  assertEquals(got, [
    "2024-03-31 01:59:59",
    "2024-03-31 03:30:00",
    "2024-03-31 01:59:59",
    "2024-03-31 03:30:00",
  ]);
});

Deno.test("a date of a spreadsheet at midnight stays that day, as a number or as ISO 8601", async () => {
  const midnights = [
    "2024-12-31",
    "2024-12-31T00:00:00",
    "2024-12-31T00:00:00.000",
    "2024-12-31T00:00:00Z",
  ];
  const sheet = sheetOf(
    ["who", "at"],
    [1, 45_657],
    [1, 45_657.5],
    ...[...midnights, "2024-12-31T00:00:01"].map((time) => [1, time]),
  ).replaceAll(
    /t="inlineStr"><is><t>(2024[^<]*)<\/t><\/is>/g,
    't="d"><v>$1</v>',
  );
  await using loaded = await loadTables({
    "tally.toml": `
customers = false
[[interactions]]
files = "calls.xlsx"
customer = "who"
channel = { value = "Call" }
time = { column = "at", zone = "Europe/Berlin" }
`,
    "calls.xlsx": xlsx({ Sheet1: sheet }),
  }, { TIME_ZONE: "UTC" });
  const rows = await loaded.query(
    "select date_start::varchar as moment from interactions order by moment",
  );
  assertEquals(rows.map(({ moment }) => moment), [
    "2024-12-30 23:00:01",
    ...Array(1 + midnights.length).fill("2024-12-31 00:00:00"),
    "2024-12-31 11:00:00",
  ]);
});
