/** tally.toml while a server runs: added, changed, broken, mended, removed, uploaded, vouched for. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { dataFolder, type Files } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { appOn } from "../support/open_app.ts";
import {
  exportsOf,
  live,
  staysFor,
  type WatchedStore,
  watchedStore,
} from "../support/watched_store.ts";

const MAPPING = `[[interactions]]
files = "calls*.csv"
customer = "who"
time = "at"
channel = { value = "Call" }
`;
const CALLS = "who,at\n1,2020-01-01\n1,2020-01-02\n";
const CRM: Files = {
  "customers.csv": "Customer_Id\n1\n",
  "calls.csv": CALLS,
};
const BROKEN = `${MAPPING}tim = "at"\n`;
const BROKEN_REFUSAL =
  'tally.toml: interactions[1] has no key "tim". Did you mean time? Mend it as docs/file-contract.md says.';

Deno.test("a tally.toml that is added, changed, broken, mended and removed refreshes, or fails to", async (t) => {
  await using state = await dataFolder();
  await using watched = await watchedStore(
    { ...CRM, ...exportsOf(5) },
    { STATE_DIR: state.path },
  );
  const { refreshes } = watched.store;
  const write = (toml: string) => watched.folder.write({ "tally.toml": toml });
  const failed = async (reason: string) => {
    const refresh = await watched.next();
    assertEquals([refresh.state, refresh.reasons], ["failed", [reason]]);
  };
  await live(watched, 5);

  await t.step("added", async () => {
    await write(MAPPING);
    await live(watched, 7);
    assertEquals(watched.snapshot.channels, ["Call", "Email"]);
  });
  await t.step("a comment makes no version and no load", async () => {
    const { loaded_at } = watched.snapshot.report;
    await staysFor(watched, () => write(`# Of the CRM.\n${MAPPING}`));
    assertEquals(watched.snapshot.report.loaded_at, loaded_at);
  });
  await t.step(
    "broken: the key is named, the last good data serves",
    async () => {
      await write(BROKEN);
      await failed(BROKEN_REFUSAL);
      await write(`${MAPPING}=\n`);
      await failed(
        "tally.toml, line 6: column 1: not valid TOML, unexpected end of key. Mend the line, or leave tally.toml out.",
      );
      assertEquals(watched.snapshot.row_counts.interactions, 7);
    },
  );
  await t.step("mended, with another meaning", async () => {
    await write(MAPPING.replace('"Call"', '"Phone"'));
    await live(watched, 7);
    assertEquals(watched.snapshot.channels, ["Email", "Phone"]);
  });
  await t.step("rolled back, and accepted again", async () => {
    const { data_version } = watched.snapshot;
    await refreshes.rollback(data_version);
    await live(watched, 7);
    assertEquals(watched.snapshot.channels, ["Call", "Email"]);
    await refreshes.accept(data_version);
    await live(watched, 7);
    assertEquals(watched.snapshot.channels, ["Email", "Phone"]);
  });
  await t.step("removed", async () => {
    await Deno.remove(`${watched.folder.path}/tally.toml`);
    await live(watched, 5);
    assertEquals(watched.snapshot.report.mapping, undefined);
  });
});

Deno.test("a mapping that leaves out most rows is held, and discarded", async () => {
  await using watched = await watchedStore(
    { ...CRM, ...exportsOf(5), "tally.toml": MAPPING },
    { ADMIN_KEY_SHA256 },
  );
  await live(watched, 7);
  await watched.folder.write({
    "tally.toml": MAPPING.replace("calls*", "none*"),
    "interactions.csv": exportsOf(1)["interactions.csv"],
  });
  const held = await watched.next();
  assertEquals(held.state, "held");
  await watched.store.refreshes.discard(held.report!.data_version);
  assertEquals(watched.snapshot.row_counts.interactions, 7);
});

/** Sends a request of the administrator. */
async function send(
  { app }: ReturnType<typeof appOn>,
  method: string,
  { name, body }: { readonly name: string; readonly body?: string },
): Promise<{ status: number; text: string }> {
  const answer = await app.request(`/api/v1/data/files/${name}`, {
    method,
    body,
    headers: {
      Authorization: `Bearer ${ADMIN_KEY}`,
      "Content-Type": "application/octet-stream",
    },
  });
  return { status: answer.status, text: await answer.text() };
}

async function withApp(
  files: Files,
  use: (
    watched: WatchedStore,
    app: ReturnType<typeof appOn>,
  ) => Promise<void>,
): Promise<void> {
  const settings = { ADMIN_KEY_SHA256, HOLD: "off" };
  await using watched = await watchedStore(files, settings);
  await use(watched, appOn(watched.store, settings));
}

