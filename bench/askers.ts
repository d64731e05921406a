/** Asks a server for a while, several questions at once, and prints as JSON what came back. */

/** What the clients saw. */
export interface Seen {
  /** Times until the answer began, in milliseconds, ascending, by status. */
  readonly by_status: Readonly<Record<string, readonly number[]>>;
}

/** Clients of one kind. */
export interface Askers {
  /** How many ask at once, each again as soon as it has its answer, or may after a refusal. */
  readonly clients: number;
  /** Paths in turn; `#` is a number from 1,000 to 9,999, and `@` a day, other ones each time. */
  readonly paths: readonly string[];
  /** Between two requests of a client, in milliseconds. */
  readonly pause_ms?: number;
  /** How long a request is waited for, in milliseconds: who has a place in a queue gives it up. */
  readonly give_up_ms?: number;
}

/** Asks for a number of seconds. */
async function ask(
  origin: string,
  { seconds, kind: { clients, paths, pause_ms = 0, give_up_ms = Infinity } }: {
    readonly seconds: number;
    readonly kind: Askers;
  },
): Promise<Seen> {
  const end = performance.now() + seconds * 1_000;
  const by_status: Record<string, number[]> = {};
  let number = 0;
  const askInTurn = async () => {
    for (let turn = 0; performance.now() < end; turn++) {
      const path = numbered(paths[turn % paths.length], ++number);
      const began = performance.now();
      const most_ms = Math.min(give_up_ms, Math.max(1, end - began));
      const signal = AbortSignal.timeout(most_ms);
      const answer = await fetch(origin + path, { signal }).catch(() => null);
      if (!answer && !signal.aborted) break;
      const took_ms = performance.now() - began;
      const name = answer ? `${answer.status}` : "given up";
      (by_status[name] ??= []).push(took_ms);
      if (!answer) continue;
      await answer.body?.pipeTo(new WritableStream()).catch(() => {});
      const retry_ms = Number(answer.headers.get("Retry-After") ?? 0) * 1_000;
      const wait_ms = Math.max(pause_ms, retry_ms);
      if (wait_ms > 0) await new Promise((wake) => setTimeout(wake, wait_ms));
    }
  };
  await Promise.all(Array.from({ length: clients }, askInTurn));
  for (const times of Object.values(by_status)) times.sort((a, b) => a - b);
  return { by_status };
}

function numbered(path: string, number: number): string {
  const day = new Date(Date.UTC(2019, 0, 1 + number % 1_800));
  return path.replace("#", `${1_000 + number % 9_000}`)
    .replace("@", day.toISOString().slice(0, 10));
}

if (import.meta.main) {
  const [origin, seconds, kind] = Deno.args;
  const options = { kind: JSON.parse(kind), seconds: Number(seconds) };
  console.log(JSON.stringify(await ask(origin, options)));
}
