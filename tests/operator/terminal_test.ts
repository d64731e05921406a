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

Deno.test("colours only on a terminal, and not where NO_COLOR asks for none", () => {
  assertEquals(createPaint(false)("good", "text"), "text");
  assertEquals(
    createPaint(true)("good", "text"),
    Deno.noColor ? "text" : "\x1b[32mtext\x1b[0m",
  );
});
