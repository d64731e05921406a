/** The priority of threads: the one that answers comes before those that work for questions, downloads and loads. */

import { availableParallelism, setPriority } from "node:os";
import { DuckDBInstance } from "@duckdb/node-api";

/** Of Linux. With 10, refusals beside lists and downloads took up to twice as long. */
const LOWEST = 19;

// Deno lets a program list its threads only if it has every right; DuckDB can.
const THREADS = "select file from glob('/proc/self/task/*/comm')";

/**
 * Makes the function that gives all threads of the process but the first one the lowest
 * priority, for as long as they live; no process may raise it again. Threads come and
 * go, so it is called again from time to time. It does nothing where threads are not
 * listed as Linux lists them, where DuckDB has too little memory for the list, or where
 * Deno may not set priorities; nor on one core, of which the others would have next to
 * nothing. It never throws.
 */
export function createGiveWay(): () => Promise<void> {
  let is_running = false;
  let listing: Promise<() => Promise<string[]>> | undefined;
  return async function giveWay() {
    if (is_running) return;
    is_running = true;
    try {
      if (availableParallelism() < 2 || !await maySetPriorities()) return;
      const list = await (listing ??= openListing());
      for (const file of await list()) lower(Number(file.split("/")[4]));
    } catch {
      listing = undefined;
    } finally {
      is_running = false;
    }
  };
}

async function maySetPriorities(): Promise<boolean> {
  const right = { name: "sys", kind: "setPriority" } as const;
  return (await Deno.permissions.query(right)).state === "granted";
}

async function openListing(): Promise<() => Promise<string[]>> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  return async () => {
    const rows = await connection.runAndReadAll(THREADS);
    return rows.getRows().map(([file]) => file as string);
  };
}

function lower(thread: number): void {
  if (thread === Deno.pid) return;
  try {
    setPriority(thread, LOWEST);
  } catch {
    // It has ended, or the system does not let anyone.
  }
}
