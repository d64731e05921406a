/** What statements choose by, and their values: the filters of questions as conditions of ClickHouse. */

import { type Dimension, namesIn, ofCustomers } from "../model/dimensions.ts";
import type { AnswerShape, Filter } from "../model/questions.ts";
import type { Param } from "./server.ts";

/** The facts about the tables that statements need. */
export interface VersionTables extends AnswerShape {
  /** Whether there are interactions of nobody who is known, under customer 0. */
  readonly has_anonymous: boolean;
  /**
   * Whether most numbers up to the largest customer_id are those of customers. Sets of
   * such numbers are small as bitmaps; sets of others are not.
   */
  readonly has_dense_ids: boolean;
}

/** The days that tables may have. */
export const [FIRST_DAY, LAST_DAY] = ["1900-01-01", "2078-12-31"];

/** The parts of one statement, and its values. */
export class StatementParts {
  readonly tables: VersionTables;
  /** The values of the statement so far. */
  readonly params: Record<string, Param> = {};

  constructor(tables: VersionTables) {
    this.tables = tables;
  }

  /** The conditions that interactions count. */
  ofInteractions(filter: Filter): string[] {
    return [
      ...this.ofTopics(filter),
      ...this.ofChannels(filter),
      ...this.inTime(filter),
    ];
  }

  /** The condition that interactions have one of the topics. */
  ofTopics({ topics }: Pick<Filter, "topics">): string[] {
    return topics
      ? [`topic_set in (
      select topic_set from set_topics where topic in ${
        this.topicCodes(topics)
      })`]
      : [];
  }

  /** The codes of topics; 0 stands for none. */
  topicCodes(topics: readonly (string | null)[]): string {
    return this.#codes("topics", { dimension: "topic", names: topics });
  }

  /** The condition that interactions are on one of the channels. */
  ofChannels({ channels }: Filter): string[] {
    return channels
      ? [
        `channel in ${
          this.#codes("channels", { dimension: "channel", names: channels })
        }`,
      ]
      : [];
  }

  /** The conditions that interactions are in a period. */
  inTime(
    { start_date, end_date }: Pick<Filter, "start_date" | "end_date">,
    prefix = "",
  ): string[] {
    return [
      ...start_date === undefined || start_date <= FIRST_DAY ? [] : [
        start_date > LAST_DAY
          ? "false"
          : `day >= ${this.day(`${prefix}start_date`, start_date)}`,
      ],
      ...end_date === undefined || end_date >= LAST_DAY ? [] : [
        end_date < FIRST_DAY
          ? "false"
          : `day <= ${this.day(`${prefix}end_date`, end_date)}`,
      ],
    ];
  }

  /** The customers whose records say what is asked for. */
  ofKinds(filter: Filter): string[] {
    const conditions = this.ofRecords(filter);
    return conditions.length > 0
      ? [`kind in (
      select kind from kinds where ${conditions.join(" and ")})`]
      : [];
  }

  /** The same, of tables that have what records say. */
  ofRecords(filter: Filter): string[] {
    return ofCustomers(this.tables.dimensions).flatMap((one) => {
      const names = namesIn(filter, one);
      return names
        ? [
          `${one.column} in ${
            this.#codes(one.column, { dimension: one.name, names })
          }`,
        ]
        : [];
    });
  }

  /** The condition that customers are among those. */
  ofIds({ customer_ids }: Filter): string[] {
    // A number below 0 is that of no customer.
    return customer_ids
      ? [
        `customer_id in ${
          this.param("customer_ids", {
            type: "Array(UInt64)",
            value: customer_ids.filter((id) => id >= 0),
          })
        }`,
      ]
      : [];
  }

  /** The codes of names, those that are not known left out. */
  #codes(
    param: string,
    { dimension, names }: {
      readonly dimension: Dimension;
      readonly names: readonly (string | null)[];
    },
  ): string {
    const places = placesOf(this.tables.names[dimension] ?? []);
    const codes = names.flatMap((name) => {
      if (name === null) return [0];
      const place = places.get(name);
      return place === undefined ? [] : [this.codeOf(dimension, place)];
    });
    return this.param(param, { type: "Array(UInt32)", value: codes });
  }

  /** The code of the name at a place among those of its dimension. */
  codeOf(dimension: Dimension, place: number): number {
    return dimension === "channel" ? place : place + 1;
  }

  /** The end of a statement that has so many rows at most. */
  limit(limit: number | undefined): string {
    return limit === undefined
      ? ""
      : `\nlimit ${this.param("row_limit", { type: "UInt64", value: limit })}`;
  }

  /** A day, YYYY-MM-DD, in a statement. */
  day(name: string, day: string): string {
    return this.param(name, { type: "Date32", value: day });
  }

  /** A value in a statement, as the server takes it. */
  param(
    name: string,
    { type, value }: { readonly type: string; readonly value: Param },
  ): string {
    this.params[name] = value;
    return `{${name}:${type}}`;
  }

  /** The list of counts of every channel from a map of them. */
  perChannel(): string {
    const channels = this.tables.names.channel.length;
    return `arrayMap(code -> cells[code], range(${
      this.param("channels_known", { type: "UInt16", value: channels })
    }))`;
  }
}

/** The place of each name in a list. */
export function placesOf(
  names: readonly string[],
): ReadonlyMap<string, number> {
  return new Map(names.map((name, place) => [name, place]));
}
