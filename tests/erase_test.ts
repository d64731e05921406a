/** `deno task erase`: the real command on kept versions, beside a running server, killed, and with what cannot be read. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { StateFolder } from "../db/refresh/archive.ts";
import {
  dataFolder,
  type Files,
  keptIn,
  namesIn,
} from "./support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "./support/keys.ts";
import { parquetFiles } from "./support/parquet_files.ts";
import { startServer, waitFor } from "./support/start_server.ts";
import { until } from "./support/until.ts";
import { exportsOf, live, watchedStore } from "./support/watched_store.ts";

const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
);
const SERVED =
  "The version that a running server serves is not removed: it may hold the customer until exports without the customer are loaded.";

/** Starts the command with the rights that the task has. */
function command(
  args: readonly string[],
  env: Record<string, string>,
): Deno.Command {
  const [, ...task] = tasks.erase.command.split(" ");
  return new Deno.Command(Deno.execPath(), {
    args: [...task.toSpliced(1, 0, "--no-prompt"), ...args],
    cwd: new URL("../", import.meta.url),
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs the command on a state folder; its last lines are not those of versions. */
async function erase(state: string, ...args: readonly string[]) {
  await using staging = await dataFolder();
  const { code, stdout, stderr } = await command(args, {
    STATE_DIR: state,
    STAGING_DIR: staging.path,
  }).output();
  assertEquals(await namesIn(staging.path), [], "working files are left");
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const lines = text(stdout).split("\n").slice(0, -1);
  const end = lines.findIndex((line) => line.startsWith(`${state}: `));
  return {
    code,
    error: text(stderr),
    versions: lines.slice(0, end),
    summary: lines[end]?.slice(state.length + 2),
    notes: lines.slice(end + 1),
  };
}

/** Exports of these customers, each with a number of interactions, and further rows. */
function exportsWith(
  customers: Readonly<Record<number, number>>,
  rows = "",
): Files {
  const ids = Object.keys(customers);
  return {
    "customers.csv": `Customer_Id,Type\n${
      ids.map((id) => `${id},Red\n`).join("")
    }`,
    "interactions.csv": `Date Start,Interaction,Customers\n${
      Object.entries(customers).map(([id, times]) =>
        `05/03/2020,Call,${id}\n`.repeat(times)
      ).join("")
    }${rows}`,
  };
}

/** Loads each of these exports in turn, and keeps it in `state`. */
async function keepEach(state: string, each: readonly Files[]) {
  await using watched = await watchedStore(each[0], { STATE_DIR: state });
  await watched.next();
  for (const files of each.slice(1)) {
    await watched.folder.write(files);
    await watched.next();
  }
}

Deno.test("beside a running server: first the exports, then the versions", async (t) => {
  const BAD = "05/03/2020,Call,1;x\n";
  await using folder = await dataFolder(exportsWith({ 1: 3, 2: 1 }, BAD));
  await using state = await dataFolder();
  const settings = {
    DATA_DIR: folder.path,
    STATE_DIR: state.path,
    REFRESH_SECONDS: "1",
    // A look may see a file while it is written, and waits then.
    SETTLE_SECONDS: "1",
    ADMIN_KEY_SHA256,
    HOLD: "off",
  };
  const keptIs = (count: number) =>
    until(async () => {
      const names = await keptIn(state.path);
      return names.length === count && !names.join().includes("unfinished");
    });
  await t.step("erased while it runs", async () => {
    await using server = await startServer(settings);
    // Its 503 is no error for the log.
    await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
    const of = (id: number) => `${server.base_url}/api/v1/interactions/${id}`;
    const get = async (id: number, status: number) =>
      (await waitFor(of(id), status)).json();
    await get(1, 200);
    await keptIs(1);
    await folder.write(exportsWith({ 2: 5 }, BAD));
    await get(1, 404);
    await keptIs(2);

    const [first, second] = await keptIn(state.path);
    const dry = await erase(state.path, "1", "--dry-run");
    assertEquals(dry, {
      code: 1,
      error: "",
      versions: [
        `${first}: holds the customer: customers (1), interactions (3), rows set aside (1; the first: interactions.csv, line 6, customers); would be removed`,
        `${second}: holds the customer: rows set aside (1; the first: interactions.csv, line 7, customers); would be removed`,
      ],
      summary:
        "versions looked through: 2, removed: 0, left with the customer, or unknown: 2.",
      notes: [SERVED],
    });
    assertEquals(await keptIn(state.path), [first, second]);

    await folder.write(exportsWith({ 2: 6 }));
    await until(async () => (await get(2, 200)).data.interactions.Call === 6);
    await keptIs(3);
    const [, , third] = await keptIn(state.path);
    const { versions, ...told } = await erase(state.path, "1");
    assertEquals(versions.map((line) => line.split("; ").at(-1)), [
      "removed",
      "removed",
      `${third}: nothing found`,
    ]);
    assertEquals(told, {
      code: 0,
      error: "",
      summary:
        "versions looked through: 3, removed: 2, left with the customer, or unknown: 0.",
      notes: [],
    });
    assertEquals(await keptIn(state.path), [third]);

    const { data } = await (await fetch(`${server.base_url}/api/v1/data`))
      .json();
    const answer = await fetch(`${server.base_url}/api/v1/data/rollback`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${ADMIN_KEY}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ data_version: data.report.data_version }),
    });
    assertEquals(answer.status, 409);
    assertMatch(await answer.text(), /No earlier data is kept/);
    await folder.write(exportsWith({ 2: 7 }));
    await keptIs(2);
    assertEquals(await server.stop(), 0);
    assertEquals(server.output.error, "");
  });
  await t.step("nothing of the customer comes back", async () => {
    await folder.write({ "customers.csv": "broken" });
    await using server = await startServer(settings);
    const { base_url } = server;
    const answer = await waitFor(`${base_url}/api/v1/interactions/2`, 200);
    assertEquals((await answer.json()).data.interactions, { Call: 7 });
    await (await waitFor(`${base_url}/api/v1/interactions/1`, 404)).body
      ?.cancel();
    assertEquals(await server.stop(), 0);
  });
});

