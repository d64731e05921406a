/** Columns of texts in little memory: their UTF-8 one after the other, and a hash table that finds a text. */

import { createPause } from "../model/pause.ts";

/** Texts that are put into the table at once: a millisecond of work. */
const TEXTS_AT_ONCE = 3_000;

/** Texts by their place. */
export class TextColumn {
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;

  /** `bytes` are all texts in UTF-8; text i begins at `offsets[i]` and ends where the next one begins. */
  constructor(
    { bytes, offsets }: {
      readonly bytes: Uint8Array;
      readonly offsets: Uint32Array;
    },
  ) {
    this.#bytes = bytes;
    this.#offsets = offsets;
  }

  /** The number of texts. */
  get length(): number {
    return this.#offsets.length - 1;
  }

  /** The text of a place, from 0. */
  textAt(place: number): string {
    const offsets = this.#offsets;
    return DECODER.decode(
      this.#bytes.subarray(offsets[place], offsets[place + 1]),
    );
  }

  /**
   * Makes a table of the texts, which must differ. Returns a function that finds the
   * place of a text, or -1.
   */
  async createFinder(): Promise<(text: string) => number> {
    const bytes = this.#bytes;
    const offsets = this.#offsets;
    const { length } = this;
    // At most three quarters of the slots are taken; an empty one is 0.
    const table = new Uint32Array(
      2 ** Math.ceil(Math.log2(length * 4 / 3 + 2)),
    );
    const mask = table.length - 1;

    // In the function that pauses, it would take twice as long.
    function put(start: number, end: number): void {
      for (let place = start; place < end; place++) {
        let hash = BASIS;
        for (let i = offsets[place]; i < offsets[place + 1]; i++) {
          hash = Math.imul(hash ^ bytes[i], PRIME);
        }
        let slot = mixed(hash) & mask;
        while (table[slot] !== 0) slot = (slot + 1) & mask;
        table[slot] = place + 1;
      }
    }

    const pause = createPause();
    for (let place = 0; place < length; place += TEXTS_AT_ONCE) {
      await pause();
      put(place, Math.min(place + TEXTS_AT_ONCE, length));
    }

    function findEncoded(text: string): number {
      // Encoded, half a surrogate pair would become another character.
      if (!text.isWellFormed()) return -1;
      const wanted = ENCODER.encode(text);
      let hash = BASIS;
      for (const byte of wanted) hash = Math.imul(hash ^ byte, PRIME);
      for (let slot = mixed(hash) & mask;; slot = (slot + 1) & mask) {
        const place = table[slot] - 1;
        if (place < 0) return -1;
        const start = offsets[place];
        if (offsets[place + 1] - start !== wanted.length) continue;
        if (wanted.every((byte, i) => byte === bytes[start + i])) return place;
      }
    }

    // Nothing is allocated for a text of ASCII: pages ask for one each time.
    return function find(text) {
      const size = text.length;
      let hash = BASIS;
      for (let i = 0; i < size; i++) {
        const code = text.charCodeAt(i);
        if (code >= 0x80) return findEncoded(text);
        hash = Math.imul(hash ^ code, PRIME);
      }
      for (let slot = mixed(hash) & mask;; slot = (slot + 1) & mask) {
        const place = table[slot] - 1;
        if (place < 0) return -1;
        const start = offsets[place];
        if (offsets[place + 1] - start !== size) continue;
        let i = 0;
        while (i < size && bytes[start + i] === text.charCodeAt(i)) i++;
        if (i === size) return place;
      }
    };
  }
}

/** Collects the texts of a column in their order. */
export class TextColumnWriter {
  #bytes = new Uint8Array(65_536);
  #size = 0;
  #count = 0;
  readonly #offsets: Uint32Array;

  /** `length` is the number of texts that will come. */
  constructor(length: number) {
    this.#offsets = new Uint32Array(length + 1);
  }

  /** Adds the next texts, which are the lines of one. */
  addLines(lines: string): void {
    // No character of UTF-16 takes more than three bytes of UTF-8.
    this.#reserve(lines.length * 3);
    const bytes = this.#bytes;
    const start = this.#size;
    const { written } = ENCODER.encodeInto(lines, bytes.subarray(start));
    for (let i = start; i < start + written; i++) {
      if (bytes[i] === LINE_BREAK) this.#offsets[++this.#count] = this.#size;
      else bytes[this.#size++] = bytes[i];
    }
    this.#offsets[++this.#count] = this.#size;
  }

  /** The column. Throws an error, which is a bug, when other than `length` texts have come. */
  end(): TextColumn {
    const offsets = this.#offsets;
    if (this.#count !== offsets.length - 1) {
      throw new Error(
        `${this.#count} texts have come instead of ${offsets.length - 1}`,
      );
    }
    return new TextColumn({ bytes: this.#bytes.slice(0, this.#size), offsets });
  }

  #reserve(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}

const LINE_BREAK = 10;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** FNV-1a in 32 bits. */
const BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** Spreads a hash over its low bits, which choose the slot: murmur3's last step. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
