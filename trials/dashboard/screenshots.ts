/** Pictures of the dashboard: two for the README, and with a folder as argument every state, to be looked at. */

/// <reference lib="dom" />

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { dataFolder } from "../../tests/support/data_folder.ts";
import {
  ADMIN_KEY,
  ADMIN_KEY_SHA256,
  keyFile,
} from "../../tests/support/keys.ts";
import { startServer } from "../../tests/support/start_server.ts";
import { launch } from "../browser.ts";
import { open, serve, settled } from "./page.ts";

const IMAGES = new URL("../../docs/images/", import.meta.url).pathname;

const CUSTOMERS = 800;
const INTERACTIONS = 20_000;
const FIRST_DAY = Date.UTC(2022, 0, 3);
const DAYS = 3 * 365 - 10;
const DAY_MS = 86_400_000;
const CHANNELS = [["Email", 9], ["Call", 6], ["Chat", 4], ["Visit", 2], [
  "Post",
  1,
]] as const;
const TOPICS = [
  "Billing",
  "Contract",
  "Delivery",
  "Feedback",
  "Onboarding",
  "Returns",
  "Support",
  "Training",
];
const TYPES = ["Partner", "Private", "Public", "Small business", "Trade"];
const OCCUPATIONS = [
  "Architect",
  "Baker",
  "Carpenter",
  "Dentist",
  "Electrician",
  "Florist",
  "Librarian",
  "Plumber",
  "Teacher",
];

/** Exports of a business that does not exist; the same numbers at each run. */
function richFiles(): Record<string, string> {
  const random = fixedRandom(20_240_501);
  const one = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)];
  const weighted = CHANNELS.flatMap(([name, weight]) =>
    Array.from({ length: weight }, () => name)
  );
  const customers = Array.from(
    { length: CUSTOMERS },
    (_, i) => `${1001 + i},${one(OCCUPATIONS)},${one(TYPES)}\n`,
  );
  const rows: { time: number; text: string }[] = [];
  while (rows.length < INTERACTIONS) {
    const share = random();
    const day = new Date(FIRST_DAY + Math.floor(share * DAYS) * DAY_MS);
    // Fewer at weekends and in summer, and more from year to year.
    const is_weekend = day.getUTCDay() % 6 === 0;
    const season = 1 + 0.35 * Math.cos((day.getUTCMonth() - 10) / 6 * Math.PI);
    const wanted = (is_weekend ? 0.2 : 1) * season * (0.5 + 0.5 * share) / 1.35;
    if (random() > wanted) continue;
    const time = day.getTime() + (8 + Math.floor(random() * 10)) * 3_600_000;
    // Some customers have more contacts than others, whatever their number is.
    const rank = Math.floor(random() ** 1.4 * CUSTOMERS);
    const customer = 1001 + rank * 317 % CUSTOMERS;
    const topic = random() < 0.06 ? "" : TOPICS[
      Math.floor(random() ** 1.6 * TOPICS.length)
    ];
    rows.push({
      time,
      text: `${new Date(time).toISOString().slice(0, 19)},${
        one(weighted)
      },${customer},${topic}\n`,
    });
  }
  rows.sort((a, b) => a.time - b.time);
  return {
    "customers.csv": `Customer_Id,Occupation,Type\n${customers.join("")}`,
    "interactions.csv": `Date Start,Interaction,Customers,Topic\n${
      rows.map(({ text }) => text).join("")
    }`,
  };
}

/** Numbers from 0 to 1 that are the same for the same seed: mulberry32. */
function fixedRandom(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ a >>> 15, 1 | a);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

interface Picture {
  readonly name: string;
  readonly search?: string;
  readonly options?: BrowserContextOptions;
  readonly reach?: (page: Page) => Promise<void>;
  /** The whole page, and not only what a screen shows. */
  readonly is_whole?: boolean;
}

async function take(
  browser: Browser,
  { base_url, folder, picture }: {
    readonly base_url: string;
    readonly folder: string;
    readonly picture: Picture;
  },
): Promise<void> {
  const { name, search = "", options, reach, is_whole = true } = picture;
  await using watched = await open(browser, `${base_url}/${search}`, {
    reducedMotion: "reduce",
    ...options,
  });
  const { page } = watched;
  await reach?.(page);
  await settled(page);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: is_whole });
  console.log(`${folder}/${name}.png`);
}

const PHONE = { viewport: { width: 360, height: 740 } };
const DARK = { colorScheme: "dark" } as const;

const signIn = async (page: Page) => {
  await page.getByLabel("The administrator's key").fill(ADMIN_KEY);
  await page.keyboard.press("Enter");
  await page.locator(".drop").waitFor();
};
const choose = async (page: Page, text: string) => {
  await page.locator("input[type=file]").setInputFiles({
    name: "customers.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(text),
  });
  await page.locator(".dropped .lines, .dropped .actions").first().waitFor();
  await page.locator("#admin").scrollIntoViewIfNeeded();
};

