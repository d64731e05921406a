/** The page with a keyboard only: everything is reached, the focus is seen, and it never gets lost. */

/// <reference lib="dom" />

import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { BROWSER, eventually, open, share, tilesOf } from "./page.ts";

const shared = share();

/** The element that has the focus, in words. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const text = element.getAttribute("aria-label") ??
      (element as HTMLInputElement).placeholder ??
      element.textContent;
    return text!.trim().replaceAll(/\s+/g, " ");
  });
}

/** Presses Tab until the focus is on what is sought. */
async function tabTo(page: Page, sought: RegExp): Promise<void> {
  for (let i = 0; i < 100; i++) {
    await page.keyboard.press("Tab");
    if (sought.test(await focused(page))) return;
  }
  throw new Error(`Tab does not reach ${sought}`);
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

const search = (page: Page) => new URL(page.url()).search;

Deno.test(
  "the first Tab shows a link that skips to the numbers",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page } = watched;
    await press(page, "Tab");
    assertEquals(await focused(page), "Skip to the numbers");
    const box = await page.locator(".skip").boundingBox();
    assert(box!.y >= 0, `at ${box!.y}`);
    await press(page, "Enter");
    await eventually(async () =>
      assertEquals(
        await page.evaluate(() => document.activeElement!.id),
        "main",
      )
    );
    // The header is behind; the next stop is a filter.
    await press(page, "Tab");
    assertEquals(await focused(page), "All time");
  },
);

Deno.test(
  "by keys alone: a period, a name, a point of a chart, a customer, the dialog",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page } = watched;
    await tabTo(page, /^2020$/);
    await press(page, "Enter");
    await eventually(() => assertEquals(search(page), "?period=2020"));
    // The focus stays where it was.
    assertEquals(await focused(page), "2020");

    await tabTo(page, /^Channel$/);
    await press(page, "Enter");
    await tabTo(page, /^Call/);
    await press(page, "Enter");
    await eventually(() =>
      assertEquals(search(page), "?period=2020&channel=Call")
    );
    assert((await focused(page)).startsWith("Call"));
    await press(page, "Escape");
    assert((await focused(page)).startsWith("Channel"));
    assertEquals(await page.locator(".menu[open]").count(), 0);

    await tabTo(page, /^Interactions: where from/);
    await press(page, "Enter");
    await page.locator("dialog pre").first().waitFor();
    await press(page, "Escape");
    assertEquals(await focused(page), "Interactions: where from?");

    await tabTo(page, /^By type of customer and channel\. Arrow keys/);
    await press(page, "ArrowDown");
    const readout = page.locator('[data-slot="types"] .readout');
    assert((await readout.textContent())!.startsWith("Blue: "));
    await press(page, "Enter");
    await eventually(() =>
      assertEquals(search(page), "?period=2020&channel=Call&type=Blue")
    );
    await eventually(async () => assertEquals((await tilesOf(page))[0], "2"));

    await tabTo(page, /^Find a customer/);
    await page.keyboard.type("8");
    await page.locator(".found .option").waitFor();
    await press(page, "ArrowDown", "Enter");
    await page.locator("#customer .facts").waitFor();
    await eventually(async () =>
      assertEquals(await focused(page), "Customer 8")
    );
  },
);

Deno.test("whatever has the focus is seen to have it", BROWSER, async () => {
  await using watched = await open(shared.browser, shared.server.base_url);
  const { page } = watched;
  let stops = 0;
  for (; stops < 120; stops++) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      if (element === document.body) return "end";
      // A label may show the focus of an input that is only read out.
      const shown = element.classList.contains("only-read")
        ? element.parentElement!
        : element;
      const { outlineStyle, outlineWidth } = getComputedStyle(shown);
      const { width, height } = shown.getBoundingClientRect();
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 &&
          width > 0 && height > 0
        ? ""
        : shown.outerHTML.slice(0, 200);
    });
    if (seen === "end") break;
    assertEquals(seen, "");
  }
  assert(stops > 40, `${stops} stops`);
});
