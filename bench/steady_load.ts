/** Asks for random customers at a steady rate, whatever the server does, and prints what it saw as JSON. */

import { cpuUsage } from "node:process";

/** Quantiles of times. */
export interface Times {
  p50_ms: number;
  p99_ms: number;
  p999_ms: number;
  max_ms: number;
}

/** What was seen; times count from the moment a request was due. */
export interface SteadyLoad extends Times {
  requests: number;
  errors: number;
  /** From the first moment due to the last answer. */
  seconds: number;
  /** How much later than due this program sent, where it had a connection to send on. */
  late: Times;
  /** The share of requests that were due while no connection was idle, 0 to 1. */
  waited: number;
  /** Of this program, of one core: near 1, it is itself the limit. */
  cpu_share: number;
}

interface Connection {
  readonly tcp: Deno.TcpConn;
  readonly buffer: Uint8Array;
}

/** So many that a request hardly ever waits for one; if it does, it counts its waiting. */
const connections = 512;
const timer_ms = 1;
/** The server still accepts connections after they are open here. */
const accept_ms = 500;
const closing_brace = 0x7d;

async function askAtRate(
  origin: string,
  { rate, seconds, customers }: {
    readonly rate: number;
    readonly seconds: number;
    readonly customers: number;
  },
): Promise<SteadyLoad> {
  const { hostname, port } = new URL(origin);
  const idle: Connection[] = await Promise.all(
    Array.from({ length: connections }, async () => ({
      tcp: await Deno.connect({ hostname, port: Number(port) }),
      buffer: new Uint8Array(1 << 14),
    })),
  );
  await new Promise((wake) => setTimeout(wake, accept_ms));
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const total = Math.round(rate * seconds);
  const latencies_ms: number[] = [];
  const late_ms: number[] = [];
  let errors = 0;
  let waited = 0;
  let next = 0;
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const used = cpuUsage();
  const began = performance.now();
  /** Until then, no connection was idle. */
  let busy_until_ms = began;

  async function ask({ tcp, buffer }: Connection, due_ms: number) {
    late_ms.push(performance.now() - Math.max(due_ms, busy_until_ms));
    if (due_ms < busy_until_ms) waited++;
    const customer_id = 1 + Math.floor(Math.random() * customers);
    await tcp.write(encoder.encode(
      `GET /api/v1/interactions/${customer_id} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`,
    ));
    let length = 0;
    // Every answer is one object, which ends in three braces.
    do {
      const read = await tcp.read(buffer.subarray(length));
      if (!read) throw new Error("the server ended a connection");
      length += read;
    } while (
      buffer.subarray(length - 3, length).some((byte) => byte !== closing_brace)
    );
    const now_ms = performance.now();
    if (decoder.decode(buffer.subarray(9, 12)) !== "200") errors++;
    latencies_ms.push(now_ms - due_ms);
    if (idle.length === 0) busy_until_ms = now_ms;
    idle.push({ tcp, buffer });
    if (latencies_ms.length === total) resolve();
    else sendDue();
  }

  // After each answer too, because timers are not finer than a millisecond.
  function sendDue(): void {
    const now_ms = performance.now();
    while (next < total && idle.length > 0) {
      const due_ms = began + next * 1000 / rate;
      if (due_ms > now_ms) return;
      next++;
      ask(idle.pop()!, due_ms).catch(reject);
    }
  }

  const timer = setInterval(sendDue, timer_ms);
  try {
    await ended;
  } finally {
    clearInterval(timer);
    for (const { tcp } of idle) tcp.close();
  }
  const took_ms = performance.now() - began;
  const { user, system } = cpuUsage(used);
  return {
    requests: total,
    errors,
    seconds: took_ms / 1000,
    waited: waited / total,
    cpu_share: (user + system) / 1000 / took_ms,
    ...timesOf(latencies_ms),
    late: timesOf(late_ms),
  };
}

function timesOf(unsorted_ms: readonly number[]): Times {
  const sorted = Float64Array.from(unsorted_ms).sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  return {
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    p999_ms: at(0.999),
    max_ms: at(1),
  };
}

if (import.meta.main) {
  const [origin, rate, seconds, customers] = Deno.args;
  const options = {
    rate: Number(rate),
    seconds: Number(seconds),
    customers: Number(customers),
  };
  console.log(JSON.stringify(await askAtRate(origin, options)));
}
