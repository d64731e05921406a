/** Uploads: taken whole or not at all, under the names of the contract only. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileHashes } from "../../../db/intake/file_hashes.ts";
import { createHash } from "node:crypto";
import { ExportFolder } from "../../../db/intake/export_folder.ts";
import { StoreError, type StoreErrorKind } from "../../../db/model/problems.ts";
import type { Preconditions } from "../../../db/store.ts";
import { dataFolder, type Files, namesIn } from "../../support/data_folder.ts";
import { ioError } from "../../support/io_error.ts";
import { can_mount, smallDisk } from "../../support/small_disk.ts";
import { utf8 } from "../../support/text_bytes.ts";
import {
  sheetOf,
  xlsx,
  zipOf,
  type ZipPart,
} from "../../support/xlsx_files.ts";

const CUSTOMERS = "Customer_Id,Occupation,Type\n1,Jedi,Red\n";

const hashOf = (text: string) =>
  createHash("sha256").update(text).digest("hex");

async function opened(
  folder: { readonly path: string },
  {
    max_upload_bytes = 1 << 20,
    upload_quota_bytes = 1 << 30,
    hashes = new FileHashes(),
  } = {},
) {
  const staging = await dataFolder();
  const exports = new ExportFolder(staging.path, {
    data_dir: folder.path,
    csv_encoding: "windows-1252",
    max_file_bytes: 1 << 30,
    xlsx_max_bytes: 1 << 30,
    zip_max_bytes: 1 << 30,
    max_upload_bytes,
    upload_quota_bytes,
    hashes,
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

Deno.test("UPLOAD_QUOTA_BYTES: all files together, without the one that is replaced", async () => {
  const size = CUSTOMERS.length;
  await using folder = await dataFolder({ "customers.csv": CUSTOMERS });
  await using full = await opened(folder, { upload_quota_bytes: 2 * size });
  const { exports } = full;
  const more = `${CUSTOMERS}2,Jedi,Red\n`;
  // Replaced, so that the old bytes do not count.
  await exports.put("customers.csv", body(CUSTOMERS));
  await exports.put("customers_2.csv", body(CUSTOMERS));
  const message = await failure(
    "full",
    () => exports.put("customers_2.csv", body(more)),
  );
  assertStringIncludes(message, `UPLOAD_QUOTA_BYTES=${2 * size}`);
  // What has no room at all is not even received.
  let has_read = false;
  const unread = new ReadableStream<Uint8Array>({
    pull(controller) {
      has_read = true;
      controller.close();
    },
  }, { highWaterMark: 0 });
  await Deno.writeTextFile(`${folder.path}/notes.txt`, "x");
  await failure("full", () => exports.put("customers_3.csv", unread));
  assertEquals(has_read, false);
  assertEquals(
    (await exports.list()).map(({ name, bytes }) => [name, bytes]),
    [["customers.csv", size], ["customers_2.csv", size]],
  );
  await exports.remove("customers_2.csv");
  await Deno.remove(`${folder.path}/notes.txt`);
  await failure(
    "full",
    () => exports.put("customers_3.csv", unread, { content_length: size + 1 }),
  );
  await failure(
    "too_large",
    () =>
      exports.put("customers_3.csv", unread, { content_length: (1 << 20) + 1 }),
  );
  assertEquals(has_read, false);
  await exports.put("customers_3.csv", body(CUSTOMERS));
});

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
      `customers_${"1".repeat(120)}.csv.sha256`,
      // 319 bytes.
      `customers_${"１".repeat(102)}.csv`,
      `customers_${"１".repeat(102)}.csv.sha256`,
      // Intake passes them over.
      "customers_\t1.csv",
      "\x1b[2J.xlsx",
      "crm\x85.xlsx",
      "\x1b[2J.xlsx.sha256",
      ".sha256",
      "orders.csv.sha256",
      ".customers.csv.sha256",
      "customers.csv.part.sha256",
      "customers.csv.sha256.sha256",
      "customers.csv.SHA256",
      "manifest.json.sha256",
      "MANIFEST.JSON",
      "../manifest.json",
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
  await using use = await opened(folder, { max_upload_bytes: 100 });
  const table: [string, StoreErrorKind, ReadableStream<Uint8Array>, string][] =
    [
      ["cut off", "invalid", body(CUSTOMERS, "cut"), "cut off"],
      ["too big", "too_large", body("x".repeat(101)), "MAX_UPLOAD_BYTES=100"],
      ["no fitting header", "refused", body("a,b\n1,2\n"), "Customer_Id"],
      ["empty", "refused", body(""), "the file is empty"],
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

Deno.test("what vouches for others: taken, listed and removed like exports", async () => {
  await using folder = await dataFolder({
    "interactions/a.csv": "x",
    "interactions/a.csv.sha256": "y",
    "interactions/manifest.json": "{}",
    "notes.txt.sha256": "",
  });
  await using use = await opened(folder);
  const names = [
    `customers_${"1".repeat(106)}.csv`,
    `customers_${"1".repeat(106)}.csv.sha256`,
    "customers.csv",
    "customers.csv.sha256",
    "interactions.csv.sha256",
    "manifest.json",
  ];
  const manifest = JSON.stringify({ files: [] });
  for (const name of names) {
    const text = name.endsWith(".sha256")
      ? `${hashOf(CUSTOMERS)}  ${name}\n`
      : name === "manifest.json"
      ? manifest
      : CUSTOMERS;
    const { sha256, kind } = await use.exports.put(name, body(text));
    assertEquals(sha256, hashOf(text));
    assertEquals(
      kind,
      name.endsWith(".csv")
        ? "export"
        : name === "manifest.json"
        ? "manifest"
        : "checksum",
    );
  }
  assertEquals(
    (await use.exports.list()).map((
      { name, kind, table },
    ) => [name, kind, table]),
    [
      ["customers.csv", "export", "customers"],
      ["customers.csv.sha256", "checksum", null],
      [names[0], "export", "customers"],
      [names[1], "checksum", null],
      ["interactions.csv.sha256", "checksum", null],
      ["interactions/a.csv", "export", "interactions"],
      ["interactions/a.csv.sha256", "checksum", null],
      ["manifest.json", "manifest", null],
    ],
  );
  for (const name of names) await use.exports.remove(name);
  assertEquals(await namesIn(folder.path), [
    "interactions",
    "notes.txt.sha256",
  ]);
});

Deno.test("what vouches for nothing is refused", async (t) => {
  await using folder = await dataFolder();
  await using use = await opened(folder, { max_upload_bytes: 1 << 24 });
  const table: [string, string, string][] = [
    ["customers.csv.sha256", "", "no SHA-256 in it"],
    ["customers.csv.sha256", "abc  customers.csv\n", "no SHA-256 in it"],
    ["customers.csv.sha256", "a".repeat(2 << 20), "no SHA-256 in it"],
    ["manifest.json", "", "no JSON"],
    ["manifest.json", '{"files":[{"file":"customers.csv"}]}', "sha256"],
    ["manifest.json", " ".repeat(2 << 20), "more than 1048576 bytes"],
  ];
  for (const [name, text, problem] of table) {
    await t.step(`${name}: ${text.slice(0, 40)}`, async () => {
      const message = await failure(
        "refused",
        () => use.exports.put(name, new Blob([text]).stream()),
      );
      assertStringIncludes(message, `${name}: `);
      assertStringIncludes(message, problem);
      assertEquals(await namesIn(folder.path), []);
    });
  }
});

Deno.test("an export of other bytes than those vouched for: a conflict that names the file in the way", async (t) => {
  const listing = (sha256: string, bytes: number, { before = "" } = {}) =>
    JSON.stringify({
      files: [{ file: `${before}customers.csv`, sha256, bytes }],
    });
  const right = hashOf(CUSTOMERS);
  const other = hashOf("other");
  const length = CUSTOMERS.length;
  const table: [string, Files, string | null][] = [
    ["the right hash", { "customers.csv.sha256": right.toUpperCase() }, null],
    ["another hash", { "customers.csv.sha256": other }, "customers.csv.sha256"],
    ["no hash", { "customers.csv.sha256": "" }, "customers.csv.sha256"],
    [
      "another file's",
      { "customers_2.csv.sha256": other },
      null,
    ],
    ["the right entry", { "manifest.json": listing(right, length) }, null],
    [
      "another hash in it",
      { "manifest.json": listing(other, length) },
      "manifest.json",
    ],
    [
      "another size in it",
      { "manifest.json": listing(right, 1) },
      "manifest.json",
    ],
    [
      "another hash in it, with a name as find writes it",
      { "manifest.json": listing(other, length, { before: "./" }) },
      "manifest.json",
    ],
    ["no entry", { "manifest.json": '{"files":[]}' }, null],
    ["no JSON", { "manifest.json": "{" }, "manifest.json"],
    [
      "one right, one not",
      {
        "customers.csv.sha256": right,
        "manifest.json": listing(other, length),
      },
      "manifest.json",
    ],
  ];
  for (const [name, files, in_the_way] of table) {
    await t.step(name, async () => {
      await using folder = await dataFolder({
        "customers.csv": "Customer_Id\n9\n",
        ...files,
      });
      await using use = await opened(folder);
      const put = () => use.exports.put("customers.csv", body(CUSTOMERS));
      if (in_the_way === null) {
        assertEquals((await put()).sha256, right);
        return;
      }
      const message = await failure("conflict", put);
      assertStringIncludes(
        message,
        `customers.csv could not go live: ${in_the_way} `,
      );
      assertEquals(
        await Deno.readTextFile(`${folder.path}/customers.csv`),
        "Customer_Id\n9\n",
      );
      // The way out that it names.
      await use.exports.remove(in_the_way);
      await put();
    });
  }
});

Deno.test("a file that is there in another spelling is not uploaded beside it", async () => {
  await using folder = await dataFolder({ "Customers.csv": CUSTOMERS });
  await using use = await opened(folder);
  for (const name of ["customers.csv", "CUSTOMERS.CSV"]) {
    assertEquals(
      await failure("conflict", () => use.exports.put(name, body(CUSTOMERS))),
      `Customers.csv is there. Send ${name} under that name, or delete that one first.`,
    );
  }
  await use.exports.put("Customers.csv", body(CUSTOMERS));
  await use.exports.put("customers_2.csv", body(CUSTOMERS));
  assertEquals(await namesIn(folder.path), [
    "Customers.csv",
    "customers_2.csv",
  ]);
});

Deno.test("a folder named like a file is neither replaced nor removed", async () => {
  await using folder = await dataFolder({ "customers.csv/part": "" });
  await Deno.mkdir(`${folder.path}/interactions.csv`);
  await Deno.mkdir(`${folder.path}/manifest.json`);
  await using use = await opened(folder);
  for (const name of ["customers.csv", "interactions.csv", "manifest.json"]) {
    for (
      const action of [
        () => use.exports.remove(name),
        () => use.exports.put(name, body(CUSTOMERS)),
      ]
    ) {
      assertStringIncludes(
        await failure("conflict", action),
        `${name} is a folder.`,
      );
    }
  }
  assertEquals(await use.exports.list(), []);
  assertEquals((await namesIn(folder.path)).length, 3);
});

Deno.test("a link to itself counts as no file, as for a refresh, and can be replaced", async () => {
  await using folder = await dataFolder();
  await using use = await opened(folder);
  const names = [
    "customers.csv",
    "customers.csv.sha256",
    "manifest.json",
    "tally.toml",
  ];
  for (const name of names) {
    await Deno.symlink("customers.csv.sha256", `${folder.path}/${name}`);
  }
  // Without tally.toml, the same files may mean something else.
  await failure("refused", () => use.exports.list());
  await use.exports.remove("tally.toml");
  assertEquals(await use.exports.list(), []);
  const put = (preconditions: Preconditions = {}) =>
    use.exports.put("customers.csv", body(CUSTOMERS), preconditions);
  await failure("conflict", () => put({ if_match: `"${hashOf(CUSTOMERS)}"` }));
  await put();
  const [{ sha256 }, ...others] = await use.exports.list();
  assertEquals([sha256, others], [hashOf(CUSTOMERS), []]);
});

Deno.test("a link is removed, not what it leads to", async () => {
  await using folder = await dataFolder({ "2024/all.csv": CUSTOMERS });
  await Deno.symlink("2024/all.csv", `${folder.path}/customers.csv`);
  await Deno.symlink("2024", `${folder.path}/interactions.csv`);
  await using use = await opened(folder);
  await use.exports.remove("customers.csv");
  await use.exports.remove("interactions.csv");
  assertEquals(await namesIn(folder.path), ["2024"]);
  assertEquals(await namesIn(`${folder.path}/2024`), ["all.csv"]);
});

Deno.test("preconditions: a change goes on only where they hold", async (t) => {
  const etag = `"${hashOf(CUSTOMERS)}"`;
  const newer = `${CUSTOMERS}2,Baker,Blue\n`;
  const table: [
    string,
    Preconditions,
    { there: StoreErrorKind | null; gone: StoreErrorKind | null },
  ][] = [
    ["none", {}, { there: null, gone: null }],
    ["create only", { if_none_match: "*" }, {
      there: "precondition",
      gone: null,
    }],
    ["replace only", { if_match: "*" }, { there: null, gone: "precondition" }],
    ["its ETag", { if_match: etag }, { there: null, gone: "precondition" }],
    ["one of several", { if_match: `"a,b", ${etag}` }, {
      there: null,
      gone: "precondition",
    }],
    ["another", { if_match: '"a"' }, {
      there: "precondition",
      gone: "precondition",
    }],
    ["a weak one", { if_match: `W/${etag}` }, {
      there: "precondition",
      gone: "precondition",
    }],
    ["not its own", { if_none_match: etag }, {
      there: "precondition",
      gone: null,
    }],
    ["not its own, weakly", { if_none_match: `W/${etag}` }, {
      there: "precondition",
      gone: null,
    }],
    ["not another", { if_none_match: '"a"' }, { there: null, gone: null }],
    ["both", { if_match: etag, if_none_match: "*" }, {
      there: "precondition",
      gone: "precondition",
    }],
    ["no quotes", { if_match: hashOf(CUSTOMERS) }, {
      there: "invalid",
      gone: "invalid",
    }],
    ["empty", { if_none_match: "" }, { there: "invalid", gone: "invalid" }],
  ];
  for (const [name, preconditions, expected] of table) {
    for (const state of ["there", "gone"] as const) {
      await t.step(`${name}, ${state}`, async () => {
        for (const change of ["put", "remove"] as const) {
          await using folder = await dataFolder(
            state === "there" ? { "customers.csv": CUSTOMERS } : {},
          );
          await using use = await opened(folder);
          const action = change === "put"
            ? () => use.exports.put("customers.csv", body(newer), preconditions)
            : () => use.exports.remove("customers.csv", preconditions);
          const kind = expected[state];
          if (kind) await failure(kind, action);
          else if (change === "remove" && state === "gone") {
            await failure("missing", action);
          } else await action();
          const left = state === "there" && (kind || change === "put") ||
            state === "gone" && !kind && change === "put";
          assertEquals(
            await namesIn(folder.path),
            left ? ["customers.csv"] : [],
          );
        }
      });
    }
  }
});

Deno.test("of uploads at once that may only create, or replace one version, one wins", async () => {
  await using folder = await dataFolder();
  await using use = await opened(folder);
  const race = async (preconditions: Preconditions) => {
    const results = await Promise.allSettled(
      ["Red", "Blue", "Green", "Orange"].map((type) =>
        use.exports.put(
          "customers.csv",
          body(`Customer_Id,Type\n${crypto.randomUUID().length},${type}\n`),
          preconditions,
        )
      ),
    );
    const won = results.filter(({ status }) => status === "fulfilled");
    assertEquals(won.length, 1);
    for (const result of results) {
      if (result.status === "rejected") {
        assertEquals(result.reason.kind, "precondition");
      }
    }
    const [{ sha256 }] = await use.exports.list();
    return sha256;
  };
  const created = await race({ if_none_match: "*" });
  assertEquals(await namesIn(folder.path), ["customers.csv"]);
  await use.exports.put("customers.csv", body(CUSTOMERS), {
    if_match: `"${created}"`,
  });
  await race({ if_match: `"${hashOf(CUSTOMERS)}"` });
});

Deno.test("while the data folder is away, everything says so", async (t) => {
  await using parent = await dataFolder({ "a file": "" });
  for (
    const [name, data_dir, text] of [
      ["gone", `${parent.path}/exports`, "does not exist"],
      ["a file", `${parent.path}/a file`, "is not a folder"],
    ]
  ) {
    await t.step(name, async () => {
      await using use = await opened({ ...parent, path: data_dir });
      for (
        const action of [
          () => use.exports.list(),
          () => use.exports.put("customers.csv", body(CUSTOMERS)),
          () => use.exports.put("manifest.json", body('{"files":[]}')),
          () => use.exports.remove("customers.csv"),
        ]
      ) {
        assertStringIncludes(
          await failure("unavailable", action),
          `DATA_DIR=${data_dir} ${text}. Set DATA_DIR to`,
        );
      }
      await use.exports.clean();
      assertEquals(await namesIn(use.staging.path), []);
    });
  }
  await t.step(
    "gone during an upload, then back without the upload",
    async () => {
      const data_dir = `${parent.path}/exports`;
      await Deno.mkdir(data_dir);
      await using use = await opened({ ...parent, path: data_dir });
      const send = async (then: () => Promise<void>) => {
        const sender = Promise.withResolvers<ReadableStreamDefaultController>();
        const upload = use.exports.put(
          "customers.csv",
          new ReadableStream(
            { pull: (controller) => sender.resolve(controller) },
            { highWaterMark: 0 },
          ),
        );
        upload.catch(() => {});
        const controller = await sender.promise;
        controller.enqueue(utf8(CUSTOMERS));
        await then();
        controller.close();
        return await upload;
      };
      await failure(
        "unavailable",
        () => send(() => Deno.rename(data_dir, `${parent.path}/away`)),
      );
      await Deno.mkdir(data_dir);
      await failure("conflict", () =>
        send(async () => {
          await Deno.remove(data_dir, { recursive: true });
          await Deno.mkdir(data_dir);
        }));
      await use.exports.put("customers.csv", body(CUSTOMERS));
      assertEquals(await namesIn(data_dir), ["customers.csv"]);
    },
  );
});

Deno.test("a disk that fails is no fault of ours, and leaves nothing", async () => {
  await using folder = await dataFolder({ "customers.csv": CUSTOMERS });
  await using use = await opened(folder);
  const { read, write } = Deno.FsFile.prototype;
  try {
    Deno.FsFile.prototype.read = () => Promise.reject(ioError());
    assertStringIncludes(
      await failure("unavailable", () => use.exports.list()),
      "customers.csv: cannot be read: Input/output error (os error 5).",
    );
    Deno.FsFile.prototype.write = () => Promise.reject(ioError());
    assertStringIncludes(
      await failure(
        "unavailable",
        () => use.exports.put("customers.csv", body(CUSTOMERS)),
      ),
      "The disk of DATA_DIR or STAGING_DIR fails: Input/output error (os error 5).",
    );
  } finally {
    Object.assign(Deno.FsFile.prototype, { read, write });
  }
  assertEquals(await namesIn(folder.path), ["customers.csv"]);
  assertEquals(await namesIn(use.staging.path), []);
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
      zip_max_bytes: 1 << 20,
      max_upload_bytes: 1 << 20,
      upload_quota_bytes: 1 << 30,
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

Deno.test("a stop ends the check of an upload, and the list of files", async (t) => {
  const zip = zipOf([{ name: "customers.csv", content: CUSTOMERS }]);
  const workbook = xlsx({ customers: sheetOf(["Customer_Id"], [1]) });
  for (
    const [name, bytes] of [
      ["customers.csv", utf8(CUSTOMERS)],
      ["customers.zip", zip],
      ["customers.xlsx", workbook],
    ] as const
  ) {
    await t.step(name, async () => {
      await using folder = await dataFolder();
      const hashes = new FileHashes();
      await using use = await opened(folder, { hashes });
      let closed: Promise<void> | undefined;
      // It is received then, and not checked.
      hashes.remember = () => void (closed ??= use.exports.close());
      const message = await failure(
        "unavailable",
        () => use.exports.put(name, new Blob([bytes]).stream()),
      );
      assertStringIncludes(message, "The process stops");
      await closed;
      assertEquals(await namesIn(folder.path), []);
      assertEquals(await namesIn(use.staging.path), []);
    });
  }
  await t.step("the list", async () => {
    await using folder = await dataFolder({ "customers.csv": CUSTOMERS });
    await using use = await opened(folder);
    await use.exports.close();
    await failure("unavailable", () => use.exports.list());
  });
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

Deno.test("an upload outlives any number of looks for what killed processes left", async () => {
  await using folder = await dataFolder({
    ".upload-a.new": "fresh",
    ".upload-b.new": "old",
  });
  const long_ago = new Date(Date.now() - 7_200_000);
  await Deno.utime(`${folder.path}/.upload-b.new`, long_ago, long_ago);
  await using use = await opened(folder);
  for (let i = 0; i < 100; i++) {
    await Promise.all([
      use.exports.put("customers.csv", body(CUSTOMERS)),
      ...Array.from({ length: 5 }, () => use.exports.clean()),
    ]);
  }
  assertEquals(await namesIn(folder.path), [
    ".upload-a.new",
    "customers.csv",
  ]);
});

Deno.test({
  name: "a full disk keeps nothing of an upload",
  ignore: !can_mount,
  async fn() {
    await using disk = await smallDisk(1);
    await using use = await opened(disk, { max_upload_bytes: 1 << 30 });
    const rows = "1,Jedi,Red\n".repeat(200_000);
    const big = new Blob([`Customer_Id,Occupation,Type\n${rows}`]).stream();
    await failure("full", () => use.exports.put("customers.csv", big));
    assertEquals(await namesIn(disk.path), []);
    await use.exports.put("customers.csv", body(CUSTOMERS));
  },
});

Deno.test("a ZIP is uploaded as a load would read it, or refused", async () => {
  await using folder = await dataFolder();
  await using use = await opened(folder);
  const put = (parts: readonly ZipPart[]) =>
    use.exports.put("May.zip", new Blob([zipOf(parts)]).stream());
  const customers = { name: "customers.csv", content: CUSTOMERS };
  const book = {
    name: "interactions.xlsx",
    content: xlsx({
      a: sheetOf(["Date", "Channel", "Customer"], ["2020-02-01", "Email", 1]),
    }),
  };
  const { name, table, kind } = await put([customers, book]);
  assertEquals([name, table, kind], ["May.zip", null, "export"]);
  assertEquals((await use.exports.list()).map(({ name }) => name), ["May.zip"]);

  const refusals: [ZipPart[], string][] = [
    [
      [],
      "May.zip: no file in it is a table's. Name the files in it as docs/file-contract.md says.",
    ],
    [
      [{ ...customers, content: "x\n" }],
      'May.zip/customers.csv, line 1: no column Customer_Id among "x". Name the columns as docs/file-contract.md says.',
    ],
    [
      [{ ...customers, encrypted: true }],
      "May.zip/customers.csv: packed with a password. Pack it again without one.",
    ],
    [
      [customers, { ...book, content: "x" }],
      "May.zip/interactions.xlsx: its name ends in .xlsx, but it is text. Rename it to interactions.csv, or export it again.",
    ],
  ];
  for (const [parts, message] of refusals) {
    assertEquals(await failure("refused", () => put(parts)), message);
  }
  // Nothing is left of what was refused, here or in staging.
  assertEquals(await namesIn(folder.path), ["May.zip"]);
  assertEquals(await namesIn(use.staging.path), []);
});
