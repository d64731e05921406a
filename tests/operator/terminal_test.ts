/** The terminal's texts: marks where they are asked for, and nothing that moves its cursor. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createPaint, fullReport } from "../../operator/terminal.ts";
import { loadFolder, NO_CUSTOMERS } from "../support/load_folder.ts";

Deno.test("a hostile column name is shown and does nothing", async () => {
  await using opened = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv":
      "Date,Event,Customers,\x1b[2Jsecret\n05/03/2020,Bird,1\n",
  });
  const plain = fullReport(opened.snapshot, {
    warnings: [],
    paint: createPaint(false),
  });
  assertStringIncludes(plain, "\ufffd[2Jsecret");
  assertEquals(plain.includes("\x1b"), false);
  assertStringIncludes(
    fullReport(opened.snapshot, {
      warnings: [],
      paint: (as, text) => `<${as}>${text}</${as}>`,
    }),
    "<heading>Notes</heading>",
  );
});

Deno.test("rows set aside of a file that two tables read are shown with their own table", async () => {
  await using opened = await loadFolder({
    "crm.csv":
      "Id,When,How\n1,2020-03-01,Bird\n2,bad,Bird\nx,2020-03-02,Bird\n",
    "tally.toml":
      `[customers]\nfiles = "crm.csv"\nid = "Id"\n\n[interactions]\nfiles = "crm.csv"\ncustomer = "Id"\ntime = "When"\nchannel = "How"\n`,
  }, { MAX_SET_ASIDE: "1" });
  const report = fullReport(opened.snapshot, {
    warnings: [],
    paint: createPaint(false),
  });
  assertEquals(report.match(/line \d, \w+/g), [
    "line 4, customer_id",
    "line 3, date_start",
    "line 4, customers",
  ]);
});

Deno.test("colours only on a terminal, and not where NO_COLOR asks for none", () => {
  assertEquals(createPaint(false)("good", "text"), "text");
  assertEquals(
    createPaint(true)("good", "text"),
    Deno.noColor ? "text" : "\x1b[32mtext\x1b[0m",
  );
});
