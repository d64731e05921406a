/** Answers with rows over HTTP: formats, names, compression, deadlines, queues, streams that break. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { App } from "../../routes/app.ts";
import { csv } from "../support/data_folder.ts";
import { NO_INTERACTIONS } from "../support/load_folder.ts";
import { appOn, openApp } from "../support/open_app.ts";
import {
  type Grid,
  type Read,
  readArrow,
  readCsv,
  readParquet,
  readXlsx,
} from "../support/read_back.ts";
import { until } from "../support/until.ts";

// Names that hurt: one that CSV quotes, one that collides, one that is a formula.
const FILES = {
  "customers.csv": csv(
    ["Customer_Id", "Occupation", "Type"],
    ["1", "Baker, master", "Red"],
    ["2", 'the "Jedi"', "Blue"],
    ["3", "", ""],
  ),
  "interactions.csv": csv(
    ["Date Start", "Interaction", "Customers"],
    ["05/03/2020", "Bird", "1"],
    ["05/03/2020", "total", "1;2"],
    ["06/04/2020", "10", "9"],
  ),
  "products.csv": "Date,Product\n03-2020,Sand\n03-2020,Grün\n",
};
const MATRIX = "/api/v1/interactions";
const XLSX =
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

Deno.test("a format is chosen by format, else by Accept", async (t) => {
  await using opened = await openApp(FILES);
  const table: [query: string, accept: string | null, type: string][] = [
    ["", null, "application/json"],
    ["", "*/*", "application/json"],
    ["", "text/html,application/xml;q=0.9,*/*;q=0.8", "application/json"],
    ["", "text/csv", "text/csv; charset=utf-8"],
    ["", "TEXT/*", "text/csv; charset=utf-8"],
    ["", "application/json, text/plain, */*", "application/json"],
    ["", "text/csv, */*", "text/csv; charset=utf-8"],
    ["", "text/csv;q=0.5, application/json;q=0.4", "text/csv; charset=utf-8"],
    ["", "application/json;q=0, */*", "text/csv; charset=utf-8"],
    [
      "",
      "application/vnd.apache.arrow.stream",
      "application/vnd.apache.arrow.stream",
    ],
    [
      "",
      "application/x-ndjson;q=0.1, application/json;q=0",
      "application/x-ndjson",
    ],
    ["?format=json", "text/csv", "application/json"],
    ["?format=csv", "application/json", "text/csv; charset=utf-8"],
    ["?format=ndjson", null, "application/x-ndjson"],
    ["?format=xlsx", null, XLSX],
    ["?format=parquet", null, "application/vnd.apache.parquet"],
    ["?format=arrow", "image/png", "application/vnd.apache.arrow.stream"],
  ];
  for (const [query, accept, type] of table) {
    await t.step(`${query} ${accept}`, async () => {
      const answer = await opened.app.request(MATRIX + query, {
        headers: accept ? { Accept: accept } : {},
      });
      await answer.bytes();
      assertEquals(answer.status, 200);
      assertEquals(answer.headers.get("Content-Type"), type);
      assertEquals(answer.headers.get("Vary"), "Accept, Accept-Encoding");
    });
  }

  const refusals: [
    path: string,
    accept: string | null,
    status: number,
    error: string,
  ][] = [
    [
      `${MATRIX}?format=xml`,
      null,
      400,
      'Unknown format "xml". Known: json, csv, ndjson, xlsx, parquet, arrow.',
    ],
    [`${MATRIX}?format=`, null, 400, 'Unknown format "". Known: json,'],
    [`${MATRIX}?bom=1`, null, 400, "bom is for format=csv only."],
    [`${MATRIX}?bom=0&format=csv`, null, 400, "bom must be 1."],
    [MATRIX, "image/png", 406, "text/csv (format=csv)"],
    [MATRIX, "*/*;q=0", 406, "application/json (format=json)"],
    [
      "/api/v1/dimensions",
      "text/csv",
      406,
      "Available: application/json (format=json).",
    ],
    [
      "/api/v1/dimensions?format=csv",
      null,
      400,
      'Unknown query parameter "format"',
    ],
  ];
  for (const [path, accept, status, error] of refusals) {
    await t.step(`${path} ${accept}: ${status}`, async () => {
      const answer = await opened.app.request(path, {
        headers: accept ? { Accept: accept } : {},
      });
      assertEquals(answer.status, status);
      assertEquals(answer.headers.get("Cache-Control"), "no-store");
      assertStringIncludes((await answer.json()).error, error);
    });
  }
});

