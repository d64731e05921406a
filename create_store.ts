/** Puts the store together from the settings: each part gets those that it needs. */

import type { Config } from "./config.ts";
import { ClickhouseEngine } from "./db/clickhouse/engine.ts";
import { createClean } from "./db/duckdb/clean.ts";
import { DuckdbEngine } from "./db/duckdb/engine.ts";
import type { Engine } from "./db/engine.ts";
import { StateFolder } from "./db/refresh/archive.ts";
import { Follower } from "./db/refresh/follower.ts";
import { Refresher } from "./db/refresh/refresher.ts";
import type { Log } from "./db/model/log.ts";
import { Pressure } from "./db/serving/pressure.ts";
import { createSlots, QuestionSlots, type Slots } from "./db/serving/slots.ts";
import { printEntry } from "./operator/log.ts";

/** What reading the exports depends on. */
export function stagingSettings(config: Config) {
  return {
    date_order: config.DATE_ORDER,
    time_zone: config.TIME_ZONE,
    csv_encoding: config.CSV_ENCODING,
    max_file_bytes: config.MAX_FILE_BYTES,
    xlsx_max_bytes: config.XLSX_MAX_BYTES,
    zip_max_bytes: config.ZIP_MAX_BYTES,
  };
}

/** What loading them depends on. */
export function loadSettings(config: Config) {
  return {
    ...stagingSettings(config),
    max_set_aside: config.MAX_SET_ASIDE,
    set_aside_kept: config.SET_ASIDE_KEPT,
    max_channels: config.MAX_CHANNELS,
  };
}

/** What a store needs beside its settings. */
export interface StoreParts {
  readonly log?: Log;
  /** Whether there is someone who could decide about what is held. */
  readonly hasAdmin?: () => boolean;
  readonly slots?: Slots;
  /** Ends loads that take too much memory. */
  readonly pressure?: Pressure;
}

/** The store of a server, not opened yet: one that follows a loader where ROLE says so. */
export function createServedStore(
  config: Config,
  parts: StoreParts = {},
): Refresher | Follower {
  return config.STORE === "clickhouse" && config.ROLE === "follower"
    ? new Follower(createEngine(config, parts), {
      staging_dir: config.STAGING_DIR,
      refresh_ms: config.REFRESH_SECONDS * 1_000,
      log: parts.log ?? printEntry,
    })
    : createStore(config, parts);
}

/** The store that loads DATA_DIR, not opened yet. */
export function createStore(
  config: Config,
  parts: StoreParts = {},
): Refresher {
  const {
    log = printEntry,
    hasAdmin = () => config.ADMIN_KEY_SHA256 !== undefined,
  } = parts;
  return new Refresher(createEngine(config, parts), {
    ...stagingSettings(config),
    data_dir: config.DATA_DIR,
    staging_dir: config.STAGING_DIR,
    max_upload_bytes: config.MAX_UPLOAD_BYTES,
    upload_quota_bytes: config.UPLOAD_QUOTA_BYTES,
    refresh_ms: config.REFRESH_SECONDS * 1_000,
    settle_ms: config.SETTLE_SECONDS * 1_000,
    final_newline_required: config.CSV_FINAL_NEWLINE === "required",
    hold: () => config.HOLD ? config.HOLD === "on" : hasAdmin(),
    hold_drop: config.HOLD_DROP,
    log,
  });
}

/** Page views that are short queries: those that run at once, and those that wait. */
const PAGE_VIEWS = { concurrency: 32, queue: 1_000 };

/** The engine of these settings. */
export function createEngine(
  config: Config,
  {
    log = printEntry,
    slots = createSlots(config),
    pressure = new Pressure({ limit_bytes: null, log }),
  }: Pick<StoreParts, "log" | "slots" | "pressure"> = {},
): Engine {
  const loading = {
    ...loadSettings(config),
    memory_limit: config.DUCKDB_MEMORY_LIMIT,
    threads: config.DUCKDB_THREADS,
    pressure,
  };
  if (config.STORE === "duckdb") {
    return new DuckdbEngine({
      ...loading,
      serve_from: config.SERVE_FROM,
      // Of the process and not of a snapshot, so that a refresh does not double them.
      slots,
      state_folder: config.STATE_DIR
        ? new StateFolder(config.STATE_DIR, log)
        : null,
    });
  }
  return new ClickhouseEngine({
    server: {
      url: config.CLICKHOUSE_URL,
      user: config.CLICKHOUSE_USER,
      password: config.CLICKHOUSE_PASSWORD,
    },
    place: {
      database: config.CLICKHOUSE_DATABASE,
      cluster: config.CLICKHOUSE_CLUSTER ?? null,
    },
    clean: config.ROLE === "loader" ? createClean(loading) : null,
    name: `${config.HOST}:${config.PORT}, process ${Deno.pid}`,
    slots,
    page_views: new QuestionSlots(PAGE_VIEWS),
    timeout_ms: config.QUERY_TIMEOUT_MS,
    log,
  });
}
