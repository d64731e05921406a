/** nginx and Caddy with the files of deploy/, in front of servers of a test. */

import { dataFolder } from "../../tests/support/data_folder.ts";
import { freePort } from "../../tests/support/free_port.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);

/** A proxy on a free port of the loopback; ended at the end of its block. */
export interface Proxy extends AsyncDisposable {
  readonly base_url: string;
  /** Bytes in memory of all its processes. */
  rss(): number;
  /** The files that it has on the disk. */
  files(): Promise<string[]>;
}

/** A proxy and how it is started; `upstreams` are two addresses such as 127.0.0.1:8001. */
export interface ProxyProgram {
  readonly name: string;
  start(upstreams: readonly [string, string]): Promise<Proxy>;
}

/** nginx, with the addresses and folders of the test in its file. */
export const nginx: ProxyProgram = {
  name: "nginx",
  start: ([first, second]) =>
    startProxy(async (folder, port) => {
      const text = await changed("nginx.conf", [
        ["pid /run/nginx.pid;", `pid ${folder}/nginx.pid;`],
        // Its folders are those of root, which a test need not be.
        [
          "http {",
          `http {\n${
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
              .map((name) => `  ${name}_temp_path ${folder}/${name};\n`)
              .join("")
          }`,
        ],
        ["listen 80;", `listen 127.0.0.1:${port};`],
        ["127.0.0.1:8001", first],
        ["127.0.0.1:8002", second],
      ]);
      await Deno.writeTextFile(`${folder}/nginx.conf`, text);
      return new Deno.Command("nginx", {
        args: ["-c", `${folder}/nginx.conf`, "-g", "daemon off;"],
        stdout: "null",
        stderr: "null",
      });
    }),
};

/** Caddy, which takes the addresses from the environment. */
export const caddy: ProxyProgram = {
  name: "Caddy",
  start: (upstreams) =>
    startProxy(async (folder, port) => {
      const text = await changed("Caddyfile", [
        ["admin off\n", "admin off\n\tdefault_bind 127.0.0.1\n"],
        // So that the test sees its end, and what it does not end.
        ["read_body 10m", "read_body 5s"],
      ]);
      await Deno.writeTextFile(`${folder}/Caddyfile`, text);
      return new Deno.Command("caddy", {
        args: ["run", "--config", `${folder}/Caddyfile`],
        env: {
          HOME: folder,
          SITE: `http://:${port}`,
          TALLYS: upstreams.join(" "),
        },
        stdout: "null",
        stderr: "null",
      });
    }),
};

async function changed(
  name: string,
  changes: readonly (readonly [string, string])[],
): Promise<string> {
  let text = await Deno.readTextFile(new URL(name, DEPLOY));
  for (const [before, after] of changes) {
    if (text.split(before).length !== 2) {
      throw new Error(`deploy/${name} must have ${before.trim()} once`);
    }
    text = text.replace(before, () => after);
  }
  return text;
}

async function startProxy(
  prepare: (folder: string, port: number) => Promise<Deno.Command>,
): Promise<Proxy> {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await dataFolder());
  const port = freePort();
  const child = (await prepare(path, port)).spawn();
  stack.defer(async () => {
    child.kill("SIGTERM");
    await child.status;
  });
  const base_url = `http://127.0.0.1:${port}`;
  try {
    await untilOpen(port, child);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return {
    base_url,
    rss: () =>
      [child.pid, ...childrenOf(child.pid)]
        .reduce((sum, pid) => sum + rssOf(pid), 0),
    files: () => filesBelow(path),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function untilOpen(port: number, { status }: Deno.ChildProcess) {
  let has_ended = false;
  status.then(() => has_ended = true);
  for (let i = 0; i < 200 && !has_ended; i++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`The proxy does not listen on ${port}.`);
}

function childrenOf(pid: number): number[] {
  return Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`)
    .split(" ").filter(Boolean).map(Number);
}

function rssOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]);
}

async function filesBelow(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    const file = `${path}/${name}`;
    if (isDirectory) found.push(...await filesBelow(file));
    else found.push(name);
  }
  return found;
}
