/** `/api/v1/interactions`: every customer by every channel, pages, sorting, hostile names. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { openApp } from "../support/open_app.ts";

// Customer 1: 10 twice, __proto__ once; 2: total once; 3: none; 9, without a record: 10 once.
const FILES = {
  "customers.csv":
    "Customer_Id,Occupation,Type\n1,Jedi,Red\n2,Baker,Blue\n3,,\n",
  "interactions.csv": `Date Start,Interaction,Customers
05/03/2020 11:23,10,1
05/04/2020 11:23,10,1
06/03/2020 09:00,__proto__,1
07/03/2020 09:00,total,2
08/03/2020 09:00,10,9
`,
  "products.csv": "Date,Product\n03-2020,Sand\n",
  "channels.csv": "Channel\n10\n2\n__proto__\ncustomer_id\ntotal\n-2\n",
};
const PATH = "/api/v1/interactions";

Deno.test("the matrix: order of names, choice of customers, filters, sorting", async (t) => {
  await using opened = await openApp(FILES);
  const rows = (text: string) =>
    text.slice('{"data":['.length, text.indexOf('],"meta"'));
  const table: [query: string, data: string][] = [
    [
      "?customer_id=1",
      '{"customer_id":1,"occupation":"Jedi","type":"Red","interactions":{"-2":0,"10":2,"2":0,"__proto__":1,"customer_id":0,"total":0},"total":3}',
    ],
    [
      "?channel=10,TOTAL",
      '{"customer_id":1,"occupation":"Jedi","type":"Red","interactions":{"10":2,"total":0},"total":2},{"customer_id":2,"occupation":"Baker","type":"Blue","interactions":{"10":0,"total":1},"total":1},{"customer_id":3,"occupation":null,"type":null,"interactions":{"10":0,"total":0},"total":0},{"customer_id":9,"occupation":null,"type":null,"interactions":{"10":1,"total":0},"total":1}',
    ],
    [
      "?channel=10&topic=sand&start_date=2020-03-05&end_date=2020-03-07&type=null,red",
      '{"customer_id":1,"occupation":"Jedi","type":"Red","interactions":{"10":1},"total":1},{"customer_id":3,"occupation":null,"type":null,"interactions":{"10":0},"total":0},{"customer_id":9,"occupation":null,"type":null,"interactions":{"10":0},"total":0}',
    ],
    ["?type=blue&occupation=jedi", ""],
  ];
  for (const [query, data] of table) {
    await t.step(query, async () => {
      const answer = await opened.app.request(PATH + query);
      assertEquals(rows(await answer.text()), data);
    });
  }

  const sorts: [query: string, ids: number[]][] = [
    ["", [1, 2, 3, 9]],
    ["?sort=customer_id", [1, 2, 3, 9]],
    ["?sort=-customer_id", [9, 3, 2, 1]],
    ["?sort=total", [3, 2, 9, 1]],
    ["?sort=-total", [1, 2, 9, 3]],
    ["?sort=-channel_total", [2, 1, 3, 9]],
    ["?sort=10", [2, 3, 9, 1]],
    ["?sort=-10", [1, 9, 2, 3]],
    ["?sort=-__PROTO__", [1, 2, 3, 9]],
    ["?sort=-2", [1, 2, 3, 9]],
    ["?sort=-10&end_date=2020-03-08&start_date=2020-03-06", [9, 1, 2, 3]],
    ["?sort=-total&start_date=2020-03-07", [1, 2, 9, 3]],
    ["?sort=total&customer_id=9,1,1,3", [3, 9, 1]],
  ];
  for (const [query, ids] of sorts) {
    await t.step(query, async () => {
      const answer = await opened.app.request(PATH + query);
      const { data } = await answer.json();
      assertEquals(
        data.map((row: { customer_id: number }) => row.customer_id),
        ids,
      );
    });
  }
});

Deno.test("every channel can be sorted by, whatever it is called", async () => {
  // Customer n has the only interaction on the n-th channel.
  const channels = [
    "total",
    "channel_total",
    "channel_channel_total",
    "customer_id",
    "channel_customer_id",
    "Bird",
    "channel_Bird",
  ];
  await using opened = await openApp({
    "customers.csv": "Customer_Id\n1\n",
    "interactions.csv": "Date Start,Interaction,Customers\n" +
      channels.map((name, i) => `05/03/2020,${name},${i + 1}\n`).join(""),
  });
  for (
    const [sort, channel] of [
      // As the columns of a download are called.
      ["channel_channel_channel_total", "total"],
      ["channel_total", "channel_total"],
      ["channel_channel_total", "channel_channel_total"],
      ["channel_channel_customer_id", "customer_id"],
      ["CHANNEL_customer_id", "channel_customer_id"],
      ["Bird", "Bird"],
      ["channel_Bird", "channel_Bird"],
    ]
  ) {
    const download = await opened.app.request(`${PATH}?format=csv&limit=1`);
    const [header] = (await download.text()).toLowerCase().split("\r\n");
    assert(
      header.split(",").includes(sort.toLowerCase()),
      `${sort}: ${header}`,
    );
    const answer = await opened.app.request(`${PATH}?sort=-${sort}&limit=1`);
    const { data: [first] } = await answer.json();
    assertEquals(channels[first.customer_id - 1], channel, sort);
  }
});

Deno.test("meta has totals of all pages and the customers there are", async () => {
  await using opened = await openApp(FILES);
  const metaOf = async (query: string) => {
    const { meta } = await (await opened.app.request(PATH + query)).json();
    return meta;
  };
  const whole = await metaOf("?limit=1");
  assertEquals(whole.data_version, opened.snapshot.data_version);
  assertEquals([whole.customers, whole.total, whole.interactions["10"]], [
    4,
    5,
    3,
  ]);
  const some = await metaOf("?customer_id=2,7,8&channel=total");
  assertEquals([some.customers, some.total], [1, 1]);
  assertEquals(some.unknown_customer_ids, [7, 8]);
  assertEquals((await metaOf("?type=red")).customers, 1);
});

Deno.test("pages: each customer once, and 410 when the data has gone", async (t) => {
  await using opened = await openApp(FILES);
  for (const limit of [1, 2, 3, 4, 5]) {
    for (
      const query of ["", "&sort=-total", "&sort=10", "&sort=-10&channel=10"]
    ) {
      await t.step(`limit=${limit}${query}`, async () => {
        const ids: number[] = [];
        let cursor = "";
        let pages = 0;
        do {
          const answer = await opened.app.request(
            `${PATH}?limit=${limit}${query}${cursor}`,
          );
          const { data, meta } = await answer.json();
          ids.push(
            ...data.map((row: { customer_id: number }) => row.customer_id),
          );
          cursor = meta.next ? `&cursor=${meta.next}` : "";
          assert(++pages <= 4);
        } while (cursor);
        const whole = await opened.app.request(`${PATH}?limit=10${query}`);
        assertEquals(
          ids,
          (await whole.json()).data.map((row: { customer_id: number }) =>
            row.customer_id
          ),
        );
        assertEquals(pages, Math.ceil(4 / limit));
      });
    }
  }
  const { meta } = await (await opened.app.request(`${PATH}?limit=1`)).json();
  await using other = await openApp({
    ...FILES,
    "customers.csv": "Customer_Id\n1\n",
  });
  const gone = await other.app.request(`${PATH}?limit=1&cursor=${meta.next}`);
  assertEquals(gone.status, 410);
  assertMatch((await gone.json()).error, /which is gone\. Start again/);
  const elsewhere = await opened.app.request(
    `${PATH}?limit=1&sort=total&cursor=${meta.next}`,
  );
  assertEquals(elsewhere.status, 400);
  assertMatch((await elsewhere.json()).error, /another question/);
});

Deno.test("wrong parameters are refused with what is right", async (t) => {
  await using opened = await openApp(FILES);
  const ids = Array.from({ length: 101 }, (_, i) => i + 1).join(",");
  const table: [query: string, error: RegExp][] = [
    ["?customer_id=", /Invalid customer_id provided/],
    ["?customer_id=1,a", /Invalid customer_id provided/],
    ["?customer_id=0", /Invalid customer_id provided/],
    [`?customer_id=${ids}`, /at most 100/],
    ["?limit=0", /limit must be a whole number from 1 to 10000/],
    ["?limit=10001", /limit must be/],
    ["?limit=1e2", /limit must be/],
    ["?sort=", /Unknown sort ""\. Known: customer_id, total, -2, 10, 2/],
    ["?sort=--10", /Unknown sort/],
    ["?sort=2&channel=10", /Unknown sort "2"/],
    ["?sort=total;drop table interactions", /Unknown sort/],
    ["?cursor=", /Invalid cursor/],
    ["?cursor=WzFd", /Invalid cursor/],
    ["?cursor=%00", /Invalid cursor/],
    ["?end_date=2020-13-01", /Invalid end_date format/],
    ["?topic=", /Invalid topic list ""/],
    ["?channel=", /Invalid channel list ""/],
    ["?channel=null", /Unknown channel "null"/],
    ["?page=2", /Unknown query parameter "page"/],
  ];
  for (const [query, error] of table) {
    await t.step(query.slice(0, 60), async () => {
      const answer = await opened.app.request(PATH + query);
      assertEquals(answer.status, 400);
      assertMatch((await answer.json()).error, error);
    });
  }
});

Deno.test("data without customers or channels answers all the same", async () => {
  await using opened = await openApp({
    "customers.csv": "Customer_Id\n",
    "interactions.csv": "Date Start,Interaction,Customers\n",
  });
  const table: [path: string, data: unknown][] = [
    [PATH, []],
    [`${PATH}?start_date=2020-01-01&sort=-total`, []],
    ["/api/v1/metrics/interactions", [{ interactions: 0 }]],
    ["/api/v1/metrics/interactions?pivot=channel", [
      { interactions: {}, total: 0 },
    ]],
    ["/api/v1/metrics/interactions?pivot=type&by=topic", []],
    ["/api/v1/metrics/customers", [{ customers: 0 }]],
    ["/api/v1/customers", []],
    ["/api/v1/dimensions", {
      channels: [],
      topics: [],
      types: [],
      occupations: [],
      date_range: null,
    }],
  ];
  for (const [path, data] of table) {
    const answer = await opened.app.request(path);
    assertEquals((await answer.json()).data, data, path);
  }
  assertEquals(opened.logged, []);
});
