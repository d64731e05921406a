/** `deno task key`: the real command, on a key file of its own. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { keyIdOf } from "../access/api_key.ts";
import { parseKeyFile } from "../access/key_file.ts";
import { dataFolder, namesIn } from "./support/data_folder.ts";
import { keyFile } from "./support/keys.ts";

const ROOT = new URL("../", import.meta.url);

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs the command with the rights that the task has. */
async function key(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-P=key", "key.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout).trimEnd(), error: text(stderr).trimEnd() };
}

async function read(path: string) {
  return parseKeyFile(await Deno.readTextFile(path));
}

Deno.test("create, list, rotate and revoke", async () => {
  await using folder = await dataFolder();
  const file = `${folder.path}/keys.json`;
  const env = { API_KEYS_FILE: file };
  const created = await key([
    "create",
    "--name=web site",
    "--scopes=embed,read",
    '--customers=3,1,3,007,"x,y",e\u0301',
    "--expires=2999-01-01",
  ], env);
  const id = keyIdOf(created.out);
  assertEquals(created.code, 0);
  assertStringIncludes(created.error, "shown once");

  const { token_secret, keys: [first] } = await read(file);
  assertEquals({ ...first, sha256: "", created_at: "" }, {
    id: id!,
    name: "web site",
    sha256: "",
    scopes: ["read", "embed"],
    customers: [3, 1, "007", "x,y", "\u00e9"],
    created_at: "",
    expires_at: "2999-01-01T00:00:00.000Z",
    revoked_at: null,
  });
  const text = await Deno.readTextFile(file);
  assertEquals(text.includes(created.out.slice(12, -6)), false);
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);

  const rotated = await key(["rotate", id!, "--days", "2"], env);
  const [old, next] = (await read(file)).keys;
  assertEquals(next.id, keyIdOf(rotated.out));
  assertEquals([next.scopes, next.customers, next.expires_at], [
    first.scopes,
    first.customers,
    first.expires_at,
  ]);
  const left = (Date.parse(old.expires_at!) - Date.now()) / 86_400_000;
  assertEquals(Math.round(left), 2);

  assertEquals((await key(["revoke", id!], env)).code, 0);
  const [{ revoked_at }] = (await read(file)).keys;
  assertEquals((await key(["revoke", id!], env)).code, 0);
  const after = await read(file);
  assertEquals(after.keys[0].revoked_at, revoked_at);
  assertEquals(after.token_secret, token_secret);

  const { out } = await key(["list"], env);
  const [heads, ...rows] = out.split("\n");
  assertMatch(heads, /^id +name +scopes +customers +created +ends +state$/);
  assertMatch(
    rows[0],
    new RegExp(`^${id} +web site +read,embed +5 .+revoked$`),
  );
  assertMatch(rows[1], new RegExp(`^${next.id} .+2999-01-01T00:00 +works$`));
  assertEquals(
    (await key(["rotate", id!], env)).error,
    `${file}: key ${id} has ended: create another one.`,
  );
});

Deno.test("an end with a time has an offset, and may have a space and no seconds", async () => {
  await using folder = await dataFolder();
  const file = `${folder.path}/keys.json`;
  const ends = [
    "2999-01-01T10:00:00+02:00",
    "2999-01-01T10:00+02:00",
    "2999-01-01 08:00Z",
    "2999-01-01 08:00:00Z",
  ];
  for (const end of ends) {
    const { code, error } = await key([
      ...["create", "--name=a", "--scopes=read", `--file=${file}`],
      `--expires=${end}`,
    ]);
    assertEquals(code, 0, error);
  }
  assertEquals(
    (await read(file)).keys.map(({ expires_at }) => expires_at),
    ends.map(() => "2999-01-01T08:00:00.000Z"),
  );
});

Deno.test("rotate says until when the old key works, or that it has ended", async () => {
  await using folder = await dataFolder();
  const file = `--file=${folder.path}/keys.json`;
  const { out } = await key(["create", "--name=a", "--scopes=read", file]);
  const first = keyIdOf(out);
  const rotated = await key(["rotate", first!, "--days=1", file]);
  const [{ expires_at }] = (await read(`${folder.path}/keys.json`)).keys;
  assertStringIncludes(
    rotated.error,
    `The old key ${first} works beside it until ${expires_at}.`,
  );
  const second = keyIdOf(rotated.out);
  // Its successor would end with it.
  assertEquals(await key(["rotate", first!, file]), {
    code: 1,
    out: "",
    error:
      `${folder.path}/keys.json: key ${first} was rotated, to ${second}: rotate that one, or create another one.`,
  });
  const { error } = await key(["rotate", second!, "--days=0", file]);
  assertStringIncludes(
    error,
    `The old key ${second} has ended. Running servers refuse it within seconds.`,
  );
  // Not by an end, which a server whose clock is behind would wait for.
  const [, old] = (await read(`${folder.path}/keys.json`)).keys;
  assertEquals([old.id, old.expires_at], [second, null]);
  assert(old.revoked_at !== null);
});