Deno.test("every kept table with customers is made of those that are looked through", async () => {
  await using state = await dataFolder();
  await keepEach(state.path, [exportsWith({ 1: 1 })]);
  const [name] = await keptIn(state.path);
  const schema = await Deno.readTextFile(`${state.path}/${name}/schema.sql`);
  const tables = Array.from(
    schema.matchAll(/^CREATE TABLE (\w+)\(customer_id /gm),
    ([, table]) => table,
  );
  assertEquals(tables.sort(), [
    "customer_channels",
    "customers",
    "interactions",
    "known_customers",
  ]);
  assertEquals(schema.match(/customer_id/g)!.length, tables.length);
});

/** Makes a kept version one whose ids are texts and whose customers have names. */
async function withTextIds(
  version: string,
  customers: Readonly<Record<string, string>>,
): Promise<void> {
  const rows = Object.entries(customers).map(([id, name], i) =>
    `(${i + 1}::bigint, '${id}', '${name}')`
  );
  const all = `(values ${rows.join(", ")}) as t(customer_id, id, name)`;
  const files = await parquetFiles({
    "ids.parquet": `select customer_id, id from ${all}`,
    "customers.parquet":
      `select customer_id, null::varchar as occupation, 'Red' as type, name from ${all}`,
    "interactions.parquet":
      `select customer_id, 'Call' as channel, timestamp '2020-03-05' as date_start, 0::usmallint as topic_set from ${all}`,
  });
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.writeFile(`${version}/${name}`, bytes);
  }
  const manifest = JSON.parse(
    await Deno.readTextFile(`${version}/snapshot.json`),
  );
  manifest.loaded.report.mapping = {
    ids: "text",
    names: true,
    attributes: [],
    has_customers: true,
    sources_without_files: [],
    anonymous_interactions: 0,
    salesforce_pairs: 0,
  };
  await Deno.writeTextFile(
    `${version}/snapshot.json`,
    JSON.stringify(manifest),
  );
}