const LISTS = [
  "/api/v1/interactions?sort=-total",
  "/api/v1/interactions?limit=2&channel=bird,total",
  "/api/v1/interactions/1/timeline?interval=month&start_date=2020-01-01",
  "/api/v1/interactions/1/topics",
  "/api/v1/metrics/interactions",
  "/api/v1/metrics/interactions?by=type,month&pivot=channel",
  "/api/v1/metrics/interactions?by=topic",
  "/api/v1/metrics/interactions?by=customer_id&pivot=topic",
  "/api/v1/metrics/interactions?by=type&start_date=2020-04-01&end_date=2020-04-30&compare=previous_period",
  "/api/v1/metrics/interactions?by=day&start_date=1999-01-01&end_date=1999-01-02",
  "/api/v1/metrics/customers?by=type,occupation",
  "/api/v1/customers",
];

/** The rows of a JSON answer, flat. */
function cellsOf(row: Record<string, unknown>): unknown[] {
  return Object.values(row).flatMap((value) =>
    value !== null && typeof value === "object" ? Object.values(value) : [value]
  );
}

function asText(grid: Grid): unknown[][] {
  // An apostrophe makes a formula harmless; none is in these cells.
  return grid.map((row) =>
    row.map((cell) => cell === null ? null : String(cell))
  );
}

Deno.test("every list has the same rows in every format", async (t) => {
  await using opened = await openApp(FILES);
  const { app } = opened;
  const read = async (path: string, format: string, reader: Read) => {
    const join = path.includes("?") ? "&" : "?";
    const answer = await app.request(`${path}${join}format=${format}`);
    assertEquals(answer.status, 200, path);
    return await reader(await answer.bytes());
  };
  for (const path of LISTS) {
    await t.step(path, async () => {
      const json = await (await app.request(path)).json();
      // JSON objects put a name like 10 first, so rows are compared with these.
      const [header, ...rows] = await read(path, "parquet", readParquet);
      assertEquals(rows.length, json.data.length);
      assertEquals(
        rows.map((row) => row.map(String).sort()),
        json.data.map((row: Record<string, unknown>) =>
          cellsOf(row).map(String).sort()
        ),
      );
      assertEquals(
        new Set(header.map((name) => String(name).toLowerCase())).size,
        header.length,
      );
      assertEquals(await read(path, "arrow", readArrow), [header, ...rows]);
      assertEquals(
        asText(await read(path, "csv", readCsv)),
        asText([header, ...rows]),
      );
      const sheet = await read(path, "xlsx", readXlsx);
      assertEquals(
        sheet.map((row) => header.map((_, i) => row[i] ?? null)),
        [header, ...rows],
      );
      const join = path.includes("?") ? "&" : "?";
      const lines = await (await app.request(`${path}${join}format=ndjson`))
        .text();
      assertEquals(
        lines.split("\n").filter(Boolean).map((line) => JSON.parse(line)),
        json.data,
      );
    });
  }
});

