/** Callers: nothing outlives its key, its token or its key file, also when it is remembered. */

import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Callers } from "../../access/callers.ts";
import type { KeyFile, KeyRecord } from "../../access/key_file.ts";
import { keyFile } from "../support/keys.ts";

const bearer = (text: string) =>
  new Headers({ Authorization: `Bearer ${text}` });

/** The key file with another content of the key of this name. */
function changed(
  file: KeyFile,
  { name, ...change }: Partial<KeyRecord> & { readonly name: string },
): KeyFile {
  const keys = file.keys.map((key) =>
    key.name === name ? { ...key, ...change } : key
  );
  return { ...file, keys };
}

/** Runs with a clock that the test moves on; it is the real one again afterwards. */
async function withClock(
  run: (advance: (seconds: number) => void) => Promise<void>,
): Promise<void> {
  const Real = Date;
  let ahead = 0;
  globalThis.Date = class extends Real {
    static override now() {
      return Real.now() + ahead;
    }
    constructor(...of: [string?]) {
      super(...(of.length > 0 ? of : [Real.now() + ahead]) as [number]);
    }
  } as DateConstructor;
  try {
    await run((seconds) => ahead += seconds * 1_000);
  } finally {
    globalThis.Date = Real;
  }
}

Deno.test("a key is known until it expires, to the second, however often it was asked", async () => {
  await withClock(async (advance) => {
    const { file, keys } = keyFile({
      short: {
        scopes: ["read", "embed"],
        expires_at: new Date(Date.now() + 60_000).toISOString(),
      },
    });
    const callers = new Callers({ key_file: file });
    const scopes =
      async () => [...(await callers.identify(bearer(keys.short))).scopes];
    assertEquals(await scopes(), ["read", "embed"]);
    const grant = await callers.identify(bearer(keys.short));
    assert(callers.holds(grant));
    advance(59);
    assertEquals(await scopes(), ["read", "embed"]);
    // It never lives longer than its key.
    const token = await callers.mint(grant, { customer_id: 1, minutes: 60 });
    assert(Date.parse(token!.expires_at) <= grant.ends_at);
    advance(2);
    assertEquals(await scopes(), []);
    assertEquals(callers.holds(grant), false);
    assertEquals(callers.key_count, 0);
  });
});

Deno.test("a token is known for its minutes", async () => {
  await withClock(async (advance) => {
    const { file, keys } = keyFile({ embed: { scopes: ["embed"] } });
    const callers = new Callers({ key_file: file });
    const minter = await callers.identify(bearer(keys.embed));
    const { token, expires_at } = (await callers.mint(minter, {
      customer_id: 4,
      minutes: 2,
    }))!;
    const seconds = (Date.parse(expires_at) - Date.now()) / 1_000;
    assert(seconds > 118 && seconds <= 120, `${seconds}`);
    const known = async () => await callers.identify(bearer(token));
    assertEquals([...(await known()).customers!], ["4"]);
    assertEquals([...(await known()).scopes], ["read"]);
    advance(121);
    const { scopes, problem } = await known();
    assertEquals([...scopes], []);
    assertEquals(problem!.status, 401);
    assert(problem!.error.includes("expired"), problem!.error);
  });
});

Deno.test("a token made by a clock that is ahead is not known before its time, remembered or not", async () => {
  await withClock(async (advance) => {
    const { file, keys } = keyFile({ embed: { scopes: ["embed"] } });
    const callers = new Callers({ key_file: file });
    const others = new Callers({ key_file: file });
    const minter = await callers.identify(bearer(keys.embed));
    const mint = async () =>
      (await callers.mint(minter, { customer_id: 4, minutes: 5 }))!.token;
    const scopesOf = async (token: string, by = callers) => [
      ...(await by.identify(bearer(token))).scopes,
    ];

    // Clocks of several servers differ by seconds.
    advance(30);
    const near = await mint();
    advance(-30);
    assertEquals(await scopesOf(near), ["read"]);

    advance(2 * 3_600);
    const far = await mint();
    assertEquals(await scopesOf(far), ["read"]);
    const listener = await callers.identify(bearer(far));
    assertEquals(callers.holds(listener), true);
    advance(-2 * 3_600);
    for (const by of [callers, others]) {
      assertEquals(await scopesOf(far, by), []);
      const { problem } = await by.identify(bearer(far));
      assertEquals(problem!.status, 401);
      assert(problem!.error.includes("a clock that is ahead"));
    }
    assertEquals(callers.holds(listener), false);
    assertEquals(await scopesOf(await mint(), others), ["read"]);
  });
});

