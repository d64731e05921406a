/** Whether the replicas of a table have all of its rows, by the sums that each of them computes. */

/** What one replica of one shard has. */
export interface ReplicaSums {
  /** The name of its shard; the same everywhere where there is one server. */
  readonly shard: string;
  readonly replica: string;
  /** In decimal digits. */
  readonly checksum: string;
}

/**
 * What is wrong with a table; null when every replica has its rows: all of them, or,
 * where it is spread, the same as the others of its shard, and all shards together all.
 */
export function sumsProblem(
  found: readonly ReplicaSums[],
  { expected, is_spread }: {
    readonly expected: string;
    readonly is_spread: boolean;
  },
): string | null {
  if (!is_spread) {
    const wrong = found.find(({ checksum }) => checksum !== expected);
    return wrong ? wrongText(wrong, expected) : emptyProblem(found, expected);
  }
  const shards = new Map<string, string>();
  for (const one of found) {
    const other = shards.get(one.shard) ?? one.checksum;
    if (one.checksum !== other) return wrongText(one, other);
    shards.set(one.shard, other);
  }
  const total = Array.from(shards.values(), BigInt)
    .reduce((sum, one) => sum + one, 0n);
  return String(total) === expected
    ? null
    : `the shards together have checksum ${total}, and ${expected} was sent`;
}

/** A table without rows has no sums. */
function emptyProblem(
  found: readonly ReplicaSums[],
  expected: string,
): string | null {
  return found.length > 0 || expected === "0"
    ? null
    : `no replica has a row, and checksum ${expected} was sent`;
}

function wrongText(
  { shard, replica, checksum }: ReplicaSums,
  expected: string,
): string {
  const where = shard === "" ? "" : ` of replica ${replica} of shard ${shard}`;
  return `the checksum${where} is ${checksum}, and ${expected} was expected`;
}
