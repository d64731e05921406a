/** Which line of a file, or row of a sheet, a record begins in. */

/**
 * Bytes that one file's gaps may take, two each as a rule: enough for 16 million
 * records that are longer than a line, or follow empty rows.
 */
const MAX_GAP_BYTES = 1 << 25;
/** So many gaps are read one by one to find a record. */
const GAPS_PER_MARK = 256;

/**
 * The rows that a file's records begin in, counted from 1. Records in
 * consecutive rows take no memory; each gap between two takes a few bytes.
 */
export class RowNumbers {
  #count = 0;
  #last_row = 0;
  /** Of each gap: the records since the one before, and the rows left out. */
  #gaps = new Uint8Array(64);
  #length = 0;
  #gap_count = 0;
  #last_gap = 1;
  /** Of every 256th gap: the record after it, its row, and where the next one is kept. */
  readonly #records = [1];
  readonly #rows = [1];
  readonly #offsets = [0];

  /** @param max_gap_bytes Beyond it, a row is the lowest that it can be. */
  constructor(readonly max_gap_bytes = MAX_GAP_BYTES) {}

  /** How many records were noted. */
  get count(): number {
    return this.#count;
  }

  /** Notes the row of the next record. */
  add(row: number): void {
    this.addRun(row, 1);
  }

  /** Notes the next `count` records, in consecutive rows from `row` on. */
  addRun(row: number, count: number): void {
    if (count === 0) return;
    const left_out = row - this.#last_row - 1;
    if (left_out > 0) this.#addGap(this.#count + 1, row, left_out);
    this.#count += count;
    this.#last_row = row + count - 1;
  }

  /** The row of a record; the header is record 1. */
  rowOf(record: number): number {
    let low = 0;
    let high = this.#records.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#records[middle] <= record) low = middle;
      else high = middle;
    }
    let known = this.#records[low];
    let row = this.#rows[low];
    let at = this.#offsets[low];
    while (at < this.#length) {
      const since = this.#read(at);
      if (known + since.value > record) break;
      const left_out = this.#read(since.end);
      known += since.value;
      row += since.value + left_out.value;
      at = left_out.end;
    }
    return row + record - known;
  }

  #addGap(record: number, row: number, left_out: number): void {
    // Two numbers take ten bytes at most.
    if (this.#length + 10 > this.max_gap_bytes) return;
    if (this.#length + 10 > this.#gaps.length) {
      const longer = new Uint8Array(2 * this.#gaps.length);
      longer.set(this.#gaps);
      this.#gaps = longer;
    }
    this.#write(record - this.#last_gap);
    this.#write(left_out);
    this.#last_gap = record;
    if (++this.#gap_count % GAPS_PER_MARK === 0) {
      this.#records.push(record);
      this.#rows.push(row);
      this.#offsets.push(this.#length);
    }
  }

  // Seven bits a byte, the lowest first; the highest bit says that more follow.
  #write(value: number): void {
    while (value >= 0x80) {
      this.#gaps[this.#length++] = 0x80 | value;
      value >>>= 7;
    }
    this.#gaps[this.#length++] = value;
  }

  #read(at: number): { value: number; end: number } {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.#gaps[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return { value: value >>> 0, end: at };
    }
  }
}
