/** The image and CI have what the code needs: files, packages, rights, version and answer. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dataFolder, namesIn } from "./support/data_folder.ts";
import { type LogLine, logLines, logTexts } from "./support/log_lines.ts";
import { openApp } from "./support/open_app.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const dockerfile = (await read("Dockerfile")).replaceAll("\\\n", "");
const workflow = await read(".github/workflows/ci.yml");
const config = JSON.parse(await read("deno.json"));
const { imports } = config;
const rights: Record<string, true | string[]> = config.permissions.image;

const entrypoint: string[] = JSON.parse(
  /^ENTRYPOINT (.+)$/m.exec(dockerfile)![1],
);
const copied = Array.from(
  dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm),
  ([, sources]) => sources.split(" "),
).flat();

interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly specifier: string }[];
}

async function denoInfo(...args: string[]) {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...args],
    cwd: ROOT,
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

const modules: ModuleInfo[] = (await denoInfo("main.ts")).modules;

Deno.test("the image has every module of its programs", async () => {
  const others = await Promise.all(
    ["check_data.ts", "suggest.ts", "key.ts", "erase.ts", "load.ts"].map(
      async (program) => {
        const info: { modules: ModuleInfo[] } = await denoInfo(program);
        return info.modules;
      },
    ),
  );
  const paths = [modules, ...others].flat()
    .map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith(ROOT.href))
    .map((specifier) => specifier.slice(ROOT.href.length));
  assert(paths.length > 10);
  for (const path of paths) {
    assert(
      copied.some((source) => path === source || path.startsWith(`${source}/`)),
      `COPY ${path} in the Dockerfile`,
    );
  }
  const sent = (await read(".dockerignore")).trim().split("\n");
  assertEquals(sent, ["*", ...new Set(copied.map((source) => `!${source}`))]);
});

Deno.test("the image has the whole sample, hidden list and all", async () => {
  assert(copied.includes("data"), "COPY data /data in the Dockerfile");
  const names = await namesIn(new URL("data", ROOT).pathname);
  assert(names.includes(".sample.sha256"));
});

Deno.test("the image leaves out the packages that main.ts does not use", () => {
  const used = modules.flatMap(({ dependencies }) => dependencies ?? [])
    .map(({ specifier }) => specifier);
  const unused = Object.keys(imports).filter((name) =>
    !used.some((one) => one === name || one.startsWith(`${name}/`))
  );
  const [, removed] = /deno remove --lockfile-only (.+?) +&&/.exec(dockerfile)!;
  assertEquals(removed.split(" ").sort(), unused.sort());
});

Deno.test("the image stops by the signal that drains, and its health is /healthz", async () => {
  assert(/^STOPSIGNAL SIGTERM$/m.test(dockerfile));
  const [, command] = /^HEALTHCHECK .* CMD (\[.+\])$/m.exec(dockerfile)!;
  const [program, ...args]: string[] = JSON.parse(command);
  assertEquals(program, "deno");
  const statuses = [200, 503];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) =>
      new Response(null, {
        status: url.endsWith("/healthz") ? statuses.shift() : 404,
      }),
  );
  for (const code of [0, 1]) {
    const checked = await new Deno.Command(Deno.execPath(), {
      args,
      env: { PORT: String(server.addr.port) },
    }).output();
    assertEquals(checked.code, code);
  }
});

Deno.test("the image's process may read the whole environment, to name what is nearly a setting", () => {
  assertEquals(rights.env, true);
});

Deno.test("the image's rights are enough, and a few", async () => {
  assertEquals(
    entrypoint.filter((arg) => /^(-P|-A|--allow|--permission)/.test(arg)),
    ["-P=image"],
  );
  assertEquals(Object.keys(rights).sort(), [
    "env",
    "ffi",
    "net",
    "read",
    "sys",
    "write",
  ]);
  assertEquals(rights.sys, ["setPriority", "systemMemoryInfo"]);
  const { read: readable, write: writable, ffi } = rights;
  assertEquals(ffi, ["/app/node_modules"]);
  assertEquals(writable, ["/data", "/scratch", "/state"]);
  assertEquals(readable, ["/app/sql", "/data", "/keys", "/scratch", "/state"]);

  await using scratch = await dataFolder();
  const data = new URL("data", ROOT).pathname;
  const { npmCache } = await denoInfo();
  const there: Record<string, string> = {
    "/app/sql": new URL("sql", ROOT).pathname,
    "/app/node_modules": npmCache,
    "/data": data,
    "/scratch": scratch.path,
  };
  // The same set, of the folders that are here.
  const here = Object.entries(rights).map(([right, granted]) => [
    right,
    granted === true ? true : granted.map((path) => there[path] ?? path),
  ]);
  await scratch.write({
    "deno.json": JSON.stringify({
      ...config,
      permissions: { image: Object.fromEntries(here) },
    }),
    "deno.lock": await read("deno.lock"),
  });
  const args = entrypoint.slice(1).map((arg) =>
    arg === "--node-modules-dir=manual"
      ? `--config=${scratch.path}/deno.json`
      : arg
  );
  await using server = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: {
      HOST: "127.0.0.1",
      PORT: "0",
      DATA_DIR: data,
      STAGING_DIR: scratch.path,
      STATE_DIR: `${scratch.path}/state`,
      CORS_ORIGIN: "*",
    },
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(120_000),
  }).spawn();
  let output = "";
  let served: LogLine | undefined;
  for await (
    const text of server.stdout.pipeThrough(new TextDecoderStream())
  ) {
    output += text;
    if (served) continue;
    served = logLines(output).find(({ event }) => event === "refresh_served");
    if (!served) continue;
    // It loads a package of its own.
    const metrics = await fetch(`${served.url}metrics`);
    assertStringIncludes(await metrics.text(), "\ntally_data_ready 1\n");
    server.kill("SIGTERM");
  }
  assertEquals(
    logTexts(await server.stderr.text()),
    ["CORS_ORIGIN is not a setting; did you mean CORS_ORIGINS?"],
  );
  assertEquals((await server.status).code, 0);
});

Deno.test("one version of Deno everywhere", async () => {
  const versions = new Set<string>();
  for (
    const path of [
      "Dockerfile",
      ".ci/run",
      ".github/workflows/ci.yml",
      "README.md",
    ]
  ) {
    const found = Array.from(
      (await read(path)).matchAll(
        /deno\S*?[@:-](?:version: )?(\d+\.\d+\.\d+)/g,
      ),
      ([, version]) => version,
    );
    assert(found.length > 0, path);
    found.forEach((version) => versions.add(version));
  }
  assertEquals(versions.size, 1, [...versions].join(", "));
});

Deno.test("CI expects of the image what the sample's answer is", async () => {
  const [, expected] = /EXPECTED: '(.+)'/.exec(workflow)!;
  const [, path] = /curl -fsS localhost:8000(\/api\S+)\)/.exec(workflow)!;
  await using opened = await openApp(new URL("data", ROOT).pathname);
  assertEquals(await (await opened.app.request(path)).text(), expected);
});
