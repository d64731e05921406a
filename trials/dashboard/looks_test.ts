/** Screens, settings and browsers of all kinds: dark, forced colours, still, narrow, zoomed, without a script. */

/// <reference lib="dom" />

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { BrowserContextOptions, Page } from "playwright-core";
import { BROWSER, open, recounted, share, shownOn, tilesOf } from "./page.ts";

const shared = share();

const styleOf = async (
  page: Page,
  { selector, name }: { readonly selector: string; readonly name: string },
) =>
  await page.locator(selector).first().evaluate(
    (element, name) => getComputedStyle(element).getPropertyValue(name),
    name,
  );

Deno.test("dark colours come when the system is dark", BROWSER, async () => {
  const grounds: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await using watched = await open(shared.browser, shared.server.base_url, {
      colorScheme,
    });
    grounds.push(
      await styleOf(watched.page, {
        selector: "body",
        name: "background-color",
      }),
    );
  }
  const [light, dark] = grounds.map((colour) =>
    Number(/rgb\((\d+)/.exec(colour)![1])
  );
  assert(light > 200 && dark < 50, `${grounds}`);
});

Deno.test(
  "with forced colours, bars keep colours that differ",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url, {
      forcedColors: "active",
    });
    const { page } = watched;
    const fills = new Set<string>();
    for (let tone = 1; tone <= 5; tone++) {
      fills.add(
        await styleOf(page, {
          selector: `[data-slot="timeline"] .plot .tone-${tone}`,
          name: "fill",
        }),
      );
    }
    assertEquals(fills.size, 5);
    const chosen = { selector: ".segments [aria-current]" };
    const other = { selector: ".segments a:not([aria-current])" };
    assertNotEquals(
      await styleOf(page, { ...chosen, name: "background-color" }),
      await styleOf(page, { ...other, name: "background-color" }),
    );
  },
);

Deno.test("nothing moves for readers who asked for that", BROWSER, async () => {
  await using watched = await open(shared.browser, shared.server.base_url, {
    reducedMotion: "reduce",
  });
  const { page } = watched;
  const moving = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("*")]
      .filter((element) => {
        const style = getComputedStyle(element);
        return parseFloat(style.transitionDuration) > 0 &&
            style.transitionProperty !== "none" ||
          style.animationName !== "none" || style.scrollBehavior === "smooth";
      }).map(({ tagName, className }) => `${tagName} ${className}`)
  );
  assertEquals(moving, []);
});

const SCREENS: readonly [name: string, options: BrowserContextOptions][] = [
  ["360 pixels", { viewport: { width: 360, height: 740 } }],
  ["320 pixels", { viewport: { width: 320, height: 640 } }],
  ["768 pixels", { viewport: { width: 768, height: 900 } }],
  [
    "zoomed to twice the size",
    { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
  ],
];

Deno.test(
  "no screen is too narrow: the page never scrolls sideways",
  BROWSER,
  async (t) => {
    for (const [name, options] of SCREENS) {
      await t.step(name, async () => {
        await using watched = await open(
          shared.browser,
          `${shared.server.base_url}/?customer=1&channel=Email,Call,Post&type=Red`,
          options,
        );
        const { page } = watched;
        const wide = async () =>
          await page.evaluate(() => {
            const most = document.documentElement.scrollWidth;
            return most <= innerWidth ? "" : `${most} of ${innerWidth}`;
          });
        assertEquals(await wide(), "");
        for (const menu of await page.locator("details.menu summary").all()) {
          await menu.click();
          assertEquals(await wide(), "", "with a menu open");
          const list = menu.locator("..").locator(".menu-list");
          const box = (await list.boundingBox())!;
          const { width } = page.viewportSize()!;
          assert(
            box.x >= 0 && box.x + box.width <= width,
            `${await menu.textContent()}: from ${box.x} to ${
              box.x + box.width
            }`,
          );
          await page.keyboard.press("Escape");
        }
        await page.locator(".tile .explain").first().click();
        await page.locator("dialog pre").first().waitFor();
        assertEquals(await wide(), "", "with the dialog open");
      });
    }
  },
);

Deno.test(
  "without a script, the numbers are there and links of filters and charts work",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url, {
      javaScriptEnabled: false,
    });
    const { page } = watched;
    assert(await page.locator("[data-slot] svg.plot rect").count() > 50);
    await page.getByRole("link", { name: "2020", exact: true }).click();
    await page.waitForURL("**/?period=2020");
    await page.locator('[data-slot="channels"] a.mark', { hasText: "Call" })
      .click();
    await page.waitForURL("**/?period=2020&channel=Call");
    const filters = {
      start_date: "2020-01-01",
      end_date: "2020-12-31",
      channel: "Call",
    };
    assertEquals(
      await shownOn(page),
      await recounted(base_url, { filters, period: "week" }),
    );
    await page.locator(".filter-menus summary", { hasText: "Type" }).click();
    await page.locator(".option", { hasText: "Blue" }).click();
    await page.waitForURL("**&type=Blue");
    assertEquals((await tilesOf(page))[0], "2");
    // What needs a script is not there to be tried.
    assertEquals(
      await page.locator(".with-script:visible, .readout:visible").count(),
      0,
    );
  },
);
