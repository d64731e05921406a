/** The changes between two versions that their reports tell: names, attributes and days. */

import { attributesOf } from "./dimensions.ts";
import { nameKey } from "./names.ts";
import type { Changes, Loaded } from "./report.ts";

/** The changes that need no look at rows. */
export function reportedChanges(
  before: Loaded,
  after: Loaded,
): Omit<Changes, "tables" | "new_customers" | "vanished_customers"> {
  const [new_channels, vanished_channels] = compareNames(
    before.channels,
    after.channels,
  );
  const [new_types, vanished_types] = compareNames(
    before.report.types,
    after.report.types,
  );
  const [new_topics, vanished_topics] = compareNames(
    before.topics,
    after.topics,
  );
  const [new_attributes, vanished_attributes] = compareNames(
    attributesOf(before.report),
    attributesOf(after.report),
  );
  return {
    previous_data_version: before.report.data_version,
    new_channels,
    vanished_channels,
    new_types,
    vanished_types,
    new_topics,
    vanished_topics,
    new_attributes,
    vanished_attributes,
    date_range: after.report.date_range,
    previous_date_range: before.report.date_range,
  };
}

function compareNames(
  before: readonly string[],
  after: readonly string[],
): [added: string[], gone: string[]] {
  // In another spelling, a name is the same one.
  const without = (names: readonly string[], others: readonly string[]) => {
    const keys = new Set(others.map(nameKey));
    return names.filter((name) => !keys.has(nameKey(name)));
  };
  return [without(after, before), without(before, after)];
}
