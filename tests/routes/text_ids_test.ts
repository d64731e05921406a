/** Customers called by texts: every endpoint, with ids that mean something else elsewhere. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FORMAT_NAMES } from "../../routes/formats/formats.ts";
import { keyFile } from "../support/keys.ts";
import { openApp, type OpenedApp } from "../support/open_app.ts";
import {
  readArrow,
  readCsv,
  readParquet,
  readXlsx,
} from "../support/read_back.ts";
import {
  NASTY_IDS,
  nastyFiles,
  nastyName,
  textFiles,
} from "../support/text_ids.ts";

const seg = encodeURIComponent;
const nameAt = (position: number) =>
  position < NASTY_IDS.length - 2 && nastyName(position) || null;

/** The application on the same nasty data, from memory and by query. */
async function bothApps(names = true) {
  const files = nastyFiles(names);
  const index = await openApp(files);
  const query = await openApp(files, { SERVE_FROM: "query" });
  return {
    index,
    /** What both answer, which must be the same; `headers` are those of the first. */
    async ask(path: string, init: RequestInit = {}) {
      const one = await index.app.request(path, init);
      const other = await query.app.request(path, init);
      const [text, same] = [
        await plainText(one, index),
        await plainText(other, query),
      ];
      assertEquals([one.status, text], [other.status, same], path);
      return { status: one.status, headers: one.headers, text };
    },
    async [Symbol.asyncDispose]() {
      await index[Symbol.asyncDispose]();
      await query[Symbol.asyncDispose]();
    },
  };
}

async function plainText(answer: Response, { snapshot }: OpenedApp) {
  return (await answer.text()).replace(snapshot.loaded_at, "then");
}

Deno.test("each nasty id is a customer of its own, by every endpoint", async (t) => {
  await using apps = await bothApps();
  for (const [i, id] of NASTY_IDS.entries()) {
    await t.step(JSON.stringify(id), async () => {
      const path = `/api/v1/interactions/${seg(id)}`;
      const counts = { Call: i + 1, Letter: (i + 1) % 2 };
      const total = counts.Call + counts.Letter;
      const has_record = i < NASTY_IDS.length - 2;
      for (const one of [path, `/api/v1/stats/interactions/${seg(id)}`]) {
        const { status, text } = await apps.ask(one);
        assertEquals(status, 200, text);
        const data = { customer_id: id, interactions: counts };
        assertEquals(text, JSON.stringify({ data }));
      }

      const explained = JSON.parse((await apps.ask(`${path}?explain=1`)).text);
      assertEquals(explained.meta.explain.filters, { customer_ids: [id] });

      const timeline = JSON.parse((await apps.ask(`${path}/timeline`)).text);
      assertEquals(timeline.meta.interactions, total);
      const topics = JSON.parse((await apps.ask(`${path}/topics`)).text);
      assertEquals(topics.data[0].topic, i % 2 ? "Sand" : "Salt");
      assertEquals(topics.meta.interactions, total);

      const customer = await apps.ask(`/api/v1/customers/${seg(id)}`);
      const record = {
        customer_id: id,
        name: nameAt(i),
        occupation: has_record && ["Jedi", "Baker", null][i % 3] || null,
        type: has_record ? (i % 2 ? "Blue" : "Red") : null,
        known_from: has_record ? "customers" : "interactions",
        first_contact: "2020-01-01",
        last_contact: i % 2 ? "2020-01-01" : "2020-02-02",
        interactions: counts,
        total,
      };
      const { data } = JSON.parse(customer.text);
      assertEquals(data, record);
      assertEquals(Object.keys(data), Object.keys(record));

      // A client that has the answer gets a 304.
      for (
        const one of [path, `${path}/timeline`, `/api/v1/customers/${seg(id)}`]
      ) {
        const etag = (await apps.index.app.request(one)).headers.get("ETag")!;
        assertMatch(etag, /^"[!#-~]+"$/);
        assert(etag.includes(seg(id)), etag);
        const again = await apps.index.app.request(one, {
          headers: { "If-None-Match": etag },
        });
        assertEquals(again.status, 304);
      }

      const download = await apps.ask(`${path}/timeline?format=csv`);
      assertEquals(
        download.headers.get("Content-Disposition"),
        `attachment; filename="interactions-${
          seg(id)
        }-timeline-${apps.index.snapshot.data_version}.csv"`,
      );
    });
  }
});

