/** Columns that say how many interactions a row stands for: drafted with a question, or asked for. */

import { assert, assertEquals } from "@std/assert";
import { saysCount } from "../../db/suggest/known_headers.ts";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";

const CLIENTS = "Client No,Company\n1,A\n2,B\n3,C\n";

Deno.test("a row of numbers counts as many interactions as it says", async () => {
  const files = {
    "clients.csv": CLIENTS,
    "call_totals.csv": `Client No,Day,Channel,Number of calls
1,2024-12-07,Phone,8
2,2024-03-20,Phone,0
3,2024-02-11,Phone,2
`,
  };
  const { toml, questions } = await suggest(files);
  assert(questions.some(({ key }) => key === "interactions[1].count"));
  await using folder = await loadTables({ ...files, "tally.toml": toml });
  assertEquals(folder.report.interactions, 10);
});

Deno.test("where it may be so, the draft asks, and counts rows", async () => {
  const asksFor = async (header: string, ...rows: string[]) => {
    const { toml, questions } = await suggest({
      "clients.csv": CLIENTS,
      "calls.csv": `${header}\n${rows.join("\n")}\n`,
    });
    assert(!toml.includes("\ncount ="), toml);
    return questions.some(({ text }) => text.includes("write count"));
  };
  // Days without times may be sums; rows with an id are interactions.
  assert(await asksFor("Client No,Day,N", "1,2024-12-07,8"));
  assert(
    await asksFor(
      "Call ID,Client No,Day,Number of calls",
      "c7,1,2024-12-07,8",
      "c8,2,2024-12-07,3",
    ),
  );
  assert(!await asksFor("Client No,Day,N", "1,2024-12-07T10:00:00Z,8"));
  assert(
    !await asksFor(
      "Call ID,Client No,Day,N",
      "c7,1,2024-12-07,8",
      "c8,2,2024-12-07,3",
    ),
  );
});

Deno.test("headers say how many, and ids do not", () => {
  const headers = {
    surely: [
      "Number of calls",
      "Calls",
      "Count",
      "call_count",
      "Anzahl Anrufe",
      "# visits",
      "TotalEmails",
      "Nombre d'appels",
    ],
    perhaps: ["Number of items", "Reply count"],
    null: ["Case Number", "Call No", "Order number", "Note", "Total", "Email"],
  };
  for (const [says, all] of Object.entries(headers)) {
    for (const header of all) {
      assertEquals(`${saysCount(header)}`, says, header);
    }
  }
});
