/** Interactions of nobody who is known: counted in metrics, in no customer's row, with ids of both kinds. */

import { assertEquals } from "@std/assert";
import { openApp } from "../support/open_app.ts";

function mapping(kind: "integer" | "text", unmatched: string): string {
  return `[customers]
files = "customers.csv"
id = { column = "Id", kind = "${kind}" }
occupation = "Job"
type = "Type"
attributes = { team = "Type" }

[interactions]
files = "calls.csv"
customer = { column = "To", match = "Phone", match_as = "phone", separator = ";"${unmatched} }
time = { column = "Time", format = "iso" }
channel = "Channel"
`;
}

const lines = (...rows: string[]) => rows.map((row) => `${row}\n`).join("");

const ANONYMOUS = ', unmatched = "anonymous"';

function filesOf(
  kind: "integer" | "text",
  { unmatched = ANONYMOUS, jobs = 2, calls = CALLS } = {},
) {
  return {
    "tally.toml": mapping(kind, unmatched),
    "customers.csv": lines(
      "Id,Job,Type,Phone",
      "1,Job 0,A,+1 555-01",
      "2,Job 1,B,+1 555-02",
      "3,Job 1,B,+1 555-02",
      ...Array.from({ length: jobs }, (_, i) => `${i + 10},Job ${i},C,`),
    ),
    "calls.csv": lines("To,Time,Channel", ...calls),
  };
}

const CALLS = [
  "+155501,2024-01-05 10:00,Call",
  "+155501;+9,2024-01-06 10:00,Call",
  "+9,2024-01-07 10:00,Chat",
  "+155502,2024-02-07 10:00,Chat",
];

for (const kind of ["integer", "text"] as const) {
  for (const SERVE_FROM of ["index", "query"]) {
    // With more than 100 occupations, they are not in the rollup.
    for (const jobs of [2, 120]) {
      Deno.test(`anonymous, ${kind} ids, SERVE_FROM=${SERVE_FROM}, ${jobs} occupations`, async () => {
        await using opened = await openApp(filesOf(kind, { jobs }), {
          SERVE_FROM,
          MAX_SET_ASIDE: "1",
        });
        const ask = async (path: string) => {
          const answer = await opened.app.request(`/api/v1/${path}`);
          return (await answer.json()).data;
        };
        const id = (number: number) => kind === "text" ? `${number}` : number;
        const metric = (query: string) => ask(`metrics/interactions${query}`);
        assertEquals(await metric(""), [{ interactions: 4 }]);
        assertEquals(await metric("?by=customer_id"), [
          { customer_id: id(1), interactions: 2 },
          { customer_id: null, interactions: 2 },
        ]);
        assertEquals(await metric("?by=type&pivot=channel"), [
          { type: "A", interactions: { Call: 2, Chat: 0 }, total: 2 },
          { type: null, interactions: { Call: 1, Chat: 1 }, total: 2 },
        ]);
        assertEquals(await metric("?by=occupation"), [
          { occupation: "Job 0", interactions: 2 },
          { occupation: null, interactions: 2 },
        ]);
        assertEquals(await metric("?by=customer_id,type,month"), [
          { customer_id: id(1), type: "A", month: "2024-01", interactions: 2 },
          { customer_id: null, type: null, month: "2024-01", interactions: 2 },
        ]);
        assertEquals(await metric("?type=null"), [{ interactions: 2 }]);
        const { types, occupations, attributes } = await ask("dimensions");
        // Every customer has each of them.
        for (const listed of [types, occupations, attributes.team]) {
          assertEquals(
            listed.at(-1),
            { name: null, interactions: 2, customers: 0 },
          );
        }
        const metrics = await ask("metrics/customers");
        assertEquals(metrics, [{ customers: jobs + 3 }]);
        assertEquals(await ask("metrics/customers?by=month"), [
          { month: "2024-01", customers: 1 },
        ]);
        assertEquals(await ask("metrics/customers?by=occupation,channel"), [
          { occupation: "Job 0", channel: "Call", customers: 1 },
        ]);
        assertEquals(await ask("metrics/customers?channel=Chat"), [
          { customers: 0 },
        ]);
        const matrix = await ask("interactions?sort=-total&limit=2");
        assertEquals(
          matrix.map((row: Record<string, unknown>) => row.customer_id),
          [id(1), kind === "text" ? "10" : 2],
        );
        assertEquals(
          (await opened.app.request("/api/v1/interactions/0")).status,
          kind === "text" ? 404 : 400,
        );
        const { report } = await ask("data");
        assertEquals(report.customers, jobs + 3);
        assertEquals(report.interactions, 4);
        assertEquals(report.mapping.anonymous_interactions, 2);
        assertEquals(
          report.files[1].set_aside.map((
            { reason, rows }: { reason: string; rows: number },
          ) => [reason, rows]),
          [['ambiguous: several customers have this "Phone"', 1]],
        );
      });
    }
  }
}

Deno.test("anonymous, or set aside and counted apart", async () => {
  const calls = [...CALLS, ...Array(20).fill("+8,2024-01-07 10:00,Chat")];
  await using opened = await openApp(
    filesOf("integer", { unmatched: "", calls }),
    { MAX_SET_ASIDE: "0.5" },
  );
  const { report } = opened.snapshot;
  const [, { rows_unmatched, rows_set_aside, rows_kept }] = report.files;
  assertEquals([rows_unmatched, rows_set_aside, rows_kept], [22, 23, 1]);
  assertEquals(report.interactions, 1);
  assertEquals(
    report.warnings.filter(({ kind }) => kind === "unmatched_customers")
      .map(({ count }) => count),
    [22],
  );
});
