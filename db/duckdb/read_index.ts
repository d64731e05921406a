/** Reads the serving index's columns from a loaded database. */

import type { Database } from "./database.ts";
import type { IndexColumns } from "../serving/serving_index.ts";

/** The sizes of the columns. */
export interface IndexSize {
  readonly customers: number;
  readonly interactions: number;
  readonly channels: number;
  readonly topics: number;
}

/**
 * Streams the sorted tables into arrays, one chunk of rows at a time. Throws an
 * error, which is a bug, when the PIVOT does not count every interaction.
 */
export async function readIndex(
  database: Database,
  size: IndexSize,
): Promise<IndexColumns> {
  const topic_members = await readTopicMembers(database, size.topics);
  const sets = topic_members[0]?.length ?? 1;

  const customer_ids = new Float64Array(size.customers);
  const offsets = new Uint32Array(size.customers * size.channels + 1);
  let customer = 0;
  let slice = 0;
  for await (
    const [ids, ...channels] of database.streamNumbers(
      "load/4_serve/index_customers",
    )
  ) {
    customer_ids.set(ids, customer);
    customer += ids.length;
    for (let row = 0; row < ids.length; row++) {
      // By number: without channels, the table still has one column.
      for (let channel = 0; channel < size.channels; channel++) {
        offsets[slice + 1] = offsets[slice] + channels[channel][row];
        slice++;
      }
    }
  }

  if (offsets[slice] !== size.interactions) {
    throw new Error(
      `the pivot counts ${
        offsets[slice]
      } interactions, and there are ${size.interactions}`,
    );
  }

  const days = new Uint16Array(size.interactions);
  const topic_sets = sets <= 256
    ? new Uint8Array(size.interactions)
    : new Uint16Array(size.interactions);
  let interaction = 0;
  for await (
    const [day, topic_set] of database.streamNumbers(
      "load/4_serve/index_interactions",
    )
  ) {
    days.set(day, interaction);
    topic_sets.set(topic_set, interaction);
    interaction += day.length;
  }
  return {
    customer_ids,
    offsets,
    days,
    topic_sets,
    topic_members,
    channel_count: size.channels,
  };
}

async function readTopicMembers(
  database: Database,
  topics: number,
): Promise<Uint8Array[]> {
  const sets = await database.runFile("load/4_serve/index_topic_sets");
  const members = Array.from(
    { length: topics },
    () => new Uint8Array(sets.length),
  );
  for (const { topic_set, topic_codes } of sets) {
    for (const topic_code of topic_codes as number[]) {
      members[topic_code][topic_set as number] = 1;
    }
  }
  return members;
}
