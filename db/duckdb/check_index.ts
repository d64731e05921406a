/** Checks a serving index against a PIVOT query, before it answers anyone. */

import type { Database } from "./database.ts";
import type { ServingIndex } from "../serving/serving_index.ts";
import type { Customers } from "../store.ts";

/**
 * Compares both on the random questions of sql/load/4_serve/index_questions.sql. Throws
 * an error, which is a bug, when they differ on one.
 */
export async function checkIndex(
  database: Database,
  index: Pick<ServingIndex, "count" | "membersOf" | "placeOf">,
  { channel_count, customers }: {
    readonly channel_count: number;
    readonly customers: Pick<Customers, "idOf" | "numberOf">;
  },
): Promise<void> {
  // One query for all, since each leaves some memory behind: see docs/decisions.md.
  for await (
    const [ids, is_known, first_days, last_days, topic_codes, ...channels]
      of database.streamNumbers("load/4_serve/index_questions")
  ) {
    for (let row = 0; row < ids.length; row++) {
      if (is_known[row]) {
        const id = customers.idOf(ids[row]);
        if (customers.numberOf(id) !== ids[row]) {
          throw new Error(
            `customer ${ids[row]} is not found by its id ${JSON.stringify(id)}`,
          );
        }
      }
      const first_day = first_days[row];
      const last_day = last_days[row];
      const topic_code = topic_codes[row];
      const members = topic_code < 0
        ? undefined
        : index.membersOf([topic_code]);
      const from_query = is_known[row]
        ? channels.slice(0, channel_count).map((counts) => counts[row])
        : null;
      const place = index.placeOf(ids[row]);
      const from_index = place < 0
        ? null
        : index.count(place, { first_day, last_day, members });
      if (String(from_index) === String(from_query)) continue;
      throw new Error(
        `the index and the query differ on customer ${ids[row]}, ${
          JSON.stringify({ first_day, last_day, topic_code })
        }: ${from_index} and ${from_query}`,
      );
    }
  }
}
