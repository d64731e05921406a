/** Sends the short report of each refresh to another service: a signed POST, in order, one at a time. */

import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../db/model/log.ts";
import { type Refresh, sumSetAside } from "../db/model/report.ts";

/** Where reports go, and how hard it is tried. */
export interface WebhookOptions {
  readonly url: string;
  /** Key of the signature; without one there is none. */
  readonly secret: string | undefined;
  readonly log: Log;
  /** Time for one try, in milliseconds. */
  readonly timeout_ms?: number;
  /** Waits before each further try, in milliseconds. */
  readonly waits_ms?: readonly number[];
}

/** A queue of reports. */
export interface Webhook {
  /** Queues the report of a refresh; a failure is logged and never thrown. */
  send(refresh: Refresh): void;
  /** Cancels the request under way and drops the reports that wait. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
/** Three tries: at once, after a second, after ten more. */
const WAITS_MS = [1_000, 10_000];
/** As many as `/api/v1/data/history` has: an older one is of no use. */
const MAX_WAITING = 50;

/**
 * The webhook of `options.url`. A body is JSON; `X-Tally-Signature` is `sha256=`
 * and the hex HMAC-SHA-256 of the body's bytes. A report arrives before any newer
 * one or not at all: it is tried again only while no newer one waits.
 */
export function createWebhook(options: WebhookOptions): Webhook {
  const { url, secret, log } = options;
  const { timeout_ms = TIMEOUT_MS, waits_ms = WAITS_MS } = options;
  const waiting: Refresh[] = [];
  const closing = new AbortController();
  /** Aborted when a newer report comes. */
  let newer = new AbortController();
  let sending: Promise<void> | null = null;

  function notDelivered(reports: number, text: string): void {
    log({
      level: "warning",
      event: "webhook_report_not_delivered",
      text,
      reports,
    });
  }

  /** Why the body was not taken; null when it was. */
  async function post(body: string): Promise<string | null> {
    const headers: Record<string, string> = {
      "Content-Type": "application/json",
    };
    if (secret) {
      const signature = createHmac("sha256", secret).update(body).digest("hex");
      headers["X-Tally-Signature"] = `sha256=${signature}`;
    }
    try {
      const answer = await fetch(url, {
        method: "POST",
        body,
        headers,
        // A report goes where the operator said and nowhere else.
        redirect: "manual",
        signal: AbortSignal.any([
          AbortSignal.timeout(timeout_ms),
          closing.signal,
        ]),
      });
      await answer.body?.cancel();
      return answer.ok ? null : `it answered ${answer.status}`;
    } catch (error) {
      return causeOf(error);
    }
  }

  /** Waits for the next try, or for a reason not to try again. */
  async function pause(wait_ms: number): Promise<void> {
    const signal = AbortSignal.any([newer.signal, closing.signal]);
    await delay(wait_ms, undefined, { signal }).catch(() => {});
  }

  async function sendReport(refresh: Refresh): Promise<void> {
    const { sequence } = refresh;
    const body = JSON.stringify(shortReport(refresh));
    const isLast = () => waiting.length === 0 && !closing.signal.aborted;
    newer = new AbortController();
    let problem = await post(body);
    for (const wait_ms of waits_ms) {
      if (problem === null) return;
      if (isLast()) await pause(wait_ms);
      if (!isLast()) break;
      problem = await post(body);
    }
    if (problem === null || closing.signal.aborted) return;
    notDelivered(
      1,
      waiting.length > 0
        ? `REFRESH_WEBHOOK_URL did not take report ${sequence}: ${problem}. It is not tried again, since a newer report waits.`
        : `REFRESH_WEBHOOK_URL did not take report ${sequence}, tried ${
          waits_ms.length + 1
        } times: ${problem}`,
    );
  }

  async function sendAll(): Promise<void> {
    for (let next; (next = waiting.shift()) !== undefined;) {
      await sendReport(next);
    }
    sending = null;
  }

  return {
    send(refresh) {
      if (closing.signal.aborted) return;
      waiting.push(refresh);
      newer.abort();
      if (waiting.length > MAX_WAITING) {
        const { sequence } = waiting.shift()!;
        notDelivered(
          1,
          `REFRESH_WEBHOOK_URL does not get report ${sequence}: ${MAX_WAITING} newer ones wait.`,
        );
      }
      sending ??= sendAll();
    },

    async close() {
      const lost = waiting.length + (sending ? 1 : 0);
      waiting.length = 0;
      closing.abort();
      if (lost > 0) {
        notDelivered(
          lost,
          `REFRESH_WEBHOOK_URL: the process ends before ${
            lost === 1 ? "1 report was" : `${lost} reports were`
          } delivered.`,
        );
      }
      await sending;
    },
  };
}

/** The cause of a request that failed, in one line. What fetch says of it has the URL, which may hold credentials. */
function causeOf(error: unknown): string {
  let cause = error as Error;
  while (cause.cause instanceof Error) cause = cause.cause;
  const [, deepest] =
    /^error sending request .*?: client error \(\w+\): (.+)$/s.exec(
      cause.message,
    ) ?? [];
  return (deepest ?? cause.message)
    .replaceAll(/https?:\/\/[^\s)]+/g, "the URL").replaceAll(/\s+/g, " ");
}

function shortReport(
  { sequence, state, started_at, ended_at, reasons, report }: Refresh,
) {
  return {
    sequence,
    state,
    started_at,
    ended_at,
    reasons,
    data_version: report?.data_version ?? null,
    customers: report?.customers ?? null,
    interactions: report?.interactions ?? null,
    rows_set_aside: report && sumSetAside(report.files),
  };
}
