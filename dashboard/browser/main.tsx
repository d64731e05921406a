/** The page in the browser: goes on from what the server has drawn. */

/// <reference lib="dom" />

import { useState } from "hono/jsx";
import { render } from "hono/jsx/dom";
import { cardOf, type ChartSlot } from "../cards.ts";
import { localeOf } from "../locale.ts";
import { Page } from "../page.tsx";
import { isShown, missingOf } from "../state.ts";
import { parseView, viewHref } from "../view.ts";
import { cancel, check, decide, publish } from "./administrator.ts";
import { key, Lost } from "./api.ts";
import { saveAnswer, savePng, saveSvg } from "./files.ts";
import { askMissing, askState } from "./numbers.ts";
import { drawWith, state, update } from "./present.ts";
import {
  explain,
  go,
  openFound,
  search,
  show,
  showTitle,
  signIn,
  signOut,
  turnTo,
  useKey,
} from "./reader.ts";
import {
  forgetPoint,
  hrefOfPoint,
  pointAfter,
  pointOf,
  readPoint,
} from "./reading.ts";

const MINUTE_MS = 60_000;
/** How often a refresh that was under way is asked after. */
const BUILDING_MS = 2_000;

// What an element is for stands in its `data-do`.
const CLICKS: Readonly<Record<string, (element: HTMLElement) => unknown>> = {
  explain,
  close: (button) => button.closest("dialog")!.close(),
  download: async (link) => update({ failure: await saveAnswer(link) }),
  svg: (button) => saveSvg(button.closest<HTMLElement>(".card")!),
  png: (button) => savePng(button.closest<HTMLElement>(".card")!),
  before: () => turnTo(state.cursors.slice(0, -1)),
  next: () =>
    turnTo([...state.cursors, state.slots.customers!.body!.meta.next!]),
  decide: (button) => decide(button.dataset),
  "sign-out": signOut,
  publish,
  cancel,
};

const INPUTS: Readonly<Record<string, (input: HTMLInputElement) => unknown>> = {
  search: ({ value }) => search(value.trim()),
  narrow: ({ value, dataset }) =>
    update({ narrowed: { ...state.narrowed, [dataset.dimension!]: value } }),
  choose(input) {
    const file = input.files?.[0];
    // So that the same file can be chosen again.
    input.value = "";
    return file && check(file);
  },
};

const SUBMITS: Readonly<Record<string, (form: HTMLFormElement) => unknown>> = {
  days(form) {
    const days = new FormData(form);
    const [start_date, end_date] = ["start_date", "end_date"]
      .map((name) => days.get(name) as string || null);
    const period = { of: "days", start_date, end_date } as const;
    go(viewHref({ ...state.view, period }));
  },
  "sign-in": signIn,
  "look-up": openFound,
};

/** Does what an element is for, and says why that failed. */
async function run(doing: () => unknown): Promise<void> {
  if (state.failure !== null) update({ failure: null });
  try {
    await doing();
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    update({ failure: error.message });
    // The next answer says whether the server is gone.
    askState();
  }
}

const root = document.querySelector<HTMLElement>("#page")!;

root.addEventListener("click", (event) => {
  const target = event.target as Element;
  const element = target.closest<HTMLElement>("a, [data-do]");
  closeMenus(target);
  if (!element || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const what = element.dataset.do ?? "";
  // A browser itself saves a file that needs no key, with the name that the server gives it.
  const has_name = Boolean(element.getAttribute("download"));
  if (what === "download" && key.get() === null && !has_name) return;
  const href = element.getAttribute("href");
  if (Object.hasOwn(CLICKS, what)) {
    event.preventDefault();
    run(() => CLICKS[what](element));
  } else if (href?.startsWith("?")) {
    event.preventDefault();
    go(href);
  }
});

/** Closes the menus, but for the one that is used: in which more than one name can be chosen. */
function closeMenus(used: Element | null): void {
  const stays = used?.closest("summary, .option, .narrow")?.closest(".menu");
  for (
    const menu of root.querySelectorAll<HTMLDetailsElement>(".menu[open]")
  ) {
    if (menu !== stays) menu.open = false;
  }
}

// A list that would reach beyond the page opens to the other side. Toggling does not bubble.
root.addEventListener("toggle", ({ target }) => {
  const list = (target as Element).querySelector(".filter-menus .menu-list");
  if (!list) return;
  const menu = list.parentElement!;
  menu.classList.remove("menu-right");
  const { right } = list.getBoundingClientRect();
  const is_beyond = right > document.documentElement.clientWidth;
  menu.classList.toggle("menu-right", is_beyond);
}, true);

root.addEventListener("input", (event) => {
  const input = event.target as HTMLInputElement;
  const what = input.dataset.do ?? "";
  if (Object.hasOwn(INPUTS, what)) run(() => INPUTS[what](input));
});

root.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target as HTMLFormElement;
  run(() => SUBMITS[form.dataset.do!](form));
});

