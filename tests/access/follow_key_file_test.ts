/** The key file of a running server: how it starts, what it follows, and that a broken file opens nothing. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  type FollowedCallers,
  openCallers,
} from "../../access/follow_key_file.ts";
import {
  type KeyFile,
  KeyFileError,
  parseKeyFile,
  readKeyText,
  updateKeyFile,
} from "../../access/key_file.ts";
import { SettingError } from "../../db/model/problems.ts";
import { type DataFolder, dataFolder } from "../support/data_folder.ts";
import { ADMIN_KEY_SHA256, keyFile } from "../support/keys.ts";

const { file, keys } = keyFile({
  website: { scopes: ["read"] },
  admin: { scopes: ["admin"] },
});
const text = (of: KeyFile) => JSON.stringify(of);
const revoked = {
  ...file,
  keys: file.keys.map((key) =>
    key.name === "website"
      ? { ...key, revoked_at: "2024-05-01T10:00:00.000Z" }
      : key
  ),
};

Deno.test("a start needs a key file that is whole", async (t) => {
  const [key] = file.keys;
  type Case = [what: string, content: string | null, problem: string];
  const cases: Case[] = [
    ["missing", null, "there is no such file; deno task key create makes one"],
    ["empty", "", "it is empty"],
    ["blank", " \n", "it is empty"],
    ["half", text(file).slice(0, 200), "it is no JSON"],
    [
      "too large",
      text(file).padEnd(1_048_577),
      "with 1048577 bytes it is larger than 1048576",
    ],
    ...[0, 1.5, "", "a\n", true].map((customer): Case => [
      `no customer: ${JSON.stringify(customer)}`,
      JSON.stringify({ ...file, keys: [{ ...key, customers: [1, customer] }] }),
      "it is no key file: keys.0.customers.1: no customer_id",
    ]),
    ["no object", "[]", "it is no key file: "],
    [
      "no keys",
      text({ ...file, keys: [] }),
      "it is no key file: keys: it has no key",
    ],
    [
      "one id twice",
      text({ ...file, keys: [key, key] }),
      "it is no key file: keys: two keys have one id",
    ],
    [
      "no secret",
      JSON.stringify({ keys: file.keys }),
      "it is no key file: token_secret: ",
    ],
    [
      "a short secret",
      text({ ...file, token_secret: "c2hvcnQ" }),
      "it is no key file: token_secret: ",
    ],
    [
      "an unknown scope",
      text({ ...file, keys: [{ ...key, scopes: ["write" as "read"] }] }),
      "it is no key file: keys.0.scopes.0: ",
    ],
    [
      "a misspelt field",
      JSON.stringify({ ...file, keys: [{ ...key, expire_at: null }] }),
      "it is no key file: keys.0: ",
    ],
  ];
  for (const [what, content, problem] of cases) {
    await t.step(what, async () => {
      await using folder = await dataFolder(
        content === null ? {} : { "keys.json": content },
      );
      const path = `${folder.path}/keys.json`;
      const error = await assertRejects(
        () => openCallers({ API_KEYS_FILE: path, log() {} }),
        SettingError,
      );
      const start = `API_KEYS_FILE=${JSON.stringify(path)}: ${problem}`;
      assertEquals(error.message.slice(0, start.length), start);
      assertEquals(error.message.split("\n").length, 1);
    });
  }
  await t.step("a folder", async () => {
    await using folder = await dataFolder();
    await assertRejects(
      () => openCallers({ API_KEYS_FILE: folder.path, log() {} }),
      SettingError,
      "it is not a file",
    );
  });
});

Deno.test("a key file is not made larger than it can be read", async () => {
  const [key] = file.keys;
  await using folder = await dataFolder({ "keys.json": text(file) });
  const path = `${folder.path}/keys.json`;
  const name = "n".repeat(1_048_576);
  await assertRejects(
    () => updateKeyFile(path, () => ({ ...file, keys: [{ ...key, name }] })),
    KeyFileError,
    "it is larger than 1048576; take out keys that have ended",
  );
  assertEquals(parseKeyFile(await readKeyText(path)), file);
});

/** Callers on a key file in a folder of its own. */
async function following(content: string) {
  const folder = await dataFolder({ "keys.json": content });
  const logged: string[] = [];
  const followed = await openCallers({
    API_KEYS_FILE: `${folder.path}/keys.json`,
    ADMIN_KEY_SHA256,
    log: ({ text }) => void logged.push(text),
  });
  return { folder, logged, ...followed, [Symbol.asyncDispose]: close };

  async function close() {
    followed.stop();
    await folder[Symbol.asyncDispose]();
  }
}