Deno.test("the name of a download has at most 255 bytes, of whole characters", async (t) => {
  const cases: [id: string, shown: string][] = [
    ["漢".repeat(128), "漢".repeat(23)],
    ["😀".repeat(128), "😀".repeat(17)],
    ["%漢".repeat(64), `${"%漢".repeat(17)}%`],
    ["é".repeat(100) + "a".repeat(28), "é".repeat(30) + "a".repeat(28)],
  ];
  await using opened = await openApp(
    textFiles({
      records: cases.map(([id]) => [id, "", "", ""]),
      interactions: [],
    }),
  );
  const { app, snapshot: { data_version } } = opened;
  for (const [id, shown] of cases) {
    await t.step(id, async () => {
      const answer = await app.request(
        `/api/v1/interactions/${seg(id)}/timeline?format=parquet`,
      );
      await answer.body?.cancel();
      const name = `interactions-${seg(shown)}-timeline-${data_version}`;
      assertEquals(
        answer.headers.get("Content-Disposition"),
        `attachment; filename="${name}.parquet"`,
      );
    });
  }
});

Deno.test("what is no id is 400, and an id that is not known is 404", async (t) => {
  await using apps = await bothApps();
  const cases: [segment: string, status: number][] = [
    ["%E0%A4%A", 400],
    ["%", 400],
    ["%zz", 400],
    ["%ff", 400],
    ["%00", 400],
    ["a%0Ab", 400],
    ["b".repeat(129), 400],
    ["%20a", 404],
    ["A", 404],
    ["%C3%9C", 404],
    ["7.0", 404],
    ["0", 404],
    ["b".repeat(128), 404],
    ["nobody", 404],
    // Compared in one normal form, however it is written.
    ["e%CC%81", 200],
    ["%c3%a9", 200],
    ["\u00e9", 200],
    ["%61", 200],
    ["b+c", 404],
    ["...", 200],
  ];
  for (const [segment, status] of cases) {
    await t.step(`${segment} ${status}`, async () => {
      for (
        const path of [
          `/api/v1/interactions/${segment}`,
          `/api/v1/stats/interactions/${segment}`,
          `/api/v1/interactions/${segment}/timeline`,
          `/api/v1/interactions/${segment}/topics?explain=1`,
          `/api/v1/customers/${segment}`,
          // Not answered past the routing.
          `/api/v1/%69nteractions/${segment}`,
        ]
      ) {
        const answer = await apps.ask(path);
        assertEquals(answer.status, status, path);
        if (status === 200) continue;
        assertEquals(JSON.parse(answer.text), {
          error: status === 400
            ? "Invalid customer_id provided"
            : "Customer not found",
        });
      }
    });
  }
  // The id is looked at before the other parameters.
  const wrong = await apps.ask("/api/v1/interactions/%zz?colour=red");
  assertMatch(wrong.text, /Invalid customer_id/);
  const unknown = await apps.ask("/api/v1/interactions/nobody?topic=none");
  assertMatch(unknown.text, /Unknown topic/);
});

Deno.test("lists of customers: one id as a whole, else split; in order, each once", async (t) => {
  await using apps = await bothApps();
  const cases: [list: string, found: string[], unknown: string[]][] = [
    ["x,y", ["x,y"], []],
    ["7,007", ["007", "7"], []],
    ["7, 007 ,7,nobody", ["007", "7"], ["nobody"]],
    ['"x,y",7', ["7", "x,y"], []],
    ['"""q""",a', ['"q"', "a"], []],
    ['"q"', ['"q"'], []],
    ["y;z|", ["y;z|"], []],
    ["e\u0301,\u00fc", ["\u00e9", "\u00fc"], []],
    ["😀🎉,\uff21", ["\uff21", "😀🎉"], []],
    ["zz,\uff22,😀", [], ["zz", "\uff22", "😀"]],
    ["A,a", ["a"], ["A"]],
  ];
  for (const [list, found, unknown] of cases) {
    await t.step(list, async () => {
      for (const more of ["", "&explain=1", "&limit=1", "&channel=Call"]) {
        const path = `/api/v1/interactions?customer_id=${seg(list)}${more}`;
        const { status, text } = await apps.ask(path);
        assertEquals(status, 200, text);
        const { data, meta } = JSON.parse(text);
        const shown = data.map((row: { customer_id: string }) =>
          row.customer_id
        );
        assertEquals(shown, more === "&limit=1" ? found.slice(0, 1) : found);
        assertEquals(meta.unknown_customer_ids, unknown);
        assertEquals(meta.customers, found.length);
        if (meta.explain) {
          assertEquals(
            new Set(meta.explain.filters.customer_ids),
            new Set([...found, ...unknown]),
          );
        }
      }
    });
  }
  for (const list of ["", "a,,b", 'a"', "a,.", `a,${"b".repeat(129)}`]) {
    const path = `/api/v1/interactions?customer_id=${seg(list)}`;
    assertEquals((await apps.ask(path)).status, 400, list);
  }
  const many = Array.from({ length: 101 }, (_, i) => `n${i}`).join();
  const { text } = await apps.ask(`/api/v1/interactions?customer_id=${many}`);
  assertMatch(text, /at most 100 customers/);
});

