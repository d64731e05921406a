/** Globs for names of files: the next exports fit too, and no other file of the folder. */

import { assertEquals } from "@std/assert";
import { globsOf } from "../../db/suggest/globs.ts";

Deno.test("a glob takes its own files and no others", () => {
  const globs = (own: string[], others: string[] = []) =>
    globsOf(own, [...own, ...others]).map(({ glob }) => glob);
  assertEquals(globs(["calls_2024-01.csv"]), ["calls_*.csv"]);
  assertEquals(globs(["calls_1.csv.gz", "calls_2.csv.gz"]), [
    "calls_*.csv.gz",
  ]);
  assertEquals(globs(["Contact.csv"]), ["Contact.csv"]);
  assertEquals(globs(["2024.csv"]), ["2024.csv"]);
  assertEquals(globs(["All Contacts 5-1-2024 10-00-00 AM.xlsx"]), [
    "All Contacts *.xlsx",
  ]);
  // Two kinds of files whose names differ in digits alone.
  assertEquals(globs(["export_1.csv"], ["export_2.csv"]), ["export_1.csv"]);
  assertEquals(globs(["a.csv", "b.csv"]), ["a.csv", "b.csv"]);
});
