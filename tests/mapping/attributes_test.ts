/** Attributes of customers that tally.toml names: filters, groups, columns and names of answers. */

import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { TAKEN_NAMES } from "../../db/mapping/attribute_names.ts";
import { readMapping } from "../../db/mapping/mapping.ts";
import { StoreError } from "../../db/model/problems.ts";
import { type App, endpoints } from "../../routes/app.ts";
import type { Endpoint } from "../../routes/endpoint.ts";
import { csv, type Files } from "../support/data_folder.ts";
import type { Settings } from "../support/load_folder.ts";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const FILES = {
  "tally.toml": `
[customers]
files = "people.csv"
id = "Id"
type = "Type"
occupation = "Job"
attributes = { country = "Country/Region", owner = "Contact owner" }

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = "Who"
`,
  "people.csv": csv(
    ["Id", "Type", "Job", "Country/Region", "Contact owner"],
    ["1", "Red", "Jedi", "Chile", "Ann"],
    ["2", "Red", "Sith", "chile", "Bob"],
    ["3", "Blue", "", "Peru", "Bob"],
    ["4", "", "", "", "Zoë"],
  ),
  "calls.csv": csv(
    ["When", "Kind", "Who"],
    ["2020-01-31", "Call", "1"],
    ["2020-02-01", "Mail", "1"],
    ["2020-03-05", "Call", "2"],
    ["2020-03-06", "Call", "3"],
    ["2020-03-07", "Mail", "4"],
    ["2020-03-08", "Mail", "5"],
  ),
};

Deno.test("the document has the attributes of the served data", async () => {
  await using opened = await openApp(FILES);
  const text = await (await opened.app.request("/openapi.json")).text();
  const { paths, components } = JSON.parse(text);
  for (
    const path of [
      "metrics/interactions",
      "metrics/customers",
      "customers",
      "interactions",
    ]
  ) {
    const { parameters } = paths[`/api/v1/${path}`].get;
    const names = parameters.map(({ name }: { name: string }) => name);
    assertEquals(names.includes("country"), true, path);
  }
  const { Customer, InteractionsGroup } = components.schemas;
  assertEquals(Object.keys(Customer.properties).includes("owner"), true);
  assertEquals(Customer.required.includes("owner"), true);
  assertEquals(
    Object.keys(InteractionsGroup.properties).includes("owner"),
    true,
  );
});

Deno.test("the document has an ETag, which changes with it", async (t) => {
  await using first = await openApp(FILES);
  const ask = (
    { app }: Pick<typeof first, "app">,
    tag?: string,
  ) =>
    app.request("/openapi.json", {
      headers: tag === undefined ? {} : { "If-None-Match": tag },
    });
  const tagOf = async (opened: Pick<typeof first, "app">) => {
    const answer = await ask(opened);
    await answer.body!.cancel();
    return answer.headers.get("ETag")!;
  };
  const tag = await tagOf(first);
  await t.step("a client that has it gets a 304", async () => {
    for (const given of [tag, `"other", W/${tag}`, "*"]) {
      const answer = await ask(first, given);
      assertEquals([answer.status, await answer.text()], [304, ""], given);
      const { headers } = answer;
      assertEquals(headers.get("ETag"), tag);
      assertEquals(
        headers.get("Data-Version"),
        first.store.snapshot!.data_version,
      );
      assertMatch(headers.get("Cache-Control")!, /max-age=0/);
    }
    const answer = await ask(first, '"other"');
    assertEquals(answer.status, 200);
    await answer.body!.cancel();
  });
  await t.step("other rows have the same document", async () => {
    const calls = FILES["calls.csv"] + "2020-03-09,Call,1\n";
    await using same = await openApp({ ...FILES, "calls.csv": calls });
    assertEquals(await tagOf(same), tag);
  });
  await t.step("other attributes have another one", async () => {
    const toml = FILES["tally.toml"].replace("owner =", "manager =");
    await using other = await openApp({ ...FILES, "tally.toml": toml });
    assertNotEquals(await tagOf(other), tag);
    const stale = await ask(other, tag);
    assertEquals(stale.status, 200);
    assertMatch(await stale.text(), /manager/);
  });
  await t.step("before anything is served", async () => {
    const answer = await ask(appOn(emptyStore()));
    await answer.body!.cancel();
    assertEquals(answer.status, 200);
    assertMatch(answer.headers.get("ETag")!, /^"[0-9a-f]{32}"$/);
    assertEquals(answer.headers.get("Data-Version"), null);
  });
});

