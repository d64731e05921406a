/** Runs bench/steady_load.ts in a process of its own, beside what is measured. */

import { project_dir, type Server } from "./server.ts";
import type { SteadyLoad } from "./steady_load.ts";

/** What is asked: random customers up to this number, at this rate, for this long. */
export interface SteadyRate {
  customers: number;
  requests_per_second: number;
  seconds: number;
}

/** Asks a server at a steady rate, and returns what was seen. */
export async function runSteadyLoad(
  { origin }: Server,
  { customers, requests_per_second, seconds }: SteadyRate,
): Promise<SteadyLoad> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-net",
      `${project_dir}/bench/steady_load.ts`,
      origin,
      String(requests_per_second),
      String(seconds),
      String(customers),
    ],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`The steady load of ${origin} failed.`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
