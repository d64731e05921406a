/** Parquet, a row group at a time. */

import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Cell, Rows, RowsColumn } from "../../db/model/questions.ts";
import { columnCells } from "./column_cells.ts";

type Element = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

const TYPES: Readonly<Record<RowsColumn["type"], Partial<Element>>> = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  integer: { type: "INT64" },
  number: { type: "DOUBLE" },
};

/** Writes rows, a piece a row group; every column may have no value. */
export async function* encodeParquet(
  rows: Rows,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const writer = new ByteWriter();
  // What is written so far; the writer's offset goes on, so that it can be taken.
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
    parquet.write({
      columnData: rows.columns.map(({ name, type }, i) => ({
        name,
        data: type === "integer" ? columns[i].map(bigOf) : [...columns[i]],
      })),
      rowGroupSize: length,
    });
    yield take();
  }
  parquet.finish();
  yield take();
}

// An INT64 is written from nothing else.
function bigOf(cell: Cell): bigint | null {
  return cell === null ? null : BigInt(cell);
}
