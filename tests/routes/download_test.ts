/** Downloads: each piece is followed by the pace that they are given. */

import { assert, assertEquals } from "@std/assert";
import { Deadline } from "../../routes/deadline.ts";
import { startDownload } from "../../routes/download.ts";
import { encodeNdjson } from "../../routes/formats/ndjson.ts";
import { Underway } from "../../routes/underway.ts";
import { largeExports } from "../support/large_download.ts";
import { loadFolder } from "../support/load_folder.ts";

Deno.test("no piece of a download is made before the pace after the last one", async () => {
  await using opened = await loadFolder(largeExports(), {
    MAX_CHANNELS: "1000",
  });
  const order: string[] = [];
  const download = await startDownload({
    kind: "interactions",
    filter: {},
    sort: { by: "customer_id", descending: false },
  }, {
    async *encode(rows) {
      for await (const piece of encodeNdjson(rows)) {
        order.push("piece");
        yield piece;
      }
    },
    bom: false,
    gzip: false,
    deadline: new Deadline(60_000),
    stall_ms: 60_000,
    async pace() {
      order.push("pace");
      await Promise.resolve();
    },
    reserve: () => ({ [Symbol.dispose]() {} }),
    snapshot: opened.snapshot,
    underway: new Underway(),
  });
  const body = "body" in download ? download.body : download.take(() => {});
  await new Response(body as BodyInit).bytes();
  assert(order.length > 4, `${order}`);
  assertEquals(
    order,
    order.map((_, i) => i % 2 === 0 ? "piece" : "pace"),
  );
});
