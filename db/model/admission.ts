/** What asks before it begins: work that is refused while there is too much load. */

/** Work that may be refused; the counts of one customer are never. */
export interface Work {
  /** Downloads cost most, and are refused first. */
  readonly kind: "download" | "question";
  /** What it takes at most while it runs, about. */
  readonly bytes: number;
}

/** A cache that gives its memory back when it must. */
export interface Cache {
  readonly bytes: number;
  /** Whether it keeps anything; when it must not, it is emptied. */
  keep(is_keeping: boolean): void;
}

/** Lets work in. */
export interface Admission {
  /** Throws a StoreError "busy" when work may not begin now, before it waits. */
  require(work: Work): void;
  /** Takes the bytes of work whose turn it is, until the result is disposed; throws the same where they are not there. */
  reserve(work: Work): Disposable;
  /** Has a cache emptied before anything else is done. */
  addCache(cache: Cache): void;
  /** What an operator must know; null when all is well. */
  readonly notice: string | null;
}
