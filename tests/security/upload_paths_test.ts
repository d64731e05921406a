/** Paths of uploads and checks over a socket, as they stand: nothing is written outside, or under another name. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type DataFolder, dataFolder } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { faultLines } from "../support/log_lines.ts";
import { type RawAnswers, rawExchange } from "../support/raw_exchange.ts";
import { startServer, waitFor } from "../support/start_server.ts";
import { utf8 } from "../support/text_bytes.ts";
import { exportsOf } from "../support/watched_store.ts";

const FILES = "/api/v1/data/files";
const CHECK = "/api/v1/data/check";
const UPLOADED = "Customer_Id\n7\n";

/** What is behind the last slash of the path, refused with 4xx. */
const REFUSED = [
  // Out of the folder, or into another one.
  ...["../customers.csv", "..%2fcustomers.csv", "..%2Fcustomers.csv"],
  ...["x/../customers.csv", "./customers.csv", "../files/customers.csv"],
  ...["%2e%2e/customers.csv", "%2e%2e%2fcustomers.csv", "%2E.%2Fcustomers.csv"],
  ...["..%5ccustomers.csv", "..\\customers.csv", "%2e%2e%5ccustomers.csv"],
  ...["..%252fcustomers.csv", "%252e%252e%252fcustomers.csv"],
  ...["..%c0%afcustomers.csv", "%c0%ae%c0%ae/customers.csv"],
  ...["..%ef%bc%8fcustomers.csv", "%e2%80%a5/customers.csv"],
  ...["....//customers.csv", "..;/customers.csv", "..%00/customers.csv"],
  ...["../../../../../../tmp/customers.csv", "..%2f".repeat(9) + "tmp/x.csv"],
  ...["%2ftmp%2fcustomers.csv", "/tmp/customers.csv", "%2fetc%2fpasswd"],
  ...[
    "C:%5ccustomers.csv",
    "C:/customers.csv",
    "%5c%5chost%5cx%5ccustomers.csv",
  ],
  ...["file:%2f%2f%2ftmp%2fcustomers.csv", "~%2fcustomers.csv"],
  ...["interactions%2fcustomers.csv", "interactions/customers.csv", "%2e", "."],
  // Ends that a file system or a language may drop.
  ...["customers.csv%00", "customers.csv%00.txt", "customers%00.csv"],
  ...[
    "customers.csv.",
    "customers.csv%2e",
    "customers.csv%20",
    "customers.csv+",
  ],
  ...[
    "customers.csv/",
    "customers.csv%2f",
    "customers.csv/.",
    "customers.csv%0a",
  ],
  ...["customers.csv::$DATA", "customers.csv%3a%3a%24DATA", "customers.csv%23"],
  ...["customers.csv%3fx", "customers.csv%FF", "customers.csv;type=a"],
  // Names of devices, hidden and unfinished files.
  ...["CON", "CON.csv", "NUL.csv", "AUX.parquet", "COM1.csv", "LPT1.tsv"],
  ...[".customers.csv", "%2ecustomers.csv", ".upload-1.part", "customers.csv~"],
  ...["~$customers.csv", "customers.csv.part", ".git%2fconfig", ".env"],
  // Letters that look like others, and none at all.
  ...["%d1%81ustomers.csv", "customers%ef%bc%8ecsv", "customers.%d1%81sv"],
  ...[
    "",
    "%20",
    ".csv",
    "%2ecsv",
    "%00",
    "%1b%5b2J.xlsx",
    "customers_1%09.csv",
  ],
  // Too long, in characters or in bytes.
  ...[
    `customers_${"1".repeat(200)}.csv`,
    `customers_${"%ef%bc%91".repeat(90)}.csv`,
  ],
  ...[
    `${"a/".repeat(500)}customers.csv`,
    `${"..%2f".repeat(400)}customers.csv`,
  ],
];

/** Taken, as the files of these names and no others. */
const TAKEN: readonly [path: string, name: string][] = [
  ["customers_2.csv", "customers_2.csv"],
  ["%63ustomers_2.csv", "customers_2.csv"],
  ["customers_2%2ecsv", "customers_2.csv"],
  ["customers_2.csv?../x", "customers_2.csv"],
  // The contract compares names by what is seen of them, in any case.
  ["CUSTOMERS_2.CSV", "CUSTOMERS_2.CSV"],
  ["%20customers.csv", " customers.csv"],
  ["customers%e2%80%8b.csv", "customers\u200b.csv"],
  ["%ef%bd%83ustomers.csv", "ｃustomers.csv"],
];

