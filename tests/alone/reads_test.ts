/** How often a file is read: counted by the system for this process, so run alone. */

import { assert } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { Files } from "../support/data_folder.ts";
import { live, staysFor, watchedStore } from "../support/watched_store.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

/** Bytes that this process has read so far, whoever asked for them. */
async function bytesRead(): Promise<number> {
  // Deno reads a file of /proc itself only with --allow-all, which the tests do without.
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${Deno.pid}/io`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  return Number(/^rchar: (\d+)$/m.exec(text)![1]);
}

/** How many times the `bytes` of a file are read while `action` runs. */
async function readsOf(
  bytes: number,
  action: () => Promise<unknown>,
): Promise<number> {
  const before = await bytesRead();
  await action();
  return (await bytesRead() - before) / bytes;
}

// Enough that the first and last bytes, which are looked at once more, do not weigh.
const ROWS = 200_000;

function interactions(channel: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(
    `Date Start,Interaction,Customers,Note\n${
      `01/02/2020,${channel},1,something that is not used\n`.repeat(ROWS)
    }`,
  );
}

const FILES: Files = {
  "customers.csv": "Customer_Id\n1\n",
  "interactions.csv": interactions("Call"),
};

Deno.test("a file of a refresh is read once, and its copy twice by the engine", async () => {
  await using watched = await watchedStore(FILES);
  await live(watched, ROWS);
  const next = interactions("Mail");
  const reads = await readsOf(next.length, async () => {
    await watched.folder.write({ ".next": next });
    const { path } = watched.folder;
    await Deno.rename(`${path}/.next`, `${path}/interactions.csv`);
    await live(watched, ROWS);
  });
  // The engine looks at the names first.
  assert(reads < 3.5, `${reads} times`);
});

Deno.test("files that are touched are read once, and nothing is built", async () => {
  await using watched = await watchedStore(FILES);
  await live(watched, ROWS);
  const { length } = FILES["interactions.csv"];
  const { path } = watched.folder;
  const before = await bytesRead();
  const reads = async () => (await bytesRead() - before) / length;
  await staysFor(watched, async () => {
    await Deno.utime(`${path}/interactions.csv`, new Date(), new Date());
    for (let i = 0; i < 400 && await reads() < 1; i++) await delay(50);
  });
  assert(await reads() < 1.5, `${await reads()} times`);
});

Deno.test("an upload is read once to check it and once for the refresh, and its copy twice by the engine", async () => {
  await using watched = await watchedStore(FILES);
  await live(watched, ROWS);
  const next = interactions("Mail");
  const reads = await readsOf(next.length, async () => {
    await watched.store.files.put(
      "interactions.csv",
      new Blob([next]).stream(),
    );
    await live(watched, ROWS);
  });
  assert(reads < 4.5, `${reads} times`);
});

Deno.test("a workbook is copied once, and its shared strings read once for all sheets", async () => {
  // Texts of random digits, which pack to half of their length.
  const strings = Array.from({ length: 2_000 }, () => {
    const bytes = crypto.getRandomValues(new Uint8Array(2_000));
    return `<si><t>${bytes.toHex()}</t></si>`;
  }).join("");
  const book = xlsx({
    customers: sheetOf(["Customer_Id"], [1]),
    interactions: sheetOf(
      ["Date Start", "Interaction", "Customers"],
      ["01/02/2020", "Call", 1],
    ),
    channels: sheetOf(["Channel"], ["Call"]),
    products: sheetOf(["Month", "Product"], ["1-2020", "Sand"]),
  }, { strings });
  const reads = await readsOf(book.length, async () => {
    await using watched = await watchedStore({ "crm.xlsx": book });
    await live(watched, 1);
  });
  assert(reads < 2.9, `${reads} times`);
});
