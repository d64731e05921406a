/** Counts the differences between two versions in ClickHouse, by a number for each row. */

import { reportedChanges } from "../model/changes.ts";
import type { Changes, TableChange } from "../model/report.ts";
import { qualified, type Version } from "./questions.ts";
import type { ClickhouseServer } from "./server.ts";
import type { ClickhouseSnapshot } from "./snapshot.ts";

/** A table that is compared. */
interface Compared {
  /** Equal for equal rows, of each side. */
  readonly row: (version: Version) => string;
  readonly from: (version: Version) => string;
}

/** Bytes of groups after which ClickHouse goes on on its disk. */
const GROUPS_IN_MEMORY = 2_000_000_000;

/** The differences between two versions: what is new and what is gone. Interactions are equal when customer, channel and day are. */
export async function compareSnapshots(
  server: ClickhouseServer,
  { previous, next, signal }: {
    readonly previous: ClickhouseSnapshot;
    readonly next: ClickhouseSnapshot;
    readonly signal: AbortSignal;
  },
): Promise<Changes> {
  const are_numbers = [previous, next].every(({ customers }) =>
    customers.ids === "integer"
  );
  const idOf = ({ customers }: Version) =>
    are_numbers
      ? "customer_id"
      : customers.ids === "text"
      ? "id"
      : "toString(customer_id)";

  async function count(
    side: string,
    { row, from }: Compared,
  ): Promise<TableChange> {
    const part = ({ version }: ClickhouseSnapshot, sign: 1 | -1) =>
      qualified(
        `select cityHash64(${
          row(version)
        }) as row_hash, toInt64(${sign}) as sign
    from ${from(version)}`,
        version.database,
      );
    const sql = `select sumIf(difference, difference > 0),
  sumIf(-difference, difference < 0)
from (
  select sum(sign) as difference
  from (
    ${part(next, 1)}
    union all
    ${part(previous, -1)})
  group by row_hash) as ${side}`;
    const params = {
      channels_before: previous.channels,
      channels_after: next.channels,
    };
    let [rows_added, rows_gone] = [0, 0];
    for await (
      const [[added, gone]] of server.query({
        sql,
        params,
        settings: {
          max_bytes_before_external_group_by: String(GROUPS_IN_MEMORY),
        },
        signal,
      })
    ) {
      rows_added = Number(added);
      rows_gone = Number(gone);
    }
    return { rows_added, rows_gone };
  }

  const channelOf = (version: Version) =>
    version === next.version
      ? "{channels_after:Array(String)}[channel + 1]"
      : "{channels_before:Array(String)}[channel + 1]";
  const interactions = await count("interactions_compared", {
    row: (version) => `${idOf(version)}, ${channelOf(version)}, day`,
    from: (version) =>
      are_numbers || version.customers.ids === "integer"
        ? "interactions"
        : `interactions
    any left join (select customer_id, id from customers) as ids using (customer_id)`,
  });
  const ids = await count("ids_compared", {
    row: idOf,
    from: () => "customers",
  });
  return {
    ...reportedChanges(previous.loaded, next.loaded),
    tables: {
      customers: await count("records_compared", {
        row: () => "record_hash",
        from: () => "customers where record_hash > 0",
      }),
      interactions,
      products: await count("products_compared", {
        row: () => "month, product",
        from: () => "products",
      }),
    },
    new_customers: ids.rows_added,
    vanished_customers: ids.rows_gone,
  };
}
