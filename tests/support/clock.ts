/** The clock of the process, `performance.now()`, in the hands of a test. */

/** A clock that the test moves; the real one is back at the end of its block. */
export interface Clock extends Disposable {
  /** Lets so many milliseconds pass at once. */
  advance(ms: number): void;
}

/** Takes the clock over: it runs on, or `stands` still but for what it is moved. */
export function takeClock(
  { stands = false }: { readonly stands?: boolean } = {},
): Clock {
  const { now } = performance;
  const began_ms = now.call(performance);
  let ahead_ms = 0;
  performance.now = () =>
    (stands ? began_ms : now.call(performance)) + ahead_ms;
  return {
    advance: (ms) => void (ahead_ms += ms),
    [Symbol.dispose]() {
      performance.now = now;
    },
  };
}
