/** A ClickHouse server: questions by its official client, rows as streams of Parquet, and its errors in our words. */

import type {
  ClickHouseClient,
  ClickHouseSettings,
} from "@clickhouse/client-web";
import { StoreError } from "../model/problems.ts";
import type { Cell } from "../model/questions.ts";
import { quoteText } from "./schema.ts";

/** How a server is reached. */
export interface ServerOptions {
  /** Of its HTTP interface, such as `http://localhost:8123`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Whether it is one of a cluster's. */
  readonly is_cluster?: boolean;
  /** When it is aborted, nothing is waited for any more: the server counts as gone. */
  readonly signal?: AbortSignal;
}

/** What has a cluster answer as one server does. */
export const CLUSTER_SETTINGS: ClickHouseSettings = {
  // A customer's question goes to the one shard that has the customer.
  optimize_skip_unused_shards: 1,
  // Customers and their interactions are on one shard, and small tables on each.
  distributed_product_mode: "local",
  // An insert has reached its shards, and most replicas, when it ends.
  distributed_foreground_insert: 1,
  insert_quorum: "auto",
  insert_quorum_parallel: 0,
};

/** What has ClickHouse end a query when its reader has gone; it does so of those that can only read. */
const READS: ClickHouseSettings = {
  readonly: "2",
  cancel_http_readonly_queries_on_client_close: 1,
};

/** A value of a statement, where it has `{name:Type}`. */
export type Param = string | number | null | readonly (string | number)[];

/** A statement and its values. */
export interface Query {
  readonly sql: string;
  readonly params?: Readonly<Record<string, Param>>;
  readonly settings?: ClickHouseSettings;
  /** When it is aborted, the server ends the query too. */
  readonly signal?: AbortSignal;
}

/** A cell as ClickHouse sends it: counts of channels come as a list. */
export type SentCell = Cell | readonly number[];

/** A database or table that is not there: it was dropped, or never made. */
export class MissingTable extends StoreError {
  constructor() {
    // A reader of a version that was dropped: the next request has another one.
    super("busy", "The data has just changed. Ask again.", {
      retry_seconds: 1,
    });
  }
}

/** Time limit of what is no question, such as a look at the journal, in milliseconds. */
const QUICK_MS = 10_000;
/** Time limits, in milliseconds, after which a connection counts as lost: of few rows or an empty table, and of a full table or any other statement. */
export const FEW_ROWS_MS = 60_000;
const LONG_MS = 3_600_000;
/** A time that no request reaches: each has a signal of its own. */
const NEVER_MS = 2 ** 31 - 1;