/** The cells of one attribute of each customer, in their order. */
async function cellsIn(files: Files, settings: Settings = {}) {
  await using opened = await openApp({
    "tally.toml": `
[customers]
files = "people*"
id = "Id"
attributes = { cell = "Cell" }

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = "Who"
`,
    "calls.csv": FILES["calls.csv"],
    ...files,
  }, settings);
  const answer = await opened.app.request("/api/v1/customers?limit=100");
  const { data } = await answer.json();
  return data.map(({ cell }: { cell: string | null }) => cell);
}

Deno.test("cells of a spreadsheet become text as a person reads them", async () => {
  // What a cell holds, the number of its format, and how it is read.
  const cells = [
    ["n", "43861", 1, "2020-01-31"],
    ["n", "43861.5", 1, "2020-01-31 12:00:00"],
    ["n", "43861.520833333336", 1, "2020-01-31 12:30:00"],
    ["n", "0.5", 1, "12:00:00"],
    ["d", "2020-01-31", 0, "2020-01-31"],
    ["d", "2020-01-31T00:00:00", 0, "2020-01-31"],
    ["d", "2020-01-31T00:00:00.000Z", 0, "2020-01-31"],
    ["n", "43861", 0, "43861"],
    ["b", "1", 0, "true"],
    ["b", "0", 0, "false"],
    ["n", "12", 0, "12"],
    ["n", "12.0", 0, "12"],
    ["n", "1.2E1", 0, "12"],
    ["n", "12.5", 0, "12.5"],
    ["n", "4.0999999999999996", 0, "4.1"],
    ["n", "0.30000000000000004", 0, "0.3"],
    ["n", "-0.25", 0, "-0.25"],
    ["str", " two  words ", 0, "two words"],
    ["str", "NA", 0, null],
  ] as const;
  const header = sheetOf(["Id", "Cell"]).replace("</sheetData>", "");
  const rows = cells.map(([type, value, style], i) =>
    `<row r="${i + 2}"><c r="A${i + 2}"><v>${i + 1}</v></c><c r="B${
      i + 2
    }" t="${type}" s="${style}"><v>${value}</v></c></row>`
  );
  const read = await cellsIn({
    "people.xlsx": xlsx(
      { People: `${header}${rows.join("")}</sheetData>` },
      { styles: `<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>` },
    ),
  });
  assertEquals(read.slice(0, cells.length), cells.map(([, , , text]) => text));
});

Deno.test("cells of Parquet become text as a person reads them", async () => {
  const cells = [
    ["date '2020-01-31'", "2020-01-31"],
    ["timestamp '2020-01-31 00:00:00'", "2020-01-31"],
    ["timestamp '2020-01-31 10:30:00'", "2020-01-31 10:30:00"],
    ["timestamp_ns '2020-01-31 10:30:00.5'", "2020-01-31 10:30:00.5"],
    ["timestamptz '2020-01-31 10:30:00+00'", "2020-01-31 11:30:00"],
    ["timestamptz '2020-01-30 23:00:00+00'", "2020-01-31"],
    ["time '10:30:00'", "10:30:00"],
    ["true", "true"],
    ["9007199254740993::bigint", "9007199254740993"],
    ["7::tinyint", "7"],
    ["12.00::decimal(10, 2)", "12"],
    ["12.50::decimal(10, 2)", "12.50"],
    ["12.0::double", "12"],
    ["0.1::float", "0.1"],
    ["'Red'::enum('Blue', 'Red')", "Red"],
    ["'a b'::blob", "a b"],
    [
      "'00000000-0000-0000-0000-000000000001'::uuid",
      "00000000-0000-0000-0000-000000000001",
    ],
    ["null::integer", null],
  ] as const;
  const files = await parquetFiles(Object.fromEntries(
    cells.map(([value], i) => [
      `people_${i}.parquet`,
      `select ${i + 1} as "Id", ${value} as "Cell"`,
    ]),
  ));
  const read = await cellsIn(files, { TIME_ZONE: "Europe/Berlin" });
  assertEquals(read.slice(0, cells.length), cells.map(([, text]) => text));
});

Deno.test("names of attributes that are none", async (t) => {
  const refused = async (attributes: string) => {
    const toml = FILES["tally.toml"].replace(
      /^attributes = .*$/m,
      `attributes = ${attributes}`,
    );
    await assertRejects(
      () => Promise.resolve().then(() => readMapping(toml)),
      StoreError,
    );
  };
  const nine = Array.from({ length: 9 }, (_, i) => `a${i} = "A"`).join(", ");
  for (
    const attributes of [
      '{ Country = "A" }',
      '{ type = "A" }',
      '{ sort = "A" }',
      '{ constructor = "A" }',
      '{ "a-b" = "A" }',
      `{ ${nine} }`,
    ]
  ) {
    await t.step(attributes, () => refused(attributes));
  }
});

