/** Hashes of files: read once while a file does not change, and no further than its reader wants. */

import { assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { FileHashes } from "../../../db/intake/file_hashes.ts";
import { dataFolder } from "../../support/data_folder.ts";

Deno.test("the signal ends the reading of a file, which has no hash then", async () => {
  const content = "x".repeat(1 << 20);
  await using folder = await dataFolder({ "a.csv": content });
  const path = `${folder.path}/a.csv`;
  const hashes = new FileHashes();
  const ending = new AbortController();
  const { read } = Deno.FsFile.prototype;
  let reads = 0;
  Deno.FsFile.prototype.read = function (buffer) {
    if (++reads === 2) ending.abort();
    return read.call(this, buffer);
  };
  try {
    await assertRejects(
      () => hashes.read(path, { signal: ending.signal }),
      DOMException,
      "aborted",
    );
    assertEquals(reads, 2);
    const sha256 = createHash("sha256").update(content).digest("hex");
    assertEquals(await hashes.read(path), sha256);
    assertEquals(reads, 7);
    assertEquals(await hashes.read(path), sha256);
    assertEquals(reads, 7);
  } finally {
    Deno.FsFile.prototype.read = read;
  }
});
