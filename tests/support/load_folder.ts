/** Loads exports through the real store, and asks the snapshot what it holds. */

import { assertEquals } from "@std/assert";
import { readConfig } from "../../config.ts";
import {
  type Database,
  openDatabase,
  type Row,
} from "../../db/duckdb/database.ts";
import { createStore, loadSettings } from "../../create_store.ts";
import { loadExports } from "../../db/duckdb/load.ts";
import type { Loaded } from "../../db/model/report.ts";
import { StoreError } from "../../db/model/problems.ts";
import type { CustomerQuestion } from "../../db/model/questions.ts";
import type { LoadReport } from "../../db/model/report.ts";
import type { Refresher } from "../../db/refresh/refresher.ts";
import type { Snapshot } from "../../db/store.ts";
import { dataFolder, type Files } from "./data_folder.ts";
import { stageFolder } from "./stage_folder.ts";

/** Settings as they stand in the environment. */
export type Settings = Readonly<Record<string, string>>;

/** Test files run side by side on the cores: threads for so little data cost more than they bring. */
const ONE_THREAD: Settings = { DUCKDB_THREADS: "1" };

/** A header and no rows: what a load needs at least. */
export const NO_CUSTOMERS = "Customer_Id,Occupation,Type\n";
/** A header and no rows: what a load needs at least. */
export const NO_INTERACTIONS = "Date Start,Interaction,Customers\n";

/** A store that has loaded a folder; closed at the end of its block. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Refresher;
  readonly snapshot: Snapshot;
  readonly report: LoadReport;
}

/** Loads the folder `data_dir` and serves it; throws as the store does. */
export async function openStore(
  data_dir: string,
  settings: Settings = {},
): Promise<OpenedStore> {
  const staging = await dataFolder();
  const store = createStore(readConfig({
    DATA_DIR: data_dir,
    STAGING_DIR: staging.path,
    ...ONE_THREAD,
    ...settings,
  }));
  const close = async () => {
    await store.close();
    await staging[Symbol.asyncDispose]();
  };
  try {
    const snapshot = await store.load(() => {});
    const { report } = snapshot;
    return { store, snapshot, report, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Loads a folder with `files`; throws as the store does. */
export async function loadFolder(
  files: Files,
  settings: Settings = {},
): Promise<OpenedStore> {
  const folder = await dataFolder(files);
  try {
    const opened = await openStore(folder.path, settings);
    return {
      ...opened,
      async [Symbol.asyncDispose]() {
        await opened[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

/** Why a folder with `files` is refused; fails when it is not. */
export async function refusalOf(
  files: Files,
  settings: Settings = {},
): Promise<string> {
  return await messageOfRefusal(async () => {
    await using _ = await loadTables(files, settings);
  });
}

/** The message of the refusal that `action` throws; fails on anything else. */
export async function messageOfRefusal(
  action: () => Promise<unknown>,
): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    assertEquals(error.kind, "refused");
    return error.message;
  }
  throw new Error("was not refused");
}

/** The tables of a load, without a snapshot on them; closed at the end of its block. */
export interface LoadedTables extends AsyncDisposable, Loaded {
  readonly database: Database;
  query(sql: string): Promise<Row[]>;
}

/**
 * Loads a folder with `files` into a database, in half the time of `loadFolder`;
 * throws as the load does.
 */
export async function loadTables(
  files: Files,
  settings: Settings = {},
): Promise<LoadedTables> {
  const folder = await dataFolder(files);
  const work = await dataFolder();
  const given = { DATA_DIR: folder.path, ...ONE_THREAD, ...settings };
  const config = readConfig(given);
  const database = await openDatabase(work.path, {
    memory_limit: config.DUCKDB_MEMORY_LIMIT,
    threads: config.DUCKDB_THREADS,
  });
  const close = async () => {
    database.close();
    await work[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await using exports = await stageFolder(`${work.path}/exports`, given);
    const loaded = await loadExports(database, exports, {
      ...loadSettings(config),
      strict: true,
      progress: () => {},
    });
    return {
      ...loaded,
      database,
      query: (sql) => database.run(sql),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A customer's interactions per channel, or null when the customer is not known. */
export async function countsOf(
  snapshot: Snapshot,
  question: CustomerQuestion,
): Promise<Record<string, number> | null> {
  const counts = await snapshot.countByChannel(question);
  return counts && Object.fromEntries(
    snapshot.channels.map((channel, i) => [channel, counts[i]]),
  );
}

/**
 * Every interaction of a customer as `day channel` or `day channel: topics`, found
 * by halving periods: the store's one question is all it uses. Null when the
 * customer is not known.
 */
export async function interactionsOf(
  snapshot: Snapshot,
  customer_id: number,
): Promise<string[] | null> {
  const { channels, topics } = snapshot;
  const ask = async (
    first: number,
    last: number,
    { topics }: { readonly topics?: readonly string[] } = {},
  ) =>
    Array.from(
      (await snapshot.countByChannel({
        customer_id,
        start_date: dateOfDay(first),
        end_date: dateOfDay(last),
        topics,
      }))!,
    );

  async function look(first: number, last: number): Promise<string[]> {
    const counts = await ask(first, last);
    if (counts.every((count) => count === 0)) return [];
    if (first < last) {
      const middle = Math.floor((first + last) / 2);
      return [...await look(first, middle), ...await look(middle + 1, last)];
    }
    const by_topic = await Promise.all(
      topics.map((topic) => ask(first, last, { topics: [topic] })),
    );
    return counts.flatMap((count, channel) => {
      const own = topics.filter((_, code) => by_topic[code][channel] > 0);
      const text = `${dateOfDay(first)} ${channels[channel]}`;
      return Array(count).fill(own.length ? `${text}: ${own.join("+")}` : text);
    });
  }
  if (await snapshot.countByChannel({ customer_id }) === null) return null;
  return await look(0, 65_535);
}

/** The date, `YYYY-MM-DD`, `days` days after 1900-01-01. */
export function dateOfDay(days: number): string {
  return new Date(Date.UTC(1900, 0, 1 + days)).toISOString().slice(0, 10);
}
