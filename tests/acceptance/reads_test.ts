/** How often a file is read: counted by the system for the server's process. */

import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import {
  type DataFolder,
  dataFolder,
  type Files,
} from "../support/data_folder.ts";
import {
  type RunningServer,
  startServer,
  waitFor,
} from "../support/start_server.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { TWO_LOOKS_MS } from "../support/watched_store.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

/** A server on a folder. */
interface Served extends AsyncDisposable {
  readonly folder: DataFolder;
  readonly server: RunningServer;
}

async function serve(files: Files): Promise<Served> {
  const folder = await dataFolder(files);
  const server = await startServer({
    DATA_DIR: folder.path,
    REFRESH_SECONDS: "1",
    HOLD: "off",
    ADMIN_KEY_SHA256,
  });
  return {
    folder,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The refreshes so far, the newest first, once there are so many. */
async function refreshes(
  { server }: Served,
  at_least: number,
): Promise<{ state: string; interactions: number }[]> {
  for (let i = 0; i < 400; i++) {
    const answer = await waitFor(
      `${server.base_url}/api/v1/data/history`,
      200,
    );
    const { data } = await answer.json();
    if (data.length >= at_least) return data;
    await delay(50);
  }
  throw new Error(`fewer than ${at_least} refreshes; ${server.output.error}`);
}

/** Waits until so many refreshes are over, and the last one serves so many interactions. */
async function live(
  served: Served,
  { after, interactions }: {
    readonly after: number;
    readonly interactions: number;
  },
): Promise<void> {
  const [{ state, interactions: found }] = await refreshes(served, after);
  assertEquals({ state, found }, { state: "serving", found: interactions });
}

/** Bytes that the server has read so far, whatever for. */
async function bytesRead({ server: { pid } }: Served): Promise<number> {
  // Deno reads a file of /proc itself only with --allow-all, which the tests do without.
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/io`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  return Number(/^rchar: (\d+)$/m.exec(text)![1]);
}

/** How many times the `bytes` of a file are read while `action` runs. */
async function readsOf(
  served: Served,
  { bytes, action }: {
    readonly bytes: number;
    readonly action: () => Promise<unknown>;
  },
): Promise<number> {
  const before = await bytesRead(served);
  await action();
  return (await bytesRead(served) - before) / bytes;
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

/** A server that has loaded FILES. */
async function serveRows(): Promise<Served> {
  const served = await serve(FILES);
  await live(served, { after: 1, interactions: ROWS });
  return served;
}

Deno.test("a file of a refresh is read once, and its copy twice by the engine", async () => {
  await using served = await serveRows();
  const next = interactions("Mail");
  const reads = await readsOf(served, {
    bytes: next.length,
    async action() {
      const { folder } = served;
      await folder.write({ ".next": next });
      await Deno.rename(
        `${folder.path}/.next`,
        `${folder.path}/interactions.csv`,
      );
      await live(served, { after: 2, interactions: ROWS });
    },
  });
  // The engine looks at the names first.
  assert(reads < 3.5, `${reads} times`);
});

Deno.test("files that are touched are read once, and nothing is built", async () => {
  await using served = await serveRows();
  const { length } = FILES["interactions.csv"];
  const before = await bytesRead(served);
  const reads = async () => (await bytesRead(served) - before) / length;
  const path = `${served.folder.path}/interactions.csv`;
  await Deno.utime(path, new Date(), new Date());
  for (let i = 0; i < 400 && await reads() < 1; i++) await delay(50);
  await delay(TWO_LOOKS_MS);
  const told = await reads();
  assert(told >= 1 && told < 1.5, `${told} times`);
  assertEquals((await refreshes(served, 1)).length, 1);
});

Deno.test("an upload is read once to check it and once for the refresh, and its copy twice by the engine", async () => {
  await using served = await serveRows();
  const next = interactions("Mail");
  const reads = await readsOf(served, {
    bytes: next.length,
    async action() {
      const { base_url } = served.server;
      const answer = await fetch(
        `${base_url}/api/v1/data/files/interactions.csv`,
        {
          method: "PUT",
          headers: { Authorization: `Bearer ${ADMIN_KEY}` },
          body: next,
        },
      );
      assert(answer.ok, await answer.text());
      await live(served, { after: 2, interactions: ROWS });
    },
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
  await using served = await serve({ "customers.csv": "Customer_Id\n1\n" });
  const reads = await readsOf(served, {
    bytes: book.length,
    async action() {
      const { folder } = served;
      await folder.write({ ".next": book });
      await Deno.remove(`${folder.path}/customers.csv`);
      await Deno.rename(`${folder.path}/.next`, `${folder.path}/crm.xlsx`);
      await waitFor(`${served.server.base_url}/readyz`, 200);
      await live(served, { after: 1, interactions: 1 });
    },
  });
  assert(reads < 2.9, `${reads} times`);
});