Deno.test("exports are whole, named, and each representation has its ETag", async (t) => {
  const customers = Array.from({ length: 150 }, (_, i) => [`${i + 1}`]);
  await using opened = await openApp({
    "customers.csv": csv(["id"], ...customers),
    "interactions.csv": NO_INTERACTIONS,
  });
  const { app, snapshot: { data_version } } = opened;
  await t.step("the default limit is of JSON alone", async () => {
    const json = await (await app.request("/api/v1/customers")).json();
    assertEquals(json.data.length, 100);
    const text = await (await app.request("/api/v1/customers?format=ndjson"))
      .text();
    assertEquals(text.split("\n").length, 151);
    const some = await app.request("/api/v1/customers?format=ndjson&limit=7");
    assertEquals((await some.text()).split("\n").length, 8);
  });
  await t.step("a file has the name of endpoint and data version", async () => {
    const answer = await app.request("/api/v1/customers?format=csv&bom=1");
    assertEquals(
      answer.headers.get("Content-Disposition"),
      `attachment; filename="customers-${data_version}.csv"`,
    );
    assertEquals(
      (await answer.bytes()).slice(0, 3),
      new Uint8Array([0xef, 0xbb, 0xbf]),
    );
    const json = await app.request("/api/v1/customers");
    assertEquals(json.headers.get("Content-Disposition"), null);
    await json.body?.cancel();
  });
  await t.step("ETags differ and are answered with 304", async () => {
    const etags = new Set<string>();
    const requests: [query: string, encoding: string][] = [
      ["?format=json", "identity"],
      ["?format=json", "gzip, br"],
      ["?format=csv", "identity"],
      ["?format=csv&bom=1", "identity"],
      ["?format=csv", "gzip"],
      ["?format=parquet", "gzip"],
    ];
    for (const [query, encoding] of requests) {
      const path = `/api/v1/customers${query}`;
      const headers = { "Accept-Encoding": encoding };
      const first = await (async () => {
        const answer = await app.request(path, { headers });
        return { answer, bytes: await answer.bytes() };
      })();
      const etag = first.answer.headers.get("ETag")!;
      assertMatch(etag, /^"[\x21\x23-\x7e]+"$/);
      etags.add(etag);
      // The second time it is kept, and the same byte by byte.
      const again = await app.request(path, { headers });
      assertEquals(await again.bytes(), first.bytes);
      assertEquals(
        again.headers.get("Content-Encoding"),
        first.answer.headers.get("Content-Encoding"),
      );
      for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
        const known = await app.request(path, {
          headers: { ...headers, "If-None-Match": tag },
        });
        assertEquals(known.status, 304);
        assertEquals(known.headers.get("ETag"), etag);
        assertEquals(known.headers.get("Vary"), "Accept, Accept-Encoding");
        assertEquals(await known.text(), "");
      }
    }
    assertEquals(etags.size, requests.length);
  });
});

Deno.test("text of some size is compressed for who takes gzip, nothing else is", async (t) => {
  await using opened = await openApp({
    "customers.csv": csv(
      ["id"],
      ...Array.from({ length: 100 }, (_, i) => [`${i + 1}`]),
    ),
    "interactions.csv": NO_INTERACTIONS,
  });
  const table: [path: string, encoding: string, compressed: boolean][] = [
    ["/api/v1/customers", "gzip, deflate, br", true],
    ["/api/v1/customers", "br;q=1, gzip;q=0.2", true],
    ["/api/v1/customers", "gzip;q=0", false],
    ["/api/v1/customers", "identity", false],
    ["/api/v1/customers", "br", false],
    ["/api/v1/customers?limit=1", "gzip", false],
    ["/api/v1/customers?format=csv", "gzip", true],
    ["/api/v1/customers?format=ndjson", "gzip", true],
    ["/api/v1/customers?format=parquet", "gzip", false],
    ["/api/v1/customers?format=arrow", "gzip", false],
    ["/api/v1/customers?format=xlsx", "gzip", false],
    ["/api/v1/interactions/1", "gzip", false],
  ];
  for (const [path, encoding, compressed] of table) {
    await t.step(`${path} ${encoding}`, async () => {
      const plain = await opened.app.request(path);
      const answer = await opened.app.request(path, {
        headers: { "Accept-Encoding": encoding },
      });
      assertEquals(
        answer.headers.get("Content-Encoding"),
        compressed ? "gzip" : null,
      );
      const body = compressed
        ? answer.body!.pipeThrough(new DecompressionStream("gzip"))
        : answer.body!;
      const bytes = await new Response(body).bytes();
      // Workbooks tell the moment they were packed.
      if (!path.includes("xlsx")) assertEquals(bytes, await plain.bytes());
      else await plain.bytes();
    });
  }
});

Deno.test("a question that takes too long: 504, and the next is answered", async () => {
  await using opened = await openApp(FILES, { QUERY_TIMEOUT_MS: "1" });
  const answer = await opened.app.request("/api/v1/dimensions");
  assertEquals(answer.status, 504);
  assertStringIncludes((await answer.json()).error, "longer than 1 ms");
  // An export has a deadline of its own.
  const whole = await opened.app.request(`${MATRIX}?format=csv`);
  assertEquals(whole.status, 200);
  await whole.bytes();
  assertEquals(opened.logged, []);
});

Deno.test("more questions than may run and wait: 503 at once, but not for one customer", async () => {
  await using opened = await openApp(FILES, {
    QUERY_CONCURRENCY: "1",
    QUERY_QUEUE: "1",
  });
  const { app } = opened;
  const asked = ["day", "week", "month", "year", "weekday"].map((by) =>
    app.request(`/api/v1/metrics/interactions?by=${by}`)
  );
  const one = await app.request("/api/v1/interactions/1");
  assertEquals(one.status, 200);
  await one.body?.cancel();
  const answers = await Promise.all(asked);
  assertEquals(
    answers.map(({ status }) => status).sort(),
    [200, 200, 503, 503, 503],
  );
  for (const answer of answers) {
    if (answer.status === 503) {
      assertEquals(answer.headers.get("Retry-After"), "1");
    }
    await answer.body?.cancel();
  }
});

