/** The journal of decisions in ClickHouse: which versions are kept, discarded or held, for every server that follows it. */

import { z } from "zod";
import {
  attributesOf,
  dimensionsWith,
  type NamedDimension,
  withCounts,
} from "../model/dimensions.ts";
import { type Loaded, loadedSchema, type Refresh } from "../model/report.ts";

/** Raised by one when the tables of a version change; a version of another format is not used. */
const FORMAT = 3;

/** The kinds of entries. */
export type JournalEvent =
  /** A version is kept, and served from now on. */
  | "published"
  /** It is kept no longer, and its database is dropped. */
  | "dropped"
  /** The versions whose files are not built until they change; all of them. */
  | "discarded"
  /** The refresh that waits for a decision; none where the payload is empty. */
  | "held"
  /** The answer to a decision that a follower was sent: empty when it is carried out, else why not. */
  | "answered";

/** An entry, as its row has it. */
export interface Entry {
  readonly sequence: number;
  readonly event: string;
  /** The name of the version; empty where the entry is of none. */
  readonly version: string;
  readonly data_version: string;
  /** Empty also where it was read before. */
  readonly payload: string;
}

/** The state of the journal after its last entry. */
export interface JournalState {
  /** The last entry's sequence; 0 without any. */
  readonly sequence: number;
  /** The latest last. */
  readonly kept: readonly {
    readonly version: string;
    readonly data_version: string;
    /** Null when another build wrote it. */
    readonly stored: StoredVersion | null;
  }[];
  /** The versions whose files are not built until they change. */
  readonly discarded: readonly string[];
  /** The sequence of the entry with the discarded versions; null without any. */
  readonly discarded_in: number | null;
  /** The refresh that waits for a decision, if any. */
  readonly held: Refresh | null;
  /** The sequence of the last entry about what is held; null without any. */
  readonly held_in: number | null;
  /** What the payloads say that the state is made of, by the keys of their entries. */
  readonly payloads: ReadonlyMap<string, unknown>;
}

/** The state that entries, in their order, lead to; `known` are the payloads of the state before, which are not read again. */
export function stateOf(
  entries: readonly Entry[],
  known: JournalState["payloads"] = new Map(),
): JournalState {
  let kept: readonly Entry[] = [];
  let discarded: Entry | null = null;
  let held: Entry | null = null;
  for (const entry of entries) {
    switch (entry.event as JournalEvent) {
      case "published":
        kept = [...kept, entry];
        break;
      case "dropped":
        kept = kept.filter(({ version }) => version !== entry.version);
        break;
      case "discarded":
        discarded = entry;
        break;
      case "held":
        held = entry;
    }
  }
  const payloads = new Map<string, unknown>();
  const read = (entry: Entry | null): unknown => {
    if (entry === null) return null;
    const key = keyOf(entry);
    const value = known.has(key) ? known.get(key) : payloadOf(entry);
    payloads.set(key, value);
    return value;
  };
  return {
    sequence: entries.at(-1)?.sequence ?? 0,
    kept: kept.map((entry) => ({
      version: entry.version,
      data_version: entry.data_version,
      stored: read(entry) as StoredVersion | null,
    })),
    discarded: read(discarded) as string[] | null ?? [],
    discarded_in: discarded?.sequence ?? null,
    held: read(held) as Refresh | null,
    held_in: held?.sequence ?? null,
    payloads,
  };
}

function keyOf({ sequence, event, version }: Entry): string {
  return `${sequence} ${event} ${version}`;
}

/** The key of an entry, as ClickHouse computes it of a row. */
export const KEY = "concat(toString(sequence), ' ', event, ' ', version)";

function payloadOf({ event, payload }: Entry): unknown {
  if (event === "published") return readStored(payload);
  return payload === "" ? null : JSON.parse(payload);
}

/** What is stored with a version, beside its tables. */
export interface StoredVersion {
  readonly loaded: Loaded;
  /** Of the dimensions of customers; null where they are free text. */
  readonly customer_names: Readonly<Record<string, readonly string[] | null>>;
  /** Those with interactions, which decide what the rollup is by. */
  readonly days: number;
}

/** The dimensions of a version, with what each can do. */
export function dimensionsOf(
  { loaded: { report, channels }, customer_names, days }: StoredVersion,
): readonly NamedDimension[] {
  const counts = Object.entries(customer_names)
    .map(([name, names]) => [name, names?.length ?? Infinity]);
  return withCounts(dimensionsWith(attributesOf(report)), {
    counts: Object.fromEntries(counts),
    days,
    channels: channels.length,
    interactions: report.interactions,
  });
}

const storedSchema = z.object({
  format: z.literal(FORMAT),
  loaded: loadedSchema,
  customer_names: z.record(z.string(), z.array(z.string()).nullable()),
  days: z.number(),
});

/** The payload of a version. */
export function storedText(stored: StoredVersion): string {
  return JSON.stringify({ format: FORMAT, ...stored });
}

/** The version that a payload describes; null when another build wrote it. */
export function readStored(payload: string): StoredVersion | null {
  const { success, data } = storedSchema.safeParse(JSON.parse(payload));
  return success ? data : null;
}

/** The name of the database of a version; `number` rises with each. */
export function versionName(
  base: string,
  { number, data_version }: {
    readonly number: number;
    readonly data_version: string;
  },
): string {
  return `${base}_${String(number).padStart(8, "0")}_${data_version}`;
}

/** The number in the name of a database of a version; undefined for other databases. */
export function versionNumber(
  base: string,
  name: string,
): number | undefined {
  if (!name.startsWith(`${base}_`)) return undefined;
  const found = /^(\d{8})_[0-9a-f]{16}$/.exec(name.slice(base.length + 1));
  return found ? Number(found[1]) : undefined;
}
