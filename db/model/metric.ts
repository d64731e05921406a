/** Numbers about the running program, which parts of it offer and `/metrics` prints. */

/** One number of a metric. */
export interface Sample {
  readonly value: number;
  /** From a small set, whatever clients send. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Of a histogram: what follows the name. */
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

/** A metric as Prometheus defines it; its samples are read when it is printed. */
export interface Metric {
  /** In snake_case, with the unit at the end, and `_total` where it only rises. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  samples(): Iterable<Sample>;
}

/** The metrics of a process. */
export interface Metrics {
  /** Offers more of them; a name is used once. */
  add(...metrics: readonly Metric[]): void;
  /** All of them in the text format of Prometheus. */
  text(): Promise<string>;
}
