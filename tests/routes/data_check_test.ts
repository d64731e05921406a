/** `POST /api/v1/data/check/{name}`: what it tells of a file, and that nothing is kept of it. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { servedReport } from "../../routes/data.ts";
import {
  type DataFolder,
  dataFolder,
  namesIn,
} from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import type { Settings } from "../support/load_folder.ts";
import { appOn, emptyStore, openApp } from "../support/open_app.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { exportsOf, live, watchedStore } from "../support/watched_store.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const HEADER = "Customer_Id,Occupation,Type\n";
const INTERACTIONS = "Date Start,Interaction,Customers\n";

interface Headers {
  readonly [name: string]: string;
}

const interactionsOf = (count: number) =>
  exportsOf(count)["interactions.csv"] as string;

/** The state of everything that a check must leave as it is. */
async function stateOf(folders: readonly DataFolder[]): Promise<unknown> {
  const listed = [];
  for (const { path } of folders) {
    for (const name of await namesIn(path)) {
      const { ino, size, mtime, ctime } = await Deno.lstat(`${path}/${name}`);
      const below = (await Deno.stat(`${path}/${name}`)).isDirectory
        ? await namesIn(`${path}/${name}`)
        : [];
      // In the working folder things come and go.
      const times = name.startsWith("tally-") ? [] : [mtime, ctime];
      listed.push([name, ino, size, ...times, below]);
    }
  }
  return listed;
}

/** A store that watches a folder, with the application on it. */
async function watchedApp(
  files: Parameters<typeof watchedStore>[0],
  settings: Settings = {},
) {
  const state = await dataFolder();
  const watched = await watchedStore(files, {
    ADMIN_KEY_SHA256,
    STATE_DIR: state.path,
    ...settings,
  });
  const { app, logged } = appOn(watched.store, {
    ADMIN_KEY_SHA256,
    ...settings,
  });
  /** Sends a check, and returns the answer. */
  const check = async (
    name: string,
    body: BodyInit,
    { headers, signal }: { headers?: Headers; signal?: AbortSignal } = {},
  ) => {
    const answer = await app.request(`/api/v1/data/check/${name}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${ADMIN_KEY}`, ...headers },
      body,
      signal,
    });
    const { data, error, meta } = await answer.json();
    return { status: answer.status, data, error: error as string, meta };
  };
  /** Sends a check, and asserts that everything is then as it was before. */
  const checkAlone = async (...args: Parameters<typeof check>) => {
    const folders = [watched.folder, watched.staging, state];
    // What went live is put into STATE_DIR after it was told.
    let before: unknown;
    for (let same = false; !same;) {
      const earlier = before;
      // A folder that is renamed meanwhile is gone when it is looked into.
      before = await stateOf(folders).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        return "changing";
      });
      same = JSON.stringify(earlier) === JSON.stringify(before) &&
        !/changing|exports-|\.unfinished-/.test(JSON.stringify(before)) &&
        watched.store.state !== "building";
      if (!same) await delay(100);
    }
    const { history, held } = watched.store;
    const told = [...history];
    const served = watched.store.snapshot;
    const answer = await check(...args);
    assertEquals(await stateOf(folders), before);
    assertEquals([...history], told);
    assert(watched.store.snapshot === served && watched.store.held === held);
    return answer;
  };
  return {
    watched,
    app,
    check,
    checkAlone,
    logged,
    async [Symbol.asyncDispose]() {
      await watched[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
      // What is logged is a bug, but for a folder that a test puts there.
      assertEquals(
        watched.logged.filter((text) => !text.startsWith("New in DATA_DIR")),
        [],
      );
      assertEquals(logged, []);
    },
  };
}

