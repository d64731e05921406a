/** A store that watches a folder, and waits for what comes of it. */

import { assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { readConfig } from "../../config.ts";
import { createStore } from "../../create_store.ts";
import type { Refresher } from "../../db/refresh/refresher.ts";
import type { Refresh } from "../../db/model/report.ts";
import type { Snapshot } from "../../db/store.ts";
import { type DataFolder, dataFolder, type Files } from "./data_folder.ts";
import type { Settings } from "./load_folder.ts";

/** A store at work; closed at the end of its block. */
export interface WatchedStore extends AsyncDisposable {
  readonly store: Refresher;
  readonly folder: DataFolder;
  readonly staging: DataFolder;
  /** What it logged. */
  readonly logged: readonly string[];
  /** What is served; fails when nothing is. */
  readonly snapshot: Snapshot;
  /** The next refresh that was not asked for yet; fails after a minute. */
  next(): Promise<Refresh>;
  /** Waits until `condition` holds; fails after a minute. */
  until(condition: () => boolean): Promise<void>;
}

/** Above the default of SETTLE_SECONDS, which a file that a look saw while it was written must rest. */
const PATIENCE_MS = 60_000;

/** Watches a new folder with `files`; 1 second is the shortest poll there is. */
export async function watchedStore(
  files: Files,
  settings: Settings = {},
  options: Pick<
    NonNullable<Parameters<typeof createStore>[1]>,
    "hasAdmin" | "pressure"
  > = {},
): Promise<WatchedStore> {
  const folder = await dataFolder(files);
  const staging = await dataFolder();
  const logged: string[] = [];
  const store = createStore(
    readConfig({
      DATA_DIR: folder.path,
      STAGING_DIR: staging.path,
      REFRESH_SECONDS: "1",
      ...settings,
    }),
    { ...options, log: ({ text }) => void logged.push(text) },
  );
  const refreshes: Refresh[] = [];
  store.refreshes.subscribe((refresh) => void refreshes.push(refresh));
  store.watch(() => {});

  async function until(condition: () => boolean): Promise<void> {
    for (let waited = 0; !condition(); waited += 10) {
      if (waited > PATIENCE_MS) {
        throw new Error(
          `waited in vain; ${JSON.stringify(store.refreshes.history[0])}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  return {
    store,
    folder,
    staging,
    logged,
    get snapshot() {
      if (store.snapshot) return store.snapshot;
      throw new Error(store.problem ?? "nothing is served");
    },
    async next() {
      await until(() => refreshes.length > 0);
      return refreshes.shift()!;
    },
    until,
    async [Symbol.asyncDispose]() {
      await store.close();
      await folder[Symbol.asyncDispose]();
      await staging[Symbol.asyncDispose]();
    },
  };
}

/** How many e-mails `exportsOf` made for customer 1, as a server has them. */
export async function emailsOf(
  { base_url }: { readonly base_url: string },
): Promise<number> {
  const answer = await fetch(`${base_url}/api/v1/interactions/1`);
  return (await answer.json()).data.interactions.Email;
}

/** Exports of so many interactions of customer 1, on the given channels. */
export function exportsOf(
  interactions: number,
  { channel = "Email", day = "01/02/2020" }: {
    readonly channel?: string;
    readonly day?: string;
  } = {},
): Files {
  return {
    "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
    "interactions.csv": "Date Start,Interaction,Customers\n" +
      `${day},${channel},1\n`.repeat(interactions),
  };
}

/** The next refresh, which serves so many interactions; fails when it does not. */
export async function live(
  watched: WatchedStore,
  interactions: number,
): Promise<Refresh> {
  const refresh = await watched.next();
  assertEquals(refresh.state, "serving", refresh.reasons.join());
  assertEquals(watched.snapshot.row_counts.interactions, interactions);
  return refresh;
}

/** Longer than two looks take. */
export const TWO_LOOKS_MS = 1_800;

/** Asserts that `action` changes nothing while two looks could see it. */
export async function staysFor(
  watched: WatchedStore,
  action: () => void | Promise<void>,
): Promise<void> {
  const { history } = watched.store.refreshes;
  const before = history.length;
  const { data_version } = watched.snapshot;
  await action();
  await delay(TWO_LOOKS_MS);
  assertEquals(watched.snapshot.data_version, data_version);
  assertEquals(history.length, before);
}
