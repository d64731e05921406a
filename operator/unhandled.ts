/** What reaches no other part: errors that nothing caught, and warnings of the runtime. Both are logged, and the process goes on. */

import process from "node:process";
import { fault, type Log } from "../db/model/log.ts";

/** Logs errors that nothing caught from now on, where they would end the process. */
export function logUnhandled(log: Log): void {
  const note = (event: Event, error: unknown) => {
    event.preventDefault();
    const text = "Nothing caught an error";
    log(fault(error, { event: "uncaught_error", text }));
  };
  addEventListener("error", (event) => note(event, event.error));
  addEventListener("unhandledrejection", (event) => note(event, event.reason));
}

/** Logs warnings of the runtime and of libraries from now on, where they would be lines that are no JSON. */
export function logRuntimeWarnings(log: Log): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) =>
    log({
      level: "warning",
      event: "runtime_warning",
      text: `${name}: ${message.replaceAll("\n", " ")}`,
    }));
}