Deno.test("a check tells what a refresh would, and keeps nothing", async (t) => {
  await using opened = await watchedApp({
    "customers.csv": `${HEADER}1,Jedi,Red\n2,Sith,Blue\n`,
    "interactions.csv": `${INTERACTIONS}01/02/2020,Email,1\n`.repeat(1) +
      "02/02/2020,Call,2\n",
  }, { HOLD: "on" });
  const { watched, checkAlone } = opened;
  await live(watched, 2);
  const { data_version } = watched.snapshot;

  await t.step("customers come and go", async () => {
    const { status, data, meta } = await checkAlone(
      "customers.csv",
      `${HEADER}1,Jedi,Red\n3,Baker,Green\n4,Cook,Green\nx,,\n`,
    );
    assertEquals(status, 200);
    assertEquals([data.outcome, data.reasons], ["served", []]);
    assertEquals(meta, {
      data_version,
      loaded_at: watched.snapshot.loaded_at,
    });
    assertEquals(data.changes.previous_data_version, data_version);
    assertEquals(data.changes.tables.customers, {
      rows_added: 2,
      rows_gone: 1,
    });
    // Customer 2 is still known from an interaction.
    assertEquals(data.changes.new_customers, 2);
    assertEquals(data.changes.new_types, ["Green"]);
    assertEquals(data.changes.vanished_types, ["Blue"]);
    assertEquals(data.report.data_version, data.data_version);
    assertEquals(data.report.set_aside_listed, undefined);
    const [customers] = data.report.files;
    assertEquals(
      [customers.file, customers.rows_kept, customers.rows_set_aside],
      ["customers.csv", 3, 1],
    );
  });

  await t.step("identical bytes: nothing changes", async () => {
    const file = await Deno.readFile(`${watched.folder.path}/customers.csv`);
    const { status, data } = await checkAlone("customers.csv", file);
    assertEquals([status, data.data_version], [200, data_version]);
    assertEquals(data.outcome, "unchanged");
    assertEquals(data.reasons, [
      `the files are those of data version ${data_version}, which is served`,
    ]);
    const { tables, new_customers, vanished_customers } = data.changes;
    assertEquals([new_customers, vanished_customers], [0, 0]);
    for (const change of Object.values(tables)) {
      assertEquals(change, { rows_added: 0, rows_gone: 0 });
    }
  });

  await t.step("a new name: beside the others", async () => {
    const { data } = await checkAlone(
      "interactions_2.csv",
      `${INTERACTIONS}03/02/2021,Bird,1\n`,
    );
    assertEquals(data.changes.tables.interactions, {
      rows_added: 1,
      rows_gone: 0,
    });
    assertEquals(data.changes.new_channels, ["Bird"]);
    assertEquals(
      data.report.files.map(({ file }: { file: string }) => file),
      ["customers.csv", "interactions.csv", "interactions_2.csv"],
    );
  });

  await t.step("a workbook", async () => {
    const { status, data, error } = await checkAlone(
      "crm.xlsx",
      xlsx({
        customers: sheetOf(["Customer_Id", "Type"], [7, "Red"]),
        notes: sheetOf(["Any"], ["thing"]),
      }),
    );
    assertEquals(status, 200, error);
    assertEquals(data.changes.new_customers, 1);
    assertStringIncludes(
      JSON.stringify(data.report.files),
      "crm.xlsx, sheet customers",
    );
  });

  await t.step("a text in gzip, and Parquet", async () => {
    const row = `${INTERACTIONS}03/02/2021,Bird,1\n`;
    const gzip = new Blob([row]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    const files = {
      "interactions_2.csv.gz": await new Response(gzip).bytes(),
      ...await parquetFiles({
        "interactions_2.parquet":
          `select timestamp '2021-02-03' as "Date Start", 'Bird' as Interaction, 1 as Customers`,
      }),
    };
    for (const [name, bytes] of Object.entries(files)) {
      const body = new Uint8Array(bytes);
      const { status, data, error } = await checkAlone(name, body);
      assertEquals([status, data?.outcome], [200, "served"], error);
      assertEquals(data.changes.new_channels, ["Bird"]);
      assertEquals(data.changes.tables.interactions.rows_added, 1);
      // Cut in the middle, as an upload.
      const half = body.slice(0, body.length / 2);
      const cut = await checkAlone(name, half);
      assertEquals([cut.status, cut.data?.outcome], [200, "refused"]);
      assertStringIncludes(cut.data.reasons.join(), name);
    }
  });

  await t.step("the version is the one that the upload gets", async () => {
    const body = `${HEADER}1,Jedi,Red\n9,Cook,Green\n`;
    const { data } = await checkAlone("customers.csv", body);
    await watched.store.files.put("customers.csv", new Blob([body]).stream());
    const refresh = await live(watched, 2);
    const { loaded_at: _at, seconds: _s, ...report } = servedReport(
      refresh.report!,
    );
    assertEquals(data.data_version, report.data_version);
    assertEquals(data.changes, refresh.changes);
    const { loaded_at: _at_2, seconds: _s_2, ...told } = data.report;
    const untimed = (files: readonly object[]) =>
      files.map((file) => ({ ...file, seconds: 0 }));
    assertEquals(
      { ...told, files: untimed(told.files) },
      { ...report, files: untimed(report.files) },
    );
  });
});

Deno.test("files that would be refused: the reasons of the upload or of the load", async (t) => {
  await using opened = await watchedApp(exportsOf(3), {
    MAX_UPLOAD_BYTES: "2000",
  });
  const { watched, checkAlone } = opened;
  await live(watched, 3);
  const none = { data_version: null, changes: null, report: null };
  for (
    const [name, body, text] of [
      ["customers.csv", "Number\n1\n", "no column Customer_Id"],
      ["customers.csv", "", "customers.csv"],
      ["customers.xlsx", "Customer_Id\n1\n", "customers.xlsx"],
      ["tally.toml", "[[interactions", "tally.toml"],
      [
        "manifest.json",
        JSON.stringify({
          files: [{ file: "products.csv", sha256: "0".repeat(64), bytes: 1 }],
        }),
        "manifest.json, products.csv: listed and not there",
      ],
      [
        "customers.csv.sha256",
        "0".repeat(64),
        "not the bytes that customers.csv.sha256 describes",
      ],
    ]
  ) {
    await t.step(`${name}: ${text}`, async () => {
      const { status, data, error } = await checkAlone(name, body);
      assertEquals(status, 200, error);
      const { reasons, ...rest } = data;
      assertEquals(rest, { outcome: "refused", ...none });
      assertStringIncludes(reasons.join("\n"), text);
    });
  }
  await t.step("several reasons", async () => {
    await watched.folder.write({ "products.csv": "Day\n1\n" });
    await watched.until(() => watched.store.state === "failed");
    const { data } = await checkAlone(
      "interactions_2.csv",
      `${INTERACTIONS}${"soon,Call,1\n".repeat(20)}`,
    );
    assertEquals(data.outcome, "refused");
    assertEquals(
      data.reasons.map((one: string) => one.split(".")[0]).sort(),
      ["interactions_2", "products"],
    );
    await Deno.remove(`${watched.folder.path}/products.csv`);
    await watched.until(() => watched.store.state === "serving");
  });
  await t.step("a good one after all of them", async () => {
    const { status, data, error } = await checkAlone("customers.csv", HEADER);
    assertEquals([status, data?.outcome], [200, "served"], error);
  });
});

Deno.test("requests that are refused as an upload is", async (t) => {
  await using opened = await watchedApp(exportsOf(3), {
    MAX_UPLOAD_BYTES: "2000",
  });
  const { watched, checkAlone, app } = opened;
  await live(watched, 3);
  await Deno.mkdir(`${watched.folder.path}/interactions_3.csv`);
  const long = `interactions_${"a".repeat(300)}.csv`;
  const table: [string, string, Headers, number, string][] = [
    ["notes.txt", "x", {}, 400, "Name the file as docs/file-contract.md says"],
    ["..%2fcustomers.csv", HEADER, {}, 400, "not a plain file name"],
    ["a%5ccustomers.csv", HEADER, {}, 400, "not a plain file name"],
    ["%00customers.csv", HEADER, {}, 400, "not a plain file name"],
    [".customers.csv", HEADER, {}, 400, "a name of unfinished files"],
    ["customers.csv.part", HEADER, {}, 400, "a name of unfinished files"],
    ["Tally.toml", "", {}, 400, "in small letters"],
    ["notes.csv.sha256", "0".repeat(64), {}, 400, "the checksum of what"],
    [long, INTERACTIONS, {}, 400, "not a plain file name"],
    ["interactions_3.csv", INTERACTIONS, {}, 409, "is a folder"],
    ["customers.csv", "x".repeat(2001), {}, 413, "MAX_UPLOAD_BYTES=2000"],
    ["customers.csv", HEADER, { "If-None-Match": "*" }, 412, "is there"],
    ["customers.csv", HEADER, { "If-Match": '"x"' }, 412, "the ETag of"],
    ["customers.csv", HEADER, { "Content-Range": "bytes 0-1/9" }, 400, "parts"],
    ["customers.csv", HEADER, { "Content-Encoding": "gzip" }, 415, ".csv.gz"],
    ["customers.csv", HEADER, { "Content-Encoding": "x, br" }, 415, ".csv.gz"],
  ];
  for (const [name, body, headers, status, text] of table) {
    await t.step(`${name}: ${text}`, async () => {
      const answer = await checkAlone(name, body, { headers });
      assertEquals(answer.status, status, answer.error);
      assertStringIncludes(answer.error, text);
      const upload = await app.request(`/api/v1/data/files/${name}`, {
        method: "PUT",
        headers: { Authorization: `Bearer ${ADMIN_KEY}`, ...headers },
        body,
      });
      assertEquals(
        [upload.status, (await upload.json()).error],
        [status, answer.error],
      );
    });
  }
});

Deno.test("one at a time, and what is left of those that end early", async (t) => {
  await using opened = await watchedApp(exportsOf(3));
  const { watched, check, checkAlone } = opened;
  await live(watched, 3);
  const large = interactionsOf(300_000);
  const has = async (prefix: string) => {
    const [folder] = await namesIn(watched.staging.path);
    const names = await namesIn(`${watched.staging.path}/${folder}`);
    return names.some((name) => name.startsWith(prefix));
  };
  const received = () => has("received-");
  const begun = async (prefix = "received-") => {
    for (let i = 0; i < 2_000 && !await has(prefix); i++) await delay(5);
    assert(await has(prefix));
  };
  await t.step("two at once", async () => {
    const first = check("interactions.csv", large);
    await begun();
    const second = await check("customers.csv", HEADER);
    assertEquals(second.status, 409);
    assertStringIncludes(second.error, "Another file is being checked");
    assertEquals((await first).data.report.interactions, 300_000);
    assertEquals(await received(), false);
  });
  await t.step("a refresh comes first", async () => {
    // It takes longer than the folder takes to be looked at twice. A refresh ends
    // only what is built: the file is received by then.
    const checked = check("interactions.csv", interactionsOf(2_500_000));
    await begun("exports-");
    await watched.folder.write(exportsOf(4));
    const { status, error } = await checked;
    assertEquals(status, 409);
    assertMatch(error, /gave way|being built|data folder/);
    assertEquals(await received(), false);
    await live(watched, 4);
  });
  await t.step("a client that goes away", async () => {
    const client = new AbortController();
    const checked = check("interactions.csv", large, { signal: client.signal })
      .then(({ status }) => status, String);
    await begun();
    client.abort();
    await checked;
    for (let i = 0; i < 400 && await received(); i++) await delay(10);
    assertEquals(await received(), false);
  });
  await t.step("the next one", async () => {
    const { status, error } = await checkAlone("customers.csv", HEADER);
    assertEquals(status, 200, error);
  });
});

Deno.test("a checksum and a manifest in the folder count as after an upload", async (t) => {
  const files = exportsOf(2);
  const sha256 = async (text: string) =>
    new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
    ).toHex();
  await using opened = await watchedApp(files);
  const { watched, checkAlone } = opened;
  await live(watched, 2);
  const next = `${HEADER}1,Jedi,Red\n2,Sith,Red\n`;

  await t.step("a checksum of other bytes: 409, as an upload", async () => {
    const text = files["customers.csv"] as string;
    await watched.folder.write({ "customers.csv.sha256": await sha256(text) });
    const { status, error } = await checkAlone("customers.csv", next);
    assertEquals(status, 409);
    assertStringIncludes(error, "customers.csv.sha256 is for other bytes");
  });
  await t.step("of these bytes: 200", async () => {
    await watched.folder.write({ "customers.csv.sha256": await sha256(next) });
    const { status, data } = await checkAlone("customers.csv", next);
    assertEquals([status, data.changes.new_customers], [200, 1]);
    await Deno.remove(`${watched.folder.path}/customers.csv.sha256`);
  });
  await t.step("a manifest with its rows", async () => {
    const listed = async (rows: number) =>
      JSON.stringify({
        files: [{
          file: "customers.csv",
          sha256: await sha256(next),
          bytes: next.length,
          rows,
        }],
      });
    await watched.folder.write({ "manifest.json": await listed(3) });
    const wrong = await checkAlone("customers.csv", next);
    assertEquals(wrong.data?.outcome, "refused", wrong.error);
    assertStringIncludes(
      wrong.data.reasons[0],
      "2 rows, and manifest.json lists 3",
    );
    await watched.folder.write({ "manifest.json": await listed(2) });
    assertEquals((await checkAlone("customers.csv", next)).status, 200);
  });
});

