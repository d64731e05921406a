/** The dashboard as a test sees it: opened and watched in a browser, with its numbers read from what it shows. */

/// <reference lib="dom" />

import { assert, assertEquals, AssertionError } from "@std/assert";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launch } from "../browser.ts";
import {
  type RunningServer,
  startServer,
  waitFor,
} from "../../tests/support/start_server.ts";

/** The folder of the sample. */
const SAMPLE = new URL("../../data", import.meta.url).pathname;

/** The pipes of the browser and its process are Playwright's, and live as long as a file's tests. */
export const BROWSER = { sanitizeOps: false, sanitizeResources: false };

/** Above the default of SETTLE_SECONDS, which a file that a look saw while it was written must rest. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 25;

/** The browser of a file's tests, and a server for those that change nothing. */
export interface Shared {
  browser: Browser;
  server: RunningServer;
}

/** Starts both before the first test of a file, and ends them after the last one. */
export function share(settings: Readonly<Record<string, string>> = {}): Shared {
  const shared = {} as Shared;
  Deno.test.beforeAll(async () => {
    [shared.browser, shared.server] = await Promise.all([
      launch(),
      serve(settings),
    ]);
  });
  Deno.test.afterAll(async () => {
    await shared.browser.close();
    await shared.server[Symbol.asyncDispose]();
  });
  return shared;
}

/** Starts a server on these settings, and waits until it serves. */
export async function serve(
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const server = await startServer({ DATA_DIR: SAMPLE, ...settings });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  return server;
}

/** A page, and what has happened on it. */
export interface Watched extends AsyncDisposable {
  readonly page: Page;
  /** The address of every request that it made. */
  readonly requests: readonly string[];
  /** Errors of its console and its script, and what its policy has refused. */
  readonly complaints: readonly string[];
}

/** Opens an address in a browser of its own cookies and cache, and waits until the numbers are there. */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({
    locale: "en-US",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript(() =>
    document.addEventListener(
      "securitypolicyviolation",
      (event) => console.error(`refused by the policy: ${event.blockedURI}`),
    )
  );
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(`${error}`));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // What was asked of the version before while a decision replaced it, and is asked anew.
    if (/ status of 410 /.test(message.text())) return;
    complaints.push(`${message.text()} ${message.location().url}`);
  });
  await page.goto(url);
  await settled(page);
  return {
    page,
    requests,
    complaints,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Waits until every number that the page wants is there. */
export async function settled(page: Page): Promise<void> {
  const busy = page.locator('[aria-busy="true"] h3');
  await eventually(async () => assertEquals(await busy.allTextContents(), []));
}

/** Checks again and again until the check holds; the failure is that of the last time. */
export async function eventually(
  check: () => void | Promise<void>,
): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS;;) {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof AssertionError) || Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Numbers by what they count, such as `Email` or `March 2020, Bird`; without zeros. */
export type Numbers = Readonly<Record<string, number>>;

/** The charts of a view. */
export const CHARTS = [
  "timeline",
  "channels",
  "weekdays",
  "types",
  "topics",
] as const;

/** The charts and tiles of a view as numbers. */
export interface Overview {
  readonly interactions: number;
  readonly charts: Readonly<Record<typeof CHARTS[number], Numbers>>;
}

/** What the page shows. */
export async function shownOn(page: Page): Promise<Overview> {
  const [interactions] = await tilesOf(page);
  // A page that is being loaded has none yet.
  assert(interactions !== undefined, "no tile is there");
  const charts = await Promise.all(
    CHARTS.map(async (slot) => [slot, await numbersOf(page, slot)]),
  );
  return {
    interactions: numberOf(interactions),
    charts: Object.fromEntries(charts),
  };
}

/** The values of the tiles. */
export async function tilesOf(page: Page): Promise<string[]> {
  return await page.locator(".tile-value").allTextContents();
}

/** The numbers of a chart, as its table has them. */
export async function numbersOf(page: Page, slot: string): Promise<Numbers> {
  const rows = await cellsOf(page, `[data-slot="${slot}"] .numbers`);
  const [[, ...columns], ...body] = rows;
  const numbers: Record<string, number> = {};
  const is_simple = columns[0] === "Interactions";
  for (const [row, ...cells] of body) {
    // A single channel is its own total.
    const counts = !is_simple && cells.length === 1
      ? { [columns[0]]: cells[0], Total: cells[0] }
      : Object.fromEntries(cells.map((cell, i) => [columns[i], cell]));
    for (const [column, cell] of Object.entries(counts)) {
      const name = is_simple ? row : `${row}, ${column}`;
      if (numberOf(cell) !== 0) numbers[name] = numberOf(cell);
    }
  }
  return numbers;
}

