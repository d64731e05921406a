/** The journal in ClickHouse: what its entries lead to, and the names of versions. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Entry,
  readStored,
  stateOf,
  storedText,
  versionName,
  versionNumber,
} from "../../../db/clickhouse/journal.ts";

function entries(...events: readonly string[]): Entry[] {
  return events.map((text, i) => {
    const [event, version = "", payload = PAYLOADS[event] ?? ""] = text
      .split(" ");
    const data_version = `of ${version}`;
    return { sequence: i + 1, event, version, data_version, payload };
  });
}

const PAYLOADS: Readonly<Record<string, string>> = {
  published: "{}",
  discarded: '["of_a"]',
};

const keptOf = (...events: readonly string[]) =>
  stateOf(entries(...events)).kept.map(({ version }) => version);

Deno.test("stateOf: the versions that are kept, the latest last", () => {
  assertEquals(stateOf([]), {
    sequence: 0,
    kept: [],
    discarded: [],
    discarded_in: null,
    held: null,
    held_in: null,
    payloads: new Map(),
  });
  assertEquals(keptOf("published a", "published b"), ["a", "b"]);
  assertEquals(keptOf("published a", "published b", "dropped b"), ["a"]);
  assertEquals(keptOf("published a", "dropped a", "published a"), ["a"]);
  assertEquals(keptOf("dropped a"), []);
  // Of a newer program.
  assertEquals(keptOf("published a", "praised a"), ["a"]);
});

Deno.test("stateOf: where the lists of what is discarded and held are", () => {
  const { discarded_in, held_in, sequence } = stateOf(
    entries("discarded", "held", "published a", "discarded", "answered x"),
  );
  assertEquals([discarded_in, held_in, sequence], [4, 2, 5]);
});

Deno.test("stateOf: payloads are those that the state is made of, each read once", () => {
  const rows = entries(
    "published a",
    'held - {"sequence":1}',
    "published b",
    "dropped a",
    "discarded",
    'held - {"sequence":2}',
    "published c",
  );
  const before = stateOf(rows.slice(0, -1));
  assertEquals(before.discarded, ["of_a"]);
  assertEquals(before.held as unknown, { sequence: 2 });
  const keys = ["3 published b", "5 discarded ", "6 held -"];
  assertEquals([...before.payloads.keys()], keys);

  // As the journal is read again: no payload is sent of what is known.
  const after = stateOf([
    ...rows.slice(0, -1).map((row) => ({ ...row, payload: "" })),
    ...rows.slice(-1),
  ], before.payloads);
  assertEquals(after.discarded, ["of_a"]);
  assertEquals(after.held, before.held);
  assertEquals(
    [...after.payloads.keys()].sort(),
    [...keys, "7 published c"].sort(),
  );
});

Deno.test("stateOf: a version is kept whose last entry publishes it, whatever came before", () => {
  const event = fc.tuple(
    fc.constantFrom("published", "dropped", "held", "discarded", "answered"),
    fc.constantFrom("a", "b", "c"),
  ).map((words) => words.join(" "));
  fc.assert(fc.property(fc.array(event), (events) => {
    const last = new Map(
      events.map((text) => text.split(" ") as [string, string])
        .filter(([event]) => ["published", "dropped"].includes(event))
        .map(([event, version]) => [version, event]),
    );
    const kept = [...new Set(keptOf(...events))].sort();
    const wanted = [...last].filter(([, event]) => event === "published")
      .map(([version]) => version).sort();
    assertEquals(kept, wanted);
  }));
});

Deno.test("versionNumber: of names that versionName makes, and of no others", () => {
  const data_version = "0123456789abcdef";
  const name = versionName("tally", { number: 7, data_version });
  assertEquals(name, "tally_00000007_0123456789abcdef");
  assertEquals(versionNumber("tally", name), 7);
  for (
    const other of [
      "tally",
      `other_00000007_${data_version}`,
      // Of a program whose database is called tally_two.
      `tally_two_00000007_${data_version}`,
      `tally_7_${data_version}`,
      `${name}0`,
      "tally_00000007_0123456789ABCDEF",
    ]
  ) assertEquals(versionNumber("tally", other), undefined, other);
});

Deno.test("readStored: null for what another build wrote", () => {
  for (const text of ["{}", '{"format":0}', "null", "[]"]) {
    assertEquals(readStored(text), null, text);
  }
  const stored = { loaded: {}, customer_names: {} } as never;
  assertEquals(readStored(storedText(stored)), null);
});
