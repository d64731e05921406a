/** What a reader does: goes to a view, seeks a customer, asks where a number is from, gives a key. */

/// <reference lib="dom" />

import type { Answers } from "../answers.ts";
import { customerHref } from "../parts/customers.tsx";
import { searchQuestion } from "../questions.ts";
import { type State, withView } from "../state.ts";
import { parseView } from "../view.ts";
import { authorizationOf } from "../requests.ts";
import { key, Lost, type Result, resultOf, send } from "./api.ts";
import { ask, askAnew, askMissing, askState, lock } from "./numbers.ts";
import { drawn, state, update } from "./present.ts";

/** After the last letter, before a customer is sought. */
const SEARCH_PAUSE_MS = 150;

const NO_ANSWER = 0;
/** After these, nothing is known of a key, or nothing good. */
const NOT_TAKEN = [NO_ANSWER, 401, 429];

/** Where reading goes on after a jump; marks of charts have a tabindex of -1 as well. */
const TAKES_FOCUS = "main, h3[tabindex='-1']";

/** A result; in words as well where nobody answers. */
async function inWords(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    askState();
    return { status: NO_ANSWER, body: { error: error.message } };
  }
}

/** Goes to a view, as the address bar will say. */
export function go(href: string): void {
  const url = new URL(href, location.href);
  history.pushState(null, "", url);
  show(url);
}

/** Shows the view of an address. */
export async function show(url: URL): Promise<void> {
  update(withView(state, parseView(url.search)));
  showTitle();
  askMissing();
  await drawn();
  const target = url.hash && document.querySelector(url.hash);
  if (!target) return;
  target.scrollIntoView();
  const title = target.matches(TAKES_FOCUS)
    ? target
    : target.querySelector(TAKES_FOCUS);
  (title as HTMLElement | null)?.focus({ preventScroll: true });
}

/** Names the view in the browser's history. */
export function showTitle(): void {
  const { customer } = state.view;
  document.title = customer === null ? "Tally" : `Customer ${customer} · Tally`;
}

/** Turns to a page of the list of customers. */
export function turnTo(cursors: State["cursors"]): void {
  update({ cursors });
  askMissing();
}

let searching: ReturnType<typeof setTimeout>;
/** Are aborted by the next question of their kind, which is then the only one. */
let seeking = new AbortController();
let explaining = new AbortController();

/** Seeks customers, a moment after the last letter. */
export async function search(text: string): Promise<void> {
  clearTimeout(searching);
  seeking.abort();
  if (text === "") return update({ search: null });
  update({ search: { text, found: state.search?.found ?? null, error: null } });
  await new Promise((done) => searching = setTimeout(done, SEARCH_PAUSE_MS));
  await seek(text);
}

/** Seeks customers at once, and opens the first one found. */
export async function openFound(form: HTMLFormElement): Promise<void> {
  clearTimeout(searching);
  const text = (new FormData(form).get("text") as string).trim();
  if (text === "") return;
  update({ search: { text, found: state.search?.found ?? null, error: null } });
  await seek(text);
  const first = state.search?.found?.[0];
  if (first && state.search?.text === text) {
    go(customerHref(state.view, first));
  }
}

async function seek(text: string): Promise<void> {
  seeking.abort();
  seeking = new AbortController();
  const { status, body } = await inWords(
    ask(searchQuestion(text), seeking.signal),
  );
  if (state.search?.text !== text) return;
  const { data, error } = body as {
    readonly data: Answers["customers"]["data"];
    readonly error: string;
  };
  update({
    search: status === 200
      ? { text, found: data, error: null }
      : { text, found: [], error },
  });
}

/** Shows where a number is from. */
export async function explain(link: HTMLElement): Promise<void> {
  const question = link.getAttribute("href")!;
  const title = link.dataset.title!;
  const explained = { title, question, explanation: null, error: null };
  update({ explained });
  await drawn();
  // The dialog gives the focus back to what had it; the link itself is hidden when its menu is closed.
  link.closest(".menu")?.querySelector("summary")?.focus();
  document.querySelector<HTMLDialogElement>("#explained")!.showModal();
  explaining.abort();
  explaining = new AbortController();
  const { status, body } = await inWords(ask(question, explaining.signal));
  if (state.explained !== explained) return;
  const { meta, error } = body as Answers["channels"] & {
    readonly error: string;
  };
  update({
    explained: status === 200
      ? { ...explained, explanation: meta.explain! }
      : { ...explained, error },
  });
}

/** Tries a key, and keeps it where it is known. */
export async function signIn(form: HTMLFormElement): Promise<void> {
  const is_admin = form.dataset.what === "admin";
  const text = (new FormData(form).get("key") as string).trim();
  const { status, body } = await inWords(tryKey(text));
  if (NOT_TAKEN.includes(status) || (status === 403 && is_admin)) {
    const { error } = body as { readonly error: string };
    return update(is_admin ? { admin_error: error } : { access_error: error });
  }
  key.set(text);
  form.reset();
  goOnWith(status);
}

/** Goes on with the key of this tab. */
export async function useKey(): Promise<void> {
  const { status } = await tryKey(key.get()!);
  if (status === 401) signOut();
  else goOnWith(status);
}

/** Asks what only an administrator may: 401 is no key, and 403 one for less. */
async function tryKey(text: string): Promise<Result> {
  const headers = { Authorization: authorizationOf(text) };
  return await resultOf(await send("api/v1/data/files", { headers }));
}

function goOnWith(status: number): void {
  update({
    access: state.is_open ? "open" : "key",
    access_error: null,
    admin: status === 403 ? null : { upload: null, said: null },
    admin_error: null,
  });
  askAnew();
}

/** Forgets the key. */
export function signOut(): void {
  if (!state.is_open) return lock("");
  key.forget();
  update({ admin: null });
  askAnew();
}
