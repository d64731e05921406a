/** docs/examples/live.js in a real browser with its cache, in two tabs, behind a proxy that restarts. */

import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { dataFolder } from "../tests/support/data_folder.ts";
import { startServer, waitFor } from "../tests/support/start_server.ts";
import { launch } from "./browser.ts";

const LIVE = await Deno.readTextFile(
  new URL("../docs/examples/live.js", import.meta.url),
);
const PAGE = `<!doctype html><output></output><script type="module">
import { follow } from "/live.js";
const output = document.querySelector("output");
// The site's own server mints the tokens, where there are keys.
async function headers() {
  if (location.hash === "#stranger") return { Authorization: "Bearer unknown" };
  if (location.hash === "#logged-out") throw new Error("no token");
  const token = await (await fetch("/token")).text();
  return token ? { Authorization: "Bearer " + token } : {};
}
const tally = follow({ show, headers, heard });
function heard() {
  if (location.hash === "#broken") throw new Error("a fault of the page");
}
async function show() {
  const counts = await tally.get("/api/v1/interactions/1");
  const timeline = await tally.get("/api/v1/interactions/1/timeline?interval=year", { channel: "Email" });
  output.textContent = JSON.stringify([counts.data.interactions.Email, timeline.meta.interactions]);
}
</script>`;

const exportsOf = (rows: number) => ({
  "customers.csv": "Customer_Id\n1\n",
  "interactions.csv": "Date Start,Interaction,Customers\n" +
    "01/02/2020,Email,1\n".repeat(rows),
});

/** A proxy that serves the page too, and can be away. */
class Proxy {
  /** The streams of events that are open through it. */
  streams = 0;
  readonly #upstream: string;
  readonly #key: string | undefined;
  #port = 0;
  #away = new AbortController();

