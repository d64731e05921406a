/** The sample served by the real process, and programs of others run in a folder outside this repository. */

import { assert } from "@std/assert";
import { createHash } from "node:crypto";
import { dataFolder } from "../tests/support/data_folder.ts";
import { startServer, waitFor } from "../tests/support/start_server.ts";

const SAMPLE = new URL("../data/", import.meta.url);

/** The administrator's key. */
export const ADMIN_KEY = "a key of our own";

/** How a program ended; its output is that of both streams. */
interface Ended {
  readonly success: boolean;
  readonly output: string;
}

/** Runs a program in `cwd` until it ends. */
export async function runToEnd(
  [program, ...args]: readonly string[],
  cwd: string,
): Promise<Ended> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, output: text(stdout) + text(stderr) };
}

/** Runs a program in `cwd`; fails with its output unless it ends well. */
export async function run(
  command: readonly string[],
  cwd: string,
): Promise<string> {
  const { success, output } = await runToEnd(command, cwd);
  assert(success, `${command.join(" ")}\n${output}`);
  return output;
}

/** Serves the sample, in a folder that may be written to with `ADMIN_KEY`. */
export async function servedSample(): Promise<
  AsyncDisposable & { readonly base_url: string }
> {
  const stack = new AsyncDisposableStack();
  const data = stack.use(await dataFolder());
  for await (const { name } of Deno.readDir(SAMPLE)) {
    await Deno.copyFile(new URL(name, SAMPLE), `${data.path}/${name}`);
  }
  const { base_url } = stack.use(
    await startServer({
      DATA_DIR: data.path,
      ADMIN_KEY_SHA256: createHash("sha256").update(ADMIN_KEY).digest("hex"),
    }),
  );
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
  return {
    base_url,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
