/** The end of the process: what each signal and each time limit leads to, and the one place that carries it out. */

import { setTimeout as delay } from "node:timers/promises";
import type { Log, LogEntry } from "../db/model/log.ts";
import { endProcess } from "./telemetry.ts";

/** The phases of a process, in their order. */
export type Phase =
  | "serving"
  /** Everything is answered, but `/readyz`: it sends proxies elsewhere. */
  | "draining"
  /** Nothing more is accepted; what runs may end. */
  | "finishing"
  /** What still runs is cut off, and all is closed. */
  | "closing"
  /** Closing took too long: the next start removes what is left. */
  | "abandoned";

/** What leads from one phase to another. */
export type StopEvent = "SIGTERM" | "SIGINT" | "time is over";

/** Time for what runs to end, in milliseconds. */
const FINISH_MS = 4_000;
/** Time for closing; with a drain of 5 s, the end is inside the 10 s that Docker waits. */
const CLOSE_MS = 900;
/** Time until clients have got the last answers, in milliseconds. */
const LAST_ANSWERS_MS = 250;

/**
 * The phase after an event. SIGTERM, which tools send and may send twice, drains where
 * `drains`; SIGINT, which people send, waits for nobody, and a second one ends at once.
 */
export function phaseAfter(
  phase: Phase,
  event: StopEvent,
  { drains }: { readonly drains: boolean },
): Phase {
  switch (phase) {
    case "serving":
      return event === "SIGTERM" && drains ? "draining" : "finishing";
    case "draining":
      return event === "SIGTERM" ? phase : "finishing";
    case "finishing":
      return event === "SIGTERM" ? phase : "closing";
    case "closing":
      return event === "time is over" ? "abandoned" : phase;
    case "abandoned":
      return phase;
  }
}

/** The signals of an end that begins. */
export interface Ending {
  /** Is aborted when proxies must ask elsewhere. */
  readonly draining: AbortController;
  /** Is aborted when nothing more is accepted, and what would go on must end. */
  readonly finishing: AbortController;
}

/** The signals of a process that is not ending yet. */
export function createEnding(): Ending {
  return {
    draining: new AbortController(),
    finishing: new AbortController(),
  };
}

/** What is stopped, in the order of its end. */
export interface Stopped {
  readonly ending: Ending;
  readonly drain_ms: number;
  readonly store: {
    /** A process without data drains nobody: it never was ready. */
    readonly snapshot: object | null;
    /** Ends what runs without a client. */
    stop(): Promise<void>;
    close(): Promise<void>;
  };
  readonly webhook: { close(): Promise<void> } | null;
  /** Every open socket. */
  readonly listeners: readonly { close(): Promise<void> }[];
  readonly underway: {
    uploadsEnded(): Promise<void>;
    cutOff(): ReadonlyMap<string, number>;
  };
  /** The log of requests, which ends before the last entry; null without one. */
  readonly requests: { end(): void } | null;
  readonly log: Log;
}

/** Ends the process on SIGTERM and SIGINT: exit code 0, or 1 when it could not be closed in time. */
export function stopOnSignals(parts: Stopped): void {
  const { ending, drain_ms, store, log } = parts;
  const closing = new AbortController();
  let phase: Phase = "serving";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let began = 0;
  let ends_at = Infinity;
  const seconds = () => Math.round((performance.now() - began) / 100) / 10;

  function take(event: StopEvent): void {
    const drains = drain_ms > 0 && store.snapshot !== null;
    const next = phaseAfter(phase, event, { drains });
    if (next === phase) return;
    if (phase === "serving") began = performance.now();
    phase = next;
    clearTimeout(timer);
    const enter = {
      serving() {},
      draining() {
        const seconds = drain_ms / 1_000;
        log({
          level: "info",
          event: "draining",
          text:
            `${event}: requests are answered for ${seconds} s more (DRAIN_SECONDS), and /readyz is 503.`,
          seconds,
        });
        ending.draining.abort();
        timer = setTimeout(take, drain_ms, "time is over");
      },
      finishing() {
        ending.draining.abort();
        ending.finishing.abort();
        ends_at = performance.now() + FINISH_MS + CLOSE_MS;
        timer = setTimeout(take, FINISH_MS, "time is over");
        finish();
      },
      closing() {
        closing.abort();
        // Closing has the time that what ran has left.
        const left_ms = Math.max(0, ends_at - performance.now());
        timer = setTimeout(take, left_ms, "time is over");
      },
      abandoned() {
        log({
          level: "error",
          event: "stopped",
          text:
            `Stopped after ${seconds()} s, and not everything could be closed; the next start removes what is left in STAGING_DIR.`,
          seconds: seconds(),
        });
        Deno.exit(1);
      },
    };
    enter[next]();
  }

  /** Waits for work to end, or for the time when it is cut off. */
  async function finished(...work: readonly Promise<unknown>[]): Promise<void> {
    const { signal } = closing;
    if (signal.aborted) return;
    const cut = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => cut.resolve(), { once: true });
    await Promise.race([Promise.all(work), cut.promise]);
  }

  async function finish(): Promise<void> {
    const { webhook, listeners, underway, requests } = parts;
    const ended = Promise.all([store.stop(), webhook?.close()]);
    // Deno 2.9 makes the bodies of requests unreadable when a listener closes
    // (denoland/deno#36809); other requests are refused meanwhile.
    await finished(underway.uploadsEnded());
    const answered = Promise.all(listeners.map((one) => one.close()));
    await finished(answered, ended);
    const cut = underway.cutOff();
    if (phase === "finishing") take("time is over");
    await Promise.all([store.close(), ended]);
    await Promise.race([answered, delay(LAST_ANSWERS_MS)]);
    requests?.end();
    log(stoppedEntry(cut, seconds()));
    clearTimeout(timer);
    endProcess();
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => take(signal));
  }
}

/** The last entry of a process, with how much of each kind was cut off. */
export function stoppedEntry(
  cut: ReadonlyMap<string, number>,
  seconds: number,
): LogEntry {
  const counts = Array.from(
    cut,
    ([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`,
  );
  return {
    level: counts.length > 0 ? "warning" : "info",
    event: "stopped",
    text: `Stopped after ${seconds} s.${
      counts.length > 0 ? ` Cut off: ${counts.join(", ")}.` : ""
    }`,
    seconds,
    cut_off: Object.fromEntries(cut),
  };
}
