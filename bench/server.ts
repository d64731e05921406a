/** Starts what a benchmark measures and leaves nothing of it behind; process figures come from Linux's /proc. */

import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ConstantAnswer, Yardstick } from "./constant.ts";

const loopback = "127.0.0.1";

/** Folder of the project, where programs are started. */
export const project_dir = fileURLToPath(new URL("..", import.meta.url));

const socket_poll_ms = 5;
// A question costs the machine about 1 ms of CPU, taken from the load.
const ready_poll_ms = 20;
const live_poll_ms = 50;
// A billion interactions take ten minutes.
const ready_timeout_ms = 1_200_000;
const stop_timeout_ms = 10_000;
/** How long a server that is ready is left alone before its memory is read. */
export const settle_ms = 3000;
// The kernel tells CPU time in USER_HZ, 100 on every Linux that Deno runs on.
const ticks_per_second = 100;

/** Settings that limit each client, and are never reached, so that every answer is the same. */
export const unreached_limits = {
  RATE_LIMIT: "1000000",
  RATE_BURST: "1000000",
};

/** A server in a process of its own; disposing stops it and waits for its end. */
export interface Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly pid: number;
  /** Waits until the socket accepts; seconds since the process was started. */
  waitForSocket(): Promise<number>;
  /** Waits until `/readyz` is 200; seconds since the process was started. */
  waitForReady(): Promise<number>;
  /** What the process has used until now. */
  readUsage(): Usage;
}

/** Figures of one process; bytes of memory are those resident. */
export interface Usage {
  cpu_seconds: number;
  rss_bytes: number;
  rss_peak_bytes: number;
}

/** What a start took. */
export interface Start {
  socket_seconds: number;
  ready_seconds: number;
  /** Used until ready. */
  cpu_seconds: number;
  /** Used until the server has been ready for a while. */
  settled: Usage;
}

/** Starts a script of the project on a free port of loopback; `signal` ends it. */
export function startServer(
  script: string,
  { env, flags = [], signal }: {
    readonly env: Record<string, string>;
    /** Further ones of `deno run`. */
    readonly flags?: readonly string[];
    readonly signal: AbortSignal;
  },
): Server {
  signal.throwIfAborted();
  const port = findFreePort();
  const origin = `http://${loopback}:${port}`;
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P=start", ...flags, script],
    cwd: project_dir,
    env: { ...env, HOST: loopback, PORT: String(port) },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
    signal,
  }).spawn();
  let running = true;
  const ended = child.status.then(() => running = false);

  async function waitFor(
    state: string,
    { poll_ms, probe }: {
      readonly poll_ms: number;
      readonly probe: () => Promise<string | null>;
    },
  ): Promise<number> {
    while (true) {
      const problem = await probe();
      const elapsed_ms = performance.now() - started;
      if (problem === null) return elapsed_ms / 1000;
      if (!running) throw new Error(`${script} ended before it was ${state}.`);
      if (elapsed_ms > ready_timeout_ms) {
        throw new Error(
          `${script} is not ${state} after ${ready_timeout_ms} ms: ${problem}`,
        );
      }
      await delay(poll_ms);
    }
  }

  const waitForSocket = () =>
    waitFor("listening", {
      poll_ms: socket_poll_ms,
      probe: () => probeSocket(port),
    });
  return {
    origin,
    pid: child.pid,
    waitForSocket,
    async waitForReady() {
      await waitForSocket();
      return waitFor("ready", {
        poll_ms: ready_poll_ms,
        probe: () => probeReady(origin),
      });
    },
    readUsage: () => readUsage(child.pid),
    async [Symbol.asyncDispose]() {
      if (running) child.kill("SIGTERM");
      const timer = setTimeout(() => {
        console.error(
          `${script} did not stop in ${stop_timeout_ms} ms: killed`,
        );
        child.kill("SIGKILL");
      }, stop_timeout_ms);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Starts a yardstick of benchmarks, which gives one answer only, until it accepts; `signal` ends it. */
export async function startConstant(
  answer: ConstantAnswer,
  { by = "hono", signal }: {
    readonly by?: Yardstick;
    readonly signal: AbortSignal;
  },
): Promise<Server> {
  const server = startServer("bench/constant.ts", {
    env: { CONSTANT: JSON.stringify(answer), YARDSTICK: by },
    signal,
  });
  await server.waitForSocket();
  return server;
}

/** Starts Tally with these settings until it has been ready for a while. */
export async function measureStart(
  settings: Record<string, string>,
  signal: AbortSignal,
): Promise<Start> {
  await using server = startServer("main.ts", { env: settings, signal });
  const socket_seconds = await server.waitForSocket();
  const ready_seconds = await server.waitForReady();
  const { cpu_seconds } = server.readUsage();
  await delay(settle_ms, undefined, { signal });
  return {
    socket_seconds,
    ready_seconds,
    cpu_seconds,
    settled: server.readUsage(),
  };
}

/** A port of loopback that nobody listens on. */
export function findFreePort(): number {
  using listener = Deno.listen({ hostname: loopback, port: 0 });
  return listener.addr.port;
}

/** Null once the socket accepts, else why it does not. */
async function probeSocket(port: number): Promise<string | null> {
  try {
    using _connection = await Deno.connect({ hostname: loopback, port });
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return error.message;
    throw error;
  }
}

/** The version of the data that Tally serves. */
export async function versionOf({ origin }: Server): Promise<string> {
  const answer = await fetch(`${origin}/readyz`);
  return (await answer.json()).data_version;
}

/** Seconds from now until Tally serves other data than the version `before`. */
export async function secondsUntilLive(
  server: Server,
  before: string,
): Promise<number> {
  const began = performance.now();
  while (await versionOf(server) === before) {
    if (performance.now() - began > ready_timeout_ms) {
      throw new Error(`not live after ${ready_timeout_ms} ms`);
    }
    await delay(live_poll_ms);
  }
  return (performance.now() - began) / 1000;
}

/** Null once `/readyz` is 200, else what it says. */
async function probeReady(origin: string): Promise<string | null> {
  const response = await fetch(`${origin}/readyz`, {
    signal: AbortSignal.timeout(ready_timeout_ms),
  });
  const text = await response.text();
  return response.status === 200 ? null : text;
}

/** What a process has used until now. */
export function readUsage(pid: number): Usage {
  // The second field, the name in brackets, may itself hold spaces; the 14th
  // and 15th are the user's and the system's time.
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const readBytes = (name: string) =>
    Number(status.match(`${name}:\\s+(\\d+) kB`)?.[1]) * 1024;
  return {
    cpu_seconds: (Number(fields[11]) + Number(fields[12])) / ticks_per_second,
    rss_bytes: readBytes("VmRSS"),
    rss_peak_bytes: readBytes("VmHWM"),
  };
}

/** Makes a folder that is removed when disposed. */
export async function makeTempFolder(): Promise<
  { path: string } & AsyncDisposable
> {
  const path = await Deno.makeTempDir({ prefix: "tally_bench_" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Aborted by SIGINT or SIGTERM, so that the program ends by disposing. */
export function listenForStop(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(
      name,
      () => controller.abort(new Error(`stopped by ${name}`)),
    );
  }
  return controller.signal;
}
