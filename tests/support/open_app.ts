/** The real application over the real store, for requests without a socket. */

import { Callers } from "../../access/callers.ts";
import type { KeyFile } from "../../access/key_file.ts";
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
  readonly callers: Callers;
  readonly store: Refresher;
  readonly snapshot: Snapshot;
  /** What it logged. */
  readonly logged: readonly string[];
}

/** Loads the folder `data`, or one with the files `data`, and puts the application on it. */
export async function openApp(
  data: string | Files,
  settings: Settings = {},
  options: { readonly key_file?: KeyFile } = {},
): Promise<OpenedApp> {
  const opened = typeof data === "string"
    ? await openStore(data, settings)
    : await loadFolder(data, settings);
  return { ...opened, ...appOn(opened.store, settings, options) };
}

/** The application on any store. */
export function appOn(
  store: Store,
  settings: Settings = {},
  { key_file }: { readonly key_file?: KeyFile } = {},
) {
  const logged: string[] = [];
  const config = readConfig(settings);
  const callers = new Callers({
    admin_key_sha256: config.ADMIN_KEY_SHA256,
    key_file,
  });
  const app = createApp({
    store,
    config,
    callers,
    log: (text) => void logged.push(text),
    stopping: new AbortController().signal,
  });
  return { app, callers, logged };
}

/** A store that nothing is loaded into. */
export function emptyStore(): Refresher {
  return createStore(readConfig({}));
}