Deno.test("lists of all customers, page by page, are in the order of code points", async (t) => {
  await using apps = await bothApps();
  const calls = NASTY_IDS.map((id, i): [string, number] => [id, i + 1]);
  const cases: [path: string, expected: string[]][] = [
    ["/api/v1/customers?limit=5", [...NASTY_IDS]],
    ["/api/v1/interactions?limit=5", [...NASTY_IDS]],
    ["/api/v1/interactions?limit=5&sort=-customer_id", NASTY_IDS.toReversed()],
    [
      "/api/v1/interactions?limit=5&sort=-Call&start_date=2020-01-01",
      calls
        .toReversed().map(([id]) => id),
    ],
    // Ties are in order, whatever comes first.
    ["/api/v1/interactions?limit=5&sort=-Letter", [
      ...NASTY_IDS.filter((_, i) => i % 2 === 0),
      ...NASTY_IDS.filter((_, i) => i % 2 === 1),
    ]],
    [
      "/api/v1/customers?limit=3&type=Red",
      NASTY_IDS.slice(0, -2)
        .filter((_, i) => i % 2 === 0),
    ],
  ];
  for (const [path, expected] of cases) {
    await t.step(path, async () => {
      const found: [string, unknown][] = [];
      let cursor = "";
      do {
        const { status, text } = await apps.ask(path + cursor);
        assertEquals(status, 200, text);
        const { data, meta } = JSON.parse(text);
        for (const row of data) found.push([row.customer_id, row.name]);
        cursor = meta.next && `&cursor=${meta.next}`;
      } while (cursor);
      assertEquals(
        found,
        expected.map((id) => [id, nameAt(NASTY_IDS.indexOf(id))]),
      );
    });
  }
});

Deno.test("the search finds the beginning of ids and of words of names, ignoring case", async (t) => {
  await using apps = await bothApps();
  const named = NASTY_IDS.filter((_, i) => nameAt(i));
  const cases: [q: string, found: readonly string[]][] = [
    ["A-", ["A-1"]],
    ["a/", ["a/b"]],
    ["B ", ["b c", "b  c"]],
    ["É", ["é"]],
    ["e\u0301", ["é"]],
    ["%", ["%41", "%zz"]],
    ["_", ["__proto__"]],
    ["änne", named],
    ["MARIE O", named],
    ["nne", []],
    ["o'neill 2", NASTY_IDS.filter((_, i) => nameAt(i) && /^2/.test(`${i}`))],
  ];
  for (const [q, found] of cases) {
    await t.step(q, async () => {
      const path = `/api/v1/customers?limit=100&q=${seg(q)}&explain=1`;
      const { status, text } = await apps.ask(path);
      assertEquals(status, 200, text);
      const shown = JSON.parse(text).data
        .map((row: { customer_id: string }) => row.customer_id);
      assertEquals(new Set(shown), new Set(found));
    });
  }
});

Deno.test("numbers by customer_id", async () => {
  await using apps = await bothApps();
  const path = "/api/v1/metrics/interactions?by=customer_id";
  const { data } = JSON.parse((await apps.ask(path)).text);
  assertEquals(
    data,
    NASTY_IDS.map((id, i) => ({
      customer_id: id,
      interactions: i + 1 + (i + 1) % 2,
    })),
  );
  const wide = JSON.parse(
    (await apps.ask(`${path},type&pivot=channel&channel=Letter`)).text,
  );
  assertEquals(wide.data[0], {
    customer_id: NASTY_IDS[0],
    type: "Red",
    interactions: { Letter: 1 },
    total: 1,
  });
});

Deno.test("every format has the ids as texts, and the names", async (t) => {
  await using apps = await bothApps();
  const { app } = apps.index;
  const readers = {
    csv: readCsv,
    xlsx: readXlsx,
    parquet: readParquet,
    arrow: readArrow,
  };
  for (const format of ["csv", "xlsx", "parquet", "arrow"] as const) {
    for (const list of ["customers", "interactions"]) {
      await t.step(`${list} as ${format}`, async () => {
        const answer = await app.request(`/api/v1/${list}?format=${format}`);
        const [header, ...rows] = await readers[format](await answer.bytes());
        assertEquals(header.slice(0, 2), ["customer_id", "name"]);
        assertEquals(
          rows.map(([id, name]) => [id, name || null]),
          NASTY_IDS.map((id, i) => [
            // A spreadsheet would run it.
            format === "csv" && id.startsWith("=") ? `'${id}` : id,
            nameAt(i),
          ]),
        );
      });
    }
    await t.step(`metrics as ${format}`, async () => {
      const answer = await app.request(
        `/api/v1/metrics/interactions?by=customer_id&format=${format}`,
      );
      const rows = await readers[format](await answer.bytes());
      assertEquals(rows.length, NASTY_IDS.length + 1);
      assertEquals(rows.at(-1)![0], NASTY_IDS.at(-1));
    });
  }
  assertEquals(FORMAT_NAMES.length, 6);
});

