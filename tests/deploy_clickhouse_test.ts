/** The files of deploy/clickhouse/ agree with each other, with the settings, and with the tables that Tally makes. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { SaxesParser } from "saxes";
import { readConfig, settings } from "../config.ts";
import { tableStatements } from "../db/clickhouse/schema.ts";
import { readSql } from "../db/read_sql.ts";

const FOLDER = new URL("../deploy/clickhouse/", import.meta.url);
const read = (name: string) => Deno.readTextFile(new URL(name, FOLDER));

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly hostname?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** The root of an XML text. Throws where it is not well-formed. */
function parseXml(text: string): Element {
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: Element = { name, attributes, children: [], text: "" };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("text", (part) => {
    open.at(-1)!.text += part;
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.write(text).close();
  return root.children[0];
}

/** The elements at a path such as `users/tally_read`, in their order. */
function at(element: Element, path: string): Element[] {
  return path.split("/").reduce<Element[]>(
    (found, name) =>
      found.flatMap(({ children }) =>
        children.filter((child) => child.name === name)
      ),
    [element],
  );
}
const textAt = (element: Element, path: string) =>
  at(element, path).map(({ text }) => text);

function everyElement(element: Element): Element[] {
  return [element, ...element.children.flatMap(everyElement)];
}

const compose = parse(await read("compose.yaml")) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const users = parseXml(await read("users.xml"));
const cluster = parseXml(await read("cluster.xml"));
const keeper = parseXml(await read("keeper.xml"));

const services = Object.entries(compose.services);
const named = (image: string) =>
  services.filter(([, service]) =>
    service.image?.startsWith(`clickhouse/clickhouse-${image}:`)
  );
const servers = named("server");
const keepers = named("keeper");
const { loader, follower } = compose.services;

/** What Compose makes of variables when each secret is `secret` and no other is set. */
function environmentOf({ environment = {} }: Service) {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{\w+:-([^}]*)\}/g, "$1")
        .replace(/\$\{\w+(:\?[^}]*)?\}/g, "secret"),
    ]),
  );
}

Deno.test("the loader and the follower have settings that Tally takes", () => {
  for (const [role, service] of Object.entries({ loader, follower })) {
    const env = environmentOf(service);
    for (const name of Object.keys(env)) {
      assert(name in settings.shape, `${name} is no setting of config.ts`);
    }
    const config = readConfig(env);
    assertEquals(config.STORE, "clickhouse");
    assertEquals(config.ROLE, role);
    const user = at(users, `users/${config.CLICKHOUSE_USER}`);
    assertEquals(user.length, 1, config.CLICKHOUSE_USER);
    // The same secret on both sides.
    const [{ attributes: { from_env } }] = at(user[0], "password");
    assertEquals(
      service.environment!.CLICKHOUSE_PASSWORD,
      `\${${from_env}}`,
    );
    assertEquals(
      at(cluster, `remote_servers/${config.CLICKHOUSE_CLUSTER}`).length,
      1,
    );
    const { hostname } = new URL(config.CLICKHOUSE_URL);
    for (const [name, { networks }] of servers) {
      const { store } = networks as Record<string, { aliases: string[] }>;
      assert(store.aliases.includes("clickhouse"), name);
    }
    assert([...servers.map(([name]) => name), "clickhouse"].includes(hostname));
    for (const query of at(user[0], "grants/query")) {
      const databases = Array.from(
        query.text.matchAll(/ ON ((?!system)[\w*]+)\.[\w*]+$/g),
        ([, database]) => database,
      );
      for (const database of databases) {
        assert(
          [config.CLICKHOUSE_DATABASE, `${config.CLICKHOUSE_DATABASE}_*`, "*"]
            .includes(database),
          query.text,
        );
      }
    }
  }
});

Deno.test("secrets come from the environment, and every server has them", async () => {
  for (const name of ["users.xml", "cluster.xml", "keeper.xml"]) {
    for (const element of everyElement(parseXml(await read(name)))) {
      if (!/password|secret/.test(element.name)) continue;
      assertEquals(element.text, "", `${name}: ${element.name} has a text`);
      assertMatch(element.attributes.from_env, /^CLICKHOUSE_\w+$/);
    }
  }
  const needed = [users, cluster].flatMap(everyElement)
    .flatMap(({ attributes: { from_env } }) => from_env ?? []);
  assert(needed.length > 5);
  for (const [name, service] of servers) {
    for (const variable of needed) {
      assert(
        service.environment![variable],
        `${name} lacks ${variable}`,
      );
    }
  }
  for (const [name, { environment }] of keepers) {
    assert(environment!.KEEPER_ID, name);
  }
  const text = await read("compose.yaml");
  for (const [line] of text.matchAll(/^.*(?:PASSWORD|SECRET):.*$/gm)) {
    assertMatch(line, /: \$\{\w+(:\?[^}]*)?\}$/);
  }
});

