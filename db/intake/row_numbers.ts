/** The row of the sheet for each record, where empty rows lie between records. */

/** The rows of a sheet's records, counted from 1; a run without gaps takes one entry. */
export class RowNumbers {
  readonly #records: number[] = [];
  readonly #rows: number[] = [];
  #last_row = 0;
  #count = 0;

  /** Notes the row of the next record. */
  add(row: number): void {
    this.#count++;
    if (this.#count === 1 || row !== this.#last_row + 1) {
      this.#records.push(this.#count);
      this.#rows.push(row);
    }
    this.#last_row = row;
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
    return this.#rows[low] + record - this.#records[low];
  }
}
