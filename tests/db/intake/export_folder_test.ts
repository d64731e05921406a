/** Uploads: taken whole or not at all, under the names of the contract only. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileHashes } from "../../../db/intake/file_hashes.ts";
import { ExportFolder } from "../../../db/intake/export_folder.ts";
import { StoreError, type StoreErrorKind } from "../../../db/model/problems.ts";
import {
  type DataFolder,
  dataFolder,
  namesIn,
} from "../../support/data_folder.ts";
import { utf8 } from "../../support/text_bytes.ts";

const CUSTOMERS = "Customer_Id,Occupation,Type\n1,Jedi,Red\n";

async function opened(folder: DataFolder, max_upload_bytes = 1 << 20) {
  const staging = await dataFolder();
  const exports = new ExportFolder(staging.path, {
    data_dir: folder.path,
    csv_encoding: "windows-1252",
    max_file_bytes: 1 << 30,
    xlsx_max_bytes: 1 << 30,
    max_upload_bytes,
    hashes: new FileHashes(),
  });
  return {
    exports,
    staging,
    [Symbol.asyncDispose]: () => staging[Symbol.asyncDispose](),
  };
}

/** A body that comes in pieces, and ends as `end` says. */
function body(
  text: string,
  end: "whole" | "cut" = "whole",
): ReadableStream<Uint8Array> {
  const bytes = utf8(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) {
        controller.enqueue(bytes.slice(at, at += 7));
      } else if (end === "cut") controller.error(new Error("connection reset"));
      else controller.close();
    },
  });
}

async function failure(
  kind: StoreErrorKind,
  action: () => Promise<unknown>,
): Promise<string> {
  const error = await assertRejects(action, StoreError);
  assertEquals(error.kind, kind, error.message);
  return error.message;
}

Deno.test("an upload is in the folder whole, and listed with its hash", async () => {
  await using folder = await dataFolder();
  await using use = await opened(folder);
  const taken = await use.exports.put("customers.csv", body(CUSTOMERS));
  assertEquals(
    await Deno.readTextFile(`${folder.path}/customers.csv`),
    CUSTOMERS,
  );
  assertEquals(
    taken.sha256,
    "32584b1d26059495eccfe2b2a5a16f4c081e18fd16f31c7f562b57aaea6aa8c0",
  );
  assertEquals(await use.exports.list(), [taken]);
  assertEquals(await use.exports.list(), [taken]);
  await folder.write({ "notes.txt": "", "interactions/a.csv": "x" });
  assertEquals(
    (await use.exports.list()).map(({ name, table }) => [name, table]),
    [["customers.csv", "customers"], ["interactions/a.csv", "interactions"]],
  );
  assertEquals(await namesIn(use.staging.path), []);
});

Deno.test("an upload takes the place of an older one, and can be removed", async () => {
  await using folder = await dataFolder({ "customers.csv": CUSTOMERS });
  await using use = await opened(folder);
  const newer = `${CUSTOMERS}2,Baker,Blue\n`;
  await use.exports.put("customers.csv", body(newer));
  assertEquals(await Deno.readTextFile(`${folder.path}/customers.csv`), newer);
  await use.exports.remove("customers.csv");
  assertEquals(await namesIn(folder.path), []);
  assertStringIncludes(
    await failure("missing", () => use.exports.remove("customers.csv")),
    "customers.csv",
  );
});

Deno.test("a name that is no export's is refused before anything is read", async (t) => {
  await using folder = await dataFolder();
  await using use = await opened(folder);
  for (
    const name of [
      "",
      ".",
      "..",
      "../customers.csv",
      "interactions/a.csv",
      "..\\customers.csv",
      "customers.csv\0.txt",
      ".customers.csv",
      "~$customers.csv",
      "customers.csv.part",
      "customers.exe",
      "customers (1).csv",
      "orders.csv",
      `customers_${"1".repeat(120)}.csv`,
    ]
  ) {
    await t.step(JSON.stringify(name.slice(0, 30)), async () => {
      await failure("invalid", () => use.exports.put(name, body(CUSTOMERS)));
      await failure("invalid", () => use.exports.remove(name));
    });
  }
  assertEquals(await namesIn(folder.path), []);
});

Deno.test("what fails leaves the older file and nothing else", async (t) => {
  await using folder = await dataFolder({ "customers.csv": CUSTOMERS });
  await using use = await opened(folder, 100);
  const table: [string, StoreErrorKind, ReadableStream<Uint8Array>, string][] =
    [
      ["cut off", "invalid", body(CUSTOMERS, "cut"), "cut off"],
      ["too big", "too_large", body("x".repeat(101)), "MAX_UPLOAD_BYTES=100"],
      ["no fitting header", "refused", body("a,b\n1,2\n"), "Customer_Id"],
      ["empty", "refused", body(""), "Customer_Id"],
      ["an open quote", "refused", body('Customer_Id\n"1\n'), "never closed"],
    ];
  for (const [name, kind, stream, text] of table) {
    await t.step(name, async () => {
      assertStringIncludes(
        await failure(kind, () => use.exports.put("customers.csv", stream)),
        text,
      );
      assertEquals(await namesIn(folder.path), ["customers.csv"]);
      assertEquals(
        await Deno.readTextFile(`${folder.path}/customers.csv`),
        CUSTOMERS,
      );
      assertEquals(await namesIn(use.staging.path), []);
    });
  }
  await t.step("a cut gzip", async () => {
    const packed = new Response(
      new Blob([CUSTOMERS]).stream().pipeThrough(new CompressionStream("gzip")),
    );
    const bytes = new Uint8Array(await packed.arrayBuffer());
    await failure("refused", () =>
      use.exports.put(
        "customers.csv.gz",
        new Blob([bytes.slice(0, -8)]).stream(),
      ));
    assertEquals(await namesIn(folder.path), ["customers.csv"]);
  });
});