Deno.test("every user has a password and grants of its own", () => {
  const [{ children }] = at(users, "users");
  assertEquals(children.map(({ name }) => name), [
    "tally_read",
    "tally_follow",
    "tally_load",
  ]);
  for (const user of children) {
    assertEquals(at(user, "password").length, 1, user.name);
    assert(at(user, "grants/query").length > 0, user.name);
    const [profile] = textAt(user, "profile");
    assertEquals(at(users, `profiles/${profile}`).length, 1, profile);
    const [quota] = textAt(user, "quota");
    assertEquals(at(users, `quotas/${quota}`).length, 1, quota);
  }
  assertEquals(textAt(users, "profiles/tally_read/readonly"), ["2"]);
  const [seconds] = textAt(users, "profiles/tally_limits/max_execution_time");
  assert(Number(seconds) * 1000 > readConfig({}).DOWNLOAD_TIMEOUT_MS);
});

Deno.test("the cluster is the servers of Compose, each once, by shard and replica", () => {
  const shards = at(cluster, "remote_servers/tally/shard").map((shard) =>
    textAt(shard, "replica/host")
  );
  assertEquals(shards.map(({ length }) => length), [2, 2]);
  const placed = shards.flatMap((hosts, shard) =>
    hosts.map((host, replica) => [host, `${shard + 1}`, `${replica + 1}`])
  );
  assertEquals(
    servers.map(([name, { environment }]) => [
      name,
      environment!.CLICKHOUSE_SHARD,
      environment!.CLICKHOUSE_REPLICA,
    ]),
    placed,
  );
  assertEquals(
    textAt(cluster, "remote_servers/tally/shard/internal_replication"),
    ["true", "true"],
  );
});

Deno.test("the keepers are those of Compose, on the ports that servers ask", () => {
  const members = at(keeper, "keeper_server/raft_configuration/server");
  const hosts = members.map((member) => textAt(member, "hostname")[0]);
  assertEquals(keepers.map(([name]) => name), hosts);
  assertEquals(
    keepers.map(([, { environment }]) => environment!.KEEPER_ID),
    members.map((member) => textAt(member, "id")[0]),
  );
  assertEquals(textAt(cluster, "zookeeper/node/host"), hosts);
  const [port] = textAt(keeper, "keeper_server/tcp_port");
  assertEquals(
    new Set(textAt(cluster, "zookeeper/node/port")),
    new Set([port]),
  );
  // Two of three agree without the third; of an even number no more may be gone.
  assert(hosts.length >= 3 && hosts.length % 2 === 1);
});

Deno.test("servers have the macros that the tables of a cluster name", async () => {
  const place = { database: "tally", cluster: "tally" };
  const statements = (await Promise.all(
    ["journal_tables", "version_tables"].map(async (name) =>
      tableStatements(await readSql(`clickhouse/${name}`), { place })
    ),
  )).flat();
  const macros = new Set(
    statements.flatMap((statement) =>
      Array.from(statement.matchAll(/\{(\w+)\}/g), ([, name]) => name)
    ),
  );
  const [{ children }] = at(cluster, "macros");
  assertEquals([...macros].sort(), children.map(({ name }) => name).sort());
  // tally_load may use each engine of them.
  const granted = textAt(users, "users/tally_load/grants/query").join("\n");
  for (const statement of statements) {
    const [, engine] = /engine = (\w+)/.exec(statement)!;
    assertMatch(granted, RegExp(`TABLE ENGINE ON ${engine}$`, "m"));
  }
});

Deno.test("files and volumes exist, images are pinned, and Caddy alone has ports", async () => {
  for (const [name, { image, build, volumes = [], ports }] of services) {
    assert(build === "../.." || /:\d+\.\d+\.\d+/.test(image!), name);
    assertEquals(ports !== undefined, name === "caddy", name);
    for (const volume of volumes) {
      const [source] = volume.replace(/\$\{[^}]*\}/, "").split(":");
      if (/^[a-z]/.test(source)) assert(source in compose.volumes, source);
      else if (source.startsWith(".")) await read(source);
    }
  }
  assertEquals(compose.networks.store, { internal: true });
  const store = servers.concat(keepers);
  assertEquals(store.length, 7);
  for (const [name, { hostname, networks, volumes }] of store) {
    assertEquals(hostname, name);
    const on = Array.isArray(networks) ? networks : Object.keys(networks);
    assertEquals(on, ["store"], name);
    assert(volumes!.some((volume) => volume.startsWith(`${name}:/var/lib/`)));
  }
  const { TALLYS } = environmentOf(compose.services.caddy);
  assertEquals(TALLYS, "loader:8000 follower:8000");
});

Deno.test("its README names what it has", async () => {
  const readme = await read("README.md");
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name !== "README.md") assert(readme.includes(name), name);
  }
  for (const [, name] of readme.matchAll(/`((?:[A-Z]+_)+[A-Z]+)`/g)) {
    assert(
      name in settings.shape ||
        [...servers, ...keepers].some(([, { environment }]) =>
          name in environment!
        ),
      name,
    );
  }
});
