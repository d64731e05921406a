/** The real application over the real store, for requests without a socket. */

import { Callers } from "../../access/callers.ts";
import type { KeyFile } from "../../access/key_file.ts";
import { readConfig } from "../../config.ts";
import { createStore } from "../../create_store.ts";
import type { Refresher } from "../../db/refresh/refresher.ts";
import type { Log, LogEntry, RequestRecord } from "../../db/model/log.ts";
import { Pressure } from "../../db/serving/pressure.ts";
import type { Snapshot, Store } from "../../db/store.ts";
import { createMetrics } from "../../operator/metrics.ts";
import { type App, createApp } from "../../routes/app.ts";
import { Underway } from "../../routes/underway.ts";
import type { Files } from "./data_folder.ts";
import { createRequestLog } from "../../routes/request_log.ts";
import { createDocumentCheck } from "./document_check.ts";
import { loadFolder, openStore, type Settings } from "./load_folder.ts";
import { PATIENT } from "./patient.ts";

/** An application with data; closed at the end of its block. */
export interface OpenedApp extends AsyncDisposable {
  readonly app: App;
  readonly callers: Callers;
  /** Measures nothing by itself. */
  readonly pressure: Pressure;
  readonly store: Refresher;
  readonly snapshot: Snapshot;
  /** What it logged. */
  readonly logged: readonly LogEntry[];
  /** The requests that it logged, but those of the document with which answers are compared. */
  records(): readonly RequestRecord[];
}

/** What is not in the settings. */
export interface AppOptions {
  readonly key_file?: KeyFile;
  /** The clock of limits. */
  readonly now?: () => number;
}

/** Loads the folder `data`, or one with the files `data`, and puts the application on it. */
export async function openApp(
  data: string | Files,
  settings: Settings = {},
  options: AppOptions = {},
): Promise<OpenedApp> {
  const opened = typeof data === "string"
    ? await openStore(data, settings)
    : await loadFolder(data, settings);
  return { ...opened, ...appOn(opened.store, settings, options) };
}

/** The check of each document, by its text: what a customer_id is depends on the data. */
const checks = new Map<string, ReturnType<typeof createDocumentCheck>>();

function checkBy(document: string) {
  const check = checks.get(document) ??
    createDocumentCheck(JSON.parse(document));
  checks.set(document, check);
  return check;
}

/** The largest answer that is checked. */
const CHECKED_BYTES = 1_000_000;

/** Has each JSON answer compared with the document; throws where they differ. */
function checked(app: App): App {
  const { fetch } = app;
  app.fetch = async (request, peer) => {
    const answer = await fetch(request, peer);
    const [type] = (answer.headers.get("Content-Type") ?? "").split(";");
    const { pathname } = new URL(request.url);
    const described = await fetch(
      new Request("http://localhost/openapi.json"),
      // A client of its own, so that it spends nothing of others' limits.
      { remoteAddr: { hostname: crypto.randomUUID() } },
    );
    const document = checkBy(await described.text());
    const operation = document.operationOf(
      request.method.toLowerCase(),
      pathname,
    );
    if (!operation || type !== "application/json") return answer;
    if (answer.headers.has("Content-Encoding")) return answer;
    const text = await answer.clone().text();
    if (text.length > CHECKED_BYTES) return answer;
    const { status } = answer;
    const problem = document.problemOf(operation, { status, type, text });
    if (problem) throw new Error(`${problem}: ${text.slice(0, 1_000)}`);
    return answer;
  };
  return app;
}

/** The application on any store. */
export function appOn(
  store: Store,
  settings: Settings = {},
  { key_file, now }: AppOptions = {},
) {
  const logged: LogEntry[] = [];
  const { signal } = new AbortController();
  const config = readConfig({ ...PATIENT, ...settings });
  const callers = new Callers({
    admin_key_sha256: config.ADMIN_KEY_SHA256,
    key_file,
  });
  const metrics = createMetrics();
  const records: RequestRecord[] = [];
  const log: Log = (entry) => void logged.push(entry);
  const limit_mb = config.MEMORY_LIMIT_MB;
  const pressure = new Pressure({
    limit_bytes: limit_mb === undefined ? null : limit_mb * 1e6,
    log,
  });
  const requests = createRequestLog(config, {
    print: (more) => void records.push(...more),
    log,
  });
  const app = checked(createApp({
    store,
    config,
    callers,
    log,
    requests,
    metrics,
    ending: { draining: signal, finishing: signal },
    underway: new Underway(),
    pressure,
    now,
  }));
  return {
    app,
    callers,
    logged,
    pressure,
    records() {
      requests?.flush();
      return records.filter(({ route }) => route !== "/openapi.json");
    },
  };
}

/** A store that nothing is loaded into. */
export function emptyStore(): Refresher {
  return createStore(readConfig({}));
}
