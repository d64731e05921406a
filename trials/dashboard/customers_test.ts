/** The customers: found while one types, one of them with everything about them, and the list page by page. */

/// <reference lib="dom" />

import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { dataFolder } from "../../tests/support/data_folder.ts";
import { textFiles } from "../../tests/support/text_ids.ts";
import {
  ask,
  BROWSER,
  cellsOf,
  eventually,
  numbersOf,
  open,
  serve,
  settled,
  share,
} from "./page.ts";

const shared = share();

const searchField = (page: Page) => page.getByRole("searchbox");

Deno.test(
  "a customer is found as one types, and opened by keys, with record, contacts and topics",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url);
    const { page } = watched;
    await searchField(page).pressSequentially("baTm");
    const found = page.locator(".found");
    await found.getByText("1 customer found").waitFor();
    assertEquals(await found.locator(".option-name").allTextContents(), [
      "Customer 2",
    ]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const customer = page.locator("#customer");
    await customer.locator(".facts").waitFor();
    await settled(page);
    assertEquals(new URL(page.url()).search, "?customer=2");
    assertEquals(await page.title(), "Customer 2 · Tally");

    const { data } = await ask(`${base_url}/api/v1/customers/2`);
    const facts = await customer.locator(".facts dd").allTextContents();
    assertEquals(facts.slice(0, 2), [data.type, data.occupation]);
    const [first, last] = ["Jan 7, 2019", "Oct 24, 2021"];
    assertEquals(facts.slice(2, 4), [first, last]);
    const drawn = async (slot: string) => await numbersOf(page, slot);
    const nonzero = (counts: Record<string, number>) =>
      Object.fromEntries(
        Object.entries(counts).filter(([, count]) => count > 0),
      );
    assertEquals(await drawn("record"), nonzero(data.interactions));
    const contactsBy = async (by: string) => {
      const { data } = await ask(
        `${base_url}/api/v1/metrics/interactions?by=customer_id,${by}`,
      );
      return data.filter((row: { customer_id: number }) =>
        row.customer_id === 2
      );
    };
    const months: Record<string, number> = {};
    for (
      const { month, channel, interactions } of await contactsBy(
        "month,channel",
      )
    ) {
      const name = new Intl.DateTimeFormat("en", {
        month: "long",
        year: "numeric",
        timeZone: "UTC",
      }).format(new Date(month));
      months[`${name}, ${channel}`] = interactions;
      months[`${name}, Total`] = (months[`${name}, Total`] ?? 0) + interactions;
    }
    assertEquals(await drawn("contacts"), months);
    const topics = await contactsBy("topic");
    assertEquals(
      await drawn("customer_topics"),
      Object.fromEntries(
        topics.map((
          { topic, interactions }: {
            topic: string | null;
            interactions: number;
          },
        ) => [topic ?? "No topic", interactions]),
      ),
    );

    await customer.getByRole("link", { name: "Close this customer" }).click();
    await customer.waitFor({ state: "detached" });
    assertEquals(new URL(page.url()).search, "");
    await page.goBack({ waitUntil: "commit" });
    await customer.locator(".facts").waitFor();
  },
);

Deno.test(
  "Enter in the search opens the first customer found, also before it was shown",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page } = watched;
    const title = page.locator("#customer-title");
    await searchField(page).fill("baTm");
    await page.keyboard.press("Enter");
    await title.getByText("Customer 2").waitFor();
    assertEquals(new URL(page.url()).search, "?customer=2");
    await searchField(page).fill("1x");
    await page.keyboard.press("Enter");
    await page.getByText("No customer begins with that.").waitFor();
    await searchField(page).fill("Jedi");
    await page.getByText("1 customer found").waitFor();
    await page.keyboard.press("Enter");
    await title.getByText("Customer 1").waitFor();
    assertEquals(watched.complaints, []);
  },
);

Deno.test(
  "a search and a question that nobody answers say so, and can be tried again",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page } = watched;
    const words = page.getByText("The server was not reached. Try again.");
    await page.route("**/api/v1/**", (route) => route.abort());
    await searchField(page).fill("baTm");
    await page.locator(".found").filter({ has: words }).waitFor();
    await page.locator(".tile .explain").first().click();
    const dialog = page.getByRole("dialog");
    await dialog.filter({ has: words }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".status", { hasText: "Server not reached" }).waitFor();

    await page.unroute("**/api/v1/**");
    await page.locator(".tile .explain").first().click();
    await dialog.getByText("SQL", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await searchField(page).press("Enter");
    await page.locator("#customer-title").getByText("Customer 2").waitFor();
    await page.locator(".status", { hasText: "Up to date" }).waitFor();
  },
);

