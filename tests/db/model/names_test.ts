/** Names: what is compared of them, and what is shown. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { escapeUnseen, nameKey, shownName } from "../../../db/model/names.ts";

Deno.test("shownName keeps the joiners that are needed", async (t) => {
  const cases: [what: string, name: string, shown: string][] = [
    ["zero width spaces and joiners", "\u200bCa\u200dl\u200cl\u2060", "Call"],
    ["a soft hyphen", "News\u00adletter", "Newsletter"],
    ["directional marks", "\u202aCall\u202c\u200e\u200f\u2066\u2069", "Call"],
    ["variation selectors", "Call\ufe0f\ufe00\u{e0100}", "Call"],
    ["nothing else", "\u200b\u200d\ufe0f", ""],
    ["what parts an accent from its letter", "Cafe\u200b\u0301", "Café"],
    ["spaces around it", "a \u200b b\u200b ", "a b"],
    ["a Persian half space", "می\u200cخواهم", "می\u200cخواهم"],
    ["the same twice", "می\u200c\u200cخواهم", "می\u200cخواهم"],
    ["an Indic cluster", "क्\u200dष", "क्\u200dष"],
    ["a family", "👨\u200d👩\u200d👧 Club", "👨\u200d👩\u200d👧 Club"],
    ["a burning heart", "❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"],
    ["a digit in a box", "1\ufe0f\u20e3", "1\ufe0f\u20e3"],
    ["a digit alone", "1\ufe0f", "1"],
    ["a variant of an ideograph", "葛\u{e0100}", "葛\u{e0100}"],
    ["a Mongolian variant", "ᠠ\u180b", "ᠠ\u180b"],
    [
      "the tags of a flag",
      "🏴\u{e0067}\u{e0062}\u{e007f}",
      "🏴\u{e0067}\u{e0062}\u{e007f}",
    ],
    ["full width, as it is written", "Ｃａｌｌ", "Ｃａｌｌ"],
  ];
  for (const [what, name, shown] of cases) {
    await t.step(what, () => assertEquals(shownName(name), shown));
  }
});

Deno.test("nameKey, names that are equal", async (t) => {
  const cases: [name: string, key: string][] = [
    ["CALL", "call"],
    ["\u200bCa\u00adll\ufe0f", "call"],
    ["Ｃａｌｌ　１２", "call 12"],
    ["ΣΊΣΥΦΟΣ", "σίσυφοσ"],
    ["Straße", "straße"],
    ["İzmir", "izmir"],
    ["ﾒｰﾙ", "メール"],
    ["Cafe\u200b\u0301", "café"],
    ["👨\u200d👩", "👨👩"],
  ];
  for (const [name, key] of cases) {
    await t.step(name, () => assertEquals(nameKey(name), key));
  }
});

/** Characters that cannot be seen, whatever is beside them. */
const UNSEEN = fc.constantFrom(
  ..."\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufe00\ufe0e\ufe0f\ufeff\u{e0100}",
);

Deno.test("any name, with invisible characters anywhere, equals itself", () => {
  fc.assert(fc.property(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(12), UNSEEN), { maxLength: 5 }),
    (name, unseen) => {
      const chars = Array.from(name);
      for (const [at, char] of unseen) chars.splice(at, 0, char);
      const other = chars.join("");
      assertEquals(nameKey(other), nameKey(name));
      const shown = shownName(other);
      assertEquals(nameKey(shown), nameKey(name));
      assertEquals(shownName(shown), shown);
    },
  ));
});

Deno.test("escapeUnseen", () => {
  assertEquals(escapeUnseen("a\u200b\ufe0fé"), "a\\u{200b}\\u{fe0f}é");
});
