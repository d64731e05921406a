/** Measures how soon a started server accepts and is ready, and what loading costs, for each format of exports. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type ExportOptions, generateExports } from "./generate.ts";
import {
  listenForStop,
  makeTempFolder,
  measureStart,
  project_dir,
  settle_ms,
  type Start,
  startServer,
} from "./server.ts";

// Machines are noisy upwards only: the best run is the nearest to the truth.
const runs = 5;
const rss_peak_gb = 0.95;

interface Case {
  /** What it is called as an argument, and its folder in `--data`. */
  name: string;
  title: string;
  /** How to generate it; none for the sample that comes with the project. */
  options?: Partial<ExportOptions>;
  /** Whether a server that served them has kept them, and they are gone. */
  kept?: true;
  targets: {
    socket_seconds?: number;
    ready_seconds?: number;
    rss_peak_gb?: number;
  };
}

const cases: Case[] = [
  {
    name: "parquet",
    title: "Parquet",
    options: { format: "parquet" },
    targets: { ready_seconds: 4, rss_peak_gb },
  },
  ...[10, 100, 1_000].map((occupations): Case => ({
    name: `parquet-${occupations}`,
    title: `Parquet, ${occupations} occupations`,
    options: { format: "parquet", occupations },
    // At most 1.15 times the time with four.
    targets: { ready_seconds: 4.6, rss_peak_gb },
  })),
  {
    name: "csv",
    title: "CSV",
    options: { format: "csv" },
    targets: { ready_seconds: 7, rss_peak_gb },
  },
  {
    name: "csv.gz",
    title: "CSV.gz",
    options: { format: "csv.gz" },
    targets: { ready_seconds: 8, rss_peak_gb },
  },
  {
    name: "faults",
    title: "CSV, 0.5 % set aside",
    options: { format: "csv", faults: 0.005 },
    targets: { ready_seconds: 15, rss_peak_gb },
  },
  {
    name: "csv",
    title: "Last good, of CSV",
    options: { format: "csv" },
    kept: true,
    targets: { rss_peak_gb },
  },
  {
    name: "xlsx",
    title: "Excel, 200,000 rows",
    options: { format: "xlsx", interactions: 200_000, customers: 20_000 },
    targets: { rss_peak_gb },
  },
  {
    name: "sample",
    title: "Sample data",
    targets: { socket_seconds: 0.5, ready_seconds: 1.5 },
  },
];

function formatRow({ title, targets }: Case, measured: Start[]): string {
  const best = measured.reduce((a, b) =>
    a.ready_seconds <= b.ready_seconds ? a : b
  );
  // Memory is not noise: the largest peak of all runs counts.
  const peak_gb = Math.max(
    ...measured.map(({ settled }) => settled.rss_peak_bytes / 1e9),
  );
  const cells = [
    title,
    formatFigure(best.socket_seconds, targets.socket_seconds),
    formatFigure(best.ready_seconds, targets.ready_seconds),
    formatFigure(best.cpu_seconds),
    formatFigure(peak_gb, targets.rss_peak_gb),
    formatFigure(best.settled.rss_bytes / 1e9),
  ];
  return `| ${cells.join(" | ")} |`;
}

function formatFigure(figure: number, target?: number): string {
  const text = figure.toFixed(2);
  if (target === undefined) return text;
  return `${text} (≤ ${target}${figure <= target ? "" : ", **missed**"})`;
}

/** The folder of a case's exports: the project's sample, given, or made now. */
async function provideData(
  { name, options }: Case,
  { given, temp }: {
    readonly given: string | undefined;
    readonly temp: string;
  },
): Promise<string> {
  if (!options) return join(project_dir, "data");
  if (given === undefined) {
    console.error(`generating ${name} …`);
    const dir = join(temp, name);
    await generateExports(dir, options);
    return dir;
  }
  const dir = resolve(given, name);
  if (existsSync(dir)) return dir;
  throw new Error(
    `"${dir}" is not there: make it by "deno run -P=bench bench/generate.ts ${dir} ` +
      Object.entries(options).map(([name, value]) => `--${name}=${value}`)
        .join(" ") +
      '".',
  );
}

/** Serves exports once, so that they are kept; the settings of a start without them. */
async function keepData(
  dir: string,
  { temp, signal }: { readonly temp: string; readonly signal: AbortSignal },
): Promise<Record<string, string>> {
  const kept = { DATA_DIR: `${temp}/none`, STATE_DIR: `${temp}/state` };
  await Deno.mkdir(kept.DATA_DIR);
  await Deno.mkdir(kept.STATE_DIR);
  await using server = startServer("main.ts", {
    env: {
      ...kept,
      DATA_DIR: dir,
    },
    signal,
  });
  await server.waitForReady();
  // Stopping waits until what is served is kept.
  return kept;
}

async function measureLoads(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { data: { type: "string" } },
  });
  const known = [...new Set(cases.map(({ name }) => name))];
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`no case "${unknown}": the cases are ${known.join(", ")}.`);
  }
  const signal = listenForStop();
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores; ` +
      `best of ${runs}, peak memory the worst of ${runs}\n`,
  );
  console.log(
    "| Data | Socket (s) | Ready (s) | CPU until ready (s) | RSS peak (GB) " +
      `| RSS ${settle_ms / 1000} s after ready (GB) |`,
  );
  console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
  for (const test of cases) {
    if (positionals.length > 0 && !positionals.includes(test.name)) continue;
    await using temp = await makeTempFolder();
    const dir = await provideData(test, {
      given: values.data,
      temp: temp.path,
    });
    const settings = test.kept
      ? await keepData(dir, { temp: temp.path, signal })
      : { DATA_DIR: dir };
    const measured: Start[] = [];
    for (let run = 1; run <= runs; run++) {
      measured.push(await measureStart(settings, signal));
      console.error(
        `${test.name} ${run}/${runs}: ready after ` +
          `${measured.at(-1)!.ready_seconds.toFixed(2)} s`,
      );
    }
    console.log(formatRow(test, measured));
  }
}

await measureLoads();
