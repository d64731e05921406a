/** The real process: main.ts as a child, on a free port of the loopback. */

import { dataFolder } from "./data_folder.ts";
import { logLines } from "./log_lines.ts";
import { PATIENT } from "./patient.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));

/** Settings as they stand in the environment. */
type Settings = Readonly<Record<string, string>>;

/** Above the longest end: a process that hangs fails its test instead of the whole run. */
const LATE_MS = 60_000;

/** A running server; ended at the end of its block. */
export interface RunningServer extends AsyncDisposable {
  readonly base_url: string;
  readonly pid: number;
  readonly staging: string;
  /** What the terminal shows so far, both streams. */
  readonly output: { out: string; error: string };
  /** Sends a signal and waits for the end; answers the exit code. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** What a process that ends by itself leaves. */
export interface EndedServer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** How the process is started. */
export interface Start {
  /** A program, with its arguments, that becomes the server. */
  readonly under?: readonly string[];
  readonly deno_flags?: readonly string[];
}

function command(
  env: Settings,
  { under = [], deno_flags = [] }: Start = {},
): Deno.Command {
  // As `deno task start` does, so that its rights are enough for every test.
  const [, ...task_flags] = tasks.start.command.split(" ").slice(0, -1);
  const run = [
    Deno.execPath(),
    ...task_flags,
    ...deno_flags,
    `${ROOT}main.ts`,
  ];
  const [program, ...args] = [...under, ...run];
  return new Deno.Command(program, {
    args,
    env: {
      HOST: "127.0.0.1",
      PORT: "0",
      NO_COLOR: "1",
      DRAIN_SECONDS: "0",
      ...PATIENT,
      ...env,
    },
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts the server and waits until it listens. */
export async function startServer(
  settings: Settings,
  start?: Start,
): Promise<RunningServer> {
  const staging = await dataFolder();
  const child = command({ STAGING_DIR: staging.path, ...settings }, start)
    .spawn();
  const output = { out: "", error: "" };
  const listening = Promise.withResolvers<string>();
  const reading = Promise.all([
    takeText(child.stdout, (text) => {
      output.out += text;
      const [first] = logLines(output.out);
      const url = /^Listening on (\S+)$/.exec(first?.text)?.[1];
      if (url) listening.resolve(url);
    }),
    takeText(child.stderr, (text) => output.error += text),
  ]);
  reading.then(() => listening.reject(new Error(output.error)), () => {});

  let ended: Promise<number> | undefined;
  const stop = (signal: Deno.Signal = "SIGTERM") =>
    ended ??= (async () => {
      child.kill(signal);
      const late = setTimeout(() => child.kill("SIGKILL"), LATE_MS);
      const { code } = await child.status;
      clearTimeout(late);
      await reading;
      return code;
    })();
  return {
    base_url: await listening.promise,
    pid: child.pid,
    staging: staging.path,
    output,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await staging[Symbol.asyncDispose]();
    },
  };
}

/** Runs the server until it ends by itself. */
export async function runToEnd(
  settings: Settings,
  start?: Start,
): Promise<EndedServer> {
  const { code, stdout, stderr } = await command(settings, start).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}

/** The notice of `/readyz`; empty without one. */
export async function noticeOf(
  { base_url }: Pick<RunningServer, "base_url">,
): Promise<string> {
  const { notice = "" } = await (await waitFor(`${base_url}/readyz`, 200))
    .json();
  return notice;
}

/** Asks again and again until the answer has `status`; fails after a minute. */
export async function waitFor(
  url: string,
  status: number,
  { headers }: { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  for (let i = 0; i < 1_200; i++) {
    const answer = await fetch(url, { headers });
    if (answer.status === status) return answer;
    await answer.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not answer ${status}`);
}

/** Takes the text of a stream as it comes, until its end. */
export async function takeText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    take(text);
  }
}
