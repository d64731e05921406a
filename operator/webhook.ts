/** Tells another service of each refresh: a signed POST of the short report. */

import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Refresh } from "../db/model/report.ts";

/** Where reports go, and how hard it is tried. */
export interface WebhookOptions {
  readonly url: string;
  /** Key of the signature; without one there is none. */
  readonly secret: string | undefined;
  /** Gets what an operator must see. */
  readonly log: (text: string) => void;
  /** Time for one try, in milliseconds. */
  readonly timeout_ms?: number;
  /** Waits before each further try, in milliseconds. */
  readonly waits_ms?: readonly number[];
}

/** Sends a refresh's report; a failure is logged and never thrown. */
export type Webhook = (refresh: Refresh) => Promise<void>;

const TIMEOUT_MS = 10_000;
/** Three tries: at once, after a second, after ten more. */
const WAITS_MS = [1_000, 10_000];

/**
 * The webhook of `options.url`. A body is JSON; `X-Tally-Signature` is `sha256=`
 * and the hex HMAC-SHA-256 of the body's bytes.
 */
export function createWebhook(options: WebhookOptions): Webhook {
  const { url, secret, log } = options;
  const { timeout_ms = TIMEOUT_MS, waits_ms = WAITS_MS } = options;

  async function send(body: string): Promise<string | null> {
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
        signal: AbortSignal.timeout(timeout_ms),
      });
      await answer.body?.cancel();
      return answer.ok ? null : `it answered ${answer.status}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  return async function sendReport(refresh) {
    const body = JSON.stringify(shortReport(refresh));
    let problem = await send(body);
    for (const wait_ms of waits_ms) {
      if (problem === null) return;
      await delay(wait_ms);
      problem = await send(body);
    }
    if (problem !== null) {
      log(
        `REFRESH_WEBHOOK_URL did not take the report, tried ${
          waits_ms.length + 1
        } times: ${problem}`,
      );
    }
  };
}

function shortReport(
  { state, started_at, ended_at, reasons, report }: Refresh,
) {
  return {
    state,
    started_at,
    ended_at,
    reasons,
    data_version: report?.data_version ?? null,
    customers: report?.customers ?? null,
    interactions: report?.interactions ?? null,
    rows_set_aside: report?.files.reduce(
      (sum, { rows_set_aside }) => sum + rows_set_aside,
      0,
    ) ?? null,
  };
}