Deno.test("another key file ends what the one before allowed, remembered or not", async () => {
  const { file, keys } = keyFile({
    embed: { scopes: ["read", "embed"] },
    other: { scopes: ["read"] },
  });
  const callers = new Callers({ key_file: file });
  const minter = await callers.identify(bearer(keys.embed));
  const { token } = (await callers.mint(minter, {
    customer_id: 4,
    minutes: 5,
  }))!;
  const listener = await callers.identify(bearer(token));
  const scopes = async (
    text: string,
  ) => [...(await callers.identify(bearer(text))).scopes];
  const revoked_at = new Date().toISOString();

  const cases: [what: string, file: KeyFile, key: string[], token: string[]][] =
    [
      ["as before", file, ["read", "embed"], ["read"]],
      ["revoked", changed(file, { name: "embed", revoked_at }), [], []],
      [
        "revoked by a clock that is ahead",
        changed(file, {
          name: "embed",
          revoked_at: "2999-01-01T00:00:00.000Z",
        }),
        [],
        [],
      ],
      ["back again", file, ["read", "embed"], ["read"]],
      [
        "may not mint",
        changed(file, { name: "embed", scopes: ["read"] }),
        ["read"],
        [],
      ],
      [
        "for others",
        changed(file, { name: "embed", customers: [5] }),
        ["read", "embed"],
        [],
      ],
      ["gone", { ...file, keys: file.keys.slice(1) }, [], []],
      [
        "another secret",
        { ...file, token_secret: keyFile({}).file.token_secret },
        ["read", "embed"],
        [],
      ],
    ];
  for (const [what, next, key, of_token] of cases) {
    callers.use(next);
    assertEquals(await scopes(keys.embed), key, what);
    assertEquals(await scopes(token), of_token, what);
    assertEquals(await scopes(keys.other), ["read"], what);
  }
  callers.use(changed(file, { name: "embed", revoked_at }));
  assertEquals([callers.holds(minter), callers.holds(listener)], [
    false,
    false,
  ]);
});

Deno.test("a token that is being checked while the key file changes is checked against the new one", async () => {
  const { file, keys } = keyFile({ embed: { scopes: ["embed"] } });
  const callers = new Callers({ key_file: file });
  const minter = await callers.identify(bearer(keys.embed));
  const { token } =
    (await callers.mint(minter, { customer_id: 4, minutes: 5 }))!;
  const checking = callers.identify(bearer(token));
  callers.use(
    changed(file, { name: "embed", revoked_at: new Date().toISOString() }),
  );
  assertEquals([...(await checking).scopes], []);
  assertEquals([...(await callers.identify(bearer(token))).scopes], []);
});

Deno.test("an administrator's key with other letters works as UTF-8 and as Latin-1", async () => {
  const key = "sch\u00f6ner Schl\u00fcssel";
  const callers = new Callers({
    admin_key_sha256: createHash("sha256").update(key).digest("hex"),
  });
  // A header has bytes, which arrive as the letters of Latin-1.
  const as_utf8 = Buffer.from(key).toString("latin1");
  for (const sent of [key, as_utf8]) {
    const { scopes } = await callers.identify(bearer(sent));
    assert(scopes.has("admin"), sent);
  }
  const { scopes } = await callers.identify(bearer("sch\u00f6ner"));
  assertEquals(scopes.has("admin"), false);
});

Deno.test("a key may end with a letter whose last byte is a space in Latin-1", async () => {
  const key = "ключ от ЭВМ: Р";
  const callers = new Callers({
    admin_key_sha256: createHash("sha256").update(key).digest("hex"),
  });
  const sent = bearer(Buffer.from(key).toString("latin1"));
  assertEquals((await callers.identify(sent)).scopes.has("admin"), true);
});

Deno.test("wrong keys are not remembered, and many right ones keep their own rights", async () => {
  const names = Array.from({ length: 50 }, (_, i) => `key ${i}`);
  const { file, keys } = keyFile(
    Object.fromEntries(
      names.map((name, i) => [name, { scopes: ["read"], customers: [i + 1] }]),
    ),
  );
  const callers = new Callers({ key_file: file });
  for (let turn = 0; turn < 3; turn++) {
    for (const [i, name] of names.entries()) {
      for (
        const headers of [
          bearer(keys[name]),
          new Headers({ "X-API-Key": keys[name] }),
        ]
      ) {
        const { customers } = await callers.identify(headers);
        assertEquals([...customers!], [`${i + 1}`]);
      }
      const raw = new Headers({ Authorization: keys[name] });
      assertEquals([...(await callers.identify(raw)).scopes], []);
    }
  }
});
