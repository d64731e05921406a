/** Looks at nasty folders: whatever lies there, a look tells of it and never throws, blocks or flaps. */

import { assertEquals, assertRejects } from "@std/assert";
import { FileHashes } from "../../../db/intake/file_hashes.ts";
import {
  ExportWatch,
  type Look,
  STEADY_MS,
} from "../../../db/intake/export_watch.ts";
import { dataFolder, type Files } from "../../support/data_folder.ts";

const EXPORTS: Files = {
  "customers.csv": "Customer_Id\n1\n",
  "interactions.csv": "Date Start,Interaction,Customers\n",
};
const AGAIN = "Deliver the whole set again, manifest.json last.";
const manifest = (file: string) =>
  JSON.stringify({ files: [{ file, sha256: "a".repeat(64), bytes: 1 }] });

interface Case {
  readonly files?: Files;
  readonly make?: (folder: string) => Promise<unknown>;
  /** Why the files are not taken; null when they are. */
  readonly problem: string | null;
}

const link = (to: string, name: string) => (folder: string) =>
  Deno.symlink(to, `${folder}/${name}`);
const pipe = (name: string) => (folder: string) =>
  new Deno.Command("mkfifo", { args: [`${folder}/${name}`] }).output();
const listed = (file: string): Case => ({
  files: { "manifest.json": manifest(file) },
  problem: `manifest.json, ${
    file.slice(0, 200)
  }: listed and not there. ${AGAIN}`,
});

const CASES: Readonly<Record<string, Case>> = {
  "a name too long for a .sha256 beside it": {
    files: { [`customers_${"1".repeat(241)}.csv`]: "id\n" },
    problem: null,
  },
  "a .sha256 that is a pipe": {
    make: pipe("customers.csv.sha256"),
    problem: null,
  },
  "a .sha256 that is a link to itself": {
    make: link("customers.csv.sha256", "customers.csv.sha256"),
    problem: null,
  },
  "a .sha256 that has no end": {
    make: link("/dev/zero", "customers.csv.sha256"),
    problem: null,
  },
  "a .sha256 of 2 MB": {
    files: { "customers.csv.sha256": "a".repeat(2 << 20) },
    problem:
      "customers.csv: customers.csv.sha256 has no SHA-256 in it. Deliver the file and its .sha256 again.",
  },
  "a manifest that is a pipe": { make: pipe("manifest.json"), problem: null },
  "a manifest that is a folder": {
    files: { "manifest.json/x": "" },
    problem: null,
  },
  "a manifest of brackets": {
    files: { "manifest.json": "[".repeat(100_000) },
    problem: `manifest.json: no JSON. ${AGAIN}`,
  },
  "a manifest of 2 MB": {
    files: { "manifest.json": " ".repeat(2 << 20) },
    problem: `manifest.json: more than 1048576 bytes. ${AGAIN}`,
  },
  "a manifest that lists a name that is too long": listed("a".repeat(300)),
  "a manifest that lists a file below a file": listed("customers.csv/x"),
  "a manifest that lists a file outside": listed("../passwd"),
  "a manifest that lists an absolute path": listed("/etc/passwd"),
  "a manifest that lists the folder": listed("."),
  "a manifest that lists a NUL": {
    files: { "manifest.json": manifest("a\0b") },
    problem: `manifest.json: files.0.file: not the name of a file. ${AGAIN}`,
  },
  "a manifest that lists a link to itself": {
    ...listed("loop"),
    make: link("loop", "loop"),
  },
  "a manifest that lists a pipe": { ...listed("pipe"), make: pipe("pipe") },
};

/** Looks until nothing is waited for, and once more. */
async function lookAt({ files, make }: Case): Promise<[Look, Look]> {
  await using folder = await dataFolder({ ...EXPORTS, ...files });
  await make?.(folder.path);
  const watch = new ExportWatch({
    data_dir: folder.path,
    settle_ms: 0,
    final_newline_required: false,
    hashes: new FileHashes(),
  });
  for (let i = 0; i < 20; i++) {
    const look = await watch.look();
    if (look.waiting.length === 0) return [look, await watch.look()];
    await new Promise((resolve) => setTimeout(resolve, STEADY_MS / 2));
  }
  throw new Error("waits for ever");
}

Deno.test("looks at nasty folders", async (t) => {
  // At once, since each waits for its files to be steady.
  const looks = new Map(
    await Promise.all(
      Object.entries(CASES).map(async ([name, one]) =>
        [name, await lookAt(one)] as const
      ),
    ),
  );
  for (const [name, { problem }] of Object.entries(CASES)) {
    await t.step(name, () => {
      const [first, second] = looks.get(name)!;
      assertEquals(first.problem?.message ?? null, problem);
      assertEquals(second.problem?.message ?? null, problem);
      assertEquals(second.identity, first.identity);
    });
  }
});

Deno.test("a pipe in the place of a file that was looked at: refused, not waited for", async () => {
  await using folder = await dataFolder(EXPORTS);
  const watch = new ExportWatch({
    data_dir: folder.path,
    settle_ms: 0,
    final_newline_required: false,
    hashes: new FileHashes(),
  });
  const { found } = await watch.look();
  const [source] = found!.files;
  await Deno.remove(source.path);
  await pipe(source.file)(folder.path);
  await assertRejects(
    () => new FileHashes().read(source.path),
    Deno.errors.NotFound,
  );
});
