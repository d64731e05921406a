/** The same rows in the house's own names and under random mappings of tally.toml give the same answers. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import type { Files } from "../support/data_folder.ts";
import { openApp, type OpenedApp } from "../support/open_app.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const TIME_ZONE = "Europe/Berlin";
const CHANNELS = ["Email", "Call", "Post", "Chät"];
const TOPICS = ["Sand", "Lemon, juice", "Stöne"];

interface Model {
  readonly customers: readonly {
    readonly id: number;
    readonly occupation: string;
    readonly type: string;
  }[];
  readonly interactions: readonly {
    /** In seconds since 1970. */
    readonly instant: number;
    readonly channel: string;
    readonly customers: readonly number[];
    readonly topics: readonly string[];
  }[];
  readonly products: readonly (readonly [month: string, product: string])[];
}

const MINUTES = {
  min: Date.UTC(2019, 0, 3) / 60_000,
  max: Date.UTC(2021, 11, 28) / 60_000,
};

const model: fc.Arbitrary<Model> = fc.record({
  customers: fc.uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 30 }),
      occupation: fc.constantFrom("Jedi", "Baker, master", ""),
      type: fc.constantFrom("Red", "Blue", ""),
    }),
    { selector: ({ id }) => id, minLength: 4, maxLength: 12 },
  ),
  interactions: fc.array(
    fc.record({
      instant: fc.integer(MINUTES).map((minute) => minute * 60),
      channel: fc.constantFrom(...CHANNELS),
      customers: fc.uniqueArray(fc.integer({ min: 1, max: 35 }), {
        minLength: 1,
        maxLength: 3,
      }),
      topics: fc.subarray(TOPICS),
    }),
    { minLength: 15, maxLength: 40 },
  ).map((rows) => {
    // Some rows come twice, in one file.
    const repeated = rows.filter((_, i) => i % 7 === 0);
    return [...rows, ...repeated];
  }),
  products: fc.uniqueArray(
    fc.tuple(
      fc.constantFrom("2019-01", "2019-05", "2020-02", "2021-10"),
      fc.constantFrom(...TOPICS),
    ),
    { selector: String, minLength: 1 },
  ),
});

/** A wall-clock time of a zone, `YYYY-MM-DD HH:MM:SS`. */
function wallClock(instant: number, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(instant * 1_000)
    .toZonedDateTimeISO(zone).toPlainDateTime()
    .toString({ smallestUnit: "second" }).replace("T", " ");
}

/** Whether the wall-clock time of a zone stands for this moment: the later of two. */
function isReadable(instant: number, zone: string): boolean {
  const local = wallClock(instant, zone);
  return Temporal.PlainDateTime.from(local.replace(" ", "T"))
    .toZonedDateTime(zone, { disambiguation: "later" })
    .epochMilliseconds === instant * 1_000;
}

type Table = readonly (readonly string[])[];

