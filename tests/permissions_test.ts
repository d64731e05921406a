/** The permission sets of deno.json: whoever starts a program names one, and none has a right that it does not need. */

import { assert, assertEquals } from "@std/assert";

const read = (path: string) =>
  Deno.readTextFile(new URL(`../${path}`, import.meta.url));
const { tasks, permissions } = JSON.parse(await read("deno.json"));
const dockerfile = await read("Dockerfile");

/** The sets with each right, by the names that Deno gives to rights. */
const WITH_RIGHT: Record<string, string[]> = {
  // They read figures of processes in /proc, which takes every right.
  all: ["bench", "trials"],
  env: [
    "check-data",
    "erase",
    "image",
    "key",
    "load",
    "start",
    "suggest",
    "test",
  ],
  ffi: ["check-data", "erase", "image", "load", "start", "suggest", "test"],
  import: [],
  net: ["compare", "image", "load", "start", "test"],
  read: [
    "audit",
    "check-data",
    "erase",
    "image",
    "key",
    "load",
    "start",
    "suggest",
    "test",
  ],
  run: ["audit", "test"],
  sys: ["image", "key", "start", "test"],
  write: [
    "audit",
    "check-data",
    "client",
    "compare",
    "erase",
    "image",
    "key",
    "load",
    "schema",
    "start",
    "suggest",
    "test",
  ],
};

Deno.test("no set has a right that it does not need", async (t) => {
  const sets = Object.entries<Record<string, unknown>>(permissions);
  for (const [right, names] of Object.entries(WITH_RIGHT)) {
    await t.step(right, () => {
      const found = sets.filter(([, set]) => right in set);
      assertEquals(found.map(([name]) => name).sort(), names);
    });
  }
  // These can be told one by one, on any machine.
  assertEquals(permissions.test.sys, ["uid"]);
  assertEquals(permissions.start.sys, ["setPriority", "systemMemoryInfo"]);
  assertEquals(permissions.audit.run, ["deno", "npm"]);
  assertEquals(permissions.key.env, ["API_KEYS_FILE"]);
  assertEquals(permissions.erase.env, ["STAGING_DIR", "STATE_DIR", "STORE"]);
  assertEquals(permissions.schema.write, ["docs/tally.schema.json"]);
});

Deno.test("a task takes its rights from a set, and every set is used", () => {
  const set = / -P=([\w-]+)/;
  const used = [set.exec(dockerfile.replaceAll('"', ""))?.[1]];
  for (const { command } of Object.values<{ command: string }>(tasks)) {
    for (const one of command.split("&&")) {
      assert(
        !/ --allow-| -(?!P)[A-Z]/.test(one),
        `${one}: name the rights in a set of deno.json`,
      );
      if (!/deno (run|test) /.test(one)) continue;
      assert(set.test(one), `${one}: take a set of deno.json by -P=NAME`);
      used.push(set.exec(one)![1]);
    }
  }
  assertEquals([...new Set(used)].sort(), Object.keys(permissions).sort());
});
