/** The log of refreshes: an account for a person on a terminal, the counts as fields elsewhere. */

import { count } from "../db/model/count.ts";
import type { Log, LogEntry } from "../db/model/log.ts";
import {
  type LoadReport,
  type Refresh,
  sumSetAside,
  tellsOfFiles,
} from "../db/model/report.ts";
import type { Snapshot, Store } from "../db/store.ts";
import { setAsideText, totals } from "./terminal.ts";

/** What a refresh meets and leaves. */
export interface Circumstances {
  /** What was served before; null when nothing was. */
  readonly before: string | null;
  /** Whether the refresh before has failed. */
  readonly had_failed: boolean;
  /** What is served now. */
  readonly snapshot: Snapshot | null;
  readonly notice: string | null;
  /** Where the server is reached. */
  readonly base_url: string;
  /** Since the process started. */
  readonly uptime_seconds: number;
}

/** Returns a listener of `store` that logs each refresh. */
export function createRefreshLog(
  { store, base_url, log }: {
    readonly store: Pick<Store, "snapshot" | "notice">;
    readonly base_url: string;
    readonly log: Log;
  },
): (refresh: Refresh) => void {
  let before: string | null = null;
  let had_failed = false;
  return (refresh) => {
    const { snapshot, notice } = store;
    log(
      refreshEntry(refresh, {
        before,
        had_failed,
        snapshot,
        notice,
        base_url,
        uptime_seconds: performance.now() / 1_000,
      }),
    );
    before = snapshot?.data_version ?? null;
    had_failed = refresh.state === "failed";
  };
}

/** What may become of a refresh. */
export const RESULTS = ["served", "unchanged", "held", "failed"] as const;

/** What became of a refresh. */
export type Result = typeof RESULTS[number];

/** What became of a refresh, when the version `before` was served. */
export function resultOf(
  { state, report }: Refresh,
  before: string | null,
): Result {
  if (state !== "serving") return state;
  return report?.data_version === before ? "unchanged" : "served";
}

/** The time that a refresh took. */
export function secondsOf({ started_at, ended_at }: Refresh): number {
  // Not below 0: the clock may have been set back.
  return Math.max(0, Date.parse(ended_at) - Date.parse(started_at)) / 1_000;
}

/** The entry of a refresh. */
export function refreshEntry(
  refresh: Refresh,
  circumstances: Circumstances,
): LogEntry {
  const { reasons, report, changes } = refresh;
  const { before, had_failed, snapshot, uptime_seconds } = circumstances;
  const result = resultOf(refresh, before);
  const seconds = secondsOf(refresh);
  const fields = {
    event: `refresh_${result}`,
    account: reasons,
    seconds,
    reasons,
  };
  if (report === null) {
    return {
      ...fields,
      level: "error",
      text: before === null
        ? "Not ready: the data cannot be served."
        : "Refresh failed; the version before stays in service.",
      data_version: before,
    };
  }
  const counts = countsOf(report);
  const version = `data version ${report.data_version}`;
  if (result === "held") {
    return {
      ...fields,
      ...counts,
      level: "warning",
      text:
        `Held: ${version} needs a decision: POST /api/v1/data/accept or /discard.`,
    };
  }
  if (before === null) {
    return {
      ...fields,
      ...counts,
      level: "info",
      // Who waits has waited since the start; what failed before was not waited for.
      text: `Ready in ${
        (had_failed ? seconds : uptime_seconds).toFixed(1)
      } s, ${version}`,
      ...firstAccount(snapshot!, circumstances),
    };
  }
  if (result === "unchanged") {
    return {
      ...fields,
      ...counts,
      level: "info",
      text: had_failed && tellsOfFiles(refresh)
        ? `The files are good again; still serving the last good data, ${version}`
        : `Still serving ${version}`,
    };
  }
  const rows = changes?.tables.interactions;
  const what = rows
    ? `: ${count(rows.rows_added)} interactions added, ${
      count(rows.rows_gone)
    } gone`
    : "";
  return {
    ...fields,
    ...counts,
    level: "info",
    text: `Live after ${seconds.toFixed(1)} s: ${version}${what}`,
    interactions_added: rows?.rows_added,
    interactions_gone: rows?.rows_gone,
  };
}

/** The counts of a load. */
export function countsOf({ data_version, files, ...report }: LoadReport) {
  return {
    data_version,
    customers: report.customers,
    interactions: report.interactions,
    files: files.length,
    rows_read: files.reduce((sum, { rows_read }) => sum + rows_read, 0),
    rows_set_aside: sumSetAside(files),
  };
}

/** Of the first data: totals, rows set aside, warnings, two URLs to try. */
function firstAccount(
  snapshot: Snapshot,
  { notice, base_url }: Circumstances,
) {
  const { report } = snapshot;
  const url = `${base_url}/`;
  const example_url = `${base_url}/api/v1/interactions/${
    encodeURIComponent(report.example_customer_id ?? 1)
  }`;
  const rows: [string, string][] = [
    ...notice === null ? [] : [["notice", notice] satisfies [string, string]],
    ...totals(snapshot),
    ["set aside", setAsideText(report)],
    ...report.warnings.map(({ text }): [string, string] => ["note", text]),
  ];
  return {
    account: [
      ...rows.map(([name, text]) => `${name.padEnd(14)}${text}`),
      `Open ${url} in a browser`,
      `Try ${example_url}`,
    ],
    notice,
    url,
    example_url,
  };
}