Deno.test(
  "the search shows what the last letters find, and says when nothing is found",
  BROWSER,
  async () => {
    await using watched = await open(shared.browser, shared.server.base_url);
    const { page } = watched;
    const found = page.locator(".found");
    await searchField(page).fill("1");
    await found.getByText("The first 6 customers").waitFor();
    await searchField(page).fill("1x");
    await found.getByText("No customer begins with that.").waitFor();
    assertEquals(await found.locator(".option").count(), 0);
    await searchField(page).fill("");
    await eventually(async () => assertEquals(await found.textContent(), ""));
  },
);

Deno.test(
  "a customer who is not known is said so, and the other numbers are there",
  BROWSER,
  async () => {
    await using watched = await open(
      shared.browser,
      `${shared.server.base_url}/?customer=4711`,
    );
    const { page } = watched;
    assertEquals(
      await page.locator("#customer .summary").textContent(),
      "Customer not found",
    );
    assertEquals(await page.locator(".tile-value").first().textContent(), "31");
  },
);

Deno.test(
  "ids that are texts are found and opened, also those that an address has other meanings for",
  BROWSER,
  async (t) => {
    const ids = ["a/b", "007", "x,y", "?#&=+%41", "..."];
    await using folder = await dataFolder(textFiles({
      records: ids.map((id, i) => [id, `Ann ${i}`, "Baker", "Blue"]),
      interactions: ids.flatMap((id, i) =>
        Array.from(
          { length: i + 1 },
          () => ["2020-01-01", "Call", [id]] as const,
        )
      ),
    }));
    await using texts = await serve({ DATA_DIR: folder.path });
    await using watched = await open(shared.browser, texts.base_url);
    const { page } = watched;
    for (const [i, id] of ids.entries()) {
      await t.step(id, async () => {
        await searchField(page).fill(`Ann ${i}`);
        await page.locator(".found .option", { hasText: `Ann ${i} (${id})` })
          .click();
        const title = page.locator("#customer-title");
        await eventually(async () =>
          assertEquals(await title.textContent(), `Ann ${i} (${id})`)
        );
        await settled(page);
        assertEquals(await numbersOf(page, "record"), { Call: i + 1 });
        assertEquals(await numbersOf(page, "contacts"), {
          "January 2020, Call": i + 1,
          "January 2020, Total": i + 1,
        });
        assertEquals(new URL(page.url()).searchParams.get("customer"), id);
        const other = await page.context().newPage();
        await other.goto(page.url());
        assertEquals(
          await other.locator("#customer-title").textContent(),
          `Ann ${i} (${id})`,
        );
        await other.close();
      });
    }
  },
);

Deno.test(
  "the list is sorted by its headings, and goes on and back page by page",
  BROWSER,
  async () => {
    const { base_url } = shared.server;
    await using watched = await open(shared.browser, base_url);
    const { page } = watched;
    const rowsOf = async (query: string) => {
      const { data } = await ask(`${base_url}/api/v1/interactions?${query}`);
      return data.map((
        { customer_id, type, occupation, interactions, total }: {
          customer_id: number;
          type: string | null;
          occupation: string | null;
          interactions: Record<string, number>;
          total: number;
        },
      ) => [
        `${customer_id}`,
        type ?? "",
        occupation ?? "",
        ...Object.values(interactions).map(String),
        `${total}`,
      ]);
    };
    const list = "figure[aria-labelledby=top-title]";
    const shows = async (rows: string[][]) =>
      await eventually(async () =>
        assertEquals((await cellsOf(page, list)).slice(1), rows)
      );
    const heading = (name: string) =>
      page.locator(`${list} thead`).getByRole("link", { name });

    await shows((await rowsOf("sort=-total")).slice(0, 10));
    for (
      const [name, sort, order] of [
        ["Email", "-Email", "descending"],
        ["Email", "Email", "ascending"],
        ["Customer", "customer_id", "ascending"],
        ["Customer", "-customer_id", "descending"],
      ]
    ) {
      await heading(name).click();
      await shows((await rowsOf(`sort=${sort}`)).slice(0, 10));
      assertEquals(new URL(page.url()).searchParams.get("sort"), sort);
      assertEquals(
        await page.locator(`${list} th[aria-sort]`).getAttribute("aria-sort"),
        order,
      );
    }
    const all = await rowsOf("sort=-customer_id");
    const [back, next] = ["Back", "Next"].map((name) =>
      page.locator(`${list} nav`).getByRole("button", { name })
    );
    assertEquals(await back.isDisabled(), true);
    await next.click();
    await shows(all.slice(10));
    assertEquals(await next.isDisabled(), true);
    assertEquals(
      await page.locator(`${list} nav p`).textContent(),
      "11 to 13",
    );
    await back.click();
    await shows(all.slice(0, 10));
  },
);