Deno.test("no attribute has the name of a parameter or column of an endpoint", () => {
  for (const { query } of endpoints as readonly Endpoint[]) {
    for (const name of Object.keys(query?.shape ?? {})) {
      assertEquals(TAKEN_NAMES.has(name), true, name);
    }
  }
});

for (const SERVE_FROM of ["index", "query"]) {
  Deno.test(`attributes are dimensions, served from the ${SERVE_FROM}`, async (t) => {
    await using opened = await openApp(FILES, { SERVE_FROM });
    const ask = async (path: string) => {
      const answer = await opened.app.request(`/api/v1/${path}`);
      const { data, error } = await answer.json();
      return error ?? data;
    };
    for (
      const [path, expected] of [
        ["metrics/interactions?by=country", [
          { country: "Chile", interactions: 3 },
          { country: "Peru", interactions: 1 },
          { country: null, interactions: 2 },
        ]],
        ["metrics/interactions?by=channel&pivot=country", [
          {
            channel: "Call",
            interactions: { Chile: 2, Peru: 1, null: 0 },
            total: 3,
          },
          {
            channel: "Mail",
            interactions: { Chile: 1, Peru: 0, null: 2 },
            total: 3,
          },
        ]],
        [
          "metrics/interactions?by=owner,channel&country=CHILE&start_date=2020-02-01",
          [
            { owner: "Ann", channel: "Mail", interactions: 1 },
            { owner: "Bob", channel: "Call", interactions: 1 },
          ],
        ],
        ["metrics/customers?by=owner", [
          { owner: "Ann", customers: 1 },
          { owner: "Bob", customers: 2 },
          { owner: "Zoë", customers: 1 },
          { owner: null, customers: 1 },
        ]],
        ["metrics/customers?by=country&channel=Mail", [
          { country: "Chile", customers: 1 },
          { country: null, customers: 2 },
        ]],
        ["interactions?country=null&owner=zoë", [{
          customer_id: 4,
          occupation: null,
          type: null,
          country: null,
          owner: "Zoë",
          interactions: { Call: 0, Mail: 1 },
          total: 1,
        }]],
        ["customers?country=Peru", [{
          customer_id: 3,
          occupation: null,
          type: "Blue",
          country: "Peru",
          owner: "Bob",
          known_from: "customers",
          first_contact: "2020-03-06",
          last_contact: "2020-03-06",
          interactions: { Call: 1, Mail: 0 },
          total: 1,
        }]],
      ] as const
    ) {
      await t.step(path, async () => {
        assertEquals<unknown>(await ask(path), expected);
      });
    }
    await t.step("names, catalogue and errors", async () => {
      const { attributes } = await ask("dimensions");
      assertEquals(attributes.country, [
        { name: "Chile", interactions: 3, customers: 2 },
        { name: "Peru", interactions: 1, customers: 1 },
        { name: null, interactions: 2, customers: 2 },
      ]);
      const { dimensions } = await ask("metrics");
      assertEquals(dimensions[4].name, "country");
      assertMatch(await ask("interactions?county=Peru"), /Allowed.*country/);
      assertMatch(
        await ask("metrics/interactions?by=kind"),
        /occupation, country, owner, customer_id/,
      );
    });
  });
}

for (const SERVE_FROM of ["index", "query"]) {
  Deno.test(`an attribute may have any name that is not refused, also from the ${SERVE_FROM}`, async (t) => {
    // Of columns of staged rows, of tables and of counts per channel.
    const names = { country: "error", owner: "open_rows" };
    const renamed = (text: string) =>
      Object.entries(names).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        text,
      );
    await using plain = await openApp(FILES, { SERVE_FROM });
    await using other = await openApp({
      ...FILES,
      "tally.toml": renamed(FILES["tally.toml"]),
      "people.csv": renamed(FILES["people.csv"]),
    }, { SERVE_FROM });
    for (
      const path of [
        "interactions",
        "interactions?country=Chile&start_date=2020-02-01",
        "interactions?sort=Mail",
        "customers?owner=Bob",
        "metrics/interactions?by=country,owner",
        "metrics/interactions?by=owner&pivot=channel",
        "metrics/timeline?customer_id=1&interval=month",
      ]
    ) {
      await t.step(path, async () => {
        const expected = await plain.app.request(`/api/v1/${path}`);
        const answer = await other.app.request(`/api/v1/${renamed(path)}`);
        assertEquals(answer.status, expected.status);
        assertEquals(
          (await answer.json()).data,
          JSON.parse(renamed(await expected.text())).data,
        );
      });
    }
  });
}

