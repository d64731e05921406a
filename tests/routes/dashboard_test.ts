/** `/`: the dashboard as the server draws it, and what it is made of. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { missingOf, type State } from "../../dashboard/state.ts";
import type { App } from "../../routes/app.ts";
import { ADMIN_KEY_SHA256, keyFile } from "../support/keys.ts";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";

const MOST_TURNS = 20;
const SAMPLE = new URL("../../data", import.meta.url).pathname;

async function pageOf(app: App, path = "/", headers: HeadersInit = {}) {
  const answer = await app.request(path, { headers });
  assertEquals(answer.status, 200);
  const html = await answer.text();
  const [, text] =
    /<script type="application\/json" id="state">(.*?)<\/script>/s
      .exec(html)!;
  return { html, headers: answer.headers, state: JSON.parse(text) as State };
}

/** The page with all of its numbers: on a busy machine the first ones may come without some, which are kept by then. */
async function wholePage(app: App, path: string, headers: HeadersInit = {}) {
  for (let turn = 0;; turn++) {
    const page = await pageOf(app, path, headers);
    const missing = missingOf(page.state);
    if (missing.length === 0) return page;
    assert(turn < MOST_TURNS, `never answered: ${missing}`);
  }
}

Deno.test("where reading is open, the page has its numbers and pictures without a script", async () => {
  await using opened = await openApp(SAMPLE);
  const { html, state } = await wholePage(
    opened.app,
    "/?period=2020&channel=Bird",
  );
  assert(html.includes('<p class="tile-value">4</p>'));
  assertStringIncludes(html, "<svg");
  assertStringIncludes(html, "Busiest: week of");
  for (const [slot, answered] of Object.entries(state.slots)) {
    const answer = await opened.app.request(`/${answered!.question}`);
    const { data } = await answer.json();
    if (slot !== "data") assertEquals(answered!.body!.data, data, slot);
  }
  assertEquals(state.slots.channels!.body!.data, [
    { channel: "Bird", interactions: 4, previous: 0, change: null },
  ] as never);
});

Deno.test("attributes of customers are in the list, four of them in the card of one only", async () => {
  const names = ["a_land", "b", "c", "deal_owner"];
  await using opened = await openApp({
    "tally.toml": `[customers]
files = "people.csv"
id = "Id"
attributes = { ${names.map((name) => `${name} = "${name}"`).join(", ")} }

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = "Who"
`,
    "people.csv": `Id,${names}\n1,Chile,"<b>",,Ann\n`,
    "calls.csv": "When,Kind,Who\n2020-01-01,Call,1\n",
  });
  const { html } = await wholePage(opened.app, "/?customer=1");
  const headings = Array.from(
    html.matchAll(/<th scope="col">([^<]*)<\/th>/g),
    ([, text]) => text,
  );
  const first = headings.indexOf("Occupation");
  assertEquals(headings.slice(first, first + 4), [
    "Occupation",
    "A land",
    "B",
    "C",
  ]);
  assert(!headings.includes("Deal owner"));
  assertStringIncludes(html, "<td>Chile</td><td>&lt;b&gt;</td><td></td>");
  assertStringIncludes(html, "1 more attribute");
  assertStringIncludes(html, "<dt>Deal owner</dt><dd>Ann</dd>");
  assertStringIncludes(html, "<dt>C</dt><dd>—</dd>");
});

