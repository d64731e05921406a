/** docs/report.md has every field and warning there is, and no others. */

import { assertEquals } from "@std/assert";
import { WARNING_KINDS } from "../db/model/report.ts";
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

Deno.test("the warnings are those there can be", () => {
  assertEquals(named("kind"), [[...WARNING_KINDS].sort()]);
});
