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
  const list = createThreadList();
  return async function giveWay() {
    if (is_running) return;
    is_running = true;
    try {
      if (availableParallelism() < 2 || !await maySetPriorities()) return;
      for (const thread of await list()) lower(thread);
    } catch {
      // It is tried again the next time.
    } finally {
      is_running = false;
    }
  };
}

async function maySetPriorities(): Promise<boolean> {
  const right = { name: "sys", kind: "setPriority" } as const;
  return (await Deno.permissions.query(right)).state === "granted";
}

/**
 * Makes the function that lists the threads of the process. What it opens for that
 * stays open for the next time, and is closed when it throws an error of DuckDB.
 */
export function createThreadList(): () => Promise<number[]> {
  let listing: Listing | undefined;
  return async () => {
    try {
      listing ??= await openListing();
      return await listing.list();
    } catch (error) {
      listing?.[Symbol.dispose]();
      listing = undefined;
      throw error;
    }
  };
}

interface Listing extends Disposable {
  list(): Promise<number[]>;
}

async function openListing(): Promise<Listing> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  try {
    const connection = await instance.connect();
    return {
      async list() {
        const rows = await connection.runAndReadAll(THREADS);
        return rows.getRows()
          .map(([file]) => Number((file as string).split("/")[4]));
      },
      [Symbol.dispose]() {
        connection.closeSync();
        instance.closeSync();
      },
    };
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

function lower(thread: number): void {
  if (thread === Deno.pid) return;
  try {
    setPriority(thread, LOWEST);
  } catch {
    // It has ended, or the system does not let anyone.
  }
}
