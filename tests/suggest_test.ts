/** `deno task suggest DIR`: what it prints and writes, and that hostile files and secrets do no harm. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readMapping } from "../db/mapping/mapping.ts";
import { dataFolder, type Files, namesIn } from "./support/data_folder.ts";
import { parquetFiles } from "./support/parquet_files.ts";
import { can_mount, smallDisk } from "./support/small_disk.ts";
import { suggest } from "./support/suggest_folder.ts";
import { until } from "./support/until.ts";
import { zipOf } from "./support/xlsx_files.ts";

const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
);

/** Exports whose draft asks nothing that stops a load. */
const SIMPLE: Files = {
  "contacts.csv": "Contact ID,Full Name,Type\nC-1,Ann,Red\nC-2,Bo,Blue\n",
  "calls_2024.csv":
    "Call ID,Contact ID,Start Time\nx1,C-1,2024-01-31T10:00:00Z\nx2,C-2,2024-02-01T10:00:00Z\n",
};

function commandOf(
  task: string,
  args: readonly string[],
  { staging }: { readonly staging: string },
): Deno.Command {
  const [, ...command] = tasks[task].command.split(" ");
  return new Deno.Command(Deno.execPath(), {
    args: [...command, ...args],
    cwd: new URL("../", import.meta.url),
    env: { STAGING_DIR: staging },
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(task: string, args: readonly string[]) {
  await using staging = await dataFolder();
  const { code, stdout, stderr } = await commandOf(task, args, {
    staging: staging.path,
  }).output();
  assertEquals(await namesIn(staging.path), [], "working files are left");
  return { code, out: textOf(stdout), error: textOf(stderr) };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

Deno.test("what is written passes check-data, and is never overwritten", async () => {
  await using folder = await dataFolder(SIMPLE);
  const before = await run("check-data", [folder.path]);
  assertEquals(before.code, 1);
  assert(/deno task suggest .*\n$/.test(before.out), before.out);

  const shown = await run("suggest", [folder.path]);
  assertEquals(shown.error, "");
  assertEquals(shown.code, 0);
  assertStringIncludes(shown.out, '100% found in "Contact ID" of customers');
  assertStringIncludes(shown.out, 'files = "calls_*.csv"');
  assertEquals(await namesIn(folder.path), Object.keys(SIMPLE).sort());

  const written = await run("suggest", [folder.path, "--write"]);
  assertEquals(written.code, 0, written.error);
  assertEquals(
    await namesIn(folder.path),
    [...Object.keys(SIMPLE), "tally.schema.json", "tally.toml"].sort(),
  );
  const checked = await run("check-data", [folder.path]);
  assertEquals(checked.code, 0, checked.out);
  assert(!checked.out.includes("not read"), checked.out);

  await folder.write({ "tally.toml": "# mine\n" });
  const again = await run("suggest", [folder.path, "--write"]);
  assertEquals(again.code, 1);
  assertStringIncludes(again.error, "never overwritten");
  assertEquals(
    await Deno.readTextFile(`${folder.path}/tally.toml`),
    "# mine\n",
  );
});

Deno.test("--json has the draft, its evidence and its questions", async () => {
  await using folder = await dataFolder({
    ...SIMPLE,
    "calls_2024.csv":
      "Call ID,Contact ID,Start Time\nx1,C-1,01/02/2024\nx2,C-2,03/04/2024\n",
  });
  const { code, out } = await run("suggest", [folder.path, "--json"]);
  assertEquals(code, 0);
  const { data } = JSON.parse(out);
  assertEquals(
    Object.keys(data),
    ["toml", "sources", "questions", "fitting", "left"],
  );
  const [customers, calls] = data.sources;
  assertEquals(
    { ...customers, columns: customers.columns[0] },
    {
      key: "customers",
      files: "contacts.csv",
      file_names: ["contacts.csv"],
      rows_seen: 2,
      is_whole: true,
      columns: {
        key: "id",
        column: "Contact ID",
        evidence: "100% filled, distinct: 2",
        distinct: 2,
        filled: 1,
        formats: [],
        values: ['"C-1"', '"C-2"'],
      },
      filters: [],
      unused: [],
    },
  );
  assertEquals(calls.key, "interactions[1]");
  const [question] = data.questions;
  assertEquals(question, {
    key: "interactions[1].time",
    text: "The sample fits each of these forms: choose one",
    must_answer: true,
    lines: [
      'time = { column = "Start Time", format = "DMY" }',
      'time = { column = "Start Time", format = "MDY" }',
    ],
  });
  // Until it is answered, nothing loads by a guess.
  let refusal = "";
  try {
    readMapping(data.toml);
  } catch (error) {
    refusal = (error as Error).message;
  }
  assertStringIncludes(refusal, "interactions[1].time");
});

Deno.test("secrets, notes and addresses are not shown", async () => {
  const secrets = [
    ["sk", "live", "51Habcdefghijkl"].join("_"),
    "eyJhbGciOiJIUzI1NiJ9.e30.abc",
    "0123456789abcdef0123456789abcdef",
    "Zx81kLmN0pQrStUvWxYz12",
    "https://ann:hunter2@example.org/",
  ];
  const note = "She told us about her illness and asked us to keep it quiet";
  const rows = secrets.map((secret, i) =>
    `C-${i},${secret},${note},ann.smith${i}@example.org,+49 30 123456${i}`
  );
  const files = {
    "contacts.csv": `Contact ID,Name,Title,Email,Phone\n${rows.join("\n")}\n`,
    "calls.csv": `Contact ID,Start Time,Channel\n${
      secrets.map((secret, i) => `C-${i},2024-01-31T10:00:00Z,${secret}\n`)
        .join("")
    }`,
  };
  const text = JSON.stringify(await suggest(files));
  for (const hidden of [...secrets, note, "ann.smith", "123456"]) {
    assert(!text.includes(hidden), hidden);
  }
  // The header alone says that these are secret.
  const { sources } = await suggest({
    "contacts.csv": "Contact ID,Name,Type (password)\n1,A,x\n2,B,y\n",
  });
  assertEquals(sources[0].columns.at(-1)!.values, [
    "(not shown)",
    "(not shown)",
  ]);
});

Deno.test("hostile and broken files do no harm", async (t) => {
  const customers = SIMPLE["contacts.csv"];
  const cases: readonly [name: string, Files, reason: string | null][] = [
    ["nothing in it", { "calls.csv": "" }, "empty"],
    ["blank lines", { "calls.csv": "\n\n\n" }, "no value"],
    ["a header alone", { "calls.csv": "Contact ID,Start Time\n" }, "rows"],
    ["one column", { "calls.csv": "Start Time\n2024-01-31\n" }, null],
    [
      "no header",
      { "calls.csv": "C-1,2024-01-31T10:00:00Z\nC-2,2024-02-01T10:00:00Z\n" },
      "header",
    ],
    [
      "half a file",
      { "calls.csv": 'Contact ID,Start Time\nC-1,2024-01-31\nC-2,"2024-0' },
      null,
    ],
    [
      "half a gzip",
      { "calls.csv.gz": new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0]) },
      "gzip",
    ],
    [
      "a huge cell",
      {
        "calls.csv": `Contact ID,Start Time,Note\nC-1,2024-01-31,"${
          "x\n".repeat(1_500_000)
        }"\nC-2,2024-02-01,y\n`,
      },
      null,
    ],
    ["a false workbook", { "calls.xlsx": "Contact ID\n" }, "calls"],
    ["a false Parquet file", { "calls.parquet": "PAR1PAR1PAR1" }, "Parquet"],
    [
      "hostile headers",
      {
        "calls.csv": `"Contact ID","Start Time","Channel"" = 1 \\ ' ]]","a
b","${"n".repeat(600)}","\x1b[2J","same","same",""
C-1,2024-01-31,x,y,z,1,2,3,4
C-2,2024-02-01,x,y,z,1,2,3,4
`,
      },
      null,
    ],
  ];
  for (const [name, files, reason] of cases) {
    await t.step(name, async () => {
      const { toml, left } = await suggest({
        "contacts.csv": customers,
        ...files,
      });
      // deno-lint-ignore no-control-regex -- what moves the cursor
      assert(!/[\0-\x09\x0b-\x1f]/.test(toml), toml);
      if (reason === null) return;
      assertStringIncludes(JSON.stringify(left), reason);
    });
  }
});

Deno.test("files of one kind make one source, and Parquet and what fits is seen", async () => {
  const { sources, fitting } = await suggest({
    "customers.csv": "Customer_Id,Email\n7001,ann@example.org\n",
    "mails-2024-01.csv": "Email,Sent at\nann@example.org,1706700000\n",
    "mails-2024-02.csv": "Email,Sent at\nAnn@example.org,1706800000\n",
    ...await parquetFiles({
      "visits.parquet":
        "select 7001 as customer_id, timestamp '2024-01-31 10:00' as start_time",
    }),
  });
  assertEquals(fitting, ["customers.csv"]);
  assertEquals(
    sources.map(({ files, file_names }) => [files, file_names.length]),
    [["mails-*.csv", 2], ["visits.parquet", 1]],
  );
});

Deno.test("dates that fit only one order decide, unless others fit only the other", async () => {
  const formsOf = async (...dates: string[]) => {
    const rows = dates.map((date) => `C-1,${date}\n`).join("");
    const { sources, toml } = await suggest({
      "contacts.csv": SIMPLE["contacts.csv"],
      "calls.csv": `Contact ID,Start Time\n${rows}`,
    });
    assertEquals(sources.length, 2);
    return Array.from(
      toml.matchAll(/^(#?).*format = "(\w+)" /gm),
      (found) => found[1] + found[2],
    );
  };
  const both = ["#DMY", "#MDY"];
  assertEquals(await formsOf("01/02/2024", "02/03/2024"), both);
  assertEquals(await formsOf("01/02/2024", "31/03/2024"), ["DMY"]);
  assertEquals(await formsOf("01/02/2024", "03/31/2024"), ["MDY"]);
  assertEquals(
    await formsOf("01/02/2024", "03/31/2024", "31/03/2024", "30/03/2024"),
    both,
  );
  assertEquals(await formsOf("2024-01-02", "2024-01-03"), ["iso"]);
  assertEquals(await formsOf("2024-1-2", "2024-01-03"), ["YMD"]);
});

Deno.test("without a file of customers, everyone is known from the interactions", async () => {
  const { toml } = await suggest({
    "calls.csv":
      "Call ID,Contact ID,Start Time\nx1,C-1,2024-01-31T10:00:00Z\nx2,C-2,2024-01-31T10:00:00Z\n",
  });
  const { needs_customers, id_kind, sources } = readMapping(toml);
  assertEquals(
    [needs_customers, id_kind, sources.length],
    [false, "text", 1],
  );
});

Deno.test("a quote that is never closed takes no long time", async () => {
  const began = performance.now();
  await suggest({
    "calls.csv": `Contact ID,Start Time\n"${"x".repeat(4_000_000)}`,
    "mails.csv": `Contact ID,Start Time\n${'"'.repeat(3_999_999)}`,
  });
  assert(performance.now() - began < 10_000);
});

Deno.test("a wrong call ends with 1 and says why", async () => {
  for (
    const [args, told] of <[string[], string][]> [
      [[], "Usage"],
      [["a", "b"], "Usage"],
      [["no such folder"], "no folder"],
      [["--yaml"], "--yaml"],
      [["deno.json"], "no folder"],
    ]
  ) {
    const { code, error } = await run("suggest", args);
    assertEquals(code, 1);
    assertStringIncludes(error, told);
  }
});

Deno.test("a missing STAGING_DIR is made, and an unusable one named", async () => {
  await using folder = await dataFolder(SIMPLE);
  await using parent = await dataFolder({ "a file": "" });
  const [made, file] = await Promise.all(
    ["a/b", "a file"].map((name) =>
      commandOf("suggest", [folder.path], { staging: `${parent.path}/${name}` })
        .output()
    ),
  );
  assertEquals(made.code, 0, textOf(made.stderr));
  assertEquals(await namesIn(`${parent.path}/a/b`), []);
  assertEquals(file.code, 1);
  const lines = textOf(file.stderr).trim().split("\n");
  assertEquals(lines.length, 1, textOf(file.stderr));
  assertStringIncludes(lines[0], 'Wrong setting STAGING_DIR="');
});

Deno.test("what a killed process unpacked is removed by the next one", async () => {
  const rows = Array.from(
    { length: 100_000 },
    (_, i) => `x${i},C-${i},2024-01-31T10:00:00Z\n`,
  ).join("");
  const calls = `Call ID,Contact ID,Start Time\n${rows}`;
  await using folder = await dataFolder({
    "exports.zip": zipOf(
      Array.from({ length: 30 }, (_, i) => ({
        name: `calls_${i}.csv`,
        content: calls,
      })),
    ),
  });
  await using staging = await dataFolder();
  const child = commandOf("suggest", [folder.path], { staging: staging.path })
    .spawn();
  await until(async () => {
    const [name] = await namesIn(staging.path);
    // Without its lock, the folder has not begun to be one.
    return name !== undefined &&
      (await namesIn(`${staging.path}/${name}`)).includes("lock");
  });
  child.kill("SIGKILL");
  await child.output();

  await using other = await dataFolder(SIMPLE);
  const { code } = await commandOf("suggest", [other.path], {
    staging: staging.path,
  }).output();
  assertEquals([code, await namesIn(staging.path)], [0, []]);
});

Deno.test("nothing in the folder, and no questions, are said", async () => {
  await using empty = await dataFolder();
  const { out, code } = await run("suggest", [empty.path]);
  assertEquals(code, 1);
  assertStringIncludes(out, "the folder has no exports");
  await using folder = await dataFolder(SIMPLE);
  const { error } = await run("suggest", [folder.path, "--write"]);
  assertStringIncludes(error, ". Now run deno task check-data");
});

Deno.test({
  name: can_mount
    ? "a disk without room for the draft has none of it, and names the file"
    : "SKIPPED, since only root may mount: a disk without room for the draft",
  ignore: !can_mount,
  async fn() {
    await using disk = await smallDisk(1);
    const write = async (files: Files) => {
      for (const [name, content] of Object.entries(files)) {
        await Deno.writeTextFile(`${disk.path}/${name}`, content as string);
      }
    };
    await write(SIMPLE);
    const names = [...Object.keys(SIMPLE), ".filler"].sort();
    await disk.fill();
    const without = await run("suggest", [disk.path, "--write"]);
    assertEquals(without.code, 1);
    assert(
      /^tally\.schema\.json cannot be written: [^\n]+\n$/.test(without.error),
      without.error,
    );
    assertEquals(await namesIn(disk.path), names);

    // With the schema there, there is none for the mapping.
    await disk.free();
    await write({ "tally.schema.json": "{}\n" });
    await disk.fill();
    const half = await run("suggest", [disk.path, "--write"]);
    assertEquals(half.code, 1);
    assert(
      /^tally\.toml cannot be written: [^\n]+\n$/.test(half.error),
      half.error,
    );
    assertEquals(
      await namesIn(disk.path),
      [...names, "tally.schema.json"].sort(),
    );

    await disk.free();
    const { code, error } = await run("suggest", [disk.path, "--write"]);
    assertEquals(code, 0, error);
    assertEquals(
      await Deno.readTextFile(`${disk.path}/tally.schema.json`),
      "{}\n",
    );
  },
});

Deno.test("a full disk behind the output is one line", async () => {
  await using folder = await dataFolder(SIMPLE);
  await using staging = await dataFolder();
  const [, ...command] = tasks.suggest.command.split(" ");
  const { code, stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      'exec "$@" > /dev/full',
      "sh",
      Deno.execPath(),
      ...command,
      folder.path,
    ],
    cwd: new URL("../", import.meta.url),
    env: { STAGING_DIR: staging.path },
  }).output();
  assertEquals(code, 1);
  assert(
    /^The output cannot be written: [^\n]+\n$/.test(textOf(stderr)),
    textOf(stderr),
  );
});

Deno.test({
  name: "a folder that may not be listed is named",
  // The superuser may read every folder.
  ignore: Deno.uid() === 0,
  async fn() {
    await using folder = await dataFolder({ "exports/calls.csv": "" });
    await Deno.chmod(`${folder.path}/exports`, 0);
    const { code, error } = await run("suggest", [`${folder.path}/exports`]);
    await Deno.chmod(`${folder.path}/exports`, 0o700);
    assertEquals(code, 1);
    assertStringIncludes(error, "no folder that this process may read");
  },
});