Deno.test("equal questions at the same time are one: a queue of none is enough", async () => {
  await using opened = await openApp(FILES, {
    QUERY_CONCURRENCY: "1",
    QUERY_QUEUE: "0",
    DOWNLOAD_CONCURRENCY: "1",
    CACHE_BYTES: "0",
  });
  for (const query of ["by=day", "by=day&format=csv"]) {
    const answers = await Promise.all(Array.from(
      { length: 20 },
      () => opened.app.request(`/api/v1/metrics/interactions?${query}`),
    ));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    assertEquals(new Set(answers.map(({ status }) => status)), new Set([200]));
    assertEquals(new Set(texts).size, 1);
  }
});

/** An application with an export of about 18 MB: more than a socket takes unread. */
function openLarge(settings: Record<string, string>) {
  const rows = Array.from(
    { length: 400_000 },
    (_, i) => `${i + 1},an occupation of some length,Red\n`,
  );
  return openApp({
    "customers.csv": `Customer_Id,Occupation,Type\n${rows.join("")}`,
    "interactions.csv": NO_INTERACTIONS,
  }, settings);
}

function serve(app: App) {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    app.fetch,
  );
}

Deno.test("large exports: broken off by the deadline, given back when the client leaves", async (t) => {
  await using opened = await openLarge({
    DOWNLOAD_TIMEOUT_MS: "4000",
    DOWNLOAD_CONCURRENCY: "1",
    QUERY_QUEUE: "0",
  });
  const { app, logged } = opened;
  await using server = serve(app);
  const url =
    `http://127.0.0.1:${server.addr.port}/api/v1/customers?format=csv`;

  await t.step("whole, streamed, of all customers", async () => {
    const { app } = appOn(opened.store);
    const answer = await app.request("/api/v1/customers?format=csv");
    assertEquals(answer.headers.get("Content-Length"), null);
    const text = await answer.text();
    assertEquals(text.split("\r\n").length, 400_002);
  });
  await t.step(
    "a client that stalls: the connection breaks, no end is sent",
    async () => {
      const answer = await fetch(url, {
        headers: { "Accept-Encoding": "identity" },
      });
      assertEquals(answer.status, 200);
      const busy = await fetch(`${url}&limit=5`);
      assertEquals(busy.status, 503);
      await busy.body?.cancel();
      await delay(4_500);
      // The slot was given back although nobody has read since.
      const next = await fetch(`${url}&limit=6`);
      assertEquals(next.status, 200);
      await next.body?.cancel();
      await assertRejects(() => answer.text());
      const id = answer.headers.get("X-Request-Id");
      assertEquals(logged.length, 1);
      assertStringIncludes(
        logged[0].text,
        `Request ${id}: the download was broken off. `,
      );
      assertStringIncludes(logged[0].text, "longer than 4000 ms");
    },
  );
  await t.step(
    "a client that leaves: the slot is given back at once",
    async () => {
      const answer = await fetch(url);
      await answer.body!.cancel();
      const began = performance.now();
      let status = 503;
      while (status === 503 && performance.now() - began < 3_000) {
        const next = await fetch(`${url}&limit=7`);
        status = next.status;
        await next.body?.cancel();
        await delay(20);
      }
      assertEquals(status, 200);
      assert(performance.now() - began < 3_000);
      assertEquals(logged.length, 1);
    },
  );
});

Deno.test("downloads that break while they are shared: each is logged with the id of its own answer", async () => {
  await using opened = await openLarge({ DOWNLOAD_TIMEOUT_MS: "6000" });
  const { app, logged } = opened;
  const ids = ["first", "second"];
  const answers = await Promise.all(
    ids.map((id) =>
      app.request("/api/v1/customers?format=csv", {
        headers: { "X-Request-Id": id },
      })
    ),
  );
  assertEquals(answers.map(({ headers }) => headers.get("X-Request-Id")), ids);
  await until(() => logged.length === 2);
  for (const answer of answers) await assertRejects(() => answer.text());
  assertEquals(
    logged.map(({ id }) => id).sort(),
    ids,
  );
});
