/** The page stays right by itself: new data, a server that is gone, a proxy with a prefix, data that comes later. */

/// <reference lib="dom" />

import { assert, assertEquals } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import { dataFolder } from "../../tests/support/data_folder.ts";
import { freePort } from "../../tests/support/free_port.ts";
import { startServer } from "../../tests/support/start_server.ts";
import { launch } from "../browser.ts";
import {
  BROWSER,
  eventually,
  numbersOf,
  open,
  recounted,
  sampleFiles,
  serve,
  settled,
  shownOn,
  tilesOf,
} from "./page.ts";

const SOON = { REFRESH_SECONDS: "1", HOLD: "off" };

let browser: Browser;

Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser.close());

const statusIs = async (page: Page, text: string) =>
  await page.locator(".status", { hasText: text }).waitFor();

Deno.test(
  "a file that is put into the folder shows without a reload, and the view stays",
  BROWSER,
  async () => {
    const files = await sampleFiles();
    await using folder = await dataFolder(files);
    await using server = await serve({ DATA_DIR: folder.path, ...SOON });
    const { base_url } = server;
    await using watched = await open(browser, `${base_url}/?channel=Email`);
    const { page } = watched;
    await page.getByRole("link", { name: "30 days" }).click();
    await settled(page);
    await page.locator('[data-slot="topics"] .numbers summary').click();
    await page.locator(".filter-menus summary", { hasText: "Type" }).click();
    await page.getByRole("searchbox").fill("Jedi");
    await page.locator(".found .option").waitFor();
    const [before] = await tilesOf(page);

    // A later last day moves the 30 days too.
    await folder.write({
      "external_interactions.csv": files["external_interactions.csv"] +
        "05/11/2021 10:00,Email,1\n06/11/2021 10:00,Email,2\n",
    });
    const filters = {
      channel: "Email",
      start_date: "2021-10-08",
      end_date: "2021-11-06",
    };
    await eventually(async () =>
      assertEquals(
        (await tilesOf(page))[0],
        `${Number(before) + 2}`,
      )
    );
    await settled(page);
    assertEquals(
      await shownOn(page),
      await recounted(base_url, { filters, period: "day" }),
    );
    assertEquals(new URL(page.url()).search, "?period=30d&channel=Email");
    assertEquals(
      await page.locator(".periods [aria-current]").textContent(),
      "30 days",
    );
    // What the reader has opened and typed is as it was.
    assertEquals(
      await page.locator('[data-slot="topics"] .numbers').getAttribute("open"),
      "",
    );
    assertEquals(await page.getByRole("searchbox").inputValue(), "Jedi");
    assertEquals(
      watched.requests.filter((url) => new URL(url).pathname === "/").length,
      1,
    );
    await page.locator("#data").getByText("New customers").waitFor();
  },
);

Deno.test(
  "a server that is gone is said so, the numbers stay, and the page recovers by itself",
  BROWSER,
  async () => {
    const files = await sampleFiles();
    await using folder = await dataFolder(files);
    const PORT = String(freePort());
    const settings = { DATA_DIR: folder.path, PORT, ...SOON };
    const server = await serve(settings);
    await using watched = await open(browser, server.base_url);
    const { page } = watched;
    Deno.kill(server.pid, "SIGKILL");
    await server[Symbol.asyncDispose]();
    await statusIs(page, "Server not reached");
    await page.getByText("The numbers here are the last ones it gave")
      .waitFor();
    assertEquals((await tilesOf(page))[0], "31");

    await folder.write({
      "external_interactions.csv": files["external_interactions.csv"] +
        "05/11/2021 10:00,Email,1\n",
    });
    await using again = await serve(settings);
    await statusIs(page, "Up to date");
    const expected = await recounted(again.base_url);
    assertEquals(expected.interactions, 32);
    await eventually(async () => {
      assertEquals(await shownOn(page), expected);
      assertEquals(await page.locator(".note-warning").count(), 0);
    });
  },
);

Deno.test(
  "a reader who asks more than the server allows gets all numbers a little later",
  BROWSER,
  async () => {
    await using server = await serve({ RATE_LIMIT: "1", RATE_BURST: "5" });
    // The same data, without a limit to what this test asks.
    await using unlimited = await serve();
    await using watched = await open(browser, server.base_url);
    const { page } = watched;
    const refused: string[] = [];
    page.on("response", (response) => {
      if (response.status() === 429) refused.push(response.url());
    });
    for (const year of ["2021", "2020", "2019"]) {
      await page.getByRole("link", { name: year, exact: true }).click();
    }
    const filters = { start_date: "2019-01-01", end_date: "2019-12-31" };
    const expected = await recounted(unlimited.base_url, {
      filters,
      period: "week",
    });
    await eventually(async () => assertEquals(await shownOn(page), expected));
    assert(refused.length > 0);
  },
);

