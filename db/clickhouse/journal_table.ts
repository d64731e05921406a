/** Reads and writes the journal in ClickHouse, and makes sure that one loader at a time writes it. */

import type { Claim, SentDecision } from "../engine.ts";
import { createInTurn } from "../model/in_turn.ts";
import { readSql } from "../read_sql.ts";
import type { Decision } from "../refresh/transitions.ts";
import {
  type Entry,
  type JournalEvent,
  type JournalState,
  KEY,
  stateOf,
} from "./journal.ts";
import { onCluster, type Place, quoteName, tableStatements } from "./schema.ts";
import {
  type ClickhouseServer,
  FEW_ROWS_MS,
  MissingTable,
  type Query,
  type SentCell,
} from "./server.ts";

/** Who may load. */
export interface Lease {
  /** Whether this process is to load. */
  readonly is_loader: boolean;
  /** Shown to other loaders. */
  readonly name: string;
  /** How long a loader that is not heard of still has it, in milliseconds. */
  readonly lease_ms: number;
}

/** The tables that are common to all versions. */
export class JournalTable {
  readonly #server: ClickhouseServer;
  readonly #place: Place;
  readonly #lease: Lease;
  readonly #inTurn = createInTurn();
  readonly #holder = crypto.randomUUID();
  /** When this loader was heard of last, by its own clock; null while it does not load. */
  #heard_at: number | null = null;
  #state: JournalState = stateOf([]);
  /** The time of the last entry that was read; a journal whose first one is later was made anew. */
  #read_until = 0;

  constructor(
    server: ClickhouseServer,
    { place, lease }: { readonly place: Place; readonly lease: Lease },
  ) {
    this.#server = server;
    this.#place = place;
    this.#lease = lease;
  }

  /** The table in which loaders are noted. */
  get lock(): string {
    return `${this.#place.database}.loaders`;
  }

  /** Whether this process loads. */
  get is_ours(): boolean {
    return this.#heard_at !== null &&
      performance.now() - this.#heard_at < this.#lease.lease_ms;
  }

  /** Makes the tables where they are missing. */
  async create(): Promise<void> {
    const place = this.#place;
    const name = quoteName(place.database);
    const statements = [
      `create database if not exists ${name}${onCluster(place)}`,
      ...tableStatements(await readSql("clickhouse/journal_tables"), { place }),
    ];
    for (const sql of statements) {
      await this.#server.run({ sql }, { limit_ms: FEW_ROWS_MS });
    }
  }

