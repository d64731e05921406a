/** Workbooks that would take all memory, or all of the event loop: measured in this process, so run alone. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  refusalOf,
} from "../support/load_folder.ts";
import { longestHold } from "../support/worked.ts";
import { xlsx } from "../support/xlsx_files.ts";

const OTHERS = {
  "customers.csv": NO_CUSTOMERS,
  "interactions.csv": NO_INTERACTIONS,
};

Deno.test("Excel, a bomb is refused under XLSX_MAX_BYTES and the process lives on", async () => {
  const rows = `<row><c><v>1</v></c></row>`.repeat(400_000);
  const files = {
    ...OTHERS,
    "channels.xlsx": xlsx({ channels: `<sheetData>${rows}</sheetData>` }),
  };
  const before = Deno.memoryUsage().rss;
  assertEquals(
    await refusalOf(files, { XLSX_MAX_BYTES: "1000000" }),
    "channels.xlsx: more than XLSX_MAX_BYTES=1000000 bytes unpacked. Save its sheets as CSV, or raise XLSX_MAX_BYTES.",
  );
  assert(Deno.memoryUsage().rss - before < 100e6);
});

Deno.test("Excel, a long text of quotes that many cells share: others get their turn", async () => {
  const header = `<row><c t="inlineStr"><is><t>Channel</t></is></c></row>`;
  const shared = `<row><c t="s"><v>0</v></c></row>`.repeat(2_000);
  const channels = `<sheetData>${header}${shared}</sheetData>`;
  const strings = `<si><t>${'"'.repeat(32_767)}</t></si>`;
  const book = xlsx({ channels }, { strings });
  const longest_ms = await longestHold(async () =>
    assertStringIncludes(
      await refusalOf(
        { ...OTHERS, "channels.xlsx": book },
        { XLSX_MAX_BYTES: "100000000" },
      ),
      "more than XLSX_MAX_BYTES=100000000 bytes unpacked",
    )
  );
  // Some 20 here; 210 where 64 KiB of a sheet are taken in one go.
  assert(longest_ms < 75, `${longest_ms} ms`);
});
