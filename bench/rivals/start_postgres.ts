/** Starts a Postgres of its own in a new folder, where one is installed, and stops it. */

import { dirname } from "node:path";

const settings = {
  listen_addresses: "",
  shared_buffers: "1GB",
  effective_cache_size: "8GB",
  work_mem: "64MB",
  maintenance_work_mem: "512MB",
  max_wal_size: "4GB",
  // Nothing is lost with it: the exports are still there.
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  random_page_cost: "1.1",
};

/** A server of Postgres; disposing stops it and waits for its end. */
export interface Postgres extends AsyncDisposable {
  /** The folder of its socket. */
  readonly socket: string;
  /** Of all its processes; what they share counts once. */
  residentBytes(): number;
}

async function textOf(program: string, ...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** Undefined where none is installed; `dir` is a new folder. */
export async function startPostgres(
  dir: string,
): Promise<Postgres | undefined> {
  const found = await textOf("sh", "-c", "command -v postgres || true");
  if (found === "") return undefined;
  const bin = dirname(await Deno.realPath(found));
  await Deno.mkdir(dir);
  // It does not run as root.
  const user = Deno.uid() === 0
    ? {
      uid: Number(await textOf("id", "-u", "postgres")),
      gid: Number(await textOf("id", "-g", "postgres")),
    }
    : {};
  if ("uid" in user) await Deno.chown(dir, user.uid!, user.gid!);
  const initialized = await new Deno.Command(`${bin}/initdb`, {
    args: [
      "--pgdata",
      `${dir}/data`,
      "--username=postgres",
      "--auth=trust",
      "--no-sync",
    ],
    cwd: dir,
    stdout: "null",
    stderr: "inherit",
    ...user,
  }).output();
  if (!initialized.success) throw new Error("initdb failed.");
  const child = new Deno.Command(`${bin}/postgres`, {
    args: [
      "-D",
      `${dir}/data`,
      "-k",
      dir,
      ...Object.entries(settings).flatMap(([name, value]) => [
        "-c",
        `${name}=${value}`,
      ]),
    ],
    cwd: dir,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...user,
  }).spawn();
  await textOf(
    "sh",
    "-c",
    `for i in $(seq 100); do
    "${bin}/pg_isready" -q -h "${dir}" && exit 0; sleep 0.1; done; exit 1`,
  );
  return {
    socket: dir,
    residentBytes() {
      const children = Deno.readTextFileSync(
        `/proc/${child.pid}/task/${child.pid}/children`,
      ).trim().split(" ");
      return [child.pid, ...children].reduce<number>((sum, pid) => {
        const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
        return sum + Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024;
      }, 0);
    },
    async [Symbol.asyncDispose]() {
      // The fast way to stop; SIGTERM would wait for its clients.
      child.kill("SIGINT");
      await child.status;
    },
  };
}