Deno.test("what would be held, and what was discarded, says so", async (t) => {
  const reason =
    "interactions lost 100 of 200 rows, more than HOLD_DROP=0.3 allows";
  const half = interactionsOf(100);
  for (const [HOLD, outcome] of [["on", "held"], ["off", "served"]]) {
    await t.step(`HOLD=${HOLD}: ${outcome}`, async () => {
      await using opened = await watchedApp(exportsOf(200), { HOLD });
      await live(opened.watched, 200);
      const { data } = await opened.checkAlone("interactions.csv", half);
      assertEquals([data.outcome, data.reasons], [outcome, [reason]]);
      assertEquals(data.changes.tables.interactions, {
        rows_added: 0,
        rows_gone: 100,
      });
    });
  }
  await t.step("held already, then discarded", async () => {
    await using opened = await watchedApp(exportsOf(200), { HOLD: "on" });
    const { watched, checkAlone } = opened;
    await live(watched, 200);
    await watched.folder.write(exportsOf(100));
    assertEquals((await watched.next()).state, "held");
    const { data } = await checkAlone("interactions.csv", half);
    assertEquals([data.outcome, data.reasons], ["held", [reason]]);
    await watched.store.discard(data.data_version);
    const again = await checkAlone("interactions.csv", half);
    assertEquals(again.data.outcome, "discarded");
    assertStringIncludes(again.data.reasons[0], "which was discarded");
    // What is served stays comparable.
    const back = await checkAlone(
      "interactions.csv",
      interactionsOf(200),
    );
    assertEquals(back.data.outcome, "unchanged");
    assertStringIncludes(back.data.reasons[0], "which is served");
  });
  await t.step("a text that may be cut: the warning of the load", async () => {
    await using opened = await watchedApp(exportsOf(2));
    await live(opened.watched, 2);
    const { data } = await opened.checkAlone("customers.csv", `${HEADER}1,,`);
    assertEquals(data.reasons, [
      "customers.csv: no line break at its end, so it may be cut",
    ]);
  });
});

