/** Which columns refer to which: what is found, and how much is compared for it. */

import { assertEquals, assertLess } from "@std/assert";
import { factsOf } from "../../db/suggest/column_facts.ts";
import {
  findLinks,
  linkTargets,
  referencesAmong,
} from "../../db/suggest/links.ts";

function fileOf(columns: Readonly<Record<string, readonly string[]>>) {
  return Object.entries(columns).map(([header, cells]) =>
    factsOf({
      header,
      cells,
      has_native_dates: false,
      has_local_times: false,
    })
  );
}

const DAYS = ["2024-01-30", "2024-01-31"];

Deno.test("a column refers to those of other files alone, of many that are alike, too", () => {
  const found = (...files: readonly ReturnType<typeof fileOf>[]) => {
    const { from, to } = referencesAmong(files);
    const inOrder = (some: typeof from) =>
      files.map((columns) =>
        columns.filter((facts) => some.has(facts)).map(({ header }) => header)
          .join(" ")
      );
    return { from: inOrder(from), to: inOrder(to) };
  };
  const persons = ["ann", "bo"];
  // Of one file, none refers to another.
  assertEquals(found(fileOf({ day: DAYS, a: persons, b: persons })), {
    from: [""],
    to: [""],
  });
  assertEquals(
    found(
      fileOf({ day: DAYS, a: persons, b: ["Bo", "Ann"], other: ["x", "y"] }),
      fileOf({ c: persons, d: ["ann", "ann"] }),
    ),
    { from: ["a b", ""], to: ["", "c"] },
  );
  assertEquals(
    found(
      fileOf({ day: DAYS, a: persons }),
      fileOf({ day: DAYS, b: persons }),
    ),
    { from: ["a", "b"], to: ["a", "b"] },
  );
  // Small numbers are found under their own header.
  const numbers = ["1", "2"];
  assertEquals(
    found(
      fileOf({ day: DAYS, a: numbers, b: numbers }),
      fileOf({ B: numbers, c: numbers }),
    ),
    { from: ["b", ""], to: ["", "B"] },
  );
});

Deno.test("of columns with the same values, one is compared for all", () => {
  const lookUps = (files: number) => {
    const sampled = Array.from({ length: files }, (_, file) =>
      fileOf({
        day: DAYS,
        ...Object.fromEntries(
          Array.from({ length: 20 }, (_, i) => [`${file} ${i}`, ["x", "y"]]),
        ),
      }));
    const { get } = Map.prototype;
    let count = 0;
    Map.prototype.get = function (key) {
      count++;
      return get.call(this, key);
    };
    try {
      referencesAmong(sampled);
    } finally {
      Map.prototype.get = get;
    }
    return count;
  };
  assertLess(lookUps(8), 3 * lookUps(4));
});

Deno.test("of targets with the same values, one is compared for all, and the one with the same header is found", () => {
  const [a, b, other] = fileOf({
    Member: ["C-1", "C-2"],
    Reference: ["C-2", "C-1"],
    "Third": ["C-3", "C-4"],
  });
  const targets = linkTargets(
    [a, b, other].map((facts) => ({ by: "id", facts })),
  );
  assertEquals(targets.map(({ target }) => target.facts), [a, other]);
  const found = (header: string) => {
    const columns = fileOf({ [header]: ["C-1", "C-1"], Day: DAYS });
    return findLinks(columns, targets)[0].target?.facts;
  };
  assertEquals(found("Whose"), a);
  assertEquals(found("reference"), b);
});
