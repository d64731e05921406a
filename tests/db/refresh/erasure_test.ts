/** Which cells of rows set aside name a customer. */

import { assertEquals } from "@std/assert";
import { StateFolder } from "../../../db/refresh/archive.ts";
import { eraseCustomer } from "../../../db/refresh/erasure.ts";
import { csv, dataFolder } from "../../support/data_folder.ts";
import { loadFolder } from "../../support/load_folder.ts";

/** The cells of customers in rows that are set aside, and ids that they name or do not name. */
const CELLS: readonly [cell: string, named: string[], others?: string[]][] = [
  ["R2D2", ["R2D2"], ["2", "r2d2"]],
  ["4;x", ["4", "x"], ["40"]],
  ["x | 5 ,6", ["5", "6", "5 ,6"]],
  ["0000071", ["71", "0000071"], ["7", "1"]],
  ["72.0;?", ["72"], ["0"]],
  ["1,234", ["1234", "1", "234"], ["123", "34"]],
  ["2.345.678", ["2345678"], ["2", "345"]],
  ["12,34,567", ["1234567", "12", "34", "567"]],
  ["８１；y", ["81"], ["8"]],
  ["8\u200b2;y", ["82"], ["8"]],
  ["Smith, Ann", ["Smith, Ann", "Ann"], ["Sm"]],
  // 200 characters are kept: 91 is whole, 92 is cut to 9.
  [`91;${"z".repeat(195)};92`, ["91", "9"], ["92"]],
];

Deno.test("a cell names a customer whose id it is, also in a list", async (t) => {
  const rows = CELLS.map(([cell]) => ["05/03/2020", "Call", cell]);
  await using opened = await loadFolder({
    "customers.csv": "Customer_Id,Type\n3,Red\n",
    "interactions.csv": csv(
      ["Date Start", "Interaction", "Customers"],
      ["05/03/2020", "Call", "3"],
      ...rows,
    ),
  }, { MAX_SET_ASIDE: "1" });
  const { channels, topics, row_counts, report } = opened.snapshot;
  assertEquals(report.set_aside_listed.length, CELLS.length);
  await using folder = await dataFolder();
  await using tables = await dataFolder();
  const state = new StateFolder(folder.path, console.error);
  await state.open();

  for (const [i, [cell, named, others = []]] of CELLS.entries()) {
    const set_aside_listed = [report.set_aside_listed[i]];
    await state.keep(tables.path, {
      channels,
      topics,
      row_counts,
      report: { ...report, set_aside_listed },
    });
    for (const id of [...named, ...others]) {
      await t.step(`${cell.slice(0, 20)}: ${id}`, async () => {
        const lines: string[] = [];
        await eraseCustomer(state, {
          id,
          dry_run: true,
          unreadable: false,
          countRows: () => Promise.resolve([]),
          say: (line) => void lines.push(line),
        });
        assertEquals(
          lines[0].includes(
            `holds the customer: rows set aside (1; the first: interactions.csv, line ${
              i + 3
            }, customers)`,
          ),
          named.includes(id),
          lines[0],
        );
      });
    }
    for (const { name } of await state.versions()) await state.drop(name);
  }
});

Deno.test("a version that another process removes meanwhile is not left", async () => {
  await using opened = await loadFolder({
    "customers.csv": "Customer_Id,Type\n3,Red\n",
    "interactions.csv": "Date Start,Interaction,Customers\n",
  });
  const { channels, topics, row_counts, report } = opened.snapshot;
  await using folder = await dataFolder();
  await using tables = await dataFolder();
  const state = new StateFolder(folder.path, console.error);
  await state.open();
  const keep = () =>
    state.keep(tables.path, { channels, topics, row_counts, report });
  await keep();
  const [{ name }] = await state.versions();
  const lines: string[] = [];
  const erasure = await eraseCustomer(state, {
    id: "3",
    dry_run: false,
    unreadable: false,
    // As a server that keeps another version, and drops the oldest.
    async countRows(folder) {
      if (folder.endsWith(name)) {
        await keep();
        await state.drop(name);
        throw new Error("no such file");
      }
      return [{ table: "customers", rows: 1 }];
    },
    say: (line) => void lines.push(line),
  });
  assertEquals(lines, [
    `${name}: removed by another process`,
    `00000002-${report.data_version}: holds the customer: customers (1); removed`,
  ]);
  assertEquals(erasure, {
    versions: 2,
    removed: 1,
    left: 0,
    latest_is_clean: false,
  });
});