const STATES: readonly Picture[] = [
  { name: "overview" },
  { name: "overview-dark", options: DARK },
  { name: "overview-phone", options: PHONE },
  { name: "overview-year", search: "?period=2024" },
  {
    name: "overview-filtered",
    search: "?period=2024&channel=Call,Email&type=Public",
  },
  { name: "overview-30-days", search: "?period=30d" },
  { name: "forced-colours", options: { forcedColors: "active" } },
  {
    name: "zoomed",
    options: { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
  },
  { name: "no-script", options: { javaScriptEnabled: false } },
  { name: "customer", search: "?customer=1001" },
  { name: "customer-dark", search: "?customer=1001", options: DARK },
  { name: "customer-phone", search: "?customer=1001", options: PHONE },
  { name: "customer-unknown", search: "?customer=4711" },
  {
    name: "empty-period",
    search: "?start_date=2030-01-01&end_date=2030-01-31",
  },
  { name: "unknown-filter", search: "?channel=Pigeon" },
  {
    name: "search",
    async reach(page) {
      await page.getByRole("searchbox").fill("10");
      await page.locator(".found .option").first().waitFor();
    },
  },
  {
    name: "menu",
    is_whole: false,
    async reach(page) {
      await page.locator(".filter-menus summary").first().click();
    },
  },
  {
    name: "menu-phone",
    options: PHONE,
    is_whole: false,
    async reach(page) {
      await page.locator(".filter-menus summary").last().click();
      await page.locator(".filter-menus").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "chart-menu",
    is_whole: false,
    async reach(page) {
      await page.locator('[data-slot="timeline"] .menu summary').click();
    },
  },
  {
    name: "read-out",
    is_whole: false,
    async reach(page) {
      await page.locator('[data-slot="timeline"] .chart').focus();
      for (const key of ["End", "ArrowLeft"]) await page.keyboard.press(key);
    },
  },
  {
    name: "dialog",
    search: "?period=2024&channel=Call",
    is_whole: false,
    async reach(page) {
      await page.locator(".tile .explain").first().click();
      await page.locator("dialog pre").first().waitFor();
    },
  },
  {
    name: "dialog-phone",
    options: PHONE,
    is_whole: false,
    async reach(page) {
      await page.locator(".tile .explain").first().click();
      await page.locator("dialog pre").first().waitFor();
    },
  },
  { name: "administrator", reach: signIn },
  {
    name: "file-checked",
    is_whole: false,
    async reach(page) {
      await signIn(page);
      await choose(page, "Customer_Id,Type\n1001,Public\n1002,Trade\n");
    },
  },
  {
    name: "file-refused",
    is_whole: false,
    async reach(page) {
      await signIn(page);
      await choose(page, "Number,Type\n1001,Public\n");
    },
  },
];

const [folder] = Deno.args;
await Deno.mkdir(IMAGES, { recursive: true });
const browser = await launch();
try {
  await using data = await dataFolder(richFiles());
  await using server = await serve({ DATA_DIR: data.path, ADMIN_KEY_SHA256 });
  const { base_url } = server;
  const readme: readonly Picture[] = [
    { name: "dashboard", search: "?period=2024", is_whole: false },
    {
      name: "dashboard-dark",
      search: "?period=2024",
      options: DARK,
      is_whole: false,
    },
  ];
  for (const picture of readme) {
    await take(browser, { base_url, folder: IMAGES.slice(0, -1), picture });
  }
  if (folder) {
    await Deno.mkdir(folder, { recursive: true });
    for (const picture of STATES) {
      await take(browser, { base_url, folder, picture });
    }
    await using sample = await serve();
    await take(browser, {
      base_url: sample.base_url,
      folder,
      picture: { name: "sample" },
    });
    const { file } = keyFile({ reader: { scopes: ["read"] } });
    await using keys = await dataFolder({ "keys.json": JSON.stringify(file) });
    await using locked = await serve({
      API_KEYS_FILE: `${keys.path}/keys.json`,
    });
    await take(browser, {
      base_url: locked.base_url,
      folder,
      picture: { name: "locked" },
    });
    await using nothing = await dataFolder();
    await using empty = await startServer({ DATA_DIR: nothing.path });
    await take(browser, {
      base_url: empty.base_url,
      folder,
      picture: { name: "no-data" },
    });
    await using gone = await serve();
    await take(browser, {
      base_url: gone.base_url,
      folder,
      picture: {
        name: "server-gone",
        async reach(page) {
          await gone.stop("SIGKILL");
          await page.locator(".note-warning").waitFor();
        },
      },
    });
  }
} finally {
  await browser.close();
}
