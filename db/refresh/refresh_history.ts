/** Keeps the latest refreshes, and notifies listeners of each new one. */

import type { Refresh } from "../model/report.ts";

/** The number of refreshes in the history. */
const MOST = 50;

/** The history of a store. */
export class RefreshHistory {
  /** The latest first; without the rows that were set aside, which take most memory. */
  readonly refreshes: Refresh[] = [];
  readonly #listeners = new Set<(refresh: Refresh) => void>();

  /** Returns a function that unsubscribes. */
  subscribe(listener: (refresh: Refresh) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(refresh: Refresh): void {
    const { report } = refresh;
    this.refreshes.unshift({
      ...refresh,
      report: report && { ...report, set_aside_listed: [] },
    });
    this.refreshes.length = Math.min(this.refreshes.length, MOST);
    for (const listener of this.#listeners) listener(refresh);
  }
}