Deno.test("ids that are texts, beside ids that are numbers", async (t) => {
  await using state = await dataFolder();
  await keepEach(state.path, [
    exportsWith({ 1: 1, 2: 1 }),
    exportsWith({ 1: 2 }, "05/03/2020,Call,0012;B-7\n"),
  ]);
  const [numbers, texts] = await keptIn(state.path);
  await withTextIds(`${state.path}/${texts}`, { "007": "Ann", "A-9": "Bo" });
  const none =
    "nothing found among the rows set aside; its ids are whole numbers, and this is none";
  const rows = "ids (1), customers (1), interactions (1)";
  const table: [id: string, of_numbers: string, of_texts: string][] = [
    // A rank among the texts is no id.
    ["1", "customers (1), interactions (1)", "nothing found"],
    ["007", none, rows],
    [" A-9 ", none, rows],
    ["a-9", none, "nothing found"],
    ["7", "nothing found", "nothing found"],
    [
      "B-7",
      none,
      "rows set aside (1; the first: interactions.csv, line 4, customers)",
    ],
    [
      "0012",
      none,
      "rows set aside (1; the first: interactions.csv, line 4, customers)",
    ],
    ["12", "nothing found", "nothing found"],
    ["9007199254740992", none, "nothing found"],
    ["' or true --", none, "nothing found"],
  ];
  const lineOf = (text: string) =>
    text.startsWith("nothing")
      ? text
      : `holds the customer: ${text}; would be removed`;
  for (const [id, of_numbers, of_texts] of table) {
    await t.step(id, async () => {
      const { versions, error } = await erase(state.path, "--dry-run", id);
      assertEquals(error, "");
      assertEquals(versions, [
        `${numbers}: ${lineOf(of_numbers)}`,
        `${texts}: ${lineOf(of_texts)}`,
      ]);
    });
  }
  await t.step("removed", async () => {
    const { code, notes } = await erase(state.path, "A-9");
    assertEquals([code, notes], [0, [SERVED]]);
    assertEquals(await keptIn(state.path), [numbers]);
  });
});

Deno.test("where nothing is found, what was looked for is said", async () => {
  await using state = await dataFolder();
  await keepEach(state.path, [exportsWith({ 1: 1 })]);
  const [version] = await keptIn(state.path);
  await withTextIds(`${state.path}/${version}`, { "A-1": 'Firm "1" & Sons' });
  const { code, versions, notes } = await erase(state.path, 'Firm "1" & Sons');
  assertEquals([code, versions, notes], [
    0,
    [`${version}: nothing found`],
    [
      'Looked for the customer_id "Firm \\"1\\" & Sons", and no version has it. Names of customers are not searched.',
    ],
  ]);
});

Deno.test("what cannot be read, or is not finished, counts as left", async (t) => {
  await using state = await dataFolder();
  await keepEach(
    state.path,
    ["", "05/03/2020,Call,R2D2\n", ""].map((rows, i) =>
      exportsWith({ 2: i + 1 }, rows)
    ),
  );
  const [old, cut, clean] = await keptIn(state.path);
  const manifest = `${state.path}/${old}/snapshot.json`;
  const written = await Deno.readTextFile(manifest);
  await Deno.writeTextFile(
    manifest,
    written.replace(/"format":\d+/, '"format":0'),
  );
  await Deno.truncate(`${state.path}/${cut}/interactions.parquet`, 10);
  const half = `.unfinished-00000009-${"a".repeat(16)}`;
  const writing = `.unfinished-${crypto.randomUUID()}`;
  await state.write({
    [`${half}/customers.parquet`]: "PAR1",
    [`${writing}/customers.parquet`]: "PAR1",
    // The list of discarded versions, as it is written.
    [`.unfinished-${crypto.randomUUID()}`]: "{",
  });
  const before = await keptIn(state.path);

  await t.step("a damaged one, known by its rows set aside", async () => {
    const { versions } = await erase(state.path, "R2D2", "--dry-run");
    assertEquals(
      versions[1],
      `${cut}: holds the customer: rows set aside (1; the first: interactions.csv, line 4, customers); would be removed`,
    );
  });
  const dry = await erase(state.path, "1", "--dry-run", "--unreadable");
  assertEquals([dry.code, dry.versions.length], [1, 5]);
  assertEquals(await keptIn(state.path), before);

  const first = await erase(state.path, "1");
  const [of_old, of_cut, ...others] = first.versions;
  assertMatch(
    of_old,
    RegExp(
      `^${old}: cannot be read: its snapshot.json is of another build \\(format: .+\\); may hold the customer, --unreadable removes it$`,
    ),
  );
  assertMatch(
    of_cut,
    RegExp(`^${cut}: cannot be read: .*interactions.parquet.*; may hold`),
  );
  assertEquals(others, [
    `${clean}: nothing found`,
    `${half}: the rest of a removal that did not end; removed`,
    `${writing}: may hold the customer: a version that is being written, or that a killed process left. If it is still there in a minute, restart the server, which removes it`,
  ]);
  assertEquals([first.code, first.error, first.notes], [1, "", []]);

  const second = await erase(state.path, "1", "--unreadable");
  assertEquals(second.code, 1);
  // As a start of the server.
  await new StateFolder(state.path, console.error).open();
  const third = await erase(state.path, "1", "--unreadable");
  assertEquals([third.code, third.versions], [0, [`${clean}: nothing found`]]);
  assertEquals(await keptIn(state.path), [clean]);
});

