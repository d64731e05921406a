/** The sample is known as such, and nothing else is. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  readSampleList,
  sampleList,
  sampleNotice,
} from "../../../db/intake/sample.ts";
import { dataFolder, type Files, namesIn } from "../../support/data_folder.ts";
import { loadFolder, NO_INTERACTIONS } from "../../support/load_folder.ts";

const SAMPLE = new URL("../../../data", import.meta.url).pathname;

async function sampleFiles(): Promise<Record<string, string>> {
  const names = await namesIn(SAMPLE);
  const texts = names.map((name) => Deno.readTextFile(`${SAMPLE}/${name}`));
  const files = await Promise.all(texts);
  return Object.fromEntries(names.map((name, i) => [name, files[i]]));
}

Deno.test("the list has every file of the sample, as it is", async () => {
  const hashed = [];
  for (const file of await namesIn(SAMPLE)) {
    if (file === ".sample.sha256") continue;
    const bytes = await Deno.readFile(`${SAMPLE}/${file}`);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    hashed.push({ sha256: new Uint8Array(digest).toHex(), file });
  }
  assertEquals(
    await readSampleList(SAMPLE),
    hashed,
    "in data/: sha256sum *.csv > .sample.sha256",
  );
});

Deno.test("sampleNotice, what a load of the folder says", async (t) => {
  const sample = await sampleFiles();
  const { "channels.csv": _, ...fewer } = sample;
  const { ".sample.sha256": __, ...unlisted } = sample;
  const WHOLE = "This is the sample that comes with Tally.";
  const table: [string, Files, string | null][] = [
    ["the sample", sample, WHOLE],
    ["with notes beside it, which are not read", {
      ...sample,
      "notes.txt": "",
    }, WHOLE],
    ["with one file missing", fewer, WHOLE],
    [
      "with an export of one's own beside it",
      { ...sample, "customers_2.csv": "Customer_Id\n99\n" },
      "channels.csv, products_of_discussion.csv, customers.csv, external_interactions.csv of the sample that comes with Tally is loaded beside your own exports.",
    ],
    [
      "with one file of it beside exports of one's own",
      {
        ".sample.sha256": sample[".sample.sha256"],
        "channels.csv": sample["channels.csv"],
        "customers.csv": "Customer_Id\n99\n",
        "interactions.csv": NO_INTERACTIONS,
      },
      "channels.csv of the sample that comes with Tally is loaded beside your own exports.",
    ],
    ["without the list", unlisted, null],
    ["with a list that cannot be read", {
      ...unlisted,
      ".sample.sha256/x": "",
    }, null],
  ];
  for (const [name, files, expected] of table) {
    await t.step(name, async () => {
      await using folder = await dataFolder(files);
      await using opened = await loadFolder(files);
      const notice = sampleNotice(
        opened.report.files,
        await readSampleList(folder.path),
      );
      if (expected === null) assertEquals(notice, null);
      else assertStringIncludes(notice!, expected);
    });
  }
});

Deno.test("readSampleList, no such folder: nothing", async () => {
  assertEquals(await readSampleList("/nowhere"), []);
});

Deno.test("sampleList: both forms of sha256sum, and nothing else", () => {
  const hash = "a".repeat(64);
  assertEquals(sampleList(`${hash}  a.csv\n${hash} *b c.csv\nx\n\n`), [
    { sha256: hash, file: "a.csv" },
    { sha256: hash, file: "b c.csv" },
  ]);
});
