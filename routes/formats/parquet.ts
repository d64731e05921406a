/** Parquet, one row group at a time. */

import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Cell, Rows, RowsColumn } from "../../db/model/questions.ts";
import { columnCells } from "./column_cells.ts";

type Element = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

const TYPES: Readonly<Record<RowsColumn["type"], Partial<Element>>> = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  integer: { type: "INT64" },
  number: { type: "DOUBLE" },
  date: { type: "INT32", converted_type: "DATE" },
};
/** How cells are given to the writer, where that is another way than they are. */
const WRITTEN: Partial<
  Record<RowsColumn["type"], (cell: Cell) => bigint | Date | null>
> = { integer: bigOf, date: dateOf };

/** The number of cells that are written without a pause: 1 to 2 ms, in which no other request is served. */
const CELLS_AT_ONCE = 8_000;

/** Writes rows, one piece per row group; every column may lack values. */
export async function* encodeParquet(
  rows: Rows,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const writer = new ByteWriter();
  // The bytes so far; they can be taken, because the writer's offset continues.
  const take = () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  const parquet = new ParquetWriter({
    writer,
    createdBy: "tally",
    schema: [
      { name: "root", num_children: rows.columns.length },
      ...rows.columns.map(({ name, type }): Element => ({
        name,
        repetition_type: "OPTIONAL",
        ...TYPES[type],
      })),
    ],
  });
  for await (const { length, columns } of columnCells(rows)) {
    const data = rows.columns.map(({ name, type }, i) => ({
      name,
      cells: columns[i],
      written: WRITTEN[type],
    }));
    const first = parquet.row_groups.length;
    const at_once = Math.ceil(CELLS_AT_ONCE / length);
    for (let i = 0; i < data.length; i += at_once) {
      parquet.write({
        columnData: data.slice(i, i + at_once).map((column) => ({
          name: column.name,
          data: column.written
            ? column.cells.map(column.written)
            : [...column.cells],
        })),
        rowGroupSize: length,
      });
      await rows.pause();
    }
    joinGroups(parquet, { first, length });
    yield take();
  }
  parquet.finish();
  yield take();
}

// The package writes all columns of a group without a pause. So a few columns at a
// time are written as a group, and these groups are joined into one at the end.
function joinGroups(
  parquet: ParquetWriter,
  { first, length }: { first: number; length: number },
): void {
  const parts = parquet.row_groups.splice(first);
  const sum = (sizes: readonly (bigint | undefined)[]) =>
    sizes.reduce<bigint>((sum, size) => sum + (size ?? 0n), 0n);
  parquet.row_groups.push({
    columns: parts.flatMap(({ columns }) => columns),
    total_byte_size: sum(parts.map((part) => part.total_byte_size)),
    num_rows: BigInt(length),
    total_compressed_size: sum(parts.map((part) => part.total_compressed_size)),
  });
  parquet.num_rows = sum(parquet.row_groups.map(({ num_rows }) => num_rows));
}

// An INT64 and a DATE are written from nothing else.
function bigOf(cell: Cell): bigint | null {
  return cell === null ? null : BigInt(cell);
}

function dateOf(cell: Cell): Date | null {
  return cell === null ? null : new Date(`${cell}T00:00:00Z`);
}