Deno.test("of uploads of one name at once, one wins whole", async () => {
  await using folder = await dataFolder();
  await using use = await opened(folder);
  const texts = ["Red", "Blue", "Green", "Orange"].map((type) =>
    "Customer_Id,Type\n" +
    Array.from({ length: 200 }, (_, i) => `${i + 1},${type}\n`).join("")
  );
  const taken = await Promise.all(
    texts.map((text) => use.exports.put("customers.csv", body(text))),
  );
  const left = await Deno.readTextFile(`${folder.path}/customers.csv`);
  assertEquals(texts.includes(left), true);
  const [listed] = await use.exports.list();
  assertEquals(taken.map(({ sha256 }) => sha256).includes(listed.sha256), true);
  assertEquals(await namesIn(folder.path), ["customers.csv"]);
});

Deno.test("more uploads than fit are sent away at once", async () => {
  await using folder = await dataFolder();
  await using use = await opened(folder);
  const senders: ReadableStreamDefaultController<Uint8Array>[] = [];
  const slow = Array.from({ length: 4 }, () =>
    use.exports.put(
      "customers.csv",
      new ReadableStream({
        start: (controller) => void senders.push(controller),
      }),
    ));
  await failure(
    "busy",
    () => use.exports.put("customers.csv", body(CUSTOMERS)),
  );
  for (const sender of senders) {
    sender.enqueue(utf8(CUSTOMERS));
    sender.close();
  }
  assertEquals((await Promise.all(slow)).length, 4);
  await use.exports.put("customers.csv", body(CUSTOMERS));
});

// A folder of each kind, made before the test has fewer rights.
const [writable, read_only] = await Promise.all(
  ["writable", "read-only"].map((suffix) => Deno.makeTempDir({ suffix })),
);
addEventListener("unload", () => {
  for (const folder of [writable, read_only]) {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test({
  name: "a folder that may not be written is told as such",
  permissions: { read: true, write: [writable] },
  async fn() {
    const exports = new ExportFolder(writable, {
      data_dir: read_only,
      csv_encoding: "windows-1252",
      max_file_bytes: 1 << 20,
      xlsx_max_bytes: 1 << 20,
      max_upload_bytes: 1 << 20,
      hashes: new FileHashes(),
    });
    for (
      const action of [
        () => exports.put("customers.csv", body(CUSTOMERS)),
        () => exports.remove("customers.csv"),
      ]
    ) assertStringIncludes(await failure("conflict", action), "read-only");
  },
});

Deno.test("what a killed process left is removed, and no upload under way", async () => {
  await using folder = await dataFolder({
    ".upload-left.part": "x",
    ".other.part": "x",
  });
  await using use = await opened(folder);
  const sender = Promise.withResolvers<ReadableStreamDefaultController>();
  const upload = use.exports.put(
    "customers.csv",
    // Pulled at the first read, so when the hidden file is there and locked.
    new ReadableStream(
      { pull: (controller) => sender.resolve(controller) },
      { highWaterMark: 0 },
    ),
  );
  const controller = await sender.promise;
  await use.exports.clean();
  const left = await namesIn(folder.path);
  assertEquals(left.length, 2, left.join());
  assertEquals(left.includes(".upload-left.part"), false);
  controller.enqueue(utf8(CUSTOMERS));
  controller.close();
  await upload;
  assertEquals(await namesIn(folder.path), [".other.part", "customers.csv"]);
});

/** A file system of a megabyte, where this user may mount one. */
async function smallDisk(path: string): Promise<boolean> {
  const mount = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path],
    stderr: "null",
  });
  return await mount.output().then(({ success }) => success, () => false);
}

const disk = await Deno.makeTempDir();
const mounted = await smallDisk(disk);
if (mounted) await new Deno.Command("umount", { args: [disk] }).output();
await Deno.remove(disk);

Deno.test({
  name: "a full disk keeps nothing of an upload",
  ignore: !mounted,
  async fn() {
    await using folder = await dataFolder();
    await smallDisk(folder.path);
    try {
      await using use = await opened(folder, 1 << 30);
      const rows = "1,Jedi,Red\n".repeat(200_000);
      const big = new Blob([`Customer_Id,Occupation,Type\n${rows}`]).stream();
      await failure("full", () => use.exports.put("customers.csv", big));
      assertEquals(await namesIn(folder.path), []);
      await use.exports.put("customers.csv", body(CUSTOMERS));
    } finally {
      await new Deno.Command("umount", { args: [folder.path] }).output();
    }
  },
});
