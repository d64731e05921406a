/** When the replicas of a table have all of its rows. */

import { assertEquals } from "@std/assert";
import {
  type ReplicaSums,
  sumsProblem,
} from "../../../db/clickhouse/replica_sums.ts";

/** Written as `shard replica checksum`. */
function sums(...texts: readonly string[]): ReplicaSums[] {
  return texts.map((text) => {
    const [shard, replica, checksum] = text.split(" ");
    return { shard, replica, checksum };
  });
}

const SPREAD = { expected: "30", is_spread: true };
const WHOLE = { expected: "30", is_spread: false };

Deno.test("sumsProblem, a table that is spread: each shard's replicas agree, and the shards have all together", () => {
  const cases: [readonly string[], string | null][] = [
    [["1 a 10", "1 b 10", "2 a 20", "2 b 20"], null],
    // A shard without a row is not among them.
    [["1 a 30", "1 b 30"], null],
    [
      ["1 a 10", "1 b 9", "2 a 20", "2 b 20"],
      "the checksum of replica b of shard 1 is 9, and 10 was expected",
    ],
    [
      ["1 a 10", "2 a 19"],
      "the shards together have checksum 29, and 30 was sent",
    ],
    [[], "the shards together have checksum 0, and 30 was sent"],
  ];
  for (const [found, problem] of cases) {
    assertEquals(sumsProblem(sums(...found), SPREAD), problem, String(found));
  }
  const large = sums("1 a 18446744073709551615", "2 a 1");
  assertEquals(
    sumsProblem(large, { expected: "18446744073709551616", is_spread: true }),
    null,
  );
});

Deno.test("sumsProblem, a table that each server has: all of it, everywhere", () => {
  assertEquals(sumsProblem(sums("1 a 30", "2 a 30"), WHOLE), null);
  assertEquals(
    sumsProblem(sums("1 a 30", "2 a 29"), WHOLE),
    "the checksum of replica a of shard 2 is 29, and 30 was expected",
  );
  assertEquals(
    sumsProblem([{ shard: "", replica: "", checksum: "1" }], WHOLE),
    "the checksum is 1, and 30 was expected",
  );
  assertEquals(
    sumsProblem([], WHOLE),
    "no replica has a row, and checksum 30 was sent",
  );
  assertEquals(sumsProblem([], { ...WHOLE, expected: "0" }), null);
});