/** The cells of the table below an element, row by row. */
export async function cellsOf(page: Page, within: string): Promise<string[][]> {
  return await page.locator(within).evaluate((element) =>
    [...element.querySelectorAll("tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent!)
    )
  );
}

function numberOf(text: string): number {
  return Number(text.replaceAll(",", ""));
}

/** An answer of the API; fails unless it is one. */
// deno-lint-ignore no-explicit-any
export async function ask(url: string, headers = {}): Promise<any> {
  const answer = await fetch(url, { headers });
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${url}: ${body.error}`);
  return body;
}

type Period = "day" | "week" | "month" | "quarter" | "year";

interface Counted {
  readonly filters?: Readonly<Record<string, string>>;
  /** The bars of the chart over time. */
  readonly period?: Period;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the page must show, recounted from answers in which nothing is grouped as the page has it. */
export async function recounted(
  base_url: string,
  { period = "month", ...counted }: Counted = {},
): Promise<Overview> {
  const [days, types, topics] = await Promise.all(
    ["day,channel", "type,channel", "topic,channel"]
      .map((by) => countsBy(base_url, { by, ...counted })),
  );
  const stacked = (name: string, channel: string) => [
    `${name}, ${channel}`,
    `${name}, Total`,
  ];
  return {
    interactions: days.reduce((sum, row) => sum + +row.interactions, 0),
    charts: {
      timeline: summed(
        days,
        ({ day, channel }) => stacked(periodName(day, period), channel),
      ),
      channels: summed(days, ({ channel }) => [channel]),
      weekdays: summed(days, ({ day }) => [format(day, { weekday: "long" })]),
      types: summed(
        types,
        ({ type, channel }) => stacked(type ?? "No type", channel),
      ),
      topics: summed(
        topics,
        ({ topic, channel }) => stacked(topic ?? "No topic", channel),
      ),
    },
  };
}

/** What the tiles about customers must show: how many were reached, and how often each. */
export async function recountedReach(
  base_url: string,
  counted: Counted = {},
): Promise<string[]> {
  const people = await countsBy(base_url, { by: "customer_id", ...counted });
  const sum = people.reduce((sum, row) => sum + +row.interactions, 0);
  const each = people.length === 0 ? 0 : sum / people.length;
  return [
    new Intl.NumberFormat("en").format(people.length),
    new Intl.NumberFormat("en", { maximumFractionDigits: 2 }).format(each),
  ];
}

type Row = Readonly<Record<string, string>>;

async function countsBy(
  base_url: string,
  { by, filters = {}, headers = {} }: Counted & { readonly by: string },
): Promise<Row[]> {
  const query = new URLSearchParams({ by, ...filters });
  const url = `${base_url}/api/v1/metrics/interactions?${query}`;
  return (await ask(url, headers)).data;
}

function summed(
  rows: readonly Row[],
  names: (row: Row) => readonly string[],
): Numbers {
  const numbers: Record<string, number> = {};
  for (const row of rows) {
    for (const name of names(row)) {
      numbers[name] = (numbers[name] ?? 0) + +row.interactions;
    }
  }
  return numbers;
}

function periodName(day: string, period: Period): string {
  switch (period) {
    case "day":
      return format(day, { dateStyle: "medium" });
    case "week": {
      const monday = new Date(day);
      monday.setUTCDate(monday.getUTCDate() - (monday.getUTCDay() + 6) % 7);
      return `week of ${format(monday, { dateStyle: "medium" })}`;
    }
    case "month":
      return format(day, { month: "long", year: "numeric" });
    case "quarter":
      return `Q${Math.ceil(+day.slice(5, 7) / 3)} ${day.slice(0, 4)}`;
    case "year":
      return day.slice(0, 4);
  }
}

function format(
  day: string | Date,
  options: Intl.DateTimeFormatOptions,
): string {
  return new Intl.DateTimeFormat("en", { timeZone: "UTC", ...options })
    .format(new Date(day));
}

/** The files of the sample, for a folder in which they may change. */
export async function sampleFiles(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(SAMPLE)) {
    files[name] = await Deno.readTextFile(`${SAMPLE}/${name}`);
  }
  return files;
}