Deno.test("tally.toml decides what the other files are", async () => {
  await using opened = await watchedApp({
    ...exportsOf(2),
    "calls_1.csv": "When,Who\n2021-03-04,1\n",
    "calls_2.csv": "When,Who\n2021-03-05,1\n2021-03-06,2\n",
  });
  const { watched, checkAlone } = opened;
  await live(watched, 2);
  const mapping = (file: string) => `
[[interactions]]
files = "${file}"
customer = "Who"
time = "When"
channel = { value = "Call" }
`;
  const { status, data, error } = await checkAlone(
    "tally.toml",
    mapping("calls*.csv"),
  );
  assertEquals(status, 200, error);
  assertEquals(data.changes.tables.interactions.rows_added, 3);
  assertEquals(data.changes.new_channels, ["Call"]);
  assertEquals(data.report.ignored_files, 0);
  assertEquals(watched.snapshot.report.ignored_files, 2);

  await watched.folder.write({ "tally.toml": mapping("calls_1.csv") });
  await live(watched, 3);
  const fewer = await checkAlone("tally.toml", "# nothing\n");
  assertEquals(fewer.data.changes.vanished_channels, ["Call"]);
  const named = await checkAlone("calls_1.csv", "When,Who\n2021-03-04,5\n");
  assertEquals(named.data.changes.new_customers, 1);
  const more = await checkAlone("calls_2.csv", "When,Who\n2021-03-04,5\n");
  assertEquals([more.status, more.data], [400, undefined]);
});

