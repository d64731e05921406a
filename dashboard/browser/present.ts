/** The present state of the page: one value, changed here only, and drawn whenever it is. */

/// <reference lib="dom" />

import type { State } from "../state.ts";

/** What the server has drawn the page from, in the reader's own languages. */
export let state: State = {
  ...JSON.parse(document.querySelector("#state")!.textContent!),
  locales: navigator.languages,
  now: performance.now(),
};

let draw: (state: State) => void = () => {};

/** Has every state drawn from now on. */
export function drawWith(drawing: (state: State) => void): void {
  draw = drawing;
}

/** Changes the state, and draws it. */
export function update(change: Partial<State>): void {
  state = { ...state, ...change };
  draw(state);
}

/** Waits until what was updated is on the page. */
export function drawn(): Promise<unknown> {
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}