  /** With a key, the page gets a token of it. */
  constructor(upstream: string, key?: string) {
    this.#upstream = upstream;
    this.#key = key;
    this.start();
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  start(): void {
    this.#away = new AbortController();
    const { signal } = this.#away;
    const { addr } = Deno.serve(
      { hostname: "127.0.0.1", port: this.#port, signal, onListen() {} },
      (request) => this.#answer(request),
    );
    this.#port = addr.port;
  }

  /** Breaks every connection. */
  stop(): void {
    this.#away.abort();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/page") {
      return new Response(PAGE, { headers: { "Content-Type": "text/html" } });
    }
    if (pathname === "/live.js") {
      const headers = { "Content-Type": "text/javascript" };
      return new Response(LIVE, { headers });
    }
    if (pathname === "/token") {
      return new Response(this.#key ? await this.#mint(this.#key) : "");
    }
    const headers = new Headers(request.headers);
    headers.delete("Host");
    headers.delete("Accept-Encoding");
    const signal = AbortSignal.any([request.signal, this.#away.signal]);
    const answer = await fetch(this.#upstream + pathname + search, {
      headers,
      signal,
    });
    if (pathname.endsWith("/events")) {
      this.streams++;
      signal.addEventListener("abort", () => this.streams--, { once: true });
    }
    return new Response(answer.body, answer);
  }

  async #mint(key: string): Promise<string> {
    const answer = await fetch(`${this.#upstream}/api/v1/tokens`, {
      method: "POST",
      headers: { "X-API-Key": key, "Content-Type": "application/json" },
      body: '{"customer_id":1,"minutes":1}',
    });
    return (await answer.json()).data.token;
  }
}

/** Makes a key that may mint tokens; its text. */
async function createKey(file: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-P=key", "key.ts", "create"],
      ...["--name=site", "--scopes=embed", `--file=${file}`],
    ],
    cwd: new URL("..", import.meta.url),
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return /tly_\w+/.exec(decoder.decode(stdout))![0];
}

/** Waits until the page shows `text`; what it showed on the way must be numbers of one version. */
async function shows(page: Page, text: string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const now = await page.textContent("output");
    if (now === text) return;
    if (now) {
      const [one, all] = JSON.parse(now);
      assertEquals(one, all);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${await page.textContent("output")} instead of ${text}`);
}

Deno.test({
  name: "two tabs show what is served, and only one of them listens",
  // The browser's process and its pipes are Playwright's.
  sanitizeResources: false,
  sanitizeOps: false,
}, async (t) => {
  await using folder = await dataFolder(exportsOf(1));
  await using server = await startServer({
    DATA_DIR: folder.path,
    REFRESH_SECONDS: "1",
    CACHE_SECONDS: "60",
    HOLD: "off",
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  const proxy = new Proxy(server.base_url);
  const browser = await launch();
  try {
    const context = await browser.newContext();
    const open = async () => {
      const page = await context.newPage();
      await page.goto(`${proxy.url}/page`);
      return page;
    };
    const [first, second] = [await open(), await open()];
    const both = async (text: string) => {
      await shows(first, text);
      await shows(second, text);
    };

    await t.step("at once", async () => {
      await both("[1,1]");
      assertEquals(proxy.streams, 1);
    });
    await t.step("new data, again and again", async () => {
      for (const rows of [2, 3, 4]) {
        await folder.write(exportsOf(rows));
        await both(`[${rows},${rows}]`);
      }
    });
    await t.step(
      "data as it was before, which the browser has kept",
      async () => {
        await folder.write(exportsOf(2));
        await both("[2,2]");
      },
    );
    await t.step(
      "the proxy restarts, and new data comes meanwhile",
      async () => {
        proxy.stop();
        await folder.write(exportsOf(5));
        await new Promise((resolve) => setTimeout(resolve, 4_000));
        assertEquals(await first.textContent("output"), "[2,2]");
        proxy.start();
        await both("[5,5]");
        assertEquals(proxy.streams, 1);
      },
    );
    await t.step(
      "the tab that listens is closed: the other one does",
      async () => {
        await first.close();
        await folder.write(exportsOf(6));
        await shows(second, "[6,6]");
        assertEquals(proxy.streams, 1);
      },
    );
    await t.step("a tab that comes later is told", async () => {
      const third = await open();
      await shows(third, "[6,6]");
      assertEquals(proxy.streams, 1);
    });
  } finally {
    await browser.close();
    proxy.stop();
  }
  assert(server.output.error === "", server.output.error);
});

/** A site whose pages have tokens of its key, and a browser; ended at the end of its block. */
async function siteWithKeys() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await dataFolder(exportsOf(1)));
  const keys = stack.use(await dataFolder());
  const key = await createKey(`${keys.path}/keys.json`);
  const server = stack.use(
    await startServer({
      DATA_DIR: folder.path,
      API_KEYS_FILE: `${keys.path}/keys.json`,
      REFRESH_SECONDS: "1",
      HOLD: "off",
    }),
  );
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  const proxy = new Proxy(server.base_url, key);
  stack.defer(() => proxy.stop());
  const browser = await launch();
  stack.defer(() => browser.close());
  const owned = stack.move();
  return {
    folder,
    server,
    proxy,
    browser,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test({
  name: "with keys on, a page with a token of its customer is as live",
  sanitizeResources: false,
  sanitizeOps: false,
}, async (t) => {
  // What the page makes of events is its own.
  for (const hash of ["", "#broken"]) {
    await t.step(`page${hash}`, async () => {
      await using site = await siteWithKeys();
      const { folder, server, proxy, browser } = site;
      const page = await browser.newPage();
      await page.goto(`${proxy.url}/page${hash}`);
      await shows(page, "[1,1]");
      await folder.write(exportsOf(2));
      await shows(page, "[2,2]");
      proxy.stop();
      await folder.write(exportsOf(3));
      proxy.start();
      await shows(page, "[3,3]");
      assertEquals(proxy.streams, 1);
      // A page that leaves is no error either.
      await browser.close();
      proxy.stop();
      assert(server.output.error === "", server.output.error);
    });
  }
});

Deno.test({
  name: "a tab that is refused leaves the stream to one that is not",
  sanitizeResources: false,
  sanitizeOps: false,
}, async (t) => {
  for (const refused of ["stranger", "logged-out"]) {
    await t.step(refused, async () => {
      await using site = await siteWithKeys();
      const { folder, proxy, browser } = site;
      const context = await browser.newContext();
      const first = await context.newPage();
      await first.goto(`${proxy.url}/page#${refused}`);
      const second = await context.newPage();
      await second.goto(`${proxy.url}/page`);
      await shows(second, "[1,1]");
      await folder.write(exportsOf(2));
      await shows(second, "[2,2]");
      assertEquals(await first.textContent("output"), "");
    });
  }
});
