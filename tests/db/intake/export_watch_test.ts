/** Looks at the data folder: what is waited for, what is proven, what cannot be taken. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { FileHashes } from "../../../db/intake/file_hashes.ts";
import { ExportWatch, STEADY_MS } from "../../../db/intake/export_watch.ts";
import { takeClock } from "../../support/clock.ts";
import { type DataFolder, dataFolder } from "../../support/data_folder.ts";

const EXPORTS = {
  "customers.csv": "Customer_Id\n1\n",
  "interactions.csv": "Date Start,Interaction,Customers\n01/02/2020,Email,1\n",
};
const ROW = "01/02/2020,Email,1\n";
/** Longer than a slow machine takes from writing a file to looking at it. */
const SETTLE_MS = 60_000;

const hashOf = (content: string) =>
  createHash("sha256").update(content).digest("hex");

function watchOf({ path }: DataFolder, settle_ms = SETTLE_MS): ExportWatch {
  return new ExportWatch({
    data_dir: path,
    settle_ms,
    final_newline_required: false,
    hashes: new FileHashes(),
  });
}

/** A watch that has seen the exports, so that what comes now is new to it. */
async function watching(folder: DataFolder, settle_ms?: number) {
  const watch = watchOf(folder, settle_ms);
  await pause(STEADY_MS);
  assertEquals((await watch.look()).waiting, []);
  return watch;
}

Deno.test("what lay there long before the first look is taken at once", async () => {
  await using folder = await dataFolder(EXPORTS);
  await pause(STEADY_MS);
  const { waiting, problem, found } = await watchOf(folder).look();
  assertEquals([waiting, problem, found!.files.length], [[], null, 2]);
});

Deno.test("what has just been written is looked at twice", async () => {
  await using folder = await dataFolder(EXPORTS);
  // Of a time to come, so that a slow machine makes them no older.
  const time = new Date(Date.now() + SETTLE_MS);
  for (const file of Object.keys(EXPORTS)) {
    await Deno.utime(`${folder.path}/${file}`, time, time);
  }
  const watch = watchOf(folder);
  const first = await watch.look();
  assertEquals(first.waiting, [
    "customers.csv: still changing",
    "interactions.csv: still changing",
  ]);
  await pause(STEADY_MS);
  const second = await watch.look();
  assertEquals(second.waiting, []);
  assertEquals(second.identity, first.identity);
});

Deno.test("a text that was seen growing rests longer than one that came at once", async () => {
  using clock = takeClock({ stands: true });
  await using folder = await dataFolder(EXPORTS);
  const watch = await watching(folder, 1_500);
  const file = `${folder.path}/interactions.csv`;
  // Each step ends a line, so that nothing but the growing tells.
  for (let step = 0; step < 3; step++) {
    await Deno.writeTextFile(file, ROW, { append: true });
    const { waiting } = await watch.look();
    assertEquals(waiting, ["interactions.csv: still changing"]);
    clock.advance(100);
  }
  clock.advance(STEADY_MS);
  assertEquals((await watch.look()).waiting, [
    "interactions.csv: was growing, so more may come",
  ]);
  // Its writer goes on after a pause that is shorter than the settle time.
  await Deno.writeTextFile(file, ROW, { append: true });
  await watch.look();
  clock.advance(STEADY_MS + 100);
  assertEquals((await watch.look()).waiting, [
    "interactions.csv: was growing, so more may come",
  ]);
  clock.advance(1_500);
  assertEquals((await watch.look()).waiting, []);
  // After its rest it is a file like others.
  await Deno.writeTextFile(file, EXPORTS["interactions.csv"] + ROW.repeat(9));
  await watch.look();
  clock.advance(STEADY_MS + 100);
  assertEquals((await watch.look()).waiting, []);
});

