/** docs/report.md has every field and warning there is, and no others. */

import { assertEquals } from "@std/assert";
import { WARNING_KINDS } from "../db/model/report.ts";
import { NO_INTERACTIONS } from "./support/load_folder.ts";
import { openApp } from "./support/open_app.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

/** The names in the first column of each table, by the heads of their columns. */
const tables = (await read("docs/report.md"))
  .split("\n\n").filter((block) => block.startsWith("|"))
  .map((block) => {
    const rows = block.trim().split("\n").map((row) => row.split("|")[1]);
    const names = rows.slice(2).flatMap((cell) =>
      Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name)
    );
    return { head: rows[0].trim(), names: names.sort() };
  });
const named = (head: string) =>
  tables.filter((table) => table.head === head).map(({ names }) => names);

Deno.test("the fields are those of the answer", async () => {
  await using opened = await openApp(new URL("data", ROOT).pathname);
  const { data } = await (await opened.app.request("/api/v1/data")).json();
  assertEquals(named("field"), [
    Object.keys(data).sort(),
    Object.keys(data.report.files[0]).sort(),
  ]);
});

Deno.test("the fields of a source, and of the mapping, are those that tally.toml adds", async () => {
  await using opened = await openApp({
    "tally.toml": `customers = false
[interactions]
files = "calls.csv"
customer = "To"
time = "At"
channel = { value = "Call" }
`,
    "calls.csv": "At,To\n2020-03-05,1\n",
    "interactions.csv": NO_INTERACTIONS,
  });
  const { data } = await (await opened.app.request("/api/v1/data")).json();
  const [of_source, other] = data.report.files.map(Object.keys);
  assertEquals(named("field of a source"), [
    of_source.filter((field: string) => !other.includes(field)).sort(),
  ]);
  assertEquals(named("field of mapping"), [
    Object.keys(data.report.mapping).sort(),
  ]);
});

Deno.test("the warnings are those there can be", () => {
  assertEquals(named("kind"), [[...WARNING_KINDS].sort()]);
});
