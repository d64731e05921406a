/** Looks at the data folder again and again: at its time, when its names change, and when it is woken. */

/** How the folder is looked at. */
export interface LookLoopOptions {
  readonly data_dir: string;
  /** The time between two looks, about, in milliseconds. */
  readonly refresh_ms: number;
  /** Ends the loop. */
  readonly signal: AbortSignal;
}

/** Time between two checks whether names in the data folder have changed, in milliseconds. */
const HINT_MS = 250;

/** A loop of looks. */
export class LookLoop {
  readonly #options: LookLoopOptions;
  #wake = Promise.withResolvers<void>();

  constructor(options: LookLoopOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.wake());
  }

  /** Makes the next look come now. */
  wake(): void {
    this.#wake.resolve();
  }

  /**
   * Begins with `start`, and looks until the signal is aborted. A look returns the
   * milliseconds until the next one, which may come earlier. Errors of both are bugs:
   * `fail` gets each once, though it may repeat with every look.
   */
  async run(
    { start, look, fail }: {
      readonly start: () => Promise<void>;
      readonly look: () => Promise<number>;
      readonly fail: (error: unknown) => Promise<void>;
    },
  ): Promise<void> {
    const { refresh_ms, signal } = this.#options;
    const hints = this.#watchForHints();
    let last_error = "";
    try {
      await start();
    } catch (error) {
      await fail(error);
      last_error = String(error);
    }
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      let pause_ms = refresh_ms * (0.9 + 0.2 * Math.random());
      try {
        pause_ms = Math.min(pause_ms, await look());
        last_error = "";
      } catch (error) {
        if (String(error) !== last_error) await fail(error);
        last_error = String(error);
      }
      // Its time may be over: the runtime warns of a timer in the past.
      const timer = setTimeout(this.#wake.resolve, Math.max(0, pause_ms));
      if (!signal.aborted) await this.#wake.promise;
      clearTimeout(timer);
    }
    await hints.end();
  }

  /**
   * Wakes the loop when a name in the data folder comes, goes or is renamed over.
   * Deno.watchFs would report more, and would stop the process at a pipe: it opens
   * each new file in the folder, and at a pipe it waits for a writer.
   */
  #watchForHints(): { end(): Promise<void> } {
    let before: number | undefined;
    let looking: Promise<void> | null = null;
    const look = async () => {
      const info = await Deno.stat(this.#options.data_dir).catch(() => null);
      const changed_at = info?.mtime?.getTime() ?? 0;
      if (changed_at !== (before ?? changed_at)) this.#wake.resolve();
      before = changed_at;
      looking = null;
    };
    // One check at a time: a mount may not answer.
    const timer = setInterval(() => void (looking ??= look()), HINT_MS);
    return {
      async end() {
        clearInterval(timer);
        await looking;
      },
    };
  }
}
