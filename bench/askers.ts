/** Asks a server for a while, several questions at once, and prints as JSON what came back of each kind. */

/** What clients of one kind saw. */
export interface Seen {
  /** Times until the answer began, in milliseconds, ascending, by status. */
  readonly by_status: Readonly<Record<string, readonly number[]>>;
}

/** A kind of clients. */
export interface Askers {
  /** How many ask at once, each again as soon as it has its answer, or may after a refusal. */
  readonly clients: number;
  /** Paths in turn; `#` is a number from 1,000 to 9,999, and `@` a day, other ones each time. */
  readonly paths: readonly string[];
  /** Between two requests of a client, in milliseconds. */
  readonly pause_ms?: number;
}

/** Asks with all kinds at the same time. */
async function askAll(
  origin: string,
  { kinds, seconds }: {
    readonly kinds: Readonly<Record<string, Askers>>;
    readonly seconds: number;
  },
): Promise<Record<string, Seen>> {
  const end = performance.now() + seconds * 1_000;
  let number = 0;
  const ask = async (
    { paths, pause_ms = 0 }: Askers,
    by_status: Record<string, number[]>,
  ) => {
    for (let turn = 0; performance.now() < end; turn++) {
      const path = numbered(paths[turn % paths.length], ++number);
      const began = performance.now();
      const signal = AbortSignal.timeout(Math.max(1, end - began));
      const answer = await fetch(origin + path, { signal }).catch(() => null);
      if (!answer) break;
      const took_ms = performance.now() - began;
      // By their text, those that had waited before they were refused.
      const had_waited = answer.status === 503 &&
        (await answer.text()).includes("Too many questions");
      const name = had_waited ? "503 after a wait" : `${answer.status}`;
      (by_status[name] ??= []).push(took_ms);
      if (!answer.bodyUsed) {
        await answer.body?.pipeTo(new WritableStream()).catch(() => {});
      }
      const retry_ms = Number(answer.headers.get("Retry-After") ?? 0) * 1_000;
      const wait_ms = Math.max(pause_ms, retry_ms);
      if (wait_ms > 0) await new Promise((wake) => setTimeout(wake, wait_ms));
    }
  };
  const seen: Record<string, Seen> = {};
  await Promise.all(
    Object.entries(kinds).flatMap(([name, kind]) => {
      const by_status: Record<string, number[]> = {};
      seen[name] = { by_status };
      return Array.from({ length: kind.clients }, () => ask(kind, by_status));
    }),
  );
  for (const { by_status } of Object.values(seen)) {
    for (const times of Object.values(by_status)) {
      (times as number[]).sort((a, b) => a - b);
    }
  }
  return seen;
}

function numbered(path: string, number: number): string {
  const day = new Date(Date.UTC(2019, 0, 1 + number % 1_800));
  return path.replace("#", `${1_000 + number % 9_000}`)
    .replace("@", day.toISOString().slice(0, 10));
}

if (import.meta.main) {
  const [origin, seconds, kinds] = Deno.args;
  const options = { kinds: JSON.parse(kinds), seconds: Number(seconds) };
  console.log(JSON.stringify(await askAll(origin, options)));
}