async function scopesOf({ callers }: FollowedCallers): Promise<string[]> {
  const headers = new Headers({ "X-API-Key": keys.website });
  return [...(await callers.identify(headers)).scopes];
}

async function replace(
  { path }: DataFolder,
  content: string,
): Promise<void> {
  await Deno.writeTextFile(`${path}/new`, content);
  await Deno.rename(`${path}/new`, `${path}/keys.json`);
}

Deno.test("a changed file counts, a broken or missing one does not, and both are said once", async () => {
  await using followed = await following(text(file));
  const { folder, logged, callers, look } = followed;
  const path = `${folder.path}/keys.json`;
  await look();
  assertEquals(logged, []);

  await replace(folder, text(revoked));
  await look();
  await look();
  assertEquals(await scopesOf(followed), []);
  assertEquals(logged.splice(0), [
    "API_KEYS_FILE was read again: 1 key works.",
  ]);

  // In place, with the same number of bytes.
  const again = text(file).padEnd(text(revoked).length);
  await Deno.writeTextFile(path, again);
  await look();
  assertEquals(await scopesOf(followed), ["read"]);
  assertEquals(logged.splice(0), [
    "API_KEYS_FILE was read again: 2 keys work.",
  ]);

  for (
    const [content, problem] of [
      [text(revoked).slice(0, 99), "it is no JSON"],
      ["", "it is empty"],
      [text({ ...file, keys: [] }), "it is no key file: keys: it has no key"],
    ]
  ) {
    await replace(folder, content);
    await look();
    await look();
    assertEquals(callers.problem, problem);
    assertEquals(callers.is_open, false);
    assertEquals(await scopesOf(followed), ["read"]);
    assertEquals(logged.splice(0), [
      `API_KEYS_FILE=${
        JSON.stringify(path)
      }: ${problem}. The keys of before are used.`,
    ]);
  }
  await Deno.remove(path);
  await look();
  await look();
  assertEquals(
    callers.problem,
    "there is no such file; deno task key create makes one",
  );
  assertEquals(await scopesOf(followed), ["read"]);
  assertEquals(logged.splice(0).length, 1);

  await replace(folder, again);
  await look();
  assertEquals(callers.problem, null);
  assertEquals(logged, ["API_KEYS_FILE was read again: 2 keys work."]);
});

Deno.test("a link that is switched is a change, as in a mounted secret", async () => {
  await using followed = await following(text(file));
  const { folder: { path }, look } = followed;
  await Deno.mkdir(`${path}/1`);
  await Deno.mkdir(`${path}/2`);
  await Deno.writeTextFile(`${path}/1/keys.json`, text(file));
  await Deno.writeTextFile(`${path}/2/keys.json`, text(revoked));
  await Deno.remove(`${path}/keys.json`);
  await Deno.symlink("1", `${path}/..data`);
  await Deno.symlink("..data/keys.json", `${path}/keys.json`);
  await look();
  assertEquals(await scopesOf(followed), ["read"]);
  await Deno.symlink("2", `${path}/..next`);
  await Deno.rename(`${path}/..next`, `${path}/..data`);
  await look();
  assertEquals(await scopesOf(followed), []);
});

Deno.test("the looks go on by themselves", async () => {
  await using followed = await following(text(file));
  await replace(followed.folder, text(revoked));
  while ((await scopesOf(followed)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(followed.logged, ["API_KEYS_FILE was read again: 1 key works."]);
});
