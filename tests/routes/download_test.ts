/** A download that ends before it is sent: what it reads is ended before anything is given back. */

import { assertEquals, assertRejects } from "@std/assert";
import type { Rows } from "../../db/model/questions.ts";
import { Deadline } from "../../routes/deadline.ts";
import { startDownload } from "../../routes/download.ts";
import { Underway } from "../../routes/underway.ts";
import { largeExports } from "../support/large_download.ts";
import { loadFolder } from "../support/load_folder.ts";

for (const gzip of [false, true]) {
  Deno.test(`a download whose time ends with its head, ${gzip ? "compressed" : "as it is"}: its query is ended first`, async () => {
    await using opened = await loadFolder(largeExports());
    const deadline = new Deadline(60_000);
    const ended: string[] = [];
    // The time ends while the head is made, of bytes that no compression shortens.
    async function* encode({ batches }: Rows) {
      try {
        for await (const _ of batches) {
          deadline.abort(new Error("too late"));
          for (;;) yield crypto.getRandomValues(new Uint8Array(65_536));
        }
      } finally {
        ended.push("query");
      }
    }
    const download = startDownload({
      kind: "interactions",
      filter: {},
      sort: { by: "customer_id", descending: false },
    }, {
      encode,
      bom: false,
      gzip,
      deadline,
      stall_ms: 60_000,
      snapshot: opened.snapshot,
      underway: new Underway(),
      reserve: () => ({ [Symbol.dispose]: () => void ended.push("memory") }),
    });
    await assertRejects(() => download, Error, "too late");
    assertEquals(ended, ["query", "memory"]);
  });
}