Deno.test("with nothing served: the first load, with no changes; 503 without a folder", async () => {
  await using opened = await watchedApp({ "customers.csv": `${HEADER}1,,\n` });
  const { watched, check } = opened;
  assertEquals((await watched.next()).state, "failed");
  const { status, data, meta } = await check(
    "interactions.csv",
    `${INTERACTIONS}03/02/2021,Bird,1\n`,
  );
  assertEquals(status, 200);
  assertEquals([data.changes, meta.data_version], [null, null]);
  assertEquals(data.report.interactions, 1);
  // As a first load, it is refused where a refresh would be held.
  const strict = await check(
    "interactions.csv",
    `${INTERACTIONS}01/02/2020,Call,1\n${"soon,Call,1\n".repeat(20)}`,
  );
  assertEquals([strict.status, strict.data.outcome], [200, "refused"]);
  assertStringIncludes(strict.data.reasons[0], "MAX_SET_ASIDE");
  const { path } = watched.folder;
  await Deno.rename(path, `${path}-away`);
  const away = await check("customers.csv", HEADER);
  assertEquals(away.status, 503, away.error);
  assertStringIncludes(away.error, `DATA_DIR=${path} does not exist`);
  await Deno.rename(`${path}-away`, path);
});

Deno.test("too little memory: 507 as for a load, and nothing is left", async () => {
  await using opened = await watchedApp(exportsOf(5), {
    DUCKDB_MEMORY_LIMIT: "1MB",
  });
  const { watched, checkAlone } = opened;
  assertEquals((await watched.next()).state, "failed");
  const { status, error } = await checkAlone(
    "interactions.csv",
    interactionsOf(6),
  );
  assertEquals(status, 507);
  assertStringIncludes(error, "Raise DUCKDB_MEMORY_LIMIT");
});

