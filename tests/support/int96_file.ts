/** A Parquet file with times as INT96, which older programs write and DuckDB does not. */

/** A field of a struct in Thrift's compact form: its number and its value. */
type Field = [id: number, type: number, bytes: number[]];

const [I32, I64, BINARY, LIST, STRUCT] = [5, 6, 8, 9, 12];

/** One row: `Date Start` as INT96, and texts. */
export function int96File(
  time: { readonly julian_day: number; readonly nanoseconds: bigint },
  texts: Readonly<Record<string, string>>,
): Uint8Array {
  const moment = new DataView(new ArrayBuffer(12));
  moment.setBigUint64(0, time.nanoseconds, true);
  moment.setUint32(8, time.julian_day, true);
  const columns = [
    { name: "Date Start", type: 3, value: [...new Uint8Array(moment.buffer)] },
    ...Object.entries(texts).map(([name, text]) => {
      const bytes = utf8(text);
      return { name, type: 6, value: [bytes.length, 0, 0, 0, ...bytes] };
    }),
  ];
  const file = utf8("PAR1");
  const chunks = columns.map(({ name, type, value }) => {
    const offset = file.length;
    const page = [
      ...struct(
        int(1, 0),
        int(2, value.length),
        int(3, value.length),
        [5, STRUCT, struct(int(1, 1), int(2, 0), int(3, 3), int(4, 3))],
      ),
      ...value,
    ];
    file.push(...page);
    const about = struct(
      int(1, type),
      [2, LIST, list(I32, [zigzag(0)])],
      [3, LIST, list(BINARY, [text(name)])],
      int(4, 0),
      long(5, 1),
      long(6, page.length),
      long(7, page.length),
      long(9, offset),
    );
    return struct(long(2, offset), [3, STRUCT, about]);
  });
  const size = file.length - 4;
  const schema = [
    struct([4, BINARY, text("schema")], int(5, columns.length)),
    ...columns.map(({ name, type }) =>
      struct(
        int(1, type),
        int(3, 0),
        [4, BINARY, text(name)],
        ...type === 6 ? [int(6, 0)] : [],
      )
    ),
  ];
  const footer = struct(
    int(1, 1),
    [2, LIST, list(STRUCT, schema)],
    long(3, 1),
    [
      4,
      LIST,
      list(STRUCT, [
        struct([1, LIST, list(STRUCT, chunks)], long(2, size), long(3, 1)),
      ]),
    ],
  );
  const length = footer.length;
  file.push(...footer, length & 255, length >> 8, 0, 0, ...utf8("PAR1"));
  return Uint8Array.from(file);
}

function struct(...fields: Field[]): number[] {
  let last = 0;
  const bytes = fields.flatMap(([id, type, value]) => {
    const step = id - last;
    last = id;
    return [step << 4 | type, ...value];
  });
  return [...bytes, 0];
}

function list(type: number, values: number[][]): number[] {
  return [values.length << 4 | type, ...values.flat()];
}

function int(id: number, value: number): Field {
  return [id, I32, zigzag(value)];
}

function long(id: number, value: number): Field {
  return [id, I64, zigzag(value)];
}

function text(value: string): number[] {
  const bytes = utf8(value);
  return [bytes.length, ...bytes];
}

function zigzag(value: number): number[] {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 127; rest >>= 7) bytes.push(rest & 127 | 128);
  return [...bytes, rest];
}

function utf8(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}