Deno.test("a key that was revoked where the clock is ahead has ended", async () => {
  const revoked_at = "2999-01-01T00:00:00.000Z";
  const { file } = keyFile({ old: { scopes: ["read"], revoked_at } });
  await using folder = await dataFolder({ "keys.json": JSON.stringify(file) });
  const path = `${folder.path}/keys.json`;
  const [{ id }] = file.keys;
  assertEquals(await key(["rotate", id, `--file=${path}`]), {
    code: 1,
    out: "",
    error: `${path}: key ${id} has ended: create another one.`,
  });
  const { out } = await key(["list", `--file=${path}`]);
  assertMatch(out, new RegExp(`\n${id} .+ 2999-01-01T00:00 +revoked$`));
});

Deno.test("what is wrong is one line that says what", async (t) => {
  await using folder = await dataFolder({ "broken.json": "{" });
  const file = `--file=${folder.path}/keys.json`;
  const create = ["create", "--name=a", "--scopes=read"];
  const cases: [args: string[], error: RegExp][] = [
    [["create", "--scopes=read", file], /^--name is missing$/],
    [["create", "--name= ", "--scopes=read", file], /^--name is empty$/],
    [["create", "--name=a\x1b[31m", "--scopes=read", file], /^--name has char/],
    [["create", "--name=a", file], /^--scopes is missing$/],
    [["create", "--name=a", "--scopes=read,write", file], /^--scopes must be /],
    [[...create, "--customers=1,,x", file], /^--customers must be /],
    [
      ["create", "--name=a", "--scopes=download", "--customers=1", file],
      /^--customers goes with /,
    ],
    [[...create, "--expires=soon", file], /^--expires must be a date/],
    [
      [...create, "--expires=2999-01-01 10:00", file],
      /^--expires must be a date such as 2027-01-01, or a time with its offset, such as 2027-01-01T10:00Z$/,
    ],
    [[...create, "--expires=2020-01-01", file], /^--expires is in the past$/],
    [["rotate", "abcdefgh", "--days=x", file], /^--days must be /],
    [
      ["rotate", "abcdefgh", "--days=99999", file],
      /^--days must be a whole number from 0 to 9999$/,
    ],
    [[...create, `--file=${folder.path}/broken.json`], /: it is no JSON\.$/],
    [
      ["list", file],
      /: there is no such file; deno task key create makes one\.$/,
    ],
    [["revoke", "abcdefgh", file], /: there is no key "abcdefgh"/],
    [
      [...create, "--file=/proc/none/keys.json"],
      /^\/proc\/none\/keys\.json: this process may not write in \/proc\/none; give its user the right to\.$/,
    ],
    [
      [...create, `--file=${folder.path}/none/keys.json`],
      /none\/keys\.json: No such file or directory/,
    ],
  ];
  for (const [args, error] of cases) {
    await t.step(args.join(" "), async () => {
      const ended = await key(args);
      assertEquals(ended.code, 1);
      assertEquals(ended.out, "");
      assertMatch(ended.error, error);
      assertEquals(ended.error.split("\n").length, 1);
    });
  }
  for (
    const args of [
      [],
      ["toString"],
      ["create", "x"],
      ["revoke"],
      ["revoke", "a", "b"],
      ["list", "--name=a"],
      ["create", "--colour=a"],
    ]
  ) {
    await t.step(`${args.join(" ")}: shows the usage`, async () => {
      const { code, out, error } = await key(args);
      assertEquals([code, out], [1, ""]);
      assertStringIncludes(error, "Usage:");
    });
  }
  assertEquals(await Deno.readTextFile(`${folder.path}/broken.json`), "{");
});

Deno.test("several at once, after one that was killed, lose no key", async () => {
  // What a killed process leaves.
  await using folder = await dataFolder({ ".keys.json.tmp": "half" });
  const file = `${folder.path}/keys.json`;
  const names = ["a", "b", "c", "d", "e"];
  await Promise.all(
    names.map((name) =>
      key(["create", `--name=${name}`, "--scopes=read", `--file=${file}`])
    ),
  );
  const { keys } = await read(file);
  assertEquals(keys.map(({ name }) => name).sort(), names);
  assertEquals(await namesIn(folder.path), [".keys.json.lock", "keys.json"]);
});

Deno.test("a link stays a link, and the file keeps its owner", async () => {
  await using folder = await dataFolder();
  const file = `${folder.path}/real.json`;
  const link = `${folder.path}/keys.json`;
  const create = (name: string, path: string) =>
    key(["create", `--name=${name}`, "--scopes=read", `--file=${path}`]);
  await create("first", file);
  await Deno.symlink("real.json", link);
  const is_root = Deno.uid() === 0;
  if (is_root) await Deno.chown(file, 65532, 65532);
  assertEquals((await create("second", link)).code, 0);
  assertEquals((await Deno.lstat(link)).isSymlink, true);
  assertEquals((await read(file)).keys.length, 2);
  const { uid, mode } = await Deno.stat(file);
  assertEquals([uid, mode! & 0o777], [is_root ? 65532 : Deno.uid(), 0o600]);
});
