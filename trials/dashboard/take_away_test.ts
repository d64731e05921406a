/** What a reader takes away: CSV, SVG and PNG of a chart, and where its numbers come from. */

/// <reference lib="dom" />

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { SaxesParser } from "saxes";
import { ask, BROWSER, cellsOf, CHARTS, open, share } from "./page.ts";

const FILTERED = "?period=2020&channel=Call,Bird";
const PNG_SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

const shared = share();

/** Chooses from the menu of a chart; the file that is saved. */
async function saved(
  page: Page,
  { slot, what }: { readonly slot: string; readonly what: string },
) {
  const menu = page.locator(`[data-slot="${slot}"] details.menu`);
  await menu.locator("summary").click();
  const download = page.waitForEvent("download");
  await menu.getByText(what, { exact: true }).click();
  const file = await download;
  return {
    name: file.suggestedFilename(),
    bytes: await Deno.readFile(await file.path()),
  };
}

Deno.test(
  "each chart is saved as CSV, with the numbers of the API",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url + FILTERED);
    const questions: Record<typeof CHARTS[number], string> = {
      timeline: "by=week&pivot=channel",
      channels: "by=channel&compare=previous_year",
      weekdays: "by=weekday",
      types: "by=type&pivot=channel",
      topics: "by=topic&pivot=channel",
    };
    for (const slot of CHARTS) {
      const { name, bytes } = await saved(watched.page, { slot, what: "CSV" });
      const answer = await fetch(
        `${base_url}/api/v1/metrics/interactions?${
          questions[slot]
        }&start_date=2020-01-01&end_date=2020-12-31&channel=Call,Bird&format=csv`,
      );
      assertEquals(answer.status, 200);
      // A spreadsheet takes it as UTF-8 by its first character.
      assertEquals(
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
        `\ufeff${await answer.text()}`,
      );
      const title = await watched.page.locator(`[data-slot="${slot}"] h3`)
        .textContent();
      assertEquals(name, `${title!.toLowerCase().replaceAll(" ", "-")}.csv`);
    }
  },
);

Deno.test("the list of customers is saved whole", BROWSER, async () => {
  const { base_url } = shared.server;
  await using watched = await open(shared.browser, base_url);
  const { page } = watched;
  const download = page.waitForEvent("download");
  await page.locator("figure[aria-labelledby=top-title]")
    .getByRole("link", { name: "CSV" }).click();
  const text = await Deno.readTextFile(await (await download).path());
  assertEquals(text.trim().split("\n").length, 14);
});

Deno.test(
  "a file that a proxy answers instead of the server: the page says so",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page, complaints } = watched;
    // The page itself saves a file only where it has a key to send.
    await page.evaluate(() => sessionStorage.setItem("tally-key", "a key"));
    await page.route("**/*format=csv*", (route) =>
      route.fulfill({
        status: 502,
        contentType: "text/html",
        body: "<h1>Bad Gateway</h1>",
      }));
    await page.locator("figure[aria-labelledby=top-title]")
      .getByRole("link", { name: "CSV" }).click();
    await page.getByText("The server was not reached. Try again.").waitFor();
    await page.locator(".status", { hasText: "Up to date" }).waitFor();
    assertEquals(complaints.filter((one) => !one.includes("502")), []);
  },
);

Deno.test(
  "each chart is saved as a picture that stands alone",
  BROWSER,
  async (t) => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page } = watched;
    for (const slot of CHARTS) {
      await t.step(slot, async () => {
        const { name, bytes } = await saved(page, { slot, what: "SVG" });
        const svg = new TextDecoder().decode(bytes);
        const marks: { name: string; attributes: Record<string, string> }[] =
          [];
        let words = "";
        const parser = new SaxesParser();
        parser.on("error", (error) => {
          throw error;
        });
        parser.on("opentag", ({ name, attributes }) =>
          marks.push({
            name,
            attributes: attributes as Record<string, string>,
          }));
        parser.on("text", (text) => words += ` ${text}`);
        parser.write(svg).close();
        for (const { attributes } of marks) {
          for (const [name, value] of Object.entries(attributes)) {
            assert(
              !["class", "style", "href"].includes(name) &&
                !value.includes("var("),
              `${name}=${value}`,
            );
          }
        }
        const card = page.locator(`[data-slot="${slot}"]`);
        const title = await card.locator("h3").textContent();
        assertStringIncludes(words, title!);
        // Every number of a bar or cell, and a rectangle for every one on the page.
        for (
          const text of await card.locator(".plot text").allTextContents()
        ) assertStringIncludes(words, text);
        const drawn = await card.locator(".plot rect, .legend rect").count();
        const rects = marks.filter(({ name }) => name === "rect").length;
        assertEquals(rects, drawn + 1, "one more is the ground");
        assert(drawn > 5);
        assertEquals(name, `${title!.toLowerCase().replaceAll(" ", "-")}.svg`);

        const png = await saved(page, { slot, what: "PNG" });
        assertEquals([...png.bytes.slice(0, 8)], PNG_SIGNATURE);
        const view = new DataView(png.bytes.buffer);
        const [width, height] = [view.getUint32(16), view.getUint32(20)];
        const { attributes } = marks[0];
        assertEquals(
          [width, height],
          [2 * +attributes.width, 2 * +attributes.height],
        );
        assert(png.bytes.length > 5_000, `${png.bytes.length} bytes`);
      });
    }
    assertEquals(watched.complaints, []);
  },
);

Deno.test(
  "a number says where it comes from: filters, files and SQL",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url + FILTERED);
    const { page } = watched;
    const dialog = page.getByRole("dialog");
    const card = page.locator('[data-slot="types"]');
    await card.locator("details.menu summary").click();
    await card.getByText("Where from?").click();
    await dialog.getByText("SQL", { exact: true }).waitFor();
    const { meta } = await ask(
      `${base_url}/api/v1/metrics/interactions?by=type&pivot=channel&start_date=2020-01-01&end_date=2020-12-31&channel=Call,Bird&explain=1`,
    );
    const { explain } = meta;
    const facts = await dialog.locator(".facts div").allTextContents();
    for (const value of ["2020-01-01", "2020-12-31", "Bird", "Call"]) {
      assert(facts.some((fact) => fact.includes(value)), `${facts}`);
    }
    assertEquals(
      (await cellsOf(page, "dialog table")).slice(1),
      explain.files.map((
        one: { file: string; rows_kept: number; rows_set_aside: number },
      ) => [one.file, `${one.rows_kept}`, `${one.rows_set_aside}`]),
    );
    assertEquals(
      await dialog.locator("pre").allTextContents(),
      explain.sql.map(({ text }: { text: string }) => text),
    );
    assert(explain.sql.length > 0);
  },
);

Deno.test(
  "the dialog closes by Escape and gives the focus back",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page } = watched;
    const link = page.locator(".tile .explain").first();
    await link.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.locator("pre").first().waitFor();
    assertEquals(
      await page.evaluate(() =>
        document.querySelector("dialog")!.contains(document.activeElement)
      ),
      true,
    );
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assertEquals(
      await link.evaluate((element) => element === document.activeElement),
      true,
    );

    // From a menu, whose item is hidden by then, the focus comes back to the menu.
    const card = page.locator('[data-slot="channels"]');
    await card.locator("details.menu summary").focus();
    await page.keyboard.press("Enter");
    await card.getByText("Where from?").focus();
    await page.keyboard.press("Enter");
    await dialog.locator("pre").first().waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assertEquals(
      await page.evaluate(() =>
        document.activeElement?.closest("[data-slot]")?.getAttribute(
          "data-slot",
        )
      ),
      "channels",
    );
  },
);
