/** The first load: right numbers at once, from the page's own server only, without a jump, and small. */

/// <reference lib="dom" />

import { assert, assertEquals } from "@std/assert";
import {
  BROWSER,
  cellsOf,
  CHARTS,
  open,
  recounted,
  recountedReach,
  settled,
  share,
  shownOn,
  tilesOf,
} from "./page.ts";

const MOST_BYTES = 100_000;

const shared = share();

Deno.test(
  "the first view has every number of the API, and asks nobody else",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url);
    const { page, requests, complaints } = watched;
    assertEquals(await shownOn(page), await recounted(base_url));
    for (const slot of CHARTS) {
      const marks = page.locator(`[data-slot="${slot}"] .mark`);
      assert(await marks.count() > 3, `${slot} has no marks`);
    }
    // A bar for each month between the first and the last day, also for those without interactions.
    const months = await cellsOf(page, '[data-slot="timeline"] .numbers');
    assertEquals(months.length - 1, 34);
    assertEquals(
      requests.filter((url) => new URL(url).origin !== base_url),
      [],
    );
    assertEquals(complaints, []);
  },
);

Deno.test(
  "the server has drawn every number before any script runs",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url, {
      javaScriptEnabled: false,
    });
    assertEquals(await shownOn(watched.page), await recounted(base_url));
  },
);

Deno.test(
  "the first view says how many customers were reached",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url);
    const [, customers, each] = await tilesOf(watched.page);
    assertEquals([customers, each], await recountedReach(base_url));
  },
);

Deno.test(
  "nothing moves while the page comes and its script starts",
  BROWSER,
  async () => {
    const context = await shared.browser.newContext({
      viewport: { width: 1280, height: 900 },
    });
    try {
      const page = await context.newPage();
      await page.addInitScript(() => {
        // deno-lint-ignore no-explicit-any
        const kept = globalThis as any;
        kept.shifts = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            const { value, sources } = entry as unknown as {
              value: number;
              sources: { node: Element | null }[];
            };
            const moved = sources.map(({ node }) => node?.className ?? "?");
            kept.shifts.push(`${value}: ${moved.join()}`);
          }
        }).observe({ type: "layout-shift", buffered: true });
      });
      await page.goto(shared.server.base_url);
      await settled(page);
      // Two frames after the script has drawn the page anew.
      await page.evaluate(() =>
        new Promise((done) =>
          requestAnimationFrame(() => requestAnimationFrame(done))
        )
      );
      assertEquals(
        await page.evaluate(() =>
          (globalThis as unknown as { shifts: string[] }).shifts
        ),
        [],
      );
    } finally {
      await context.close();
    }
  },
);

Deno.test(
  "all that the first view loads is small, with gzip",
  BROWSER,
  async () => {
    const context = await shared.browser.newContext();
    try {
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send("Network.enable");
      let bytes = 0;
      let files = 0;
      session.on("Network.loadingFinished", ({ encodedDataLength }) => {
        bytes += encodedDataLength;
        files++;
      });
      await page.goto(shared.server.base_url, { waitUntil: "load" });
      await settled(page);
      assert(files >= 3, `${files} files`);
      assert(bytes > 10_000 && bytes <= MOST_BYTES, `${bytes} bytes`);
    } finally {
      await context.close();
    }
  },
);

Deno.test(
  "where no administrator's key is known, the page says what to set",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    await watched.page.locator("#admin", { hasText: "ADMIN_KEY_SHA256" })
      .waitFor();
    assertEquals(await watched.page.locator("#admin input").count(), 0);
  },
);
