/** The accounts of a load: what adds up passes, what does not is a bug that is named. */

import { assertThrows } from "@std/assert";
import {
  type Accounts,
  checkAccounts,
} from "../../../db/model/load_accounts.ts";
import { loadTables } from "../../support/load_folder.ts";

const HEADER = "Date Start,Interaction,Customers\n";

Deno.test("accounts", async (t) => {
  await using loaded = await loadTables({
    "customers.csv": "Customer_Id\n1\nx\n",
    "products.csv": "Date,Product\n03-2020,Sand\n13-2020,Sand\n",
    "interactions_1.csv": `${HEADER}05/03/2020,Bird,1;2\n31/02/2020,Bird,1\n`,
    "interactions_2.csv": `${HEADER}05/03/2020,Bird,1\n06/03/2020,Call,1\n`,
  });
  const { report } = loaded;
  await t.step("of a load add up", () => checkAccounts(report));

  const changed = (
    name: string,
    change: Partial<Accounts["files"][number]>,
  ): Accounts => ({
    ...report,
    files: report.files.map((file) =>
      file.file === name ? { ...file, ...change } : file
    ),
  });
  const table: [name: string, accounts: Accounts, message: string][] = [
    [
      "a row is lost",
      changed("interactions_1.csv", { rows_read: 3 }),
      "rows of interactions_1.csv do not add up: 3 and 2",
    ],
    [
      "a row is set aside and kept",
      changed("products.csv", { rows_set_aside: 2 }),
      "rows of products.csv do not add up: 2 and 3",
    ],
    [
      "an interaction is merged and counted",
      changed("interactions_2.csv", { interactions_merged: 0 }),
      "interactions merged do not add up: 1 and 0",
    ],
    [
      "an interaction has no channel",
      { ...report, interactions: 4 },
      "interactions by channel do not add up: 4 and 3",
    ],
  ];
  for (const [name, accounts, message] of table) {
    await t.step(name, () => {
      assertThrows(() => checkAccounts(accounts), Error, message);
    });
  }
});