function csvOf(rows: Table, delimiter = ","): string {
  return rows.map((row) =>
    row.map((cell) =>
      /[",;|\t\r\n]|^ | $/.test(cell) || cell.includes(delimiter)
        ? `"${cell.replaceAll('"', '""')}"`
        : cell
    ).join(delimiter) + "\n"
  ).join("");
}

const PLAIN_CHANNELS = csvOf([
  ["Channel", "Aliases"],
  ...CHANNELS.map((channel) => [channel, `${channel} out;${channel} in`]),
  ["Visit", ""],
]);

/** The model in the house's own names. */
function houseFolder({ customers, interactions, products }: Model): Files {
  return {
    "customers.csv": csvOf([
      ["Customer_Id", "Occupation", "Type"],
      ...customers.map(({ id, occupation, type }) => [
        String(id),
        occupation,
        type,
      ]),
    ]),
    "interactions.csv": csvOf([
      ["Date Start", "Interaction", "Customers", "Topic"],
      ...interactions.map((one) => [
        wallClock(one.instant, TIME_ZONE),
        one.channel,
        one.customers.join(";"),
        one.topics.join(";"),
      ]),
    ]),
    "products.csv": csvOf([["Date", "Product"], ...products]),
    "channels.csv": PLAIN_CHANNELS,
  };
}

/** A way to write a time: what tally.toml says, and the cells by moment. */
interface TimeForm {
  readonly says: string;
  readonly zone: string;
  /** One cell, or two of a date and a time. */
  readonly write: (instant: number, zone: string) => readonly string[];
}

type Parts = Record<"Y" | "m" | "d" | "H" | "M" | "S" | "I" | "p", string>;

function partsOf(instant: number, zone: string): Parts {
  const [Y, m, d, H, M, S] = wallClock(instant, zone).split(/[- :]/);
  const hour = Number(H);
  return {
    Y,
    m,
    d,
    H,
    M,
    S,
    I: String(hour % 12 || 12),
    p: hour < 12 ? "AM" : "PM",
  };
}

const MONTHS = "January February March April May June July August September " +
  "October November December";

function written(pattern: string, parts: Parts): string {
  const month = MONTHS.split(" ")[Number(parts.m) - 1];
  const named: Record<string, string> = {
    ...parts,
    y: parts.Y.slice(2),
    b: month.slice(0, 3),
    B: month,
    f: "000",
    "%": "%",
  };
  return pattern.replaceAll(/%(.)/g, (_, letter) => named[letter]);
}

const ZONES = [
  "America/New_York",
  "Asia/Kathmandu",
  "Europe/London",
  "Pacific/Apia",
  "UTC",
];
const zoned = fc.option(fc.constantFrom(...ZONES), { nil: undefined });

const patterns = fc.constantFrom(
  "%m/%d/%Y %I:%M %p",
  "%d.%m.%y %H:%M:%S",
  "%d %b %Y, %H:%M",
  "%B %d, %Y %I:%M:%S %p",
  "[%Y|%m|%d] %H.%M",
  "%Y%m%dT%H%M%S",
  "%Y-%m-%d %H:%M:%S.%f",
);

const named = fc.tuple(
  fc.constantFrom("DMY", "MDY", "YMD"),
  fc.constantFrom("/", "-", "."),
  fc.constantFrom(" %H:%M", " %H:%M:%S", " %I:%M %p", ", %H:%M", " %I:%M:%S%p"),
).map(([order, sign, time]) => {
  const letters = order === "DMY" ? "dmY" : order === "MDY" ? "mdY" : "Ymd";
  return [order, Array.from(letters, (one) => `%${one}`).join(sign) + time];
});

const timeForm: fc.Arbitrary<TimeForm> = fc.oneof(
  fc.tuple(
    fc.oneof(patterns.map((one) => [one, one]), named),
    zoned,
  ).map(([[format, pattern], zone]): TimeForm => ({
    says: `column = "TIME", format = ${JSON.stringify(format)}` +
      (zone ? `, zone = "${zone}"` : ""),
    zone: zone ?? TIME_ZONE,
    write: (instant, zone) => [written(pattern, partsOf(instant, zone))],
  })),
  fc.tuple(
    fc.constantFrom(
      ["iso", "%Y-%m-%d", "%H:%M:%S"],
      ["DMY", "%d/%m/%Y", "%I:%M %p"],
      ["%b %d %Y %H:%M", "%b %d %Y", "%H:%M"],
      [undefined, "%Y-%m-%d", "%H:%M"],
    ),
    zoned,
  ).map(([[format, day, time], zone]): TimeForm => ({
    says: `date = "TIME", time = "TIME2"` +
      (format ? `, format = "${format}"` : "") +
      (zone ? `, zone = "${zone}"` : ""),
    zone: zone ?? TIME_ZONE,
    write: (instant, zone) => {
      const parts = partsOf(instant, zone);
      return [written(day!, parts), written(time!, parts)];
    },
  })),
  zoned.map((zone): TimeForm => ({
    says: `column = "TIME"` + (zone ? `, zone = "${zone}"` : ""),
    zone: zone ?? TIME_ZONE,
    write: (instant, zone) => [wallClock(instant, zone)],
  })),
  fc.constantFrom<TimeForm>(
    {
      says: `column = "TIME", format = "iso"`,
      zone: "UTC",
      write: (instant) => [new Date(instant * 1_000).toISOString()],
    },
    {
      says: `column = "TIME", format = "iso", zone = "Asia/Kathmandu"`,
      zone: "UTC",
      write: (instant) => [
        wallClock(instant + 7_200, "UTC").replace(" ", "T") + "+02:00",
      ],
    },
    {
      says: `column = "TIME", format = "%Y-%m-%dT%H:%M:%S%z"`,
      zone: "UTC",
      write: (instant) => [
        wallClock(instant - 18_000, "UTC").replace(" ", "T") + "-0500",
      ],
    },
    {
      says: `column = "TIME", format = "epoch_s"`,
      zone: "UTC",
      write: (instant) => [String(instant)],
    },
    {
      says: `column = "TIME", format = "epoch_ms"`,
      zone: "UTC",
      write: (instant) => [String(instant * 1_000)],
    },
    {
      says: `column = "TIME", format = "excel", zone = "America/New_York"`,
      zone: "America/New_York",
      write: (instant, zone) => {
        const local = Date.parse(
          wallClock(instant, zone).replace(" ", "T") + "Z",
        );
        return [(local / 86_400_000 + 25_569).toFixed(9)];
      },
    },
  ),
);

/** A way to write the customers of an interaction. */
interface CustomerForm {
  readonly says: string;
  /** Null where it cannot be written so. */
  readonly write: (ids: readonly string[], known: ReadonlySet<string>) =>
    | string
    | null;
  /** False where the cell has another column of the customer. */
  readonly is_id?: false;
}

/** A kind of ids: what is written, what tally.toml says of it, and the id that it becomes. */
interface Kind {
  readonly says_customer: string;
  readonly says: string;
  readonly write: (id: number) => string;
  readonly idOf: (id: number) => number | string;
}

const INTEGER: Kind = {
  says_customer: "",
  says: "",
  write: String,
  idOf: (id) => id,
};
/** With two digits, so that their order is that of the numbers. */
const TEXT: Kind = {
  says_customer: `, kind = "text", prefix = "zd/"`,
  says: `, prefix = "zd/"`,
  write: (id) => String(id).padStart(2, "0"),
  idOf: (id) => `zd/${String(id).padStart(2, "0")}`,
};

const customerForm: fc.Arbitrary<CustomerForm> = fc.constantFrom<CustomerForm>(
  { says: `"WHO"`, write: (ids) => ids.join("; ") },
  {
    says: `{ column = "WHO", separator = " / " }`,
    write: (ids) => ids.join(" / "),
  },
  {
    says: `{ column = "WHO", separator = "," }`,
    write: (ids) => ids.join(","),
  },
  {
    says: `{ column = "WHO", separator = "\\n" }`,
    write: (ids) => ids.join("\n"),
  },
  {
    says: `{ column = "WHO", pattern = '\\((\\d+)\\)$' }`,
    write: (ids) => ids.length === 1 ? `Ann, née "B" (${ids[0]})` : null,
  },
  {
    says: `{ column = "WHO", pattern = '#(\\d+)', separator = ";" }`,
    write: (ids) => ids.map((id) => `Ann #${id}!`).join("; "),
  },
  {
    says: `{ column = "WHO", match = "E-Mail" }`,
    write: (ids, known) =>
      ids.length === 1 && known.has(ids[0]) ? ` ANN${ids[0]}@x.org ` : null,
    is_id: false,
  },
  {
    says:
      `{ column = "WHO", match = "Phone", match_as = "phone", separator = "," }`,
    write: (ids, known) =>
      ids.every((id) => known.has(id))
        ? ids.map((id) => `+49 (30) ${100 + Number(id)}-7`).join(", ")
        : null,
    is_id: false,
  },
);

const NAMES = [
  "Record ID",
  "Größe",
  "a;b",
  "x, y",
  'quote "d"',
  "Activity | date",
  "__proto__",
  "select",
  "日付",
  "c0",
  "extra",
  "Customer",
  "Date",
  "Type of it",
  "label",
  "position",
];

/** The forms that can write every interaction. */
const PLAIN_TIME: TimeForm = {
  says: `column = "TIME"`,
  zone: TIME_ZONE,
  write: (instant, zone) => [wallClock(instant, zone)],
};
const PLAIN_CUSTOMERS: CustomerForm = {
  says: `{ column = "WHO", separator = ";" }`,
  write: (ids) => ids.join("; "),
};

type Format = "csv" | "tsv" | "csv.gz" | "parquet" | "xlsx";

/** How one table is written to one file, besides its columns. */
interface Shape {
  readonly format: Format;
  readonly delimiter: string;
  readonly headers: readonly string[];
  readonly order: number;
  readonly lines_above: number;
  readonly footer_rows: number;
  readonly where: "skip" | "keep" | "both" | null;
  readonly line_end: string;
  /** Whether every row of a text ends in a delimiter, but those of header and footer. */
  readonly has_trailing: boolean;
}

/** The parts in which files of one source may differ. */
const oneFile = fc.record({
  format: fc.constantFrom<Format>(
    "csv",
    "csv",
    "tsv",
    "csv.gz",
    "parquet",
    "xlsx",
  ),
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  order: fc.nat({ max: 1_000 }),
  line_end: fc.constantFrom("\n", "\r\n"),
  has_trailing: fc.boolean(),
});

const shape = fc.record({
  headers: fc.shuffledSubarray(NAMES, {
    minLength: NAMES.length,
    maxLength: NAMES.length,
  }),
  lines_above: fc.constantFrom(0, 0, 1, 3),
  footer_rows: fc.constantFrom(0, 0, 1, 2),
  where: fc.constantFrom(null, null, "skip", "keep", "both"),
});

/** Columns by a word that stands for their header in what tally.toml says. */
interface Columns {
  readonly words: readonly string[];
  /** Headers that other sources name. */
  readonly fixed?: readonly string[];
  readonly rows: Table;
}

/** A file with these columns, and what its source says of its shape. */
async function fileOf(
  { words, fixed = [], rows }: Columns,
  shape: Shape,
): Promise<
  {
    bytes: string | Uint8Array;
    says: string;
    headerOf: (word: string) => string;
  }
> {
  const { format, where } = shape;
  const has_lines = format !== "parquet";
  const header = new Map(words.map((word, i) => [word, shape.headers[i]]));
  const names = [
    ...words.map((word) => header.get(word)!),
    ...fixed,
    "Unused",
    "State",
  ];
  // What would be set aside, or be in the way, were it not passed over.
  const junk = [...words, ...fixed].map((_, i) => i % 2 === 0 ? "#REF!" : "7");
  const body = rows.map((row) => [...row, "?", "Open"]);
  if (where !== null) {
    const states = where === "keep" ? ["Void"] : ["Deleted", " SPAM "];
    states.forEach((state, i) =>
      body.splice((i * 3) % (body.length + 1), 0, [...junk, "", state])
    );
  }
  let says = "";
  if (where === "skip" || where === "both") {
    says += `skip_where = { State = ["deleted", "Spam"] }\n`;
  }
  if (where === "keep" || where === "both") {
    says += `keep_where = { state = ["OPEN", "won"] }\n`;
  }
  if (shape.footer_rows > 0) {
    says += `footer_rows = ${shape.footer_rows}\n`;
    for (let i = 0; i < shape.footer_rows; i++) {
      body.push(["Total", ...junk.slice(1), "", "Open"]);
    }
  }
  const order = names.map((_, i) => i)
    .toSorted((a, b) =>
      (a * 7 + shape.order) % 11 - (b * 7 + shape.order) % 11
    );
  const inOrder = (row: readonly string[]) => order.map((i) => row[i]);
  const table = [inOrder(names), ...body.map(inOrder)];
  if (has_lines && shape.lines_above > 0) {
    says += `header_row = ${shape.lines_above + 1}\n`;
  }
  return {
    bytes: await encoded(table, shape),
    says,
    headerOf: (word) => header.get(word)!,
  };
}

async function encoded(
  table: Table,
  shape: Shape,
): Promise<string | Uint8Array> {
  const { format, delimiter, lines_above, footer_rows, line_end } = shape;
  const above = ['Report of all, "everything"', "", "Period: a;b|c"]
    .slice(0, lines_above);
  switch (format) {
    case "parquet": {
      const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
      const [names, ...rows] = table;
      const listed = rows.length === 0
        ? `select ${names.map(() => "''").join(", ")} where false`
        : `values ${
          rows.map((row) => `(${row.map(quote).join(", ")})`).join(", ")
        }`;
      const columns = names.map((name) => `"${name.replaceAll('"', '""')}"`);
      const query = `select * from (${listed}) as t(${columns.join(", ")})`;
      return (await parquetFiles({ one: query })).one;
    }
    case "xlsx": {
      const escaped = (text: string) =>
        text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
      const rows = [...above.map((line) => [line]), ...table];
      return xlsx({
        Data: sheetOf(
          ...rows.map((row) =>
            row.map((cell) => cell === "" ? null : escaped(cell))
          ),
        ),
      });
    }
    default: {
      const rows = shape.has_trailing
        ? table.map((row, i) =>
          0 < i && i < table.length - footer_rows ? [...row, ""] : row
        )
        : table;
      const text = above.map((line) => `${line}${line_end}`).join("") +
        csvOf(rows, format === "tsv" ? "\t" : delimiter)
          .replaceAll("\n", line_end);
      return format === "csv.gz" ? gzipSync(text) : text;
    }
  }
}

/** Puts the headers of the file into what a source says, quoted as TOML wants it. */
function withHeaders(says: string, headerOf: (word: string) => string): string {
  return says.replaceAll(
    /"(WHO|TIME2?|HOW|WHAT|ID|JOB|KIND|MONTH|SAME)"/g,
    (_, word) => JSON.stringify(headerOf(word)),
  );
}

/** What a random mapping is drawn with. */
type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T;

/** The model under a random mapping. */
async function mappedFolder(
  { customers, interactions, products }: Model,
  { draw, kind }: { readonly draw: Draw; readonly kind: Kind },
): Promise<Files> {
  const files: Record<string, string | Uint8Array> = {};
  let mapping = "";
  const known = new Set(customers.map(({ id }) => kind.write(id)));
  const add = async (
    { table, stem, says, parts }: {
      readonly table: string;
      readonly stem: string;
      readonly says: string;
      /** The columns of each of its files. */
      readonly parts: readonly Columns[];
    },
  ) => {
    const shared = draw(shape);
    let of_source = "";
    for (const [i, columns] of parts.entries()) {
      const its = { ...shared, ...draw(oneFile) };
      // A source says one thing of all of its files.
      const format = shared.lines_above > 0 && its.format === "parquet"
        ? "csv"
        : its.format;
      const { bytes, says: of_shape, headerOf } = await fileOf(columns, {
        ...its,
        format,
      });
      files[`${stem}-${i}.${format}`] = bytes;
      of_source = `${withHeaders(says, headerOf)}\n${of_shape}`;
    }
    mapping += `
[[${table}]]
files = "${stem.toUpperCase()}-*"
${of_source}`;
  };

  const groups = draw(fc.integer({ min: 1, max: 2 }));
  for (let group = 0; group < groups; group++) {
    const is_pattern = draw(fc.boolean());
    const own = customers.filter(({ id }) => id % groups === group);
    if (own.length === 0) continue;
    const rows = own.map(({ id, occupation, type }) => [
      is_pattern ? `Ann (${kind.write(id)})` : kind.write(id),
      occupation,
      type,
      `ann${kind.write(id)}@X.org`,
      `+4930${100 + id}7`,
    ]);
    const cut = draw(fc.nat({ max: rows.length }));
    await add({
      table: "customers",
      stem: `contacts${group}`,
      says: `id = { column = "ID"${
        is_pattern ? `, pattern = '\\((\\d+)\\)'` : ""
      }${kind.says_customer} }
occupation = "JOB"
type = "KIND"`,
      parts: [rows.slice(0, cut), rows.slice(cut)].map((rows) => ({
        words: ["ID", "JOB", "KIND"],
        fixed: ["E-Mail", "Phone"],
        rows,
      })).filter(({ rows }) => rows.length > 0),
    });
  }

  const sources = draw(fc.integer({ min: 1, max: 3 }));
  // What some form of a source cannot write is in the last source, whose forms can.
  let left = [...interactions];
  for (let number = 0; number < sources; number++) {
    const is_last = number === sources - 1;
    const form = is_last ? PLAIN_TIME : draw(timeForm);
    const who = is_last
      ? PLAIN_CUSTOMERS
      // In text ids nothing separates unless it is said.
      : draw(
        customerForm.filter(({ says }) => kind === INTEGER || says !== '"WHO"'),
      );
    const separator = draw(fc.constantFrom(";", "|", " + "));
    const constant = is_last
      ? undefined
      : draw(fc.option(fc.constantFrom(...CHANNELS), { nil: undefined }));
    const takes = (one: Model["interactions"][number]) =>
      is_last || isReadable(one.instant, form.zone) &&
        who.write(one.customers.map(kind.write), known) !== null &&
        (constant === undefined || one.channel === constant) &&
        one.instant % (sources * 60) / 60 !== number;
    const own = left.filter(takes);
    left = left.filter((one) => !takes(one));
    if (own.length === 0) continue;
    const is_pair = form.says.includes("TIME2");
    const columns = (rows: Model["interactions"]): Columns => ({
      words: ["WHO", "WHAT", "TIME", "TIME2", "HOW"].filter((word) =>
        (is_pair || word !== "TIME2") &&
        (constant === undefined || word !== "HOW")
      ),
      rows: rows.map((one) => [
        who.write(one.customers.map(kind.write), known)!,
        one.topics.join(separator),
        ...form.write(one.instant, form.zone),
        ...constant === undefined ? [one.channel] : [],
      ]),
    });
    // Equal rows stay in one file, else they would count as one.
    const early = (one: Model["interactions"][number]) =>
      one.instant % 120 === 0;
    await add({
      table: "interactions",
      stem: `activities${number}`,
      says: `customer = ${
        who.is_id === false
          ? who.says
          : who.says.replace(/ }$/, `${kind.says} }`)
      }
time = { ${form.says} }
channel = ${
        constant === undefined
          ? '"HOW"'
          : `{ value = ${JSON.stringify(constant)} }`
      }
topic = { column = "WHAT", separator = ${JSON.stringify(separator)} }`,
      parts: [own.filter(early), own.filter((one) => !early(one))]
        .filter((rows) => rows.length > 0).map(columns),
    });
  }

  const month = draw(fc.constantFrom("%Y-%m", "%b %Y", "MDY", undefined));
  await add({
    table: "products",
    stem: "talk",
    says: `date = ${
      month === undefined
        ? '"MONTH"'
        : `{ column = "MONTH", format = "${month}" }`
    }
product = "SAME"`,
    parts: [{
      words: ["MONTH", "SAME"],
      rows: products.map(([date, product]) => [
        month === undefined
          ? date
          : written(month === "MDY" ? "%m/%d/%Y" : month, {
            ...partsOf(Date.parse(`${date}-03`) / 1_000, "UTC"),
          }),
        product,
      ]),
    }],
  });
  if (draw(fc.boolean())) files["channels.csv"] = PLAIN_CHANNELS;
  else {
    await add({
      table: "channels",
      stem: "ways",
      says: `channel = "HOW"
aliases = { column = "SAME", separator = ", " }`,
      parts: [{
        words: ["HOW", "SAME"],
        rows: [
          ...CHANNELS.map((one) => [one, `${one} out, ${one} in`]),
          ["Visit", ""],
        ],
      }],
    });
  }
  return { ...files, "tally.toml": mapping };
}