Deno.test("before the store is open: 409, since the first load is under way", async () => {
  const { app } = appOn(emptyStore(), { ADMIN_KEY_SHA256 });
  const answer = await app.request("/api/v1/data/check/customers.csv", {
    method: "POST",
    headers: { Authorization: `Bearer ${ADMIN_KEY}` },
    body: HEADER,
  });
  assertEquals(answer.status, 409);
  assertStringIncludes((await answer.json()).error, "is being built");
});

Deno.test("readers are answered by the served version meanwhile", async () => {
  await using opened = await openApp(exportsOf(5), { ADMIN_KEY_SHA256 });
  const checking = Promise.resolve(
    opened.app.request("/api/v1/data/check/interactions.csv", {
      method: "POST",
      headers: { Authorization: `Bearer ${ADMIN_KEY}` },
      body: interactionsOf(200_000),
    }),
  );
  let asked = 0;
  for (let is_done = false; !is_done; asked++) {
    const answer = await opened.app.request("/api/v1/interactions/1");
    assertEquals((await answer.json()).data.interactions, { Email: 5 });
    is_done = await Promise.race([
      checking.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 5, false)),
    ]);
  }
  const { data } = await (await checking).json();
  assertEquals(data.report.interactions, 200_000);
  assert(asked > 5, String(asked));
});
