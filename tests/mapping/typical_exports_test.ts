/** The exports of ten systems load as their tally.toml says. */

import { assertEquals } from "@std/assert";
import { loadTables } from "../support/load_folder.ts";
import { TYPICAL_EXPORTS } from "../support/typical_exports.ts";

for (const sample of TYPICAL_EXPORTS) {
  Deno.test(`an export of ${sample.system} loads as its tally.toml says`, async () => {
    await using loaded = await loadTables(
      { ...sample.files, "tally.toml": sample.mapping },
      { TIME_ZONE: "Europe/Berlin" },
    );
    const { report } = loaded;
    const id = report.mapping!.ids === "text"
      ? "(select id from ids where ids.customer_id = of.customer_id)"
      : "of.customer_id::varchar";
    const name = report.mapping!.names ? "name" : "null";
    const customers = await loaded.query(
      `select ${id} as id, ${name} as name, type::varchar as type, occupation
       from customers as of order by customer_id`,
    );
    const interactions = await loaded.query(
      `select ${id} as id, strftime(date_start, '%Y-%m-%d %H:%M') as time,
         channel::varchar as channel,
         list_aggregate(topic_codes, 'string_agg', ',') as codes
       from interactions as of join topic_sets using (topic_set)
       order by customer_id, date_start, channel`,
    );
    const topicsOf = (codes: string) =>
      codes === ""
        ? ""
        : codes.split(",").map((code) => loaded.topics[Number(code)]).join("+");
    const joined = (...parts: unknown[]) =>
      parts.map((part) => part ?? "").join(", ").replace(/(, )+$/, "");
    assertEquals(
      {
        customers: customers.map((one) =>
          joined(one.id, one.name, one.type, one.occupation)
        ),
        interactions: interactions.map((one) =>
          joined(
            one.id,
            one.time,
            one.channel,
            topicsOf(String(one.codes ?? "")),
          )
        ),
        set_aside: report.set_aside_listed.map(
          ({ file, line, column, reason }) =>
            `${file}:${line} ${column}: ${reason}`,
        ),
        passed_over: Object.fromEntries(
          Map.groupBy(
            report.files.filter(({ rows_passed_over }) => rows_passed_over),
            ({ file }) => file,
          ).entries().map(([file, reports]) => [
            file,
            reports.reduce((sum, one) => sum + one.rows_passed_over!, 0),
          ]),
        ),
      },
      {
        customers: sample.customers,
        interactions: sample.interactions,
        set_aside: sample.set_aside ?? [],
        passed_over: sample.passed_over ?? {},
      },
    );
  });
}