Deno.test("behind a prefix everything works", BROWSER, async () => {
  await using server = await serve();
  const away = new AbortController();
  const proxy = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      signal: away.signal,
      onListen() {},
    },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      if (!pathname.startsWith("/tally/")) {
        return new Response("Not here", { status: 404 });
      }
      const headers = new Headers(request.headers);
      headers.delete("Host");
      // Unpacked on the way, a body would not be as long as its header says.
      headers.set("Accept-Encoding", "identity");
      const answer = await fetch(
        server.base_url + pathname.slice("/tally".length) + search,
        {
          headers,
          signal: AbortSignal.any([request.signal, away.signal]),
        },
      );
      return new Response(answer.body, answer);
    },
  );
  try {
    const root = `http://127.0.0.1:${proxy.addr.port}`;
    await using watched = await open(browser, `${root}/tally/`);
    const { page, requests, complaints } = watched;
    await page.getByRole("link", { name: "2020", exact: true }).click();
    const filters = { start_date: "2020-01-01", end_date: "2020-12-31" };
    await eventually(async () =>
      assertEquals(
        await shownOn(page),
        await recounted(server.base_url, { filters, period: "week" }),
      )
    );
    assertEquals(page.url(), `${root}/tally/?period=2020`);
    await page.getByRole("searchbox").fill("Jedi");
    await page.locator(".found .option").click();
    await page.locator("#customer .facts").waitFor();
    await settled(page);
    assertEquals((await numbersOf(page, "record")).Email, 3);

    await page.locator(".tile .explain").first().click();
    await page.locator("dialog pre").first().waitFor();
    await page.keyboard.press("Escape");
    const menu = page.locator('[data-slot="weekdays"] details.menu');
    await menu.locator("summary").click();
    const download = page.waitForEvent("download");
    await menu.getByText("CSV").click();
    const file = await Deno.readTextFile(await (await download).path());
    assertEquals(file.trim().split("\r\n").length > 3, true);
    assertEquals(
      requests.filter((url) => !url.startsWith(`${root}/tally/`)),
      [],
    );
    assertEquals(complaints, []);
  } finally {
    away.abort();
    await proxy.finished.catch(() => {});
  }
});

Deno.test(
  "an empty folder is said so, and the numbers show as soon as they are there",
  BROWSER,
  async () => {
    await using folder = await dataFolder();
    await using server = await startServer({ DATA_DIR: folder.path, ...SOON });
    await using watched = await open(browser, server.base_url);
    const { page } = watched;
    await page.getByRole("heading", { name: "No data is served" }).waitFor();
    await page.locator("main .locked").getByText(/customers/).first().waitFor();
    await statusIs(page, "No data");
    assertEquals(await page.locator("[data-slot]").count(), 0);

    await folder.write(await sampleFiles());
    await page.locator("[data-slot]").first().waitFor();
    await settled(page);
    await eventually(async () =>
      assertEquals(await shownOn(page), await recounted(server.base_url))
    );
    await statusIs(page, "Up to date");
  },
);

Deno.test(
  "data without interactions has no days, and says so",
  BROWSER,
  async () => {
    await using folder = await dataFolder({
      "customers.csv": "Customer_Id\n1\n2\n",
      "interactions.csv": "Date Start,Interaction,Customers\n",
    });
    await using server = await serve({ DATA_DIR: folder.path });
    await using watched = await open(browser, server.base_url);
    const [interactions, , , newest] = await tilesOf(watched.page);
    assertEquals([interactions, newest], ["0", "None"]);
    assertEquals(watched.complaints, []);
  },
);

Deno.test(
  "the age of the data is not by the reader's clock",
  BROWSER,
  async () => {
    await using server = await serve();
    for (const days of [490, -490]) {
      await using watched = await open(browser, server.base_url);
      const { page, complaints } = watched;
      await page.addInitScript((ms) => {
        const { now } = Date;
        Date.now = () => now() + ms;
      }, days * 86_400_000);
      await page.reload();
      await settled(page);
      const ages = page.locator(".tile-change, #data time");
      const texts = await ages.allTextContents();
      assertEquals(texts.slice(-2), ["Loaded now", "now"]);
      assertEquals(complaints, []);
    }
  },
);