Deno.test("a file that is proven whole needs neither rest nor line break", async (t) => {
  const text = EXPORTS["interactions.csv"] + ROW.trim();
  const proofs: [string, Record<string, string>][] = [
    ["sha256sum's form", {
      "interactions.csv.sha256": `${hashOf(text)}  interactions.csv\n`,
    }],
    ["the hash alone, in upper case", {
      "interactions.csv.sha256": hashOf(text).toUpperCase(),
    }],
    ["a manifest", {
      "manifest.json": JSON.stringify({
        files: [{
          file: "interactions.csv",
          sha256: hashOf(text),
          bytes: text.length,
        }],
      }),
    }],
    ["a manifest with a name as find writes it", {
      "manifest.json": JSON.stringify({
        files: [{
          file: "./interactions.csv",
          sha256: hashOf(text),
          bytes: text.length,
        }],
      }),
    }],
  ];
  for (const [name, files] of proofs) {
    await t.step(name, async () => {
      await using folder = await dataFolder(EXPORTS);
      const watch = await watching(folder);
      await folder.write(files);
      await folder.write({ "interactions.csv": text.slice(0, -9) });
      await watch.look();
      await pause(STEADY_MS + 100);
      const [cut] = (await watch.look()).waiting;
      assertStringIncludes(cut, "interactions.csv");
      await folder.write({ "interactions.csv": text });
      await watch.look();
      await pause(STEADY_MS + 100);
      const { waiting, problem, warnings } = await watch.look();
      assertEquals([waiting, problem, warnings], [[], null, []]);
    });
  }
});

Deno.test("a .sha256 beside a link counts, wherever the link leads", async () => {
  await using folder = await dataFolder({
    "..store/1": EXPORTS["interactions.csv"],
    "customers.csv": EXPORTS["customers.csv"],
    "interactions.csv.sha256": hashOf("other bytes"),
  });
  await Deno.symlink("..store/1", `${folder.path}/interactions.csv`);
  await pause(STEADY_MS);
  assertEquals((await watchOf(folder).look()).waiting, [
    "interactions.csv: not the bytes that interactions.csv.sha256 describes",
  ]);
});

Deno.test("a manifest's rows are of the file, however its name is written", async () => {
  const files = [
    "./customers.csv",
    "interactions//./1.csv",
    "interactions/../interactions/2.csv",
  ];
  await using folder = await dataFolder({
    ...Object.fromEntries(files.map((file) => [file, ""])),
    "manifest.json": JSON.stringify({
      files: files.map((file, rows) => ({
        file,
        sha256: hashOf(""),
        bytes: 0,
        rows,
      })),
    }),
  });
  await pause(STEADY_MS);
  const { waiting, expected_rows } = await watchOf(folder).look();
  assertEquals(waiting, []);
  assertEquals([...expected_rows], [
    ["customers.csv", 0],
    ["interactions/1.csv", 1],
    ["interactions/2.csv", 2],
  ]);
});

Deno.test("what a proof cannot be read from waits, then is told", async (t) => {
  const broken: [string, Record<string, string>, string][] = [
    ["no hash", { "customers.csv.sha256": "soon" }, "no SHA-256 in it"],
    ["no JSON", { "manifest.json": "{" }, "no JSON"],
    ["no list of files", { "manifest.json": "{}" }, "files"],
    [
      "a file out of the folder",
      {
        "manifest.json": JSON.stringify({
          files: [{ file: "../a.csv", sha256: hashOf(""), bytes: 0 }],
        }),
      },
      "listed and not there",
    ],
    [
      "another length",
      {
        "manifest.json": JSON.stringify({
          files: [{ file: "customers.csv", sha256: hashOf(""), bytes: 5 }],
        }),
      },
      "listed with 5 bytes, and has 14",
    ],
    [
      "one file by two names",
      {
        "manifest.json": JSON.stringify({
          files: ["customers.csv", "./customers.csv"].map((file) => ({
            file,
            sha256: hashOf(EXPORTS["customers.csv"]),
            bytes: 14,
          })),
        }),
      },
      'files.1.file: "customers.csv" is listed twice',
    ],
  ];
  for (const [name, files, text] of broken) {
    await t.step(name, async () => {
      using clock = takeClock({ stands: true });
      await using folder = await dataFolder({ ...EXPORTS, ...files });
      const watch = watchOf(folder);
      await pause(STEADY_MS);
      const early = await watch.look();
      assertEquals(early.problem, null);
      assertStringIncludes(early.waiting[0], text);
      clock.advance(SETTLE_MS);
      const late = await watch.look();
      assertEquals(late.waiting, []);
      assertStringIncludes(late.problem!.message, text);
    });
  }
});

Deno.test("the signal ends a look that hashes a file", async (t) => {
  const proofs = {
    "interactions.csv.sha256": hashOf(EXPORTS["interactions.csv"]),
    "manifest.json": JSON.stringify({
      files: [{
        file: "interactions.csv",
        sha256: hashOf(EXPORTS["interactions.csv"]),
        bytes: EXPORTS["interactions.csv"].length,
      }],
    }),
  };
  for (const [proof, content] of Object.entries(proofs)) {
    await t.step(proof, async () => {
      await using folder = await dataFolder({ ...EXPORTS, [proof]: content });
      const ending = new AbortController();
      const watch = new ExportWatch({
        data_dir: folder.path,
        settle_ms: 60_000,
        final_newline_required: false,
        hashes: new FileHashes(),
        signal: ending.signal,
      });
      await pause(STEADY_MS);
      ending.abort();
      await assertRejects(() => watch.look(), DOMException, "aborted");
    });
  }
});

