/** The text of a key: its parts, its checksum, and what is no key. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import fc from "fast-check";
import { createKey, isLikeKey, keyIdOf } from "../../access/api_key.ts";
import { hasSecret } from "../../access/secrets.ts";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

Deno.test("a key has an id, a secret of its own and a checksum", () => {
  const keys = Array.from({ length: 200 }, createKey);
  for (const { id, text } of keys) {
    assertMatch(text, /^tly_[0-9A-Za-z]{57}$/);
    assertEquals(keyIdOf(text), id);
    assert(isLikeKey(text) && hasSecret(`?a=${text}&b`));
  }
  assertEquals(new Set(keys.map(({ id }) => id)).size, keys.length);
  assertEquals(
    new Set(keys.map(({ text }) => text.slice(12, -6))).size,
    keys.length,
  );
});

Deno.test("the checksum is the CRC-32 of all before it, as others compute it", () => {
  // crc32(b"tly_abcdefgh" + b"0" * 43) of Python's zlib.
  const text = `tly_abcdefgh${"0".repeat(43)}`;
  const checksum = 2_034_461_079;
  let digits = "";
  for (let rest = checksum; digits.length < 6; rest = Math.floor(rest / 62)) {
    digits = BASE62[rest % 62] + digits;
  }
  assertEquals(keyIdOf(text + digits), "abcdefgh");
});

Deno.test("one other character anywhere makes it no key", () => {
  const { text } = createKey();
  fc.assert(fc.property(
    fc.nat(text.length - 1),
    fc.constantFrom(...BASE62, "_", "-", " ", "\u00e9"),
    (at, other) => {
      fc.pre(text[at] !== other);
      assertEquals(
        keyIdOf(text.slice(0, at) + other + text.slice(at + 1)),
        null,
      );
    },
  ));
  for (
    const no_key of [
      "",
      "tly_",
      text.slice(0, -1),
      `${text}0`,
      ` ${text}`,
      `${text}\n`,
    ]
  ) {
    assertEquals(keyIdOf(no_key), null, JSON.stringify(no_key));
  }
});

Deno.test("what a query string may hold is no secret", () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0In0.c2lnbmF0dXJl";
  assert(hasSecret(`?topic=${token}`));
  assert(hasSecret(`4${token}`) && hasSecret(`a.b.${token}`));
  for (
    const text of ["?topic=tly_", "?q=eyJ", "?q=eyJ.a", "?topic=Sand&q=1.2.3"]
  ) {
    assertEquals(hasSecret(text), false, text);
  }
  // A look that takes the square of the time would not end.
  assertEquals(hasSecret("eyJ".repeat(1_000_000)), false);
  assertNotEquals(createKey().text, createKey().text);
});