root.addEventListener("keydown", (event) => {
  const element = event.target as HTMLElement;
  if (event.key === "Escape") {
    const menu = element.closest(".menu[open]");
    closeMenus(null);
    menu?.querySelector("summary")?.focus();
  } else if (element.matches(".chart")) {
    readByKey(element, event);
  } else if (element.closest(".look-up")) {
    moveInFound(element, event);
  }
});

function readByKey(chart: HTMLElement, event: KeyboardEvent): void {
  const card = cardAt(chart);
  if (!card) return;
  if (event.key === "Enter") {
    const href = hrefOfPoint(chart);
    if (href) go(href);
    return;
  }
  const point = pointAfter(chart, { key: event.key, card });
  if (!point) return;
  event.preventDefault();
  readPoint(chart, { card, point, locale: localeOf(state.locales) });
}

/** Arrow keys go from the search to what it has found, and back. */
function moveInFound(element: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const stops = [
    ...root.querySelectorAll<HTMLElement>(".look-up input, .found a"),
  ];
  stops[stops.indexOf(element) + step]?.focus();
}

root.addEventListener("pointerover", (event) => {
  const mark = (event.target as Element).closest<SVGElement>(".mark");
  const chart = mark?.closest<HTMLElement>(".chart");
  const card = chart && cardAt(chart);
  if (!mark || !card) return;
  const point = pointOf(mark);
  readPoint(chart, { card, point, locale: localeOf(state.locales) });
});

for (const kind of ["pointerout", "focusout"] as const) {
  root.addEventListener(kind, (event) => {
    const chart = (event.target as Element).closest<HTMLElement>(".chart");
    const to = event.relatedTarget as Element | null;
    if (chart && !chart.contains(to)) forgetPoint(chart);
  });
}

function cardAt(chart: HTMLElement) {
  const { slot } = chart.closest<HTMLElement>("[data-slot]")!.dataset;
  return cardOf(state, {
    slot: slot as ChartSlot,
    locale: localeOf(state.locales),
  });
}

for (const kind of ["dragover", "dragleave", "drop"] as const) {
  root.addEventListener(kind, (event) => {
    const zone = root.querySelector(".drop");
    if (!zone) return;
    // Beside the zone, the browser would leave the page and open the file.
    event.preventDefault();
    const is_over = zone.contains(event.target as Node);
    zone.classList.toggle("is-over", is_over && kind === "dragover");
    const file = event.dataTransfer?.files[0];
    if (kind === "drop" && is_over && file) run(() => check(file));
  });
}

addEventListener("popstate", () => {
  // A jump within the page is the browser's own.
  if (!isShown(state, parseView(location.search))) show(new URL(location.href));
});
setInterval(() => update({ now: performance.now() }), MINUTE_MS);
// The stream says nothing of a refresh that changed nothing, nor of what was before it opened.
setInterval(() => {
  const is_building = state.slots.data?.body?.data.state === "building";
  if (is_building && missingOf(state).length === 0) askState();
}, BUILDING_MS);

function Root() {
  const [drawn, draw] = useState(state);
  drawWith(draw);
  return <Page state={drawn} />;
}

render(<Root />, root);
showTitle();
if (key.get() === null) askMissing();
else run(useKey);
