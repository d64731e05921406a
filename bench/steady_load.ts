/** Asks for random customers at a steady rate, whatever the server does, and prints what it saw as JSON. */

/** What was seen; latency counts from the moment a request was due. */
export interface SteadyLoad {
  requests: number;
  errors: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

const [origin, per_second, seconds, customers] = Deno.args;
const rate = Number(per_second);
const total = rate * Number(seconds);
/** A request that is due while all connections wait counts its waiting. */
const connections = 32;

const latencies_ms: number[] = [];
let errors = 0;
let next = 0;

async function askInTurn(began: number): Promise<void> {
  const { hostname, port } = new URL(origin);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const buffer = new Uint8Array(1 << 14);
  const decoder = new TextDecoder();
  while (next < total) {
    const due_ms = began + next++ * 1000 / rate;
    const early_ms = due_ms - performance.now();
    if (early_ms > 1) await new Promise((wait) => setTimeout(wait, early_ms));
    const customer_id = 1 + Math.floor(Math.random() * Number(customers));
    await connection.write(new TextEncoder().encode(
      `GET /api/v1/interactions/${customer_id} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`,
    ));
    let text = "";
    // Every answer is one object, which ends in three braces.
    while (!text.endsWith("}}}")) {
      const length = await connection.read(buffer);
      if (length === null) throw new Error("the server ended a connection");
      text += decoder.decode(buffer.subarray(0, length));
    }
    if (!text.startsWith("HTTP/1.1 200 ")) errors++;
    latencies_ms.push(performance.now() - due_ms);
  }
}

if (import.meta.main) {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, () => askInTurn(began)),
  );
  latencies_ms.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies_ms[Math.floor(share * (latencies_ms.length - 1))];
  const seen: SteadyLoad = {
    requests: total,
    errors,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    max_ms: at(1),
  };
  console.log(JSON.stringify(seen));
}
