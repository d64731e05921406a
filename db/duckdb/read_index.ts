/** Reads the serving index's columns from a loaded database. */

import type { Dimension, NamedDimension } from "../model/dimensions.ts";
import type { Database } from "./database.ts";
import { composedSql } from "./record_sql.ts";
import {
  type CustomerKinds,
  CustomerKindsWriter,
} from "../serving/customer_kinds.ts";
import type { CustomersShape } from "../model/customer_ids.ts";
import type {
  AnonymousGroups,
  IndexColumns,
} from "../serving/serving_index.ts";
import { type TextColumn, TextColumnWriter } from "../serving/text_column.ts";

/** The sizes of the columns, and which there are. */
export interface IndexSize {
  readonly customers: number;
  /** Those of customers. */
  readonly interactions: number;
  /** The others. */
  readonly anonymous: number;
  readonly channels: number;
  readonly topics: number;
  readonly shape: CustomersShape;
  readonly dimensions: readonly NamedDimension[];
  /** Of the dimensions of customers; null where they are free text. */
  readonly customer_names: Readonly<
    Record<Dimension, readonly string[] | null>
  >;
}

/** What is in memory beside the numbers. */
export interface IndexTexts {
  readonly kinds: CustomerKinds;
  /** By place; null where they are whole numbers. */
  readonly customer_ids: TextColumn | null;
  /** By place, the empty text for no name; null where customers have none. */
  readonly customer_names: TextColumn | null;
}

/**
 * Streams the sorted tables into arrays, one chunk of rows at a time. Throws an
 * error, which is a bug, when the PIVOT does not count every interaction.
 */
export async function readIndex(
  database: Database,
  size: IndexSize,
): Promise<{
  columns: IndexColumns;
  texts: IndexTexts;
  anonymous_groups: AnonymousGroups | null;
}> {
  const set_topics = await readSetTopics(database, size.topics);

  const customer_ids = size.shape.ids === "integer"
    ? new Float64Array(size.customers)
    : null;
  const kinds = new Uint32Array(size.customers);
  const offsets = new Uint32Array(size.customers * size.channels + 1);
  let customer = 0;
  let slice = 0;
  for await (
    const [ids, kinds_of, ...channels] of database.streamNumbers(
      "load/4_serve/index_customers",
    )
  ) {
    customer_ids?.set(ids, customer);
    kinds.set(kinds_of, customer);
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
  const topic_sets = set_topics.length <= 256
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
  const columns = {
    customer_ids,
    kinds,
    offsets,
    days,
    topic_sets,
    set_topics,
    topic_count: size.topics,
    channel_count: size.channels,
  };
  const texts = {
    kinds: await readKinds(database, { ...size, kinds }),
    customer_ids: size.shape.ids === "text"
      ? await readTexts(database, {
        query: "load/4_serve/index_ids",
        length: size.customers,
      })
      : null,
    customer_names: size.shape.names
      ? await readTexts(database, {
        query: "load/4_serve/index_names",
        length: size.customers,
      })
      : null,
  };
  const anonymous_groups = size.anonymous > 0
    ? await readAnonymous(database, size.anonymous)
    : null;
  return { columns, texts, anonymous_groups };
}

async function readAnonymous(
  database: Database,
  most: number,
): Promise<AnonymousGroups> {
  const groups = {
    days: new Uint16Array(most),
    channels: new Uint16Array(most),
    topic_sets: new Uint16Array(most),
    rows: new Uint32Array(most),
  };
  let length = 0;
  for await (
    const [days, channels, topic_sets, rows] of database.streamNumbers(
      "load/4_serve/index_anonymous",
    )
  ) {
    groups.days.set(days, length);
    groups.channels.set(channels, length);
    groups.topic_sets.set(topic_sets, length);
    groups.rows.set(rows, length);
    length += rows.length;
  }
  return {
    days: groups.days.slice(0, length),
    channels: groups.channels.slice(0, length),
    topic_sets: groups.topic_sets.slice(0, length),
    rows: groups.rows.slice(0, length),
  };
}

async function readTexts(
  database: Database,
  { query, length }: { readonly query: string; readonly length: number },
): Promise<TextColumn> {
  const writer = new TextColumnWriter(length);
  for await (const rows of database.streamRows(query)) {
    for (const [lines] of rows) writer.addLines(lines as string);
  }
  return writer.end();
}

async function readKinds(
  database: Database,
  { dimensions, customer_names, kinds }:
    & Pick<IndexSize, "dimensions" | "customer_names">
    & Pick<IndexColumns, "kinds">,
): Promise<CustomerKinds> {
  const writer = new CustomerKindsWriter({
    length: kinds.reduce((most, kind) => Math.max(most, kind), 0) + 1,
    dimensions,
    names: customer_names,
  });
  const sql = await composedSql("load/4_serve/index_kinds", dimensions);
  for await (const rows of database.streamRows(sql)) {
    for (const names of rows) writer.add(names as (string | null)[]);
  }
  return writer.end();
}

/** The topics of each set; the code after the last one where it has none. */
async function readSetTopics(
  database: Database,
  topics: number,
): Promise<number[][]> {
  const sets = await database.runFile("load/4_serve/index_topic_sets");
  return sets.map(({ topic_codes }) => {
    const codes = topic_codes as number[];
    return codes.length > 0 ? codes : [topics];
  });
}
