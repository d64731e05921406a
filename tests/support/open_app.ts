/** The real application over the real store, for requests without a socket. */

import { readConfig } from "../../config.ts";
import { createStore } from "../../create_store.ts";
import type { Refresher } from "../../db/refresh/refresher.ts";
import type { Snapshot, Store } from "../../db/store.ts";
import { type App, createApp } from "../../routes/app.ts";
import type { Files } from "./data_folder.ts";
import { loadFolder, openStore, type Settings } from "./load_folder.ts";

/** An application with data; closed at the end of its block. */
export interface OpenedApp extends AsyncDisposable {
  readonly app: App;
  readonly store: Refresher;
  readonly snapshot: Snapshot;
  /** What it logged. */
  readonly logged: readonly string[];
}

/** Loads the folder `data`, or one with the files `data`, and puts the application on it. */
export async function openApp(
  data: string | Files,
  settings: Settings = {},
): Promise<OpenedApp> {
  const opened = typeof data === "string"
    ? await openStore(data, settings)
    : await loadFolder(data, settings);
  return { ...opened, ...appOn(opened.store, settings) };
}

/** The application on any store. */
export function appOn(store: Store, settings: Settings = {}) {
  const logged: string[] = [];
  const app = createApp({
    store,
    config: readConfig(settings),
    log: (text) => void logged.push(text),
    stopping: new AbortController().signal,
  });
  return { app, logged };
}

/** A store that nothing is loaded into. */
export function emptyStore(): Refresher {
  return createStore(readConfig({}));
}
