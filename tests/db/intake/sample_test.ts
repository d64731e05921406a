/** The sample is known as such, and nothing else is. */

import { assert, assertEquals } from "@std/assert";
import {
  isSample,
  readSampleList,
  sampleList,
} from "../../../db/intake/sample.ts";
import { dataFolder, type Files, namesIn } from "../../support/data_folder.ts";
import { loadFolder } from "../../support/load_folder.ts";

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

Deno.test("isSample, what a load of the folder comes to", async (t) => {
  const sample = await sampleFiles();
  const { "channels.csv": _, ...fewer } = sample;
  const { ".sample.sha256": __, ...unlisted } = sample;
  const table: [string, Files, boolean][] = [
    ["the sample", sample, true],
    ["with notes beside it, which are not read", {
      ...sample,
      "notes.txt": "",
    }, true],
    ["with an export of one's own beside it", {
      ...sample,
      "customers_2.csv": "Customer_Id\n99\n",
    }, false],
    ["with an export of one's own in place of one", {
      ...sample,
      "customers.csv": "Customer_Id\n99\n",
    }, false],
    ["with one file missing", fewer, false],
    ["without the list", unlisted, false],
    ["with a list that cannot be read", {
      ...unlisted,
      ".sample.sha256/x": "",
    }, false],
  ];
  for (const [name, files, expected] of table) {
    await t.step(name, async () => {
      await using folder = await dataFolder(files);
      await using opened = await loadFolder(files);
      assertEquals(
        isSample(opened.report.files, await readSampleList(folder.path)),
        expected,
      );
    });
  }
});

Deno.test("isSample, nothing loaded and nothing listed: no sample", () => {
  assert(!isSample([], []));
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
