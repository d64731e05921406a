/** Does equal concurrent work once, as long as a client waits for it. */

import { StoreError } from "../db/model/problems.ts";
import { Deadline } from "./deadline.ts";

interface Flight<Result> {
  readonly result: Promise<Result>;
  readonly deadline: Deadline;
  waiting: number;
}

interface WorkOptions<Result> {
  readonly timeout_ms: number;
  work(deadline: Deadline): Promise<Result>;
}

/** Work that is shared by key while it goes on. */
export class SharedWork<Result> {
  readonly #flights = new Map<string, Flight<Result>>();

  /**
   * The result of `work`, which is done once for all callers with this `key` at the
   * same time; it starts at once, in this turn of the event loop. A caller whose
   * `client` is aborted stops waiting; when the last one stops, the work's deadline
   * is aborted. `work` disposes the deadline.
   */
  async run(
    key: string,
    { client, ...options }: WorkOptions<Result> & {
      readonly client: AbortSignal;
    },
  ): Promise<Result> {
    if (client.aborted) throw gone();
    const flight = this.#flights.get(key) ?? this.#start(key, options);
    flight.waiting++;
    const { promise, reject } = Promise.withResolvers<never>();
    const leave = () => {
      const reason = gone();
      reject(reason);
      if (--flight.waiting > 0) return;
      this.#end(key, flight);
      flight.deadline.abort(reason);
    };
    client.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([flight.result, promise]);
    } finally {
      client.removeEventListener("abort", leave);
    }
  }

  #start(
    key: string,
    { timeout_ms, work }: WorkOptions<Result>,
  ): Flight<Result> {
    const deadline = new Deadline(timeout_ms);
    const flight = { result: work(deadline), deadline, waiting: 0 };
    this.#flights.set(key, flight);
    const end = () => this.#end(key, flight);
    flight.result.then(end, end);
    return flight;
  }

  #end(key: string, flight: Flight<Result>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function gone(): StoreError {
  return new StoreError("cancelled", "The client went away.");
}
