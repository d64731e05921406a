/** What axe-core finds wrong for people who cannot see, hear or move as others do: nothing, in any state. */

/// <reference lib="dom" />

import { assertEquals } from "@std/assert";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { dataFolder } from "../../tests/support/data_folder.ts";
import {
  ADMIN_KEY,
  ADMIN_KEY_SHA256,
  keyFile,
} from "../../tests/support/keys.ts";
import { startServer } from "../../tests/support/start_server.ts";
import { BROWSER, open, serve, settled, share } from "./page.ts";

const shared = share({ ADMIN_KEY_SHA256 });

/** Each fault with the elements that have it. */
async function faultsOf(page: Page): Promise<string[]> {
  // The page's policy allows no script in it; what the browser itself evaluates is none.
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    const { violations } = await (globalThis as any).axe.run({
      resultTypes: ["violations"],
    });
    return violations.flatMap((
      { id, help, nodes }: {
        id: string;
        help: string;
        nodes: { html: string }[];
      },
    ) => nodes.map(({ html }) => `${id}, ${help}: ${html.slice(0, 200)}`));
  });
}

const STATES: readonly {
  readonly name: string;
  readonly search?: string;
  readonly options?: BrowserContextOptions;
  readonly reach?: (page: Page) => Promise<void>;
}[] = [
  { name: "the overview" },
  { name: "dark", options: { colorScheme: "dark" } },
  { name: "a phone", options: { viewport: { width: 360, height: 740 } } },
  { name: "a customer", search: "?customer=1&channel=Email&period=2020" },
  {
    name: "a customer, dark",
    search: "?customer=1&channel=Email&period=2020",
    options: { colorScheme: "dark" },
  },
  {
    name: "a menu and what the search finds",
    async reach(page) {
      await page.getByRole("searchbox").fill("1");
      await page.locator(".found .option").first().waitFor();
      await page.locator(".filter-menus summary").last().click();
    },
  },
  {
    name: "the dialog",
    async reach(page) {
      await page.locator(".tile .explain").first().click();
      await page.locator("dialog pre").first().waitFor();
    },
  },
  {
    name: "the administrator's panel, with a file",
    async reach(page) {
      await page.getByLabel("The administrator's key").fill(ADMIN_KEY);
      await page.keyboard.press("Enter");
      await page.locator("input[type=file]").setInputFiles({
        name: "customers.csv",
        mimeType: "text/csv",
        buffer: Buffer.from("Customer_Id\n1\n2\n"),
      });
      await page.locator(".dropped .actions").waitFor();
    },
  },
  { name: "a period without interactions", search: "?start_date=2030-01-01" },
];

Deno.test(
  "axe-core finds nothing in any state of the page",
  BROWSER,
  async (t) => {
    for (const { name, search = "", options, reach } of STATES) {
      await t.step(name, async () => {
        await using watched = await open(
          shared.browser,
          `${shared.server.base_url}/${search}`,
          options,
        );
        await reach?.(watched.page);
        await settled(watched.page);
        assertEquals(await faultsOf(watched.page), []);
      });
    }
  },
);

Deno.test(
  "axe-core finds nothing on the page without a key, nor without data",
  BROWSER,
  async () => {
    const { file } = keyFile({ reader: { scopes: ["read"] } });
    await using folder = await dataFolder({
      "keys.json": JSON.stringify(file),
    });
    await using locked = await serve({
      API_KEYS_FILE: `${folder.path}/keys.json`,
    });
    await using empty_folder = await dataFolder();
    await using empty = await startServer({ DATA_DIR: empty_folder.path });
    for (const { base_url } of [locked, empty]) {
      await using watched = await open(shared.browser, base_url);
      assertEquals(await faultsOf(watched.page), []);
    }
  },
);
