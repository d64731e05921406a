/** The metrics of the process and of what it serves, and how they are printed. */

import type { Metric, Metrics } from "../db/model/metric.ts";
import { secondsSinceLoad } from "../db/model/report.ts";
import type { Store } from "../db/store.ts";
import {
  countsOf,
  type Result,
  resultOf,
  RESULTS,
  secondsOf,
} from "./refresh_log.ts";

/** Metrics that prom-client prints. */
export function createMetrics(): Metrics {
  const offered: Metric[] = [];
  return {
    add: (...metrics) => void offered.push(...metrics),
    async text() {
      // It is asked for by few, and takes 20 ms to load.
      const { Registry } = await import("prom-client");
      const registry = new Registry();
      for (const metric of offered) registry.registerMetric(printable(metric));
      return await registry.metrics();
    },
  };
}

type Printable = Parameters<
  InstanceType<typeof import("prom-client").Registry>["registerMetric"]
>[0];

/** A metric as prom-client prints it; the counters of its own are not used. */
function printable({ name, help, type, samples }: Metric): Printable {
  const get = () => ({
    name,
    help,
    type,
    aggregator: "sum",
    values: Array.from(samples(), ({ value, labels = {}, suffix = "" }) => ({
      value,
      labels,
      metricName: name + suffix,
    })),
  });
  return { name, get } as unknown as Printable;
}

/** What is served, and what became of refreshes; these are counted from now on. */
export function storeMetrics(store: Store): Metric[] {
  const counted = RESULTS.map((result) => ({
    labels: { result },
    refreshes: 0,
    seconds: 0,
  }));
  let before: string | null = null;
  let latest: { readonly result: Result; readonly seconds: number } | null =
    null;
  store.refreshes.subscribe((refresh) => {
    const result = resultOf(refresh, before);
    const seconds = secondsOf(refresh);
    const counts = counted[RESULTS.indexOf(result)];
    counts.refreshes++;
    counts.seconds += seconds;
    latest = { result, seconds };
    before = store.snapshot?.data_version ?? null;
  });
  return [
    {
      name: "tally_refreshes_total",
      help: "Refreshes by their result.",
      type: "counter",
      samples: () =>
        counted.map(({ labels, refreshes }) => ({ labels, value: refreshes })),
    },
    {
      name: "tally_refresh_seconds_total",
      help: "Time that refreshes took, by their result.",
      type: "counter",
      samples: () =>
        counted.map(({ labels, seconds }) => ({ labels, value: seconds })),
    },
    gauge("tally_refresh_last_seconds", {
      help: "Time that the latest refresh took.",
      read: () => latest?.seconds,
    }),
    gauge("tally_refresh_last_failed", {
      help: "1 if the latest refresh failed, else 0.",
      read: () => latest && Number(latest.result === "failed"),
    }),
    gauge("tally_refresh_held", {
      help: "1 while a version waits for a decision, else 0.",
      read: () => Number(store.refreshes.held !== null),
    }),
    gauge("tally_data_ready", {
      help: "1 while data is served, else 0.",
      read: () => Number(store.snapshot !== null),
    }),
    gauge("tally_data_restored", {
      help: "1 while the last good data of STATE_DIR is served, else 0.",
      read: () => Number(store.refreshes.restored),
    }),
    gauge("tally_data_notice", {
      help:
        "1 while the data needs attention, as the notice of /api/v1/data says, else 0.",
      read: () => Number(store.notice !== null),
    }),
    {
      name: "tally_data_info",
      help: "1 for the data version that is served.",
      type: "gauge",
      samples() {
        const { snapshot } = store;
        if (!snapshot) return [];
        const { data_version } = snapshot;
        return [{ labels: { data_version }, value: 1 }];
      },
    },
    gauge("tally_data_age_seconds", {
      help: "Time since the data that is served was loaded.",
      read: () => store.snapshot && secondsSinceLoad(store.snapshot.loaded_at),
    }),
    ...(["customers", "interactions", "rows_read", "rows_set_aside"] as const)
      .map((count) =>
        gauge(`tally_data_${count}`, {
          help: `${COUNTED[count]} of the data that is served.`,
          read: () => store.snapshot && countsOf(store.snapshot.report)[count],
        })
      ),
  ];
}

const COUNTED = {
  customers: "Customers",
  interactions: "Interactions",
  rows_read: "Rows read",
  rows_set_aside: "Rows set aside",
};

/** The memory and the start of the process. */
export function processMetrics(): Metric[] {
  const started = Date.now() / 1_000;
  return [
    gauge("process_resident_memory_bytes", {
      help: "Resident memory size in bytes.",
      read: () => Deno.memoryUsage().rss,
    }),
    gauge("process_start_time_seconds", {
      help: "Start time of the process since unix epoch in seconds.",
      read: () => started,
    }),
    {
      name: "tally_runtime_info",
      help: "1 for the version of Deno that runs.",
      type: "gauge",
      samples: () => [{ labels: { deno: Deno.version.deno }, value: 1 }],
    },
  ];
}

/** A gauge that is one number, or nothing. */
function gauge(
  name: string,
  { help, read }: {
    readonly help: string;
    read(): number | null | undefined;
  },
): Metric {
  return {
    name,
    help,
    type: "gauge",
    samples() {
      const value = read();
      return typeof value === "number" ? [{ value }] : [];
    },
  };
}
