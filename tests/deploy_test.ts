/** The files of deploy/ name settings, paths, ports and files that exist, and their limits fit those of the settings. */

import { assert, assertEquals } from "@std/assert";
import { parse, parseAll } from "@std/yaml";
import { readConfig, settings } from "../config.ts";
import { appOn, emptyStore } from "./support/open_app.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const defaults = readConfig({});

/** What runs after DRAIN_SECONDS may take this long; docs/operations.md says so. */
const AFTER_DRAIN_SECONDS = 4;

interface ComposeService {
  readonly build?: string;
  readonly environment?: Record<string, string> | string[];
  readonly volumes?: readonly string[];
  readonly mem_limit?: string;
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Record<string, ComposeService>;
  readonly volumes: Record<string, unknown>;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold: number;
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsUser: number };
  readonly containers: readonly {
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly ports: readonly {
      readonly name: string;
      readonly containerPort: number;
    }[];
    readonly startupProbe: Probe;
    readonly readinessProbe: Probe;
    readonly livenessProbe: Probe;
    readonly resources: { readonly limits: { readonly memory: string } };
    readonly volumeMounts: readonly { readonly mountPath: string }[];
  }[];
}

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: {
    readonly template: KubernetesObject & { readonly spec: PodSpec };
    readonly ports: readonly { readonly targetPort: string }[];
  };
}

const simple = parse(await read("compose.yaml")) as Compose;
const compose = parse(await read("deploy/compose.yaml")) as Compose;
const tallys = Object.entries(compose.services)
  .filter(([, { build }]) => build);
const objects = parseAll(
  await read("deploy/kubernetes.yaml"),
) as KubernetesObject[];
const { template } = objects.find(({ kind }) => kind === "Deployment")!.spec;
const [container] = template.spec.containers;
const pod_env = Object.fromEntries(
  container.env.map(({ name, value }) => [name, value]),
);

/** What Compose makes of a service's variables when nothing is set outside. */
function environmentOf({ environment = {} }: ComposeService) {
  const entries = Array.isArray(environment)
    ? environment.map((name) => [name, ""])
    : Object.entries(environment);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      value.replace(/\$\{\w+:-([^}]*)\}/g, "$1"),
    ]),
  );
}

const files = await Promise.all(
  ["compose.yaml", ...await deployFiles()].map(async (path) => ({
    path,
    text: await read(path),
  })),
);

async function deployFiles(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL("deploy", ROOT)));
  // deploy/clickhouse/ has a test of its own.
  return entries.filter(({ isFile }) => isFile)
    .map(({ name }) => `deploy/${name}`).sort();
}

Deno.test("deploy/ sets and names only settings, with values that they take", () => {
  for (
    const env of [
      pod_env,
      ...tallys.map(([, service]) => environmentOf(service)),
      environmentOf(simple.services.tally),
    ]
  ) {
    for (const name of Object.keys(env)) {
      assert(name in settings.shape, `${name} is no setting of config.ts`);
    }
    readConfig(env);
  }
  const others = new Set(["NET_BIND_SERVICE", "TALLY_PORT"]);
  for (const { path, text } of files) {
    for (const [name] of text.matchAll(/(?<![\w$])[A-Z]+(?:_[A-Z]+)+\b/g)) {
      assert(
        name in settings.shape || others.has(name),
        `${path} names ${name}, which is no setting of config.ts`,
      );
    }
  }
});

Deno.test("as many proxies are trusted as deploy/ has in front", async () => {
  const trustedBy = (env: Readonly<Record<string, string>>) =>
    readConfig(env).TRUSTED_PROXIES;
  assertEquals(
    trustedBy(pod_env),
    objects.filter(({ kind }) => /Ingress|Gateway|Route/.test(kind)).length,
  );
  assertEquals(trustedBy(environmentOf(simple.services.tally)), 0);
  const proxies = Object.keys(compose.services)
    .filter((name) => name === "caddy");
  for (const [, service] of tallys) {
    assertEquals(trustedBy(environmentOf(service)), proxies.length);
  }
  for (const name of ["Caddyfile", "nginx.conf"]) {
    const text = await read(`deploy/${name}`);
    assertEquals(/TRUSTED_PROXIES=(\d+)/.exec(text)?.[1], "1", name);
  }
});

Deno.test("what Prometheus reads is what deploy/ opens", async () => {
  const { rule_files, scrape_configs } = parse(
    await read("deploy/prometheus.yml"),
  ) as {
    readonly rule_files: readonly string[];
    readonly scrape_configs: readonly {
      readonly static_configs: readonly { readonly targets: string[] }[];
    }[];
  };
  for (const name of rule_files) await read(`deploy/${name}`);
  assertEquals(
    scrape_configs.flatMap(({ static_configs }) =>
      static_configs.flatMap(({ targets }) => targets)
    ),
    tallys.map(([name, service]) =>
      `${name}:${environmentOf(service).ADMIN_PORT}`
    ),
  );
  const admin = container.ports.find(({ name }) => name === "admin")!;
  assertEquals(String(admin.containerPort), pod_env.ADMIN_PORT);
  assertEquals(
    template.metadata.annotations!["prometheus.io/port"],
    pod_env.ADMIN_PORT,
  );
});