for (const SERVE_FROM of ["index", "query"]) {
  Deno.test(`an attribute with more than 1,000 values has no pivot, and its most frequent values are offered, from the ${SERVE_FROM}`, async (t) => {
    const peopleOf = (names: number) =>
      csv(
        ["Id", "Type", "Job", "Country/Region", "Contact owner"],
        ...Array.from({ length: names }, (_, i) => [
          `${i + 1}`,
          "Red",
          "",
          `c${`${i}`.padStart(4, "0")}`,
          "Ann",
        ]),
      );
    // Nobody calls the customers from c0000, c0500 and c1001.
    const silent = [0, 500, 1_001];
    const callsOf = (names: number) =>
      csv(
        ["When", "Kind", "Who"],
        ...Array.from({ length: names }, (_, i) => i)
          .filter((i) => !silent.includes(i))
          .map((i) => ["2020-01-31", "Call", `${i + 1}`]),
      );
    const open = (names: number) =>
      openApp({
        ...FILES,
        "people.csv": peopleOf(names),
        "calls.csv": callsOf(names),
      }, { SERVE_FROM });
    const answerOf = async ({ app }: { app: App }, path: string) =>
      await (await app.request(`/api/v1/${path}`)).json();

    await t.step("1,000 values", async () => {
      await using opened = await open(1_000);
      const { data } = await answerOf(
        opened,
        "metrics/interactions?pivot=country",
      );
      assertEquals(Object.keys(data[0].interactions).length, 1_001);
      const dimensions = await answerOf(opened, "dimensions");
      assertEquals(dimensions.data.attributes.country.length, 1_000);
      assertEquals(dimensions.meta.not_listed, undefined);
    });

    await t.step("1,002 values", async () => {
      await using opened = await open(1_002);
      assertEquals(
        (await answerOf(opened, "metrics/interactions?pivot=country")).error,
        "pivot must be one of channel, topic, type, owner, weekday.",
      );
      const { data: catalogue } = await answerOf(opened, "metrics");
      assertEquals(
        catalogue.dimensions.find(({ name }: { name: string }) =>
          name === "country"
        ).pivots,
        false,
      );
      const { data } = await answerOf(
        opened,
        "metrics/customers?by=country&country=c0000,c1001",
      );
      assertEquals(data, [
        { country: "c0000", customers: 1 },
        { country: "c1001", customers: 1 },
      ]);
      const dimensions = await answerOf(opened, "dimensions");
      const { country } = dimensions.data.attributes;
      assertEquals(dimensions.meta.not_listed, { country: 2 });
      assertEquals(country.length, 1_000);
      assertEquals(country.slice(0, 2), [
        { name: "c0000", interactions: 0, customers: 1 },
        { name: "c0001", interactions: 1, customers: 1 },
      ]);
      assertEquals(
        country.slice(1).every((one: { interactions: number }) =>
          one.interactions === 1
        ),
        true,
      );
    });
  });
}

Deno.test("an attribute with more than 10,000 values is shown, not counted", async () => {
  const people = Array.from({ length: 10_001 }, (_, i) => [
    `${i + 1}`,
    "Red",
    "",
    `c${i}`,
    i % 2 ? "Ann" : "Bob",
  ]);
  await using opened = await openApp({
    ...FILES,
    "people.csv": csv(
      ["Id", "Type", "Job", "Country/Region", "Contact owner"],
      ...people,
    ),
  });
  const { report, dimensions } = opened.store.snapshot!;
  assertEquals(report.mapping!.attributes, [
    { name: "country", names: 10_001, is_counted: false },
    { name: "owner", names: 2, is_counted: true },
  ]);
  assertEquals(
    report.warnings.find(({ kind }) => kind === "uncounted_attributes"),
    {
      kind: "uncounted_attributes",
      count: 1,
      text:
        "attributes of more than 10,000 values, which are shown, but nothing is counted by them: 1 (country: 10,001 values)",
    },
  );
  assertEquals(
    dimensions.filter(({ pivots }) => pivots).map(({ name }) => name),
    ["channel", "topic", "type", "owner"],
  );
  const ask = async (path: string) =>
    await (await opened.app.request(`/api/v1/${path}`)).json();
  const { error } = await ask("metrics/interactions?by=country");
  assertMatch(error, /too many different country/);
  const { data } = await ask("customers/7");
  assertEquals(data.country, "c6");
  const { data: { attributes } } = await ask("dimensions");
  assertEquals(attributes.country, null);
});