Deno.test("the policy of the page holds: no style and no script stands in it", async () => {
  await using opened = await openApp(SAMPLE, { ADMIN_KEY_SHA256 });
  const { html, headers } = await pageOf(opened.app, "/?customer=4");
  assert(!/\sstyle=|<style|\son[a-z]+=|javascript:/.test(html));
  assertEquals(
    Array.from(
      html.matchAll(/<script ([^>]*)>/g),
      ([, attributes]) => attributes.replace(/v=\w+/, "v="),
    ),
    [
      'type="module" src="assets/dashboard.js?v="',
      'type="application/json" id="state"',
    ],
  );
  assertEquals(
    headers.get("Content-Security-Policy"),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  assertEquals(headers.get("Cache-Control"), "no-store");
});

Deno.test("numbers and days are in the reader's language", async () => {
  await using opened = await openApp(SAMPLE);
  const { html } = await wholePage(opened.app, "/", {
    "Accept-Language": "en;q=0.4, de-AT, de;q=0.9",
  });
  assertStringIncludes(html, "07.01.2019");
  assertStringIncludes(html, "Freitag");
});

Deno.test("a header of thousands of languages costs no more than a few", async () => {
  await using opened = await openApp(SAMPLE);
  const { state } = await pageOf(opened.app, "/", {
    "Accept-Language": `de,${"a,".repeat(10_000)}`,
  });
  assertEquals(state.locales[0], "de");
  assert(state.locales.length <= 20);
});

Deno.test("with keys on, the page holds no data", async () => {
  const { file: key_file } = keyFile({ read: { scopes: ["read"] } });
  await using opened = await openApp(SAMPLE, {}, { key_file });
  const { html, state } = await pageOf(opened.app, "/?channel=Secret");
  assertEquals(state.slots, {});
  assertEquals(state.access, "locked");
  assertEquals(state.data_version, null);
  for (
    const secret of ["Email", "Jedi", "2019", opened.snapshot.data_version]
  ) {
    assert(!html.includes(secret), secret);
  }
});

Deno.test("hostile names are text in the page and in its state", async () => {
  const hostile = `</script><script>alert(1)</script><!--`;
  await using opened = await openApp({
    "customers.csv": `Customer_Id,Type\n1,"${hostile}"\n`,
    "interactions.csv":
      `Date Start,Interaction,Customers\n01/02/2020,"${hostile}",1\n`,
  });
  const { html, state } = await pageOf(
    opened.app,
    `/?customer=${encodeURIComponent(hostile)}&type=${
      encodeURIComponent(hostile)
    }`,
  );
  assertEquals(html.match(/<script/g)!.length, 2);
  assert(!html.includes("alert(1)</script>"));
  assertEquals(state.view.customer, hostile);
  assertEquals(state.view.filters, { type: [hostile] });
});

Deno.test("while nothing is served, the page says so", async () => {
  const { html, state } = await pageOf(appOn(emptyStore()).app);
  assertStringIncludes(html, "The data is being loaded");
  assertEquals(state.slots.data!.status, 503);
});

for (
  const [name, QUERY_QUEUE] of [
    ["the page does not wait for ever for its numbers", "64"],
    ["what is refused while too much is asked stays open for the browser", "0"],
  ]
) {
  Deno.test(name, async () => {
    await using opened = await openApp(SAMPLE, {
      QUERY_CONCURRENCY: "1",
      QUERY_QUEUE,
      CACHE_BYTES: "0",
    });
    // The only place for a query is taken.
    using _ = await opened.snapshot.begin({
      signal: new AbortController().signal,
      at: Infinity,
    } as never);
    const { html, state } = await pageOf(opened.app);
    assertEquals(state.slots.types, undefined);
    assertStringIncludes(html, "skeleton skeleton-types");
  });
}

Deno.test("a browser keeps the files of the page for ever, by an address that changes with them", async () => {
  await using opened = await openApp(SAMPLE);
  const { html } = await pageOf(opened.app);
  const paths = Array.from(
    html.matchAll(/(?:src|href)="(assets\/[^"]+)"/g),
    ([, path]) => path,
  );
  assertEquals(paths.length, 3);
  for (const path of paths) {
    const answer = await opened.app.request(`/${path}`);
    await answer.body?.cancel();
    assertEquals(answer.status, 200);
    assertEquals(
      answer.headers.get("Cache-Control"),
      "public, max-age=31536000, immutable",
    );
    const other = await opened.app.request(`/${path.replace(/v=\w+/, "v=0")}`);
    await other.body?.cancel();
    assertEquals(other.headers.get("Cache-Control"), "no-cache");
  }
});

Deno.test("all that the first view loads is at most 100 KB compressed", async () => {
  await using opened = await openApp(SAMPLE);
  let bytes = 0;
  for (
    const path of [
      "/",
      "/assets/dashboard.js",
      "/assets/dashboard.css",
      "/assets/icon.svg",
    ]
  ) {
    const answer = await opened.app.request(path, {
      headers: { "Accept-Encoding": "gzip" },
    });
    assertEquals(answer.headers.get("Content-Encoding"), "gzip");
    bytes += (await answer.bytes()).length;
  }
  assert(bytes <= 100_000, `${bytes} bytes`);
});

Deno.test("browsers find an icon, and search engines find nothing", async () => {
  await using opened = await openApp(SAMPLE);
  const icon = await opened.app.request("/favicon.ico");
  assertEquals(icon.headers.get("Content-Type"), "image/svg+xml");
  assertStringIncludes(await icon.text(), "<svg");
  const robots = await opened.app.request("/robots.txt");
  assertEquals(await robots.text(), "User-agent: *\nDisallow: /\n");
});
