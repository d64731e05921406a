/** The log of a process that has no terminal, one JSON object per line. */

/** A line of the log, with the fields that every entry has. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly text: string;
  readonly [field: string]: unknown;
}

/** The whole lines of an output; throws where one is no JSON. */
export function logLines(output: string): LogLine[] {
  return output.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** What the lines say to a person. */
export function logTexts(output: string): string[] {
  return logLines(output).map(({ text }) => text);
}

/** The lines of faults of our own; what the world lacks is said without a stack. */
export function faultLines(output: string): LogLine[] {
  return logLines(output).filter(({ event, stack }) =>
    event === "uncaught_error" || stack !== undefined
  );
}
