/** Errors that nothing caught, which are faults of the program: they are logged, and the process goes on. */

import { fault, type Log } from "../db/model/log.ts";

/** Logs them from now on, where they would end the process. */
export function logUnhandled(log: Log): void {
  const note = (event: Event, error: unknown) => {
    event.preventDefault();
    const text = "Nothing caught an error";
    log(fault(error, { event: "uncaught_error", text }));
  };
  addEventListener("error", (event) => note(event, event.error));
  addEventListener("unhandledrejection", (event) => note(event, event.reason));
}
