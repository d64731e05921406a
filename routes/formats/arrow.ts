/** Arrow's IPC stream, one record batch at a time. */

import {
  AsyncByteQueue,
  type Data,
  DateDay,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
} from "apache-arrow";
import { joinBytes } from "../../db/model/bytes.ts";
import type { Cell, Rows, RowsColumn } from "../../db/model/questions.ts";
import { columnCells, daysOf } from "./column_cells.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const TYPES = {
  text: new Utf8(),
  integer: new Int64(),
  number: new Float64(),
  date: new DateDay(),
} as const;

/** Writes rows, one piece per record batch; every column may lack values. */
export async function* encodeArrow(rows: Rows): AsyncGenerator<Bytes> {
  const schema = new Schema(
    rows.columns.map(({ name, type }) => new Field(name, TYPES[type], true)),
  );
  const pieces = new Pieces();
  const writer = new RecordBatchStreamWriter();
  writer.reset(pieces, schema);
  for await (const { length, columns } of columnCells(rows)) {
    const children: Data[] = [];
    for (const [i, cells] of columns.entries()) {
      children.push(dataOf(rows.columns[i].type, cells));
      await rows.pause();
    }
    const data = makeData({
      type: new Struct(schema.fields),
      length,
      nullCount: 0,
      children,
    });
    writer.write(new RecordBatch(schema, data));
    yield pieces.take();
  }
  writer.finish();
  yield pieces.take();
}

/** Collects the bytes of the writer, until they are taken. */
class Pieces extends AsyncByteQueue {
  #pieces: Bytes[] = [];

  override write(value: ArrayBufferView): void {
    const { buffer, byteOffset, byteLength } = value;
    this.#pieces.push(
      new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
    );
  }

  take(): Bytes {
    const all = joinBytes(this.#pieces);
    this.#pieces = [];
    return all;
  }
}

// Columns of text are built here: the package's own builders take three to six
// times as long for them, and the same time for numbers.
function dataOf(type: RowsColumn["type"], cells: readonly Cell[]): Data {
  const { length } = cells;
  const nullBitmap = new Uint8Array(Math.ceil(length / 64) * 8);
  let nullCount = 0;
  for (let i = 0; i < length; i++) {
    if (cells[i] === null) nullCount++;
    else nullBitmap[i >> 3] |= 1 << (i & 7);
  }
  const common = { length, nullCount, nullBitmap };
  switch (type) {
    case "text":
      return makeData({ type: TYPES.text, ...common, ...textsOf(cells) });
    case "integer":
      return makeData({
        type: TYPES.integer,
        ...common,
        data: BigInt64Array.from(cells, (cell) => BigInt(cell ?? 0)),
      });
    case "number":
      return makeData({
        type: TYPES.number,
        ...common,
        data: Float64Array.from(cells, Number),
      });
    case "date":
      return makeData({
        type: TYPES.date,
        ...common,
        data: Int32Array.from(cells, (cell) => daysOf(cell) ?? 0),
      });
  }
}

function textsOf(cells: readonly Cell[]) {
  const valueOffsets = new Int32Array(cells.length + 1);
  const all = cells.map((cell) => cell ?? "").join("");
  // No character of UTF-16 takes more than three bytes of UTF-8.
  const data = new Uint8Array(all.length * 3);
  const encoder = new TextEncoder();
  let end = 0;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    if (cell !== null) {
      end += encoder.encodeInto(String(cell), data.subarray(end)).written;
    }
    valueOffsets[i + 1] = end;
  }
  return { valueOffsets, data: data.subarray(0, end) };
}
