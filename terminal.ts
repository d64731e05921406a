/** What the operator's terminal shows: progress, a summary when ready, and what is wrong. */

import type { LoadReport, Snapshot } from "./db/store.ts";

/** After this many milliseconds a load shows what it is doing. */
const PATIENCE_MS = 1_000;
const REFRESH_MS = 100;

/** Shows the steps of a load in one line that is written over; silent where nobody looks. */
export function startProgress(): {
  step: (text: string) => void;
  stop: () => void;
} {
  if (!Deno.stderr.isTerminal()) return { step() {}, stop() {} };
  const began = performance.now();
  const write = (text: string) =>
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  let current = "";
  const timer = setInterval(() => {
    const elapsed = performance.now() - began;
    if (elapsed < PATIENCE_MS) return;
    write(`Loading, ${(elapsed / 1000).toFixed(1)} s: ${current} …`);
  }, REFRESH_MS);
  return {
    step(text) {
      current = text;
    },
    stop() {
      clearInterval(timer);
      write("");
    },
  };
}

/** The summary of a load: what there is, what was set aside, a URL to try. */
export function summary(
  { report, channels, topics }: Snapshot,
  base_url: string,
): string {
  const rows: [string, string][] = [
    ["customers", customers(report)],
    ["interactions", count(report.interactions)],
    ["channels", listed(channels)],
    ["topics", listed(topics)],
    ["set aside", setAside(report)],
    ...notices(report).map((text): [string, string] => ["note", text]),
  ];
  return [
    `Ready in ${
      report.seconds.toFixed(1)
    } s, data version ${report.data_version}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(14)}${text}`),
    `Try ${base_url}/api/v1/interactions/${report.example_customer_id ?? 1}`,
  ].join("\n");
}

function customers({ customers, orphan_customers }: LoadReport): string {
  return orphan_customers
    ? `${count(customers)}, ${
      count(orphan_customers)
    } of them only in interactions`
    : count(customers);
}

function setAside({ files }: LoadReport): string {
  const dirty = files.filter(({ rows_set_aside }) => rows_set_aside > 0);
  if (dirty.length === 0) return "no rows";
  return dirty.map(({ file, rows_set_aside, rows_read, set_aside }) => {
    const [{ column, reason }] = set_aside;
    return `${count(rows_set_aside)} of ${
      count(rows_read)
    } rows of ${file}, most often ${column}: ${reason}`;
  }).join(`\n${" ".repeat(16)}`);
}

function notices(report: LoadReport): string[] {
  const told = (count_of: number, text: string) =>
    count_of > 0 ? [`${count(count_of)} ${text}`] : [];
  return [
    ...told(
      report.conflicting_customers,
      "customers with records that differ; the later one won",
    ),
    ...told(report.duplicate_interactions, "interactions that repeat another"),
    ...told(
      report.merged_interactions,
      "interactions in several exports, counted once",
    ),
    ...told(report.future_interactions, "interactions in the future"),
    ...report.files.flatMap(({ file, unknown_columns }) =>
      unknown_columns.length
        ? [`${file}: columns not used: ${unknown_columns.join(", ")}`]
        : []
    ),
    ...report.ignored.map(({ file, reason }) => `${file} not read: ${reason}`),
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length > 10 ? `, and ${names.length - 10} more` : "";
  return names.slice(0, 10).join(", ") + more || "none";
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
