/** What the records of customers say, in columns by kind: there may be as many kinds as customers. */

import {
  type Dimension,
  type NamedDimension,
  namesIn,
  ofCustomers,
} from "../model/dimensions.ts";
import { type TextColumn, TextColumnWriter } from "./text_column.ts";

/** What records say of one dimension, by the kind of customer. */
export interface KindColumn {
  /**
   * By kind, the position among the known names, and their number where there is no
   * name; null where the names are free text.
   */
  readonly codes: Uint16Array | null;
  /** The name that customers of a kind have; null where they have none. */
  nameAt(kind: number): string | null;
}

/** What records say of every dimension of customers; of kind 0, which has no record, nothing. */
export interface CustomerKinds {
  /** The number of kinds. */
  readonly length: number;
  readonly columns: Readonly<Record<Dimension, KindColumn>>;
}

/** Collects what records say, kind by kind. */
export class CustomerKindsWriter {
  readonly #length: number;
  readonly #writers: readonly { name: Dimension; writer: ColumnWriter }[];
  #count = 0;

  /** `length` is the number of kinds; `names` are the known ones, null where they are free text. */
  constructor({ length, dimensions, names }: {
    readonly length: number;
    readonly dimensions: readonly NamedDimension[];
    readonly names: Readonly<Record<Dimension, readonly string[] | null>>;
  }) {
    this.#length = length;
    this.#writers = ofCustomers(dimensions).map(({ name }) => {
      const known = names[name];
      return {
        name,
        writer: known ? listWriter(known, length) : textWriter(length),
      };
    });
  }

  /** Adds the next kind; `names` are those of the dimensions of customers, in their order. */
  add(names: readonly (string | null)[]): void {
    const kind = this.#count++;
    this.#writers.forEach(({ writer }, i) => writer.add(kind, names[i]));
  }

  /** The columns. Throws an error, which is a bug, when another number of kinds has come. */
  end(): CustomerKinds {
    if (this.#count !== this.#length) {
      throw new Error(
        `${this.#count} kinds of customers have come instead of ${this.#length}`,
      );
    }
    return {
      length: this.#length,
      columns: Object.fromEntries(
        this.#writers.map(({ name, writer }) => [name, writer.end()]),
      ),
    };
  }
}

interface ColumnWriter {
  add(kind: number, name: string | null): void;
  end(): KindColumn;
}

function listWriter(names: readonly string[], length: number): ColumnWriter {
  const codes = new Uint16Array(length);
  const code_of = new Map<string | null, number>(
    names.map((name, code) => [name, code]),
  );
  code_of.set(null, names.length);
  return {
    add(kind, name) {
      codes[kind] = code_of.get(name)!;
    },
    end: () => ({ codes, nameAt: (kind) => names[codes[kind]] ?? null }),
  };
}

function textWriter(length: number): ColumnWriter {
  const writer = new TextColumnWriter(length);
  return {
    add: (_, name) => writer.addLines(name ?? ""),
    end() {
      const texts: TextColumn = writer.end();
      return { codes: null, nameAt: (kind) => texts.textAt(kind) || null };
    },
  };
}

/** Tells whether a filter chooses the customers of a kind. */
export function kindFilter(
  { kinds, dimensions, names, positionOf }: {
    readonly kinds: CustomerKinds;
    readonly dimensions: readonly NamedDimension[];
    readonly names: Readonly<Record<Dimension, readonly string[] | null>>;
    positionOf(dimension: Dimension, name: string): number | undefined;
  },
  filter: object,
): (kind: number) => boolean {
  const wanted = ofCustomers(dimensions).flatMap((one) => {
    const chosen = namesIn(filter, one);
    const { codes } = kinds.columns[one.name];
    if (!chosen || !codes) return [];
    const none = names[one.name]!.length;
    const is_chosen = new Uint8Array(none + 1);
    for (const name of chosen) {
      is_chosen[name === null ? none : positionOf(one.name, name)!] = 1;
    }
    return [{ codes, is_chosen }];
  });
  // Asked of each kind, of which there may be millions.
  if (wanted.length === 0) return () => true;
  return (kind) =>
    wanted.every(({ codes, is_chosen }) => is_chosen[codes[kind]] === 1);
}