Deno.test("probes and proxies ask where Tally answers", async () => {
  const { app } = appOn(emptyStore());
  const paths = [
    container.startupProbe,
    container.readinessProbe,
    container.livenessProbe,
  ].map(({ httpGet }) => httpGet.path);
  const [, health_uri] = /health_uri (\S+)/.exec(
    await read("deploy/Caddyfile"),
  )!;
  assertEquals(paths, ["/healthz", "/readyz", "/healthz"]);
  assertEquals(health_uri, "/readyz");
  assertEquals(
    await Promise.all(
      paths.map(async (path) => (await app.request(path)).status),
    ),
    [200, 503, 200],
  );
  const http = container.ports.find(({ name }) => name === "http")!;
  assertEquals(http.containerPort, defaults.PORT);
  const service = objects.find(({ kind }) => kind === "Service")!;
  assertEquals(service.spec.ports.map(({ targetPort }) => targetPort), [
    "http",
  ]);
  assertEquals(
    environmentOf(compose.services.caddy).TALLYS,
    tallys.map(([name]) => `${name}:${defaults.PORT}`).join(" "),
  );
});

Deno.test("the folders of the image are mounted, each STATE_DIR for one process of Compose", async () => {
  const [, declared] = /^VOLUME (.+)$/m.exec(await read("Dockerfile"))!;
  const wanted = [...declared.split(" "), "/data"].sort();
  const mounts = ({ volumes }: ComposeService) =>
    volumes!.map((volume) => volume.replace(/\$\{[^}]*\}/, "").split(":"));
  for (
    const service of [
      simple.services.tally,
      ...tallys.map(([, service]) => service),
    ]
  ) {
    assertEquals(mounts(service).map(([, folder]) => folder).sort(), wanted);
  }
  assertEquals(
    container.volumeMounts.map(({ mountPath }) => mountPath).sort(),
    wanted,
  );
  const states = tallys.flatMap(([, service]) =>
    mounts(service).filter(([, folder]) => folder === "/state")
  ).map(([name]) => name);
  assertEquals(new Set(states).size, tallys.length);
  for (const { volumes } of Object.values(compose.services)) {
    for (const [source] of volumes!.map((volume) => volume.split(":"))) {
      if (/^[a-z]/.test(source)) assert(source in compose.volumes, source);
      if (source.startsWith("./")) await read(`deploy/${source}`);
    }
  }
});

Deno.test("a stop has the time that it takes, and readiness is seen meanwhile", () => {
  const drained = defaults.DRAIN_SECONDS + AFTER_DRAIN_SECONDS;
  const { terminationGracePeriodSeconds } = template.spec;
  assert(terminationGracePeriodSeconds > drained);
  for (const [, { stop_grace_period }] of tallys) {
    assert(parseInt(stop_grace_period!) > drained);
  }
  const { periodSeconds, timeoutSeconds, failureThreshold } =
    container.readinessProbe;
  assert(
    periodSeconds * failureThreshold + timeoutSeconds! <
      defaults.DRAIN_SECONDS,
  );
});

Deno.test("the memory limits have room for DuckDB and as much besides", () => {
  const duckdb_mb = parseInt(defaults.DUCKDB_MEMORY_LIMIT);
  const limits = [
    container.resources.limits.memory,
    simple.services.tally.mem_limit!,
    ...tallys.map(([, { mem_limit }]) => mem_limit!),
  ];
  for (const limit of limits) assert(parseInt(limit) * 0.9 > 2 * duckdb_mb);
});

Deno.test("the user of the pods is that of the image", async () => {
  const [, user] = /^USER (\d+):/m.exec(await read("Dockerfile"))!;
  assertEquals(String(template.spec.securityContext.runAsUser), user);
});

Deno.test("the proxies wait longer than Tally, and let its largest upload through", async () => {
  const nginx = await read("deploy/nginx.conf");
  const secondsOf = (name: string) =>
    Number(new RegExp(`${name} (\\d+)s;`).exec(nginx)![1]);
  const download_seconds = defaults.DOWNLOAD_TIMEOUT_MS / 1000;
  assert(secondsOf("proxy_read_timeout") > download_seconds);
  const sizes = Array.from(
    nginx.matchAll(/client_max_body_size (\d+)m;/g),
    ([, mb]) => Number(mb) * 2 ** 20,
  );
  assertEquals(sizes, [defaults.MAX_UPLOAD_BYTES]);
  const caddy = await read("deploy/Caddyfile");
  const [, minutes] = /read_body (\d+)m/.exec(caddy)!;
  assert(Number(minutes) * 60 > download_seconds);
});

async function isThere(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["-v"] }).output()).code >=
      0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

for (
  const { program, args, ignore } of [
    // Before it looks at the file, nginx makes folders that are root's.
    {
      program: "nginx",
      args: ["-t", "-c", `${ROOT.pathname}deploy/nginx.conf`],
      ignore: Deno.uid() !== 0,
    },
    {
      program: "caddy",
      args: [
        "validate",
        "--config",
        `${ROOT.pathname}deploy/Caddyfile`,
        "--adapter",
        "caddyfile",
      ],
      ignore: false,
    },
  ]
) {
  Deno.test({
    name: `${program} takes its file, where it is installed`,
    ignore: ignore || !await isThere(program),
    async fn() {
      const { success, stderr } = await new Deno.Command(program, { args })
        .output();
      assert(success, new TextDecoder().decode(stderr));
    },
  });
}