/** The text of every file below a folder, and where links lead. */
async function treeOf({ path }: DataFolder): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  const look = async (folder: string) => {
    for await (const { name, isSymlink, isDirectory } of Deno.readDir(folder)) {
      const file = `${folder}/${name}`;
      const below = file.slice(path.length + 1);
      if (isSymlink) tree[below] = `-> ${await Deno.readLink(file)}`;
      else if (isDirectory) await look(file);
      else tree[below] = await Deno.readTextFile(file);
    }
  };
  await look(path);
  return tree;
}

Deno.test("paths of uploads", async (t) => {
  await using parent = await dataFolder({ "outside.csv": "secret" });
  await Deno.mkdir(`${parent.path}/exports`);
  await parent.write(
    Object.fromEntries(
      Object.entries(exportsOf(1)).map(([name, text]) => [
        `exports/${name}`,
        text,
      ]),
    ),
  );
  await using server = await startServer({
    DATA_DIR: `${parent.path}/exports`,
    ADMIN_KEY_SHA256,
  });
  const { base_url } = server;
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
  const { host } = new URL(base_url);
  const send = (method: string, path: string): Promise<RawAnswers> =>
    rawExchange(
      base_url,
      utf8(
        [
          `${method} ${method === "POST" ? CHECK : FILES}/${path} HTTP/1.1`,
          `Host: ${host}`,
          `Authorization: Bearer ${ADMIN_KEY}`,
          "Connection: close",
          `Content-Length: ${UPLOADED.length}`,
          "",
          UPLOADED,
        ].join("\r\n"),
      ),
    );
  const before = await treeOf(parent);

  for (const path of REFUSED) {
    await t.step(path.slice(0, 60), async () => {
      for (const method of ["PUT", "DELETE", "POST"]) {
        const { statuses: [status], text } = await send(method, path);
        assert(status >= 400 && status < 500, `${method}: ${text}`);
      }
      assertEquals(await treeOf(parent), before);
    });
  }
  for (const [path, name] of TAKEN) {
    await t.step(`checked: ${path}`, async () => {
      const { statuses, text } = await send("POST", path);
      assertEquals(statuses, [200], text);
      assertStringIncludes(text, JSON.stringify(name).slice(1, -1));
      assertEquals(await treeOf(parent), before);
    });
  }
  await t.step(
    "a link out of the folder: not followed by a check",
    async () => {
      const link = `${parent.path}/exports/customers_3.csv`;
      await Deno.symlink("../outside.csv", link);
      const { statuses, text } = await send("POST", "customers_3.csv");
      await Deno.remove(link);
      // Or a refresh was begun for the link.
      assert([200, 409].includes(statuses[0]), text);
      assert(!text.includes("secret"));
      assertEquals(await treeOf(parent), before);
    },
  );
  for (const [path, name] of TAKEN) {
    await t.step(`taken: ${path}`, async () => {
      assertEquals((await send("PUT", path)).statuses, [202]);
      const with_it = { ...before, [`exports/${name}`]: UPLOADED };
      assertEquals(await treeOf(parent), with_it);
      assertEquals((await send("DELETE", path)).statuses, [202]);
      assertEquals(await treeOf(parent), before);
    });
  }
  await t.step(
    "a link out of the folder: replaced, and not followed",
    async () => {
      const link = `${parent.path}/exports/customers_3.csv`;
      for (const [method, left] of [["PUT", UPLOADED], ["DELETE", undefined]]) {
        await Deno.remove(link).catch(() => {});
        await Deno.symlink("../outside.csv", link);
        assertEquals((await send(method!, "customers_3.csv")).statuses, [202]);
        const { "exports/customers_3.csv": now, ...others } = await treeOf(
          parent,
        );
        assertEquals(now, left);
        assertEquals(others, before);
      }
    },
  );
  assertEquals(faultLines(server.output.error), []);
  assertEquals(await server.stop(), 0);
});
