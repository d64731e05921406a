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
const tick_ms = 2;

const latencies_ms: number[] = [];
let errors = 0;

async function ask(due_ms: number): Promise<void> {
  const customer_id = 1 + Math.floor(Math.random() * Number(customers));
  try {
    const answer = await fetch(`${origin}/api/v1/interactions/${customer_id}`);
    await answer.text();
    if (answer.status !== 200) errors++;
  } catch {
    errors++;
  }
  latencies_ms.push(performance.now() - due_ms);
}

if (import.meta.main) {
  const began = performance.now();
  const asked: Promise<void>[] = [];
  while (asked.length < total) {
    const due = Math.min(
      total,
      Math.floor((performance.now() - began) * rate / 1000),
    );
    while (asked.length < due) {
      asked.push(ask(began + asked.length * 1000 / rate));
    }
    await new Promise((resolve) => setTimeout(resolve, tick_ms));
  }
  await Promise.all(asked);
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