Deno.test("a folder in which nobody is", async () => {
  await using opened = await openApp(
    textFiles({ records: [], interactions: [] }),
  );
  const ask = async (path: string) => {
    const answer = await opened.app.request(path);
    return { status: answer.status, ...await answer.json() };
  };
  assertEquals((await ask("/api/v1/interactions/a")).status, 404);
  assertEquals((await ask("/api/v1/customers")).data, []);
  const { meta } = await ask("/api/v1/interactions?customer_id=a,b");
  assertEquals(meta.unknown_customer_ids, ["a", "b"]);
});

Deno.test("without names there is no field for them", async () => {
  await using apps = await bothApps(false);
  for (
    const path of [
      "/api/v1/customers",
      "/api/v1/interactions",
      "/api/v1/interactions?customer_id=a",
      "/api/v1/customers/a",
    ]
  ) {
    const { text } = await apps.ask(path);
    assertEquals(text.includes('"name"'), false, path);
  }
  const csv = await apps.ask("/api/v1/customers?format=csv");
  assertMatch(csv.text, /^customer_id,occupation,type,/);
  const { data } = JSON.parse(
    (await apps.ask("/api/v1/customers?q=änne")).text,
  );
  assertEquals(data, []);
});

Deno.test("a token is for a customer as the data calls it", async (t) => {
  const { file, keys } = keyFile({ embed: { scopes: ["embed"] } });
  const cases: [
    kind: "integer" | "text",
    customer_id: unknown,
    status: number,
    error?: RegExp,
  ][] = [
    ["text", "x,y", 201],
    ["text", "e\u0301", 201],
    ["text", "7", 201],
    ["text", 7, 400, /must be a text of 1 to 128 characters/],
    ["text", "", 400, /must be a text of 1 to 128 characters/],
    ["text", "..", 400, /must be a text of 1 to 128 characters/],
    ["text", "a\n", 400, /must be a text of 1 to 128 characters/],
    [
      "text",
      "\0",
      400,
      /characters of Unicode, no control characters, and not/,
    ],
    ["text", "\ud800", 400, /characters of Unicode, no control characters/],
    ["text", ["a"], 400, /^customer_id must be/],
    ["text", null, 400, /customer_id must be/],
    ["integer", 7, 201],
    ["integer", "7", 400, /must be a whole number from 1 to 2\^53-1/],
    ["integer", 0, 400, /must be a whole number from 1 to 2\^53-1/],
    ["integer", 1.5, 400, /must be a whole number from 1 to 2\^53-1/],
  ];
  for (const [kind, customer_id, status, error] of cases) {
    await t.step(`${kind}: ${JSON.stringify(customer_id)}`, async () => {
      await using opened = await openApp(
        textFiles({
          kind,
          records: (kind === "text" ? ["x,y", "\u00e9", "7"] : ["7"])
            .map((id) => [id, "", "", ""]),
          interactions: [],
        }),
        {},
        { key_file: file },
      );
      const answer = await opened.app.request("/api/v1/tokens", {
        method: "POST",
        headers: {
          "X-API-Key": keys.embed,
          "Content-Type": "application/json",
        },
        body: JSON.stringify({ customer_id }),
      });
      const { data, error: told } = await answer.json();
      assertEquals(answer.status, status, told);
      if (error) return assertMatch(told, error);
      const headers = { "X-API-Key": data.token };
      const own = await opened.app.request(
        `/api/v1/customers/${seg(data.customer_id)}`,
        { headers },
      );
      assertEquals((await own.json()).data.customer_id, data.customer_id);
    });
  }
});

Deno.test("a fragment that is sent all the same ends the path, and is no part of an id", async () => {
  await using opened = await openApp(nastyFiles(false));
  const ask = async (path: string) => {
    const answer = await opened.app.request(path);
    return [answer.status, await answer.text()];
  };
  assertEquals(
    await ask("/api/v1/interactions/a#b"),
    await ask("/api/v1/interactions/a"),
  );
  const [status] = await ask("/api/v1/interactions/#/timeline?interval=day");
  assertEquals(status, 404);
});