/** A connection to one server, which may stand for a cluster. */
export class ClickhouseServer {
  #client: Promise<ClickHouseClient> | null = null;
  readonly #options: ServerOptions;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** The rows of a query, in batches as they come. */
  async *query(
    { sql, params, settings, signal }: Query,
  ): AsyncGenerator<SentCell[][]> {
    signal?.throwIfAborted();
    const query_id = crypto.randomUUID();
    using ending = this.#endWith(signal, query_id);
    let is_whole = false;
    try {
      const result = await (await this.#connect()).query({
        query: sql,
        query_params: params as Record<string, unknown>,
        clickhouse_settings: { ...READS, ...settings },
        format: "JSONCompactEachRow",
        abort_signal: ending.signal,
        query_id,
      });
      for await (const rows of result.stream<SentCell[]>()) {
        yield rows.map((row) => row.json());
        signal?.throwIfAborted();
      }
      is_whole = true;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#inOurWords(error);
    } finally {
      // The reader may have gone before the last row.
      if (!is_whole && !ending.signal.aborted) ending.end();
    }
  }

  /** All rows of a short query, which ends within ten seconds. */
  async rows(query: Query): Promise<SentCell[][]> {
    const rows: SentCell[][] = [];
    using limit = this.#limitOf(QUICK_MS);
    const signal = AbortSignal.any([
      ...query.signal ? [query.signal] : [],
      limit.signal,
    ]);
    try {
      for await (const batch of this.query({ ...query, signal })) {
        rows.push(...batch);
      }
    } catch (error) {
      if (query.signal?.aborted || error !== signal.reason) throw error;
      throw gone();
    }
    return rows;
  }

  /** Runs a statement that has no rows, such as one that makes a table, to its end. */
  async run(
    { sql, params, settings, signal }: Query,
    { limit_ms = LONG_MS }: { readonly limit_ms?: number } = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const query_id = crypto.randomUUID();
    using limit = this.#limitOf(limit_ms);
    if (limit.signal.aborted) throw gone();
    using ending = this.#endWith(
      signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
      query_id,
    );
    try {
      await (await this.#connect()).command({
        query: sql,
        query_params: params as Record<string, unknown>,
        clickhouse_settings: settings,
        abort_signal: ending.signal,
        query_id,
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw limit.signal.aborted ? gone() : this.#inOurWords(error);
    }
  }

  /** Adds rows to a table. */
  async insert(
    table: string,
    rows: readonly Readonly<Record<string, unknown>>[],
  ): Promise<void> {
    if (rows.length === 0) return;
    using limit = this.#limitOf(FEW_ROWS_MS);
    try {
      await (await this.#connect()).insert({
        table,
        values: rows,
        format: "JSONEachRow",
        abort_signal: limit.signal,
      });
    } catch (error) {
      throw limit.signal.aborted ? gone() : this.#inOurWords(error);
    }
  }

  /**
   * Adds the rows of a Parquet file to a table. As a plain request: the client has no
   * streams for inserts.
   */
  async insertParquet(
    table: string,
    { file, signal }: { readonly file: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const { url, user, password } = this.#options;
    const target = new URL(url);
    target.searchParams.set("query", `insert into ${table} format Parquet`);
    for (
      const [name, value] of Object.entries(
        this.#options.is_cluster ? CLUSTER_SETTINGS : {},
      )
    ) target.searchParams.set(name, String(value));
    const opened = await Deno.open(file);
    using limit = this.#limitOf(LONG_MS);
    try {
      const response = await fetch(target, {
        method: "POST",
        headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
        body: opened.readable,
        signal: AbortSignal.any([signal, limit.signal]),
      });
      const text = await response.text();
      const code = response.headers.get("X-ClickHouse-Exception-Code");
      if (code !== null) throw Object.assign(new Error(text), { code });
      // Not ClickHouse, but what stands before it.
      if (!response.ok) throw gone();
    } catch (error) {
      // A request that did not begin has not taken the file.
      await opened.readable.cancel().catch(() => {});
      signal.throwIfAborted();
      throw limit.signal.aborted ? gone() : this.#inOurWords(error);
    }
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    await (await this.#client)?.close();
  }

  /** The official client. It takes 35 ms to import, and a server with DuckDB does without. */
  #connect(): Promise<ClickHouseClient> {
    const { url, user, password, is_cluster } = this.#options;
    return this.#client ??= import("@clickhouse/client-web").then(
      ({ createClient }) =>
        createClient({
          url,
          username: user,
          password,
          application: "tally",
          request_timeout: NEVER_MS,
          // A URL has room for 1 MiB, and a filter may have 10,000 names.
          use_multipart_params_auto: true,
          clickhouse_settings: {
            // Ids and counts end at 2^53-1.
            output_format_json_quote_64bit_integers: 0,
            ...is_cluster && CLUSTER_SETTINGS,
          },
          // Its errors are thrown, and logged by who asked.
          log: { LoggerClass: Silent },
        }),
    );
  }

  /**
   * Ends a query with `signal`: its connection, and in the server, since one that another
   * server has asked goes on when its connection is closed.
   */
  #endWith(
    signal: AbortSignal | undefined,
    query_id: string,
  ): Disposable & { readonly signal: AbortSignal; end(): void } {
    // The client would set the one listener that a signal has as a property.
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      void this.#kill(query_id);
    };
    signal?.addEventListener("abort", end);
    return {
      signal: ended.signal,
      end,
      [Symbol.dispose]: () => signal?.removeEventListener("abort", end),
    };
  }

  async #kill(query_id: string): Promise<void> {
    using limit = this.#limitOf(QUICK_MS);
    try {
      await (await this.#connect()).command({
        query: `kill query where query_id = ${quoteText(query_id)} async`,
        abort_signal: limit.signal,
      });
    } catch {
      // It has ended, or the server is gone: nobody waits for it any more.
    }
  }

  #limitOf(ms: number): ReturnType<typeof limitOf> {
    return limitOf(ms, this.#options.signal);
  }

  #inOurWords(error: unknown): unknown {
    if (error instanceof StoreError) return error;
    if (!isOfServer(error)) {
      // A connection that failed or was cut, or an answer of a proxy before ClickHouse.
      return gone();
    }
    const kind = KINDS[error.code];
    switch (kind) {
      case undefined:
        return error;
      case "credentials":
        return new StoreError(
          "unavailable",
          "ClickHouse refuses the user of CLICKHOUSE_USER, the password of CLICKHOUSE_PASSWORD, or lacks rights for it.",
        );
      case "missing":
        return new MissingTable();
      case "timeout":
        return new StoreError(
          "timeout",
          "ClickHouse did not answer in time. Ask for less.",
        );
      default:
        return new StoreError("busy", kind, { retry_seconds: 2 });
    }
  }
}

/** What the codes of ClickHouse's errors mean for who asks; those that are not here are faults of ours. */
const KINDS: { readonly [code: string]: string } = {
  159: "timeout",
  160: "timeout",
  192: "credentials",
  193: "credentials",
  194: "credentials",
  497: "credentials",
  516: "credentials",
  202: "ClickHouse answers too many questions. Ask again in a moment.",
  745: "ClickHouse answers too many questions. Ask again in a moment.",
  236: "ClickHouse is stopping. Ask again in a moment.",
  243: "The disk of ClickHouse is full. Free some space there.",
  241:
    "ClickHouse has too little memory for this question. Ask again in a moment, or for less.",
  60: "missing",
  81: "missing",
  // Of a cluster of which a part is gone.
  209:
    "A server of the ClickHouse cluster does not answer. Ask again in a moment.",
  210:
    "A server of the ClickHouse cluster does not answer. Ask again in a moment.",
  242:
    "A table of the ClickHouse cluster is read-only, since its keeper is gone. Ask again in a moment.",
  279:
    "A server of the ClickHouse cluster does not answer. Ask again in a moment.",
  999:
    "The keeper of the ClickHouse cluster does not answer. Ask again in a moment.",
};

/** A limit of time, or that of `ended` if that comes first. It ends with its block: with AbortSignal.timeout, a process would not end before. */
export function limitOf(
  ms: number,
  ended?: AbortSignal,
): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  const end = () => late.abort();
  const timer = setTimeout(end, ms);
  ended?.addEventListener("abort", end);
  if (ended?.aborted) end();
  return {
    signal: late.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      ended?.removeEventListener("abort", end);
    },
  };
}

/** The error of a server that does not answer; where it is, is nothing for readers. */
export function gone(): StoreError {
  return new StoreError(
    "busy",
    "ClickHouse does not answer (CLICKHOUSE_URL). Ask again in a moment.",
    { retry_seconds: 2 },
  );
}

/** Whether an error is an answer of ClickHouse: it has the number of its kind. */
function isOfServer(
  error: unknown,
): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error &&
    /^\d+$/.test(String(error.code));
}

class Silent {
  trace(): void {}
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}