const questionsOf = (kind: Kind) => [
  ...[1, 2, 3, 7, 20, 35].map((id) => encodeURIComponent(kind.idOf(id)))
    .flatMap((id) => [
      `interactions/${id}`,
      `interactions/${id}?start_date=2019-05-01&end_date=2020-12-31`,
      `interactions/${id}?topic=Sand`,
      `stats/interactions/${id}`,
      `interactions/${id}/timeline?interval=month`,
      `interactions/${id}/timeline?interval=day`,
      `interactions/${id}/topics`,
      `customers/${id}`,
    ]),
  "stats/customers",
  "stats/interactions",
  "stats/products",
  "interactions?limit=1000",
  "interactions?limit=1000&type=Red,null",
  "interactions?limit=3",
  "customers?limit=1000",
  "customers?q=jedi",
  "dimensions",
  "metrics/interactions?by=day,channel&limit=1000",
  "metrics/interactions?by=month,topic&limit=1000",
  "metrics/interactions?by=type,weekday&pivot=channel",
  "metrics/interactions?by=occupation,quarter&compare=previous_year",
  "metrics/interactions?pivot=topic",
  "metrics/customers?by=type",
  "metrics",
  "interactions?format=csv",
  "customers?format=ndjson",
  "metrics/interactions?by=year,channel&format=csv",
];

