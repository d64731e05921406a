/** A DuckDB of which one call fails, and what it has opened meanwhile. */

import {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBPreparedStatement,
} from "@duckdb/node-api";

/** The instances and connections that were opened, until it is disposed. */
export interface FailingDuckDb extends Disposable {
  readonly instances: readonly DuckDBInstance[];
  readonly connections: readonly DuckDBConnection[];
}

/** The calls that can be made to fail. */
export type FailingCall =
  | "connect"
  | "prepare"
  | "run"
  | "runAndReadAll"
  | "runPrepared";

/** Has a call fail each time, or where `when` says so of its first argument, until the result is disposed. */
export function failingDuckDb(
  call: FailingCall,
  { when = () => true, message = "Out of Memory Error" }: {
    readonly when?: (argument: unknown) => boolean;
    readonly message?: string;
  } = {},
): FailingDuckDb {
  const { create } = DuckDBInstance;
  const { connect } = DuckDBInstance.prototype;
  const { prepare, run, runAndReadAll } = DuckDBConnection.prototype;
  const { run: runPrepared } = DuckDBPreparedStatement.prototype;
  const instances: DuckDBInstance[] = [];
  const connections: DuckDBConnection[] = [];
  const refuse = () => Promise.reject(new Error(message));
  DuckDBInstance.create = async (...given) => {
    const instance = await create.apply(DuckDBInstance, given);
    instances.push(instance);
    return instance;
  };
  DuckDBInstance.prototype.connect = async function () {
    if (call === "connect") return refuse();
    const connection = await connect.call(this);
    connections.push(connection);
    return connection;
  };
  DuckDBConnection.prototype.prepare = function (...given) {
    return call === "prepare" && when(given[0])
      ? refuse()
      : prepare.apply(this, given);
  };
  DuckDBConnection.prototype.run = function (...given) {
    return call === "run" && when(given[0]) ? refuse() : run.apply(this, given);
  };
  DuckDBConnection.prototype.runAndReadAll = function (...given) {
    return call === "runAndReadAll" && when(given[0])
      ? refuse()
      : runAndReadAll.apply(this, given);
  };
  DuckDBPreparedStatement.prototype.run = function () {
    return call === "runPrepared" && when(this)
      ? refuse()
      : runPrepared.call(this);
  };
  return {
    instances,
    connections,
    [Symbol.dispose]() {
      DuckDBInstance.create = create;
      DuckDBInstance.prototype.connect = connect;
      DuckDBConnection.prototype.prepare = prepare;
      DuckDBConnection.prototype.run = run;
      DuckDBConnection.prototype.runAndReadAll = runAndReadAll;
      DuckDBPreparedStatement.prototype.run = runPrepared;
    },
  };
}
