/** Values on their way into DuckDB and out of it, with as few native objects as there can be. */

// Each native object that JavaScript gets leaves 48 bytes in the process, which Deno 2.9
// never frees; docs/benchmarks.md has what a question leaves.

import {
  BIGINT,
  DOUBLE,
  type DuckDBDataChunk,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  DuckDBVector,
  HUGEINT,
  INTEGER,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";
import bindings from "@duckdb/node-bindings";

/** Binds params by name, with the types that `DuckDBPreparedStatement.bind` gives them. */
export function bindValues(
  statement: DuckDBPreparedStatement,
  values: Readonly<Record<string, DuckDBValue>>,
): void {
  for (const [name, value] of Object.entries(values)) {
    const index = statement.parameterIndex(name);
    if (value === null) statement.bindNull(index);
    else if (typeof value === "string") statement.bindVarchar(index, value);
    else if (typeof value === "bigint") statement.bindHugeInt(index, value);
    else if (typeof value !== "number") statement.bindValue(index, value);
    else if (!Number.isInteger(value)) statement.bindDouble(index, value);
    else if (value === (value | 0)) statement.bindInteger(index, value);
    else statement.bindBigInt(index, BigInt(value));
  }
}

/** The types that need no native object, because nothing but their id belongs to them. */
const SIMPLE_TYPES: { readonly [id in DuckDBTypeId]?: DuckDBType } = {
  [DuckDBTypeId.VARCHAR]: VARCHAR,
  [DuckDBTypeId.UTINYINT]: UTINYINT,
  [DuckDBTypeId.USMALLINT]: USMALLINT,
  [DuckDBTypeId.INTEGER]: INTEGER,
  [DuckDBTypeId.UINTEGER]: UINTEGER,
  [DuckDBTypeId.BIGINT]: BIGINT,
  [DuckDBTypeId.UBIGINT]: UBIGINT,
  [DuckDBTypeId.HUGEINT]: HUGEINT,
  [DuckDBTypeId.DOUBLE]: DOUBLE,
};

/** Makes the function that gives the columns of a chunk; other types are read once a result, not once a chunk. */
export function createChunkReader(
  result: DuckDBResult,
): (chunk: DuckDBDataChunk) => DuckDBVector[] {
  const types = Array.from(
    { length: result.columnCount },
    (_, column) =>
      SIMPLE_TYPES[result.columnTypeId(column)] ?? result.columnType(column),
  );
  return ({ chunk, rowCount }) =>
    types.map((type, column) =>
      DuckDBVector.create(
        bindings.data_chunk_get_vector(chunk, column),
        rowCount,
        type,
      )
    );
}
