/** The terminal's texts: marks where they are asked for, and nothing that moves its cursor. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Changes, LoadReport, Refresh } from "../../db/model/report.ts";
import {
  createPaint,
  fullReport,
  refreshText,
  summary,
} from "../../operator/terminal.ts";
import { loadFolder, NO_CUSTOMERS } from "../support/load_folder.ts";
import { textFiles } from "../support/text_ids.ts";

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
  for (
    const text of [
      plain,
      summary({ snapshot: opened.snapshot, notice: null }, "http://localhost"),
    ]
  ) {
    assertStringIncludes(text, "\ufffd[2Jsecret");
    assertEquals(text.includes("\x1b"), false);
  }
  assertStringIncludes(
    fullReport(opened.snapshot, {
      warnings: [],
      paint: (as, text) => `<${as}>${text}</${as}>`,
    }),
    "<heading>Notes</heading>",
  );
});

Deno.test("the address to try has the id of a customer in one segment", async () => {
  await using opened = await loadFolder(textFiles({
    records: [["a/b ü", "", "Jedi", "Red"]],
    interactions: [],
  }));
  assertStringIncludes(
    summary({ snapshot: opened.snapshot, notice: null }, "http://localhost"),
    "Try http://localhost/api/v1/interactions/a%2Fb%20%C3%BC",
  );
});

Deno.test("colours only on a terminal, and not where NO_COLOR asks for none", () => {
  assertEquals(createPaint(false)("good", "text"), "text");
  assertEquals(
    createPaint(true)("good", "text"),
    Deno.noColor ? "text" : "\x1b[32mtext\x1b[0m",
  );
});

Deno.test("the last line says what is served, or what waits for a decision", async (t) => {
  const [before, after] = ["a".repeat(16), "b".repeat(16)];
  const told = (
    state: Refresh["state"],
    data_version: string | null,
    reasons: readonly string[] = [],
  ) =>
    refreshText({
      sequence: 1,
      state,
      started_at: "2024-05-01T10:00:00.000Z",
      ended_at: "2024-05-01T10:00:02.000Z",
      reasons,
      report: data_version === null
        ? null
        : { data_version, seconds: 1.26 } as LoadReport,
      changes: {
        tables: { interactions: { rows_added: 1_234, rows_gone: 5 } },
      } as unknown as Changes,
    }, before);
  const cases: [string, string][] = [
    [
      told("serving", after),
      `Live after 1.3 s: data version ${after}: 1,234 interactions added, 5 gone`,
    ],
    [
      told("serving", before, ["the files are as they were"]),
      `Still serving data version ${before}\n  the files are as they were`,
    ],
    [
      told("held", after, ["fewer rows"]),
      `Held: data version ${after} needs a decision: POST /api/v1/data/accept or /discard.\n  fewer rows`,
    ],
    [
      told("failed", null, ["customers.csv: \x1b[2J"]),
      "Refresh failed; the version before stays in service.\n  customers.csv: \ufffd[2J",
    ],
  ];
  for (const [text, expected] of cases) {
    await t.step(expected.slice(0, 20), () => assertEquals(text, expected));
  }
});
