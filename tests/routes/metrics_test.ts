/** `/api/v1/metrics…`: each parameter and grouping, counted by hand in a small fixture. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { openApp } from "../support/open_app.ts";

// 1 Red Jedi: Bird 2020-03-05 (Sand, Orange), Call 2020-03-05 (Sand, Orange), Bird 2021-01-04.
// 2 blue baker: Call 2020-04-30. 3 without type: none. 9 without record: Bird 2020-03-31 (Sand, Orange).
const FILES = {
  "customers.csv":
    'Customer_Id,Occupation,Type\n1,Jedi,Red\n2,"Baker, master",Blue\n3,,\n',
  "interactions.csv": `Date Start,Interaction,Customers
05/03/2020 11:23,Bird,1
05/03/2020 12:00,Call,1
04/01/2021 00:00,Bird,1
30/04/2020 23:59,Call,2
31/03/2020 10:00,Bird,9
`,
  "products.csv": "Date,Product\n03-2020,Sand\n03-2020,Orange\n01-2019,Wood\n",
  "channels.csv": "Channel\nBird\nCall\ntotal\n",
};
const PATH = "/api/v1/metrics/interactions";

Deno.test("interactions: groups, pivots, filters, comparisons", async (t) => {
  await using opened = await openApp(FILES);
  const table: [query: string, data: string, overlap?: number][] = [
    ["", '{"interactions":5}'],
    [
      "?by=channel",
      '{"channel":"Bird","interactions":3},{"channel":"Call","interactions":2}',
    ],
    [
      "?by=type",
      '{"type":"Blue","interactions":1},{"type":"Red","interactions":3},{"type":null,"interactions":1}',
    ],
    [
      "?by=occupation,year",
      '{"occupation":"Baker, master","year":"2020","interactions":1},{"occupation":"Jedi","year":"2020","interactions":2},{"occupation":"Jedi","year":"2021","interactions":1},{"occupation":null,"year":"2020","interactions":1}',
    ],
    [
      "?by=customer_id,type&type=red,null",
      '{"customer_id":1,"type":"Red","interactions":3},{"customer_id":9,"type":null,"interactions":1}',
    ],
    [
      "?by=topic",
      '{"topic":"Orange","interactions":3},{"topic":"Sand","interactions":3},{"topic":null,"interactions":2}',
      3,
    ],
    [
      "?by=topic&topic=sand,null",
      '{"topic":"Sand","interactions":3},{"topic":null,"interactions":2}',
    ],
    ["?topic=sand,orange", '{"interactions":3}'],
    ["?topic=wood", '{"interactions":0}'],
    ["?by=type&topic=wood", ""],
    [
      "?by=day,weekday&start_date=2020-03-31&end_date=2020-04-30",
      '{"day":"2020-03-31","weekday":2,"interactions":1},{"day":"2020-04-30","weekday":4,"interactions":1}',
    ],
    [
      "?by=week,month,quarter&channel=bird",
      '{"week":"2020-W10","month":"2020-03","quarter":"2020-Q1","interactions":1},{"week":"2020-W14","month":"2020-03","quarter":"2020-Q1","interactions":1},{"week":"2021-W01","month":"2021-01","quarter":"2021-Q1","interactions":1}',
    ],
    [
      "?pivot=channel",
      '{"interactions":{"Bird":3,"Call":2,"total":0},"total":5}',
    ],
    [
      "?by=type&pivot=channel&channel=call,total",
      '{"type":"Blue","interactions":{"Call":1,"total":0},"total":1},{"type":"Red","interactions":{"Call":1,"total":0},"total":1}',
    ],
    [
      "?pivot=topic",
      '{"interactions":{"Orange":3,"Sand":3,"Wood":0,"null":2},"total":5}',
      3,
    ],
    [
      "?by=channel&pivot=topic&topic=Sand",
      '{"channel":"Bird","interactions":{"Sand":2},"total":2},{"channel":"Call","interactions":{"Sand":1},"total":1}',
    ],
    [
      "?by=topic&pivot=type",
      '{"topic":"Orange","interactions":{"Blue":0,"Red":2,"null":1},"total":3},{"topic":"Sand","interactions":{"Blue":0,"Red":2,"null":1},"total":3},{"topic":null,"interactions":{"Blue":1,"Red":1,"null":0},"total":2}',
      3,
    ],
    [
      "?pivot=weekday&end_date=2000-01-01",
      '{"interactions":{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0},"total":0}',
    ],
    [
      "?by=channel&start_date=2021-01-01&end_date=2021-12-31&compare=previous_year",
      '{"channel":"Bird","interactions":1,"previous":2,"change":-0.5},{"channel":"Call","interactions":0,"previous":2,"change":-1}',
    ],
    [
      "?start_date=2020-04-01&end_date=2020-04-30&compare=previous_period",
      '{"interactions":1,"previous":3,"change":-0.6667}',
    ],
    [
      "?pivot=channel&start_date=2020-03-01&end_date=2020-03-31&compare=previous_year",
      '{"interactions":{"Bird":2,"Call":1,"total":0},"total":3,"previous":0,"change":null}',
    ],
    [
      "?occupation=%22BAKER,+master%22&by=customer_id",
      '{"customer_id":2,"interactions":1}',
    ],
  ];
  for (const [query, data, overlap = 0] of table) {
    await t.step(query, async () => {
      const answer = await opened.app.request(PATH + query);
      const text = await answer.text();
      assertEquals(
        text.slice(0, text.lastIndexOf(',"meta":')),
        `{"data":[${data}]`,
      );
      assertEquals(JSON.parse(text).meta.overlap, overlap);
      assertEquals(answer.status, 200);
    });
  }
});

Deno.test("interactions: wrong parameters are refused with what is right", async (t) => {
  await using opened = await openApp(FILES);
  const table: [query: string, error: RegExp][] = [
    ["?by=", /Invalid by list ""/],
    ["?by=type,", /Invalid by list "type,"/],
    ["?by=colour", /Unknown dimension "colour"\. Known: channel, topic, type/],
    ["?by=type,type", /each dimension once/],
    ["?by=type,day,week,month", /at most 3/],
    ["?by=type&pivot=type", /by and pivot cannot both be type/],
    ["?pivot=occupation", /pivot must be one of channel, topic, type, weekday/],
    ["?channel=Drum", /Unknown channel "Drum"\. Known: Bird, Call, total\./],
    ["?channel=null", /Unknown channel "null"/],
    ["?channel=Bird,,Call", /Invalid channel list/],
    ["?type=%22Red", /Invalid type list/],
    // It took more than three seconds.
    [`?type=${"+".repeat(1_900)}%22`, /Invalid type list/],
    ["?type=__proto__", /Unknown type "__proto__"/],
    [
      "?occupation=Baker",
      /Unknown occupation "Baker"\. Known: "Baker, master"/,
    ],
    ["?topic=Sand'--", /Unknown topic/],
    ["?start_date=2020-02-30", /Invalid start_date format/],
    ["?start_date=2020-02-02&end_date=2020-02-01", /cannot be later/],
    ["?compare=previous_year", /compare needs start_date and end_date/],
    ["?compare=last", /compare must be previous_period or previous_year/],
    [
      "?compare=previous_year&start_date=2020-01-01&end_date=2020-01-02&by=type,month",
      /compare cannot be by month/,
    ],
    [
      "?compare=previous_period&start_date=0001-01-01&end_date=9999-12-31",
      /no previous_period before this start_date: the calendar begins at 0001-01-01/,
    ],
    [
      "?compare=previous_period&start_date=0001-01-04&end_date=0001-01-07",
      /no previous_period before this start_date/,
    ],
    [
      "?compare=previous_year&start_date=0000-01-01&end_date=2020-01-01",
      /no previous_year before this start_date/,
    ],
    ["?explain=yes", /explain must be 1/],
    ["?type=Red&type=Blue", /Repeated query parameter "type"/],
    ["?__proto__=1", /Unknown query parameter "__proto__"/],
  ];
  for (const [query, error] of table) {
    await t.step(query.slice(0, 90), async () => {
      const answer = await opened.app.request(PATH + query);
      assertEquals(answer.status, 400);
      assertMatch((await answer.json()).error, error);
    });
  }
});

Deno.test("customers: everyone known, by type and occupation", async (t) => {
  await using opened = await openApp(FILES);
  const table: [query: string, data: unknown, meta: number[]][] = [
    ["", [{ customers: 4 }], [4, 1]],
    ["?by=type", [
      { type: "Blue", customers: 1 },
      { type: "Red", customers: 1 },
      { type: null, customers: 2 },
    ], [4, 1]],
    ["?by=occupation,type&type=Red", [
      { occupation: "Jedi", type: "Red", customers: 1 },
    ], [1, 0]],
  ];
  for (const [query, data, [customers, without_record]] of table) {
    await t.step(query, async () => {
      const answer = await opened.app.request(
        `/api/v1/metrics/customers${query}`,
      );
      const body = await answer.json();
      assertEquals(body.data, data);
      assertEquals(body.meta.customers, customers);
      assertEquals(body.meta.without_record, without_record);
    });
  }
  await t.step("in the order of by", async () => {
    const files = {
      ...FILES,
      "customers.csv":
        "Customer_Id,Occupation,Type\n1,Jedi,Blue\n2,Baker,Red\n3,Jedi,Red\n4,,Blue\n",
      "interactions.csv": "Date Start,Interaction,Customers\n",
    };
    await using opened = await openApp(files);
    for (
      const [by, rows] of [
        ["type,occupation", [
          ["Blue", "Jedi"],
          ["Blue", null],
          ["Red", "Baker"],
          ["Red", "Jedi"],
        ]],
        ["occupation,type", [
          ["Baker", "Red"],
          ["Jedi", "Blue"],
          ["Jedi", "Red"],
          [null, "Blue"],
        ]],
      ] as const
    ) {
      const answer = await opened.app.request(
        `/api/v1/metrics/customers?by=${by}`,
      );
      const { data } = await answer.json();
      const names = by.split(",");
      assertEquals(
        data.map((row: Record<string, unknown>) =>
          names.map((name) => row[name])
        ),
        rows,
      );
    }
  });
  const wrong = await opened.app.request(
    "/api/v1/metrics/customers?by=customer_id",
  );
  assertEquals(wrong.status, 400);
});

Deno.test("customers reached: each once in a group, and once in meta.customers", async (t) => {
  const table: [query: string, data: string, meta: number[]][] = [
    [
      "?by=channel",
      '{"channel":"Bird","customers":2},{"channel":"Call","customers":2}',
      [3, 1],
    ],
    [
      "?by=month",
      '{"month":"2020-03","customers":2},{"month":"2020-04","customers":1},{"month":"2021-01","customers":1}',
      [3, 1],
    ],
    [
      "?by=weekday",
      '{"weekday":1,"customers":1},{"weekday":2,"customers":1},{"weekday":4,"customers":2}',
      [3, 1],
    ],
    [
      "?by=topic",
      '{"topic":"Orange","customers":2},{"topic":"Sand","customers":2},{"topic":null,"customers":2}',
      [3, 3],
    ],
    [
      "?by=topic&topic=sand,null",
      '{"topic":"Sand","customers":2},{"topic":null,"customers":2}',
      [3, 1],
    ],
    [
      "?by=occupation,channel",
      '{"occupation":"Baker, master","channel":"Call","customers":1},{"occupation":"Jedi","channel":"Bird","customers":1},{"occupation":"Jedi","channel":"Call","customers":1},{"occupation":null,"channel":"Bird","customers":1}',
      [3, 1],
    ],
    [
      "?by=type&channel=call",
      '{"type":"Blue","customers":1},{"type":"Red","customers":1}',
      [2, 0],
    ],
    ["?end_date=2020-03-31", '{"customers":2}', [2, 0]],
    ["?topic=sand&type=null", '{"customers":1}', [1, 0]],
    ["?topic=wood", '{"customers":0}', [0, 0]],
    ["?by=type,month&topic=wood", "", [0, 0]],
    [
      "?start_date=2021-01-01&end_date=2021-12-31&compare=previous_year",
      '{"customers":1,"previous":3,"change":-0.6667}',
      [1, 0],
    ],
    [
      "?by=channel&start_date=2021-01-01&end_date=2021-12-31&compare=previous_year",
      '{"channel":"Bird","customers":1,"previous":2,"change":-0.5},{"channel":"Call","customers":0,"previous":2,"change":-1}',
      [1, 0],
    ],
  ];
  for (const SERVE_FROM of ["index", "query"]) {
    await using opened = await openApp(FILES, { SERVE_FROM });
    for (const [query, data, [customers, overlap]] of table) {
      await t.step(`${SERVE_FROM} ${query}`, async () => {
        const answer = await opened.app.request(
          `/api/v1/metrics/customers${query}`,
        );
        const text = await answer.text();
        assertEquals(
          text.slice(0, text.lastIndexOf(',"meta":')),
          `{"data":[${data}]`,
        );
        const { meta } = JSON.parse(text);
        assertEquals([meta.customers, meta.overlap], [customers, overlap]);
        assertEquals("without_record" in meta, false);

        const download = async (format: string) => {
          const path = `/api/v1/metrics/customers${query}&format=${format}`;
          return await opened.app.request(path);
        };
        const lines = await (await download("ndjson")).text();
        assertEquals(lines.trim().replaceAll("\n", ","), data);
        // Its rows are counted before the first byte.
        const sheet = await download("xlsx");
        assertEquals(sheet.status, 200);
        assert((await sheet.bytes()).length > 0);
      });
    }
  }
});

Deno.test("customers reached: wrong parameters are refused with what is right", async () => {
  await using opened = await openApp(FILES);
  for (
    const [query, error] of [
      [
        "?by=customer_id,day",
        /Unknown dimension "customer_id"\. Known: channel, topic, type, occupation, day/,
      ],
      ["?by=type,day,week,month", /at most 3/],
      ["?pivot=channel", /Unknown query parameter "pivot"/],
      ["?channel=Drum", /Unknown channel "Drum"/],
      ["?compare=previous_year", /compare needs start_date and end_date/],
      ["?start_date=2020-02-02&end_date=2020-02-01", /cannot be later/],
      [
        "?compare=previous_year&start_date=2020-01-01&end_date=2020-01-02&by=day",
        /compare cannot be by day/,
      ],
      [
        "?compare=previous_year&start_date=0001-12-31&end_date=0001-12-31",
        /no previous_year before this start_date/,
      ],
    ] as const
  ) {
    const answer = await opened.app.request(
      `/api/v1/metrics/customers${query}`,
    );
    assertEquals(answer.status, 400, query);
    assertMatch((await answer.json()).error, error);
  }
});

Deno.test("equal questions have one ETag, found before any query", async () => {
  await using opened = await openApp(FILES);
  const tag = async (query: string, headers = {}) => {
    const answer = await opened.app.request(PATH + query, { headers });
    return [answer.status, answer.headers.get("ETag")];
  };
  const [, etag] = await tag("?by=type&channel=call,Bird&type=null,red");
  assertEquals(
    await tag("?type=RED,null&channel=bird,CALL&by=TYPE", {
      "If-None-Match": etag!,
    }),
    [304, etag],
  );
});

Deno.test("the catalogue lists every dimension", async () => {
  await using opened = await openApp(FILES);
  const answer = await opened.app.request("/api/v1/metrics");
  const { data } = await answer.json();
  assertEquals(
    data.measures.map(({ name }: { name: string }) => name),
    ["interactions", "customers", "customers_reached"],
  );
  for (const { name } of data.dimensions) {
    const { status } = await opened.app.request(`${PATH}?by=${name}`);
    assertEquals(status, 200);
  }
  assertEquals(data.dimensions.length, 11);
});

Deno.test("a pivot over no channels is an object without members", async () => {
  await using opened = await openApp({
    "customers.csv": "Customer_Id\n1\n",
    "interactions.csv": "Date Start,Interaction,Customers\n",
  });
  const answer = await opened.app.request(
    "/api/v1/metrics/interactions?pivot=channel",
  );
  assertEquals((await answer.json()).data, [{ interactions: {}, total: 0 }]);
});