Deno.test("killed at any moment: a version is whole or gone, and the next run ends it", async () => {
  await using state = await dataFolder();
  await keepEach(state.path, [exportsWith({ 1: 100, 2: 1 })]);
  const [kept] = await keptIn(state.path);
  const files = await namesIn(`${state.path}/${kept}`);
  for (let i = 2; i <= 80; i++) {
    const copy = `${state.path}/${String(i).padStart(8, "0")}${kept.slice(8)}`;
    await Deno.mkdir(copy);
    for (const file of files) {
      await Deno.copyFile(`${state.path}/${kept}/${file}`, `${copy}/${file}`);
    }
  }
  const folder = new StateFolder(state.path, ({ text }) => {
    throw new Error(text);
  });
  await using staging = await dataFolder();
  await using out = await dataFolder();
  const env = { STATE_DIR: state.path, STAGING_DIR: staging.path };
  for (const lines of [1, 2, 3, 5, 8]) {
    await using child = command(["1"], env).spawn();
    let told = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      told += text;
      if (told.split("\n").length > lines) break;
    }
    child.kill("SIGKILL");
    await child.stderr.cancel();
    await child.status;
    const left = await folder.kept();
    if (lines === 1) assert(left.length > 0, "it was not killed in between");
    for (const version of left) {
      await folder.restore(version, `${out.path}/${crypto.randomUUID()}`);
    }
  }
  const { code, notes } = await erase(state.path, "1");
  assertEquals([code, notes], [0, [SERVED]]);
  assertEquals(await keptIn(state.path), []);

  // The working files of those that were killed go with the next one's.
  assertEquals((await command(["1"], env).output()).code, 0);
  assertEquals(await namesIn(staging.path), []);
  await using watched = await watchedStore(exportsOf(1), {
    STATE_DIR: state.path,
  });
  await live(watched, 1);
});

Deno.test("what is wrong is said, and nothing is made", async (t) => {
  await using folder = await dataFolder({ file: "" });
  const table: [args: string[], state: string, error: RegExp][] = [
    [[], folder.path, /^Usage: deno task erase ID/],
    [[" "], folder.path, /^Usage:/],
    [["1", "2"], folder.path, /^Usage:/],
    [["1", "--force"], folder.path, /'--force'[^]*\nUsage:/],
    [["1"], "", /^STATE_DIR is not set: .+\n$/],
    [
      ["1"],
      `${folder.path}/none`,
      /^Wrong setting STATE_DIR="\/.+\/none": must be a folder .+ \(it is not there\)\n$/,
    ],
    [
      ["1"],
      `${folder.path}/file`,
      /^Wrong setting STATE_DIR="\/.+\/file": must be a folder .+ \(it is a file, or below one\)\n$/,
    ],
  ];
  for (const [args, state, error] of table) {
    await t.step(`${args.join(" ")} in ${state}`, async () => {
      const told = await erase(state, ...args);
      assertEquals([told.code, told.versions], [1, []]);
      assertMatch(told.error, error);
    });
  }
  assertEquals(await namesIn(folder.path), ["file"]);
  const summary =
    "versions looked through: 0, removed: 0, left with the customer, or unknown: 0.";
  await t.step("a folder in which no server has kept versions", async () => {
    await using empty = await dataFolder({
      "customers.csv": "Customer_Id\n1\n",
    });
    assertEquals(await erase(empty.path, "1"), {
      code: 1,
      error:
        "No server has kept versions in this folder: set STATE_DIR to the folder in which the server keeps them.\n",
      versions: [],
      summary,
      notes: [],
    });
  });
  await t.step("a folder of a server that has kept none yet", async () => {
    await using state = await dataFolder();
    const of_server = new StateFolder(state.path, console.error);
    await of_server.open();
    of_server.release();
    const told = await erase(state.path, "1");
    assertEquals([told.code, told.summary, told.error], [0, summary, ""]);
  });
});