/** Every answer, without what names the version of the data. */
async function answersOf(
  { app, snapshot }: OpenedApp,
  kind: Kind,
): Promise<string[]> {
  const answers: string[] = [];
  for (const question of questionsOf(kind)) {
    const answer = await app.request(`/api/v1/${question}`);
    const text = (await answer.text())
      .replaceAll(snapshot.data_version, "VERSION")
      .replaceAll(snapshot.report.loaded_at, "LOADED")
      .replaceAll(/"next":"[^"]+"/g, '"next":"CURSOR"');
    answers.push(`${answer.status} ${text}`);
  }
  return answers;
}

/** An answer about whole numbers as it is about ids of another kind. */
function withIds(answer: string, { idOf }: Kind): string {
  return answer.replaceAll(
    /"customer_id":(\d+)/g,
    (_, id) => `"customer_id":${JSON.stringify(idOf(Number(id)))}`,
  ).replaceAll(/^(\d{1,2}),/gm, (_, id) => `${idOf(Number(id))},`);
}

const SERVED_FROM = ["index", "query"];
const RUNS = 20;
/** No run begins after this time: one that is interrupted would leave its database open. */
const PATIENCE_MS = 9_000;

for (const kind of [INTEGER, TEXT]) {
  const name = kind === TEXT ? "texts" : "whole numbers";
  Deno.test(`a random mapping of the same rows gives the same answers on every endpoint, by ids that are ${name}`, async () => {
    const began = performance.now();
    await fc.assert(
      fc.asyncProperty(
        model,
        fc.gen(),
        fc.constantFrom(...SERVED_FROM),
        async (rows, gen, served_from) => {
          if (performance.now() - began > PATIENCE_MS) return;
          await using house = await openApp(houseFolder(rows), {
            TIME_ZONE,
            SERVE_FROM: served_from,
          });
          const expected = (await answersOf(house, INTEGER))
            .map((answer) => withIds(answer, kind));
          const draw: Draw = (arbitrary) => gen(() => arbitrary);
          const folder = await mappedFolder(rows, { draw, kind });
          const toml = folder["tally.toml"] as string;
          for (const SERVE_FROM of SERVED_FROM) {
            await using mapped = await openApp(folder, {
              TIME_ZONE,
              SERVE_FROM,
            });
            const { files, set_aside_listed } = mapped.snapshot.report;
            assertEquals(set_aside_listed, [], toml);
            assertEquals(
              files.every(({ rows_read, rows_kept }) =>
                rows_read === rows_kept
              ),
              true,
            );
            assertEquals(await answersOf(mapped, kind), expected, toml);
          }
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
}
