/** The text format of Prometheus, as a scrape reads it. */

import { assert, assertEquals } from "@std/assert";

const HELP = /^# HELP (\w+) \S.*$/;
const TYPE = /^# TYPE (\w+) (counter|gauge|histogram)$/;
const SAMPLE = /^(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$/;

/** What a scrape has. */
export interface Scraped {
  /** The names of the metrics, with their types. */
  readonly types: ReadonlyMap<string, string>;
  /** Each number by its name and labels, as they were printed. */
  readonly samples: ReadonlyMap<string, number>;
}

/** Reads a scrape; fails where a line is wrong, or a name or a series is there twice. */
export function scraped(text: string): Scraped {
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  let name = "";
  for (const line of text.split("\n")) {
    if (line === "" || HELP.test(line)) continue;
    const type = TYPE.exec(line);
    if (type) {
      name = type[1];
      assert(!types.has(name), line);
      types.set(name, type[2]);
      continue;
    }
    const [, of, labels, value] = SAMPLE.exec(line) ?? [];
    assert(of !== undefined, `no line of a scrape: ${line}`);
    const ending = types.get(name) === "histogram"
      ? /_(bucket|sum|count)$/
      : /$^/;
    assertEquals(of.replace(ending, ""), name, line);
    const series = labels ? `${of}{${labels}}` : of;
    assert(!samples.has(series), line);
    samples.set(series, Number(value));
    assert(!Number.isNaN(Number(value)), line);
  }
  return { types, samples };
}
