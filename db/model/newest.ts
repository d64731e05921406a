/** The newest interaction that is not in the future, which is another one while time goes on, also without a load. */

import type { LoadReport } from "./report.ts";

/** What a load knows of it. */
export type Newest = Pick<
  LoadReport,
  "latest_interaction" | "upcoming" | "time_zone"
>;

/** The newest interaction up to a moment, as far as its day tells, YYYY-MM-DD HH:MM:SS; null without one. */
export function newestInteraction(newest: Newest, at: Date): string | null {
  return newestBy(newest, localTime(at, newest.time_zone));
}

/**
 * The last day with an interaction up to the day of a moment, YYYY-MM-DD; null without
 * one. Where the clock is behind that of the load, the newest day at the load.
 */
export function newestDay(newest: Newest, at: Date): string | null {
  const [today] = localTime(at, newest.time_zone).split(" ");
  const time = newestBy(newest, `${today} 23:59:59`) ??
    newest.latest_interaction;
  return time && time.slice(0, today.length);
}

function newestBy(
  { latest_interaction, upcoming }: Newest,
  local: string,
): string | null {
  return [latest_interaction, ...upcoming]
    .findLast((time) => time !== null && time <= local) ?? null;
}

/** The form of Sweden is that of the times. */
function localTime(at: Date, time_zone: string): string {
  return at.toLocaleString("sv-SE", { timeZone: time_zone });
}
