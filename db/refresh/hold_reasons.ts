/** Finds the reasons why a new snapshot looks wrong, compared with the served one. */

import { count } from "../model/count.ts";
import { type Newest, newestInteraction } from "../model/newest.ts";
import { nameKey } from "../model/names.ts";
import type { CountedTable, LoadReport } from "../model/report.ts";

/** The parts of a snapshot that are compared. */
export interface Side {
  readonly row_counts: Readonly<Record<CountedTable, number>>;
  readonly report: Pick<
    LoadReport,
    "interactions" | "channels" | keyof Newest | "too_many_set_aside"
  >;
}

/** A smaller table may lose any share of its rows. */
const ROWS_THAT_COUNT = 100;
/** A channel with a smaller share of the interactions may vanish. */
const SHARE_THAT_COUNTS = 0.01;

/** Why `next` should wait for a decision at this moment, in plain words; empty when nothing looks wrong. */
export function holdReasons(
  previous: Side,
  next: Side,
  { hold_drop, at }: { readonly hold_drop: number; readonly at: Date },
): string[] {
  const reasons: string[] = [];
  for (const table of ["customers", "interactions", "products"] as const) {
    const [before, after] = [
      previous.row_counts[table],
      next.row_counts[table],
    ];
    if (before < ROWS_THAT_COUNT || after >= before * (1 - hold_drop)) continue;
    reasons.push(
      `${table} lost ${count(before - after)} of ${
        count(before)
      } rows, more than HOLD_DROP=${hold_drop} allows`,
    );
  }
  reasons.push(...next.report.too_many_set_aside);

  const left = new Set(
    next.report.channels.filter(({ interactions }) => interactions > 0)
      .map(({ channel }) => nameKey(channel)),
  );
  for (const { channel, interactions } of previous.report.channels) {
    const share = interactions / previous.report.interactions;
    if (share > SHARE_THAT_COUNTS && !left.has(nameKey(channel))) {
      reasons.push(
        `the channel ${channel} vanished, which had ${
          count(interactions)
        } interactions`,
      );
    }
  }
  const [before, after] = [previous, next].map(({ report }) =>
    newestInteraction(report, at)
  );
  if (before !== null && (after === null || after < before)) {
    reasons.push(
      next.report.interactions === 0
        ? `there is no interaction any more; the newest was of ${before}`
        : after === null
        ? `every interaction is in the future; the newest was of ${before}`
        : `the newest interaction is of ${after}, older than ${before} before`,
    );
  }
  return reasons;
}
