/** With keys on: no number without a key, none left when it ends, and the key stays in its tab. */

/// <reference lib="dom" />

import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import type { Browser, Page } from "playwright-core";
import type { KeyFile } from "../../access/key_file.ts";
import { dataFolder } from "../../tests/support/data_folder.ts";
import { keyFile } from "../../tests/support/keys.ts";
import { launch } from "../browser.ts";
import {
  BROWSER,
  eventually,
  open,
  recounted,
  serve,
  shownOn,
} from "./page.ts";

let browser: Browser;

Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser.close());

/** The sample behind keys, the page opened without one. */
async function behindKeys() {
  const stack = new AsyncDisposableStack();
  const { file, keys } = keyFile({
    reader: { scopes: ["read", "download"] },
    limited: { scopes: ["read"], customers: [1] },
    site: { scopes: ["embed"] },
    admin: { scopes: ["admin"] },
  });
  const folder = stack.use(
    await dataFolder({ "keys.json": JSON.stringify(file) }),
  );
  const { base_url } = stack.use(
    await serve({ API_KEYS_FILE: `${folder.path}/keys.json` }),
  );
  const watched = stack.use(await open(browser, base_url));
  return {
    ...watched,
    base_url,
    keys,
    async revoke(name: string) {
      const left = file.keys.filter((key) => key.name !== name);
      const next: KeyFile = { ...file, keys: left };
      await folder.write({ next: JSON.stringify(next) });
      await Deno.rename(`${folder.path}/next`, `${folder.path}/keys.json`);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function give(page: Page, key: string): Promise<void> {
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Continue" }).first().click();
}

/** Words of the sample that only its data has. */
const OF_DATA = /Jedi|Batman|Email|Boat|external_interactions|Lemon|2021/;

async function showsNothing(page: Page): Promise<void> {
  await page.getByRole("heading", { name: "Your key, please" }).waitFor();
  const html = await page.content();
  assert(!OF_DATA.test(html), OF_DATA.exec(html)?.[0]);
  assertEquals(await page.locator("[data-slot], .tile, table").count(), 0);
}

Deno.test(
  "without a key, nothing that the browser gets has data in it",
  BROWSER,
  async () => {
    await using opened = await behindKeys();
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const bodies: string[] = [];
      page.on("response", async (response) => {
        // The script has words of its own.
        if (/\.(js|css|svg)\b/.test(response.url())) return;
        bodies.push(await response.text().catch(() => ""));
      });
      await page.goto(opened.base_url, { waitUntil: "load" });
      await page.goto(`${opened.base_url}/?customer=1`, { waitUntil: "load" });
      await showsNothing(page);
      await page.locator(".status", { hasText: "A key is needed" }).waitFor();
      assert(bodies.length >= 2);
      for (const body of bodies) assert(!OF_DATA.test(body), body);
    } finally {
      await context.close();
    }
  },
);

Deno.test(
  "a wrong key is said so; a right one shows the numbers, after a reload too, and not in another tab",
  BROWSER,
  async () => {
    await using opened = await behindKeys();
    const { page, base_url, keys } = opened;
    await give(page, "tly_wrong");
    await page.locator("#key-reader-error", { hasText: /\w/ }).waitFor();
    await showsNothing(page);

    await give(page, keys.reader);
    await page.locator("[data-slot]").first().waitFor();
    const headers = { Authorization: `Bearer ${keys.reader}` };
    const expected = await recounted(base_url, { headers });
    const shows = () =>
      eventually(async () => assertEquals(await shownOn(page), expected));
    await shows();
    // Neither the address nor a cookie has the key.
    assert(!page.url().includes(keys.reader));
    assertEquals(await page.context().cookies(), []);
    for (const url of opened.requests) assert(!url.includes(keys.reader));

    await page.reload();
    await shows();
    const other = await page.context().newPage();
    await other.goto(base_url);
    await showsNothing(other);
    await other.close();

    // A file is saved with the key as well, which no link could send.
    const menu = page.locator('[data-slot="channels"] details.menu');
    await menu.locator("summary").click();
    const download = page.waitForEvent("download");
    await menu.getByText("CSV", { exact: true }).click();
    assert((await download).suggestedFilename().endsWith(".csv"));
  },
);

Deno.test(
  "when the key is revoked while the page is open, no number is left",
  BROWSER,
  async () => {
    await using opened = await behindKeys();
    const { page, keys } = opened;
    await give(page, keys.reader);
    await page.locator("[data-slot]").first().waitFor();
    await opened.revoke("reader");
    await eventually(async () =>
      assertEquals(await page.locator("[data-slot]").count(), 0)
    );
    await showsNothing(page);
    await page.getByText("not known").waitFor();
    assertEquals(await page.evaluate(() => sessionStorage.length), 0);
  },
);

Deno.test(
  "a key that may not read the numbers is said so, and another one can be given",
  BROWSER,
  async (t) => {
    await using opened = await behindKeys();
    const { page, keys } = opened;
    for (const name of ["limited", "site"] as const) {
      await t.step(name, async () => {
        await give(page, keys[name]);
        await page.getByRole("heading", {
          name: "This key may not read these numbers",
        }).waitFor();
        assertEquals(await page.locator("[data-slot]").count(), 0);
        await page.getByRole("button", { name: "Use another key" }).click();
        await showsNothing(page);
      });
    }
    await give(page, keys.admin);
    await page.locator(".drop").waitFor();
    await page.locator("[data-slot]").first().waitFor();
  },
);

Deno.test(
  "a key of other letters works, and a wrong one or an absent server leaves the page as it was",
  BROWSER,
  async () => {
    const key = "пароль";
    await using server = await serve({
      ADMIN_KEY_SHA256: createHash("sha256").update(key).digest("hex"),
    });
    await using opened = await open(browser, server.base_url);
    const { page } = opened;
    const admin = page.locator("#admin");
    const tryOne = async (text: string) => {
      await page.getByLabel("The administrator's key").fill(text);
      await admin.getByRole("button", { name: "Continue" }).click();
    };
    const error = page.locator("#key-admin-error");
    await tryOne(`“${key}”`);
    await error.getByText("not known").waitFor();
    await page.route("**/data/files", (route) => route.abort());
    await tryOne(key);
    await error.getByText("not reached").waitFor();
    assertEquals(await page.evaluate(() => sessionStorage.length), 0);
    await page.unroute("**/data/files");
    await tryOne(key);
    await page.locator(".drop").waitFor();
    await page.reload();
    await page.locator(".drop").waitFor();
    await page.locator(".status", { hasText: "Up to date" }).waitFor();
  },
);
