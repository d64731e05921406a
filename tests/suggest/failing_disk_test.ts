/** A disk that fails while `deno task suggest` looks at a file. */

import { assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import type { Files } from "../support/data_folder.ts";
import { suggest } from "../support/suggest_folder.ts";

Deno.test("a disk that fails ends a draft with its error, of a packed file too", async (t) => {
  const { read } = Deno.FsFile.prototype;
  const text = `Contact ID\n${
    Array.from({ length: 200_000 }, () => Math.random()).join("\n")
  }\n`;
  const cases: Files[] = [
    { "contacts.csv": text },
    { "contacts.csv.gz": gzipSync(new TextEncoder().encode(text)) },
  ];
  for (const files of cases) {
    await t.step(Object.keys(files)[0], async () => {
      let reads = 0;
      Deno.FsFile.prototype.read = function (buffer) {
        return ++reads === 4
          ? Promise.reject(new Error("Input/output error"))
          : read.call(this, buffer);
      };
      try {
        await assertRejects(
          () => suggest(files),
          Error,
          "Input/output error",
        );
      } finally {
        Deno.FsFile.prototype.read = read;
      }
    });
  }
});
