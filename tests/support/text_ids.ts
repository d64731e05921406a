/** Exports whose customers have ids that are texts, the nastiest there are. */

import { csv, type Files } from "./data_folder.ts";

/** Ids that addresses, lists, headers, files and JSON have another meaning for, in code-point order. */
export const NASTY_IDS: readonly string[] = [
  '"q"',
  "%41",
  "%zz",
  "'; drop table ids; --",
  "...",
  "007",
  "7",
  "=1+1",
  "?#&=+",
  "A-1",
  "__proto__",
  "a",
  "a".repeat(128),
  "a/b",
  "b c",
  "b  c",
  "every",
  "x,y",
  "y;z|",
  "\u00e9",
  "\u00fc",
  // UTF-16 has it before the next one, UTF-8 after it.
  "\uff21",
  "😀🎉",
].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** tally.toml, with or without the names of customers. */
export function textMapping(names: boolean, kind = "text"): string {
  return `[customers]
files = "customers.csv"
id = { column = "Id", kind = "${kind}" }
occupation = "Occupation"
type = "Type"
${names ? 'name = "Name"' : ""}

[interactions]
files = "interactions.csv"
customer = { column = "Customers", separator = "¦¦" }
time = "Date"
channel = "Channel"
topic = "Topic"

[products]
files = "products.csv"
date = "Month"
product = "Product"
`;
}

/** A customer's record. */
export type TextRecord = readonly [
  id: string,
  name: string,
  occupation: string,
  type: string,
];

/** An interaction: its day as YYYY-MM-DD. */
export type TextInteraction = readonly [
  date: string,
  channel: string,
  ids: readonly string[],
  topic?: string,
];

/** A folder with these customers and interactions. */
export function textFiles(
  { records, interactions, names = true, kind = "text" }: {
    readonly records: readonly TextRecord[];
    readonly interactions: readonly TextInteraction[];
    readonly names?: boolean;
    /** What a customer_id is. */
    readonly kind?: "integer" | "text";
  },
): Files {
  return {
    "tally.toml": textMapping(names, kind),
    "customers.csv": csv(["Id", "Name", "Occupation", "Type"], ...records),
    "interactions.csv": csv(
      ["Date", "Channel", "Customers", "Topic"],
      ...interactions.map(([date, channel, ids, topic = ""]) => [
        date,
        channel,
        ids.join("¦¦"),
        topic,
      ]),
    ),
    "products.csv": csv(
      ["Month", "Product"],
      ["2020-01", "Sand"],
      ["2020-02", "Salt"],
    ),
  };
}

/** The name of the customer at a position of NASTY_IDS; every third has none. */
export function nastyName(position: number): string {
  return position % 3 === 0 ? "" : `Änne-Marie O'Neill ${position}`;
}

/**
 * Every nasty id, the last two without a record: customer i has i + 1 calls on
 * 2020-01-01, and a letter on 2020-02-02 if i is even.
 */
export function nastyFiles(names = true): Files {
  return textFiles({
    names,
    records: NASTY_IDS.slice(0, -2).map((id, i) => [
      id,
      nastyName(i),
      ["Jedi", "Baker", ""][i % 3],
      i % 2 ? "Blue" : "Red",
    ]),
    interactions: NASTY_IDS.flatMap((id, i): TextInteraction[] => [
      ...Array.from(
        { length: i + 1 },
        (): TextInteraction => ["2020-01-01", "Call", [id]],
      ),
      ...i % 2 ? [] : [["2020-02-02", "Letter", [id]] as const],
    ]),
  });
}