Deno.test("files that come and are not read are logged once, when they stay", async () => {
  await using folder = await dataFolder({ ...EXPORTS, "old.txt": "" });
  const logged: unknown[] = [];
  const watch = new ExportWatch({
    data_dir: folder.path,
    settle_ms: SETTLE_MS,
    final_newline_required: false,
    hashes: new FileHashes(),
    log: ({ event, files }) => void logged.push([event, files]),
  });
  const looks = async (times: number) => {
    const identities = new Set<string>();
    for (let i = 0; i < times; i++) {
      identities.add((await watch.look()).identity);
    }
    return identities.size;
  };
  await looks(2);
  await folder.write({ "intractions_2.csv": "", "interactions.csv.copy": "" });
  await looks(1);
  await Deno.remove(`${folder.path}/interactions.csv.copy`);
  await folder.write({ "interactions_b.csv": "" });
  assertEquals(await looks(3), 1);
  await Deno.remove(`${folder.path}/intractions_2.csv`);
  await looks(2);
  await folder.write({ "intractions_2.csv": "" });
  await looks(2);
  const of = (file: string) => [
    "files_not_read",
    [`${file}: not the name of a table`],
  ];
  assertEquals(logged, [
    of("intractions_2.csv"),
    of("interactions_b.csv"),
    of("intractions_2.csv"),
  ]);
});

Deno.test("every kind of change is another identity, and a look without one is not", async (t) => {
  await using folder = await dataFolder(EXPORTS);
  const watch = watchOf(folder);
  const file = `${folder.path}/interactions.csv`;
  let { identity } = await watch.look();
  assertEquals((await watch.look()).identity, identity);
  const changes: [string, () => Promise<void>][] = [
    ["other bytes of the same length", async () => {
      await pause(5);
      await Deno.writeTextFile(
        file,
        EXPORTS["interactions.csv"].replace("Email", "Phone"),
      );
    }],
    ["renamed over", async () => {
      await Deno.writeTextFile(`${file}.tmp`, EXPORTS["interactions.csv"]);
      await Deno.rename(`${file}.tmp`, file);
    }],
    ["a file more", () => folder.write({ "interactions_2.csv": "x" })],
    ["a file less", () => Deno.remove(`${folder.path}/interactions_2.csv`)],
    // At once, since the time of a change of rights is in whole seconds.
    ["nobody may read it", () => Deno.chmod(file, 0)],
    ["it may be read again", () => Deno.chmod(file, 0o600)],
    ["a proof more", () => folder.write({ "customers.csv.sha256": "x" })],
    ["a manifest", () => folder.write({ "manifest.json": "{}" })],
    [
      "a table less",
      () => Deno.rename(file, `${folder.path}/interactions.tmp`),
    ],
    [
      "the folder gone",
      () => Deno.rename(folder.path, `${folder.path}-gone`),
    ],
    [
      "the folder back",
      () => Deno.rename(`${folder.path}-gone`, folder.path),
    ],
  ];
  for (const [name, change] of changes) {
    await t.step(name, async () => {
      await change();
      const look = await watch.look();
      assert(look.identity !== identity);
      identity = look.identity;
    });
  }
  await t.step("names that are passed over are none", async () => {
    await folder.write({
      ".hidden": "",
      "~$customers.csv": "",
      "customers.csv.part": "",
      "customers.csv.tmp": "",
      "customers.csv.crdownload": "",
      ".customers.csv.swp": "",
      "customers.csv~": "",
    });
    assertEquals((await watch.look()).identity, identity);
  });
});

Deno.test({
  name: "a file that may not be read is a problem that names it, not a bug",
  // The superuser may read everything.
  ignore: Deno.uid() === 0,
  async fn() {
    await using folder = await dataFolder(EXPORTS);
    const watch = watchOf(folder);
    await Deno.chmod(`${folder.path}/customers.csv`, 0);
    await watch.look();
    await pause(STEADY_MS);
    const { problem } = await watch.look();
    assertStringIncludes(problem!.message, "customers.csv: may not be read");
  },
});