  /** The state of the journal now; without entries where no loader has made it yet. */
  async state(): Promise<JournalState> {
    const { last, first_at, last_at } = await this.#extent();
    const is_another = first_at > this.#read_until;
    // A replica that is late has less than was read before.
    if (last <= this.#state.sequence && !is_another) return this.#state;
    const { payloads } = is_another ? stateOf([]) : this.#state;
    // With their payloads: another replica, or a later moment, may not have the row.
    const rows = await this.#read({
      sql: `select sequence, event, version, data_version,
  if(has({known:Array(String)}, ${KEY}), '', payload)
from ${this.#table("journal")} order by sequence, at`,
      params: { known: [...payloads.keys()] },
    });
    const entries = rows.map((
      [sequence, event, version, data_version, payload],
    ) => ({
      sequence,
      event,
      version,
      data_version,
      payload,
    })) as unknown as Entry[];
    const state = stateOf(entries, payloads);
    // Of two replicas, the one that is late may have been asked second.
    if (state.sequence < last) return this.#state;
    this.#read_until = last_at;
    this.#state = state;
    return state;
  }

  /** Adds a decision for the loader, and returns its id. */
  async send({ type, data_version }: Decision): Promise<string> {
    const id = crypto.randomUUID();
    await this.#server.insert(this.#table("decisions"), [
      { id, type, data_version },
    ]);
    return id;
  }

  /** The loader's answer to a decision; undefined while there is none. */
  async answerTo(id: string): Promise<string | undefined> {
    const rows = await this.#read({
      sql: `select payload from ${this.#table("journal")}
where event = 'answered' and version = {id:String}`,
      params: { id },
    });
    return rows[0]?.[0] as string | undefined;
  }

  /** The decisions without an answer, the first one first. */
  async sent(): Promise<SentDecision[]> {
    const rows = await this.#rows(
      `select id, type, data_version from ${this.#table("decisions")}
where id not in (
  select version from ${this.#table("journal")} where event = 'answered')
order by at`,
    );
    return rows.map(([id, type, data_version]) =>
      ({ id, type, data_version }) as unknown as SentDecision
    );
  }

  /** Adds an entry; the loader alone does. */
  async append(
    event: JournalEvent,
    { version = "", data_version = "", payload = "" }: {
      readonly version?: string;
      readonly data_version?: string;
      readonly payload?: string;
    },
  ): Promise<void> {
    // One after the other, so that no two have the same sequence.
    await this.#inTurn(async () => {
      const { sequence } = await this.state();
      await this.#server.insert(this.#table("journal"), [{
        sequence: sequence + 1,
        event,
        version,
        data_version,
        payload,
      }]);
    });
  }

  /** The versions that were dropped less than so many seconds ago: readers may still be at them. */
  async droppedWithin(seconds: number): Promise<ReadonlySet<string>> {
    const rows = await this.#rows(
      `select distinct version from ${this.#table("journal")}
where event = 'dropped' and at > now64(3) - ${seconds}`,
    );
    return new Set(rows.map(([version]) => version as string));
  }

  /** Removes what nothing follows from any more, so that the journal stays short: of versions that were dropped before so many seconds, lists that later ones replace, and answers to decisions that are gone. */
  async prune(seconds: number): Promise<void> {
    const { sequence, kept, held_in, discarded_in } = await this.state();
    const versions = kept.map(({ version }) => version);
    const journal = this.#table("journal");
    const replaced = `event = 'held' and sequence <> ${held_in ?? 0}
  or event = 'discarded' and sequence <> ${discarded_in ?? 0}`;
    const dropped = `event in ('published', 'dropped')
  and version not in {versions:Array(String)}
  and version in (
    select version from ${journal}
    where event = 'dropped' and at < now64(3) - ${seconds})`;
    const answered = `event = 'answered' and version not in (
    select id from ${this.#table("decisions")})`;
    // The last entry stays, by which readers notice a new one.
    const where = `sequence < ${sequence}
  and (${replaced} or ${dropped} or ${answered})`;
    const gone = await this.#read({
      sql: `select ${KEY} from ${journal} where ${where}`,
      params: { versions },
    });
    if (gone.length === 0) return;
    // Not the light `delete`, which leaves the rows in their files: a payload has cells
    // of rows set aside, and so customers that must be gone. By a list, since the files
    // are written anew one after the other, and a look at others would not find all.
    await this.#server.run({
      sql:
        `alter table ${journal} delete where has({gone:Array(String)}, ${KEY})`,
      params: { gone: gone.map(([key]) => key as string) },
      settings: { mutations_sync: "1" },
    });
  }

  /**
   * Becomes the loader, unless there is another one; one that is not heard of for the
   * time of a lease is gone. Of two that come at once, each may find the other, and then
   * neither is.
   */
  async claim(): Promise<Claim> {
    if (this.is_ours) {
      await this.#hear();
      return "held";
    }
    if (await this.otherLoader() !== undefined) return "locked";
    await this.#hear();
    // Who noted itself first is found here by the one that comes after.
    if (await this.otherLoader() !== undefined) {
      await this.release();
      return "locked";
    }
    return "taken";
  }

  /** The name of another loader; undefined where there is none. */
  async otherLoader(): Promise<string | undefined> {
    const rows = await this.#read({
      sql: `select name from (
  select
    holder,
    argMax(name, at) as name,
    argMax(ended, at) as has_ended,
    max(at) as heard_at
  from ${this.#table("loaders")}
  group by holder)
where not has_ended and holder <> {holder:String}
  and heard_at > now64(3) - {lease_seconds:Float64}
order by heard_at desc
limit 1`,
      params: {
        holder: this.#holder,
        lease_seconds: this.#lease.lease_ms / 1_000,
      },
    });
    return rows[0]?.[0] as string | undefined;
  }

  /** Lets another loader come. */
  async release(): Promise<void> {
    if (this.#heard_at === null) return;
    this.#heard_at = null;
    await this.#note({ ended: true });
  }

  async #hear(): Promise<void> {
    // From before the note, so that this process gives up before another one comes.
    const heard_at = performance.now();
    await this.#note({ ended: false });
    this.#heard_at = heard_at;
  }

  async #note({ ended }: { readonly ended: boolean }): Promise<void> {
    await this.#server.insert(this.#table("loaders"), [{
      holder: this.#holder,
      name: this.#lease.name,
      ended,
    }]);
  }

  /** The last sequence, and the times of the first and last entry in milliseconds; a table that is not there is another one. */
  async #extent(): Promise<
    { last: number; first_at: number; last_at: number }
  > {
    try {
      const [[last, first_at, last_at]] = await this.#rows(
        `select
  max(sequence),
  toUnixTimestamp64Milli(min(at)),
  toUnixTimestamp64Milli(max(at))
from ${this.#table("journal")}`,
      ) as number[][];
      if (last > 0) return { last, first_at, last_at };
    } catch (error) {
      if (!(error instanceof MissingTable)) throw error;
    }
    this.#state = stateOf([]);
    this.#read_until = 0;
    return { last: 0, first_at: 0, last_at: 0 };
  }

  #table(name: string): string {
    return `${quoteName(this.#place.database)}.${name}`;
  }

  #rows(sql: string): Promise<SentCell[][]> {
    return this.#read({ sql });
  }

  /** Reads what most replicas have, where this process writes. */
  #read(query: Pick<Query, "sql" | "params">): Promise<SentCell[][]> {
    return this.#server.rows({
      ...query,
      settings: this.#place.cluster !== null && this.#lease.is_loader
        ? { select_sequential_consistency: "1" }
        : {},
    });
  }
}