Deno.test("tally.toml is uploaded like an export, and what only it names as well", async (t) => {
  await withApp(exportsOf(5), async (watched, app) => {
    await live(watched, 5);
    await t.step("what nothing names is refused", async () => {
      const { status, text } = await send(app, "PUT", {
        name: "calls.csv",
        body: CALLS,
      });
      assertEquals(status, 400);
      assertStringIncludes(text, "let tally.toml name it");
    });
    await t.step("a broken one is refused as the load would", async () => {
      const { status, text } = await send(app, "PUT", {
        name: "tally.toml",
        body: BROKEN,
      });
      assertEquals([status, JSON.parse(text).error], [422, BROKEN_REFUSAL]);
    });
    await t.step("one that is whole goes live with its export", async () => {
      const mapping = await send(app, "PUT", {
        name: "tally.toml",
        body: MAPPING,
      });
      assertEquals(mapping.status, 202, mapping.text);
      const calls = await send(app, "PUT", { name: "calls.csv", body: CALLS });
      assertEquals(calls.status, 202, calls.text);
      await watched.until(() => watched.snapshot.row_counts.interactions === 7);
      const { text } = await send(app, "PUT", {
        name: "calls.csv",
        body: "who,when\n",
      });
      assertStringIncludes(text, 'no column at among \\"who\\", \\"when\\"');
      assertStringIncludes(text, "Mend interactions[1] in tally.toml");
    });
    await t.step("it is listed, and deleted", async () => {
      const answer = await app.app.request("/api/v1/data/files", {
        headers: { Authorization: `Bearer ${ADMIN_KEY}` },
      });
      const { data } = await answer.json() as {
        data: { name: string; kind: string; table: string | null }[];
      };
      assertEquals(
        data.map(({ name, kind, table }) => [name, kind, table]),
        [
          ["calls.csv", "export", "interactions"],
          ["customers.csv", "export", "customers"],
          ["interactions.csv", "export", "interactions"],
          ["tally.toml", "mapping", null],
        ],
      );
      const deleted = await send(app, "DELETE", { name: "tally.toml" });
      assertEquals(deleted.status, 202, deleted.text);
      await watched.until(() => watched.snapshot.row_counts.interactions === 5);
    });
  });
});

Deno.test("a .sha256 and manifest.json vouch for tally.toml too", async (t) => {
  const hash = (text: string) =>
    createHash("sha256").update(text).digest("hex");
  await using watched = await watchedStore({
    ...CRM,
    "tally.toml": MAPPING,
    "tally.toml.sha256": `${hash("another")}  tally.toml\n`,
  }, { SETTLE_SECONDS: "1" });
  await t.step("of other bytes", async () => {
    const { state, reasons } = await watched.next();
    assertEquals([state, reasons], ["failed", [
      "tally.toml: not the bytes that tally.toml.sha256 describes. Deliver the file and its .sha256 again.",
    ]]);
  });
  await t.step("of these bytes", async () => {
    await watched.folder.write({ "tally.toml.sha256": hash(MAPPING) });
    await live(watched, 2);
  });
  await t.step("a manifest that lists another one", async () => {
    await watched.folder.write({
      "manifest.json": JSON.stringify({
        files: [{ file: "tally.toml", sha256: hash("x"), bytes: 1 }],
      }),
    });
    const { state, reasons } = await watched.next();
    assertEquals(state, "failed");
    assertStringIncludes(reasons[0], "manifest.json, tally.toml: listed with");
  });
});

Deno.test("a tally.toml that is half written is waited for", async () => {
  await using watched = await watchedStore(
    { ...CRM, ...exportsOf(5) },
    { SETTLE_SECONDS: "60" },
  );
  await live(watched, 5);
  // The first half is sound, and means something else.
  const [first, second] = [MAPPING.slice(0, -2), MAPPING.slice(-2)];
  await staysFor(watched, () => watched.folder.write({ "tally.toml": first }));
  await watched.until(() =>
    watched.store.refreshes.waiting.some((text) =>
      text.startsWith("tally.toml")
    )
  );
  await Deno.writeTextFile(
    `${watched.folder.path}/tally.toml.tmp`,
    first + second,
  );
  await Deno.rename(
    `${watched.folder.path}/tally.toml.tmp`,
    `${watched.folder.path}/tally.toml`,
  );
  await live(watched, 7);
});
