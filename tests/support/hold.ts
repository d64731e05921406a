/** Work that holds the event loop. */

/** Works for so many milliseconds, in which nothing else runs. */
export function hold(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
