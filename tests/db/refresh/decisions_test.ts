/** What an administrator decides about data: accept, discard and go back, in every order. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { ADMIN_KEY_SHA256 } from "../../support/keys.ts";
import {
  exportsOf,
  live,
  staysFor,
  watchedStore,
} from "../../support/watched_store.ts";

Deno.test("what looks wrong is held, and accepted, discarded or replaced", async (t) => {
  await using watched = await watchedStore(exportsOf(200), {
    ADMIN_KEY_SHA256,
  });
  const { refreshes } = watched.store;
  await live(watched, 200);

  await t.step("held, with the reason", async () => {
    await watched.folder.write(exportsOf(100));
    const refresh = await watched.next();
    assertEquals(refresh.state, "held");
    assertEquals(refresh.reasons, [
      "interactions lost 100 of 200 rows, more than HOLD_DROP=0.3 allows",
    ]);
    assertEquals(refreshes.state, "held");
    assertEquals(refreshes.held, refresh);
    assertEquals(watched.snapshot.row_counts.interactions, 200);
  });
  await t.step("another version is not what is held", async () => {
    for (const decide of [refreshes.accept, refreshes.discard]) {
      try {
        await decide.call(refreshes, "0".repeat(16));
        assert(false);
      } catch (error) {
        assert(error instanceof StoreError && error.kind === "conflict");
      }
    }
  });
  await t.step("discarded, and not built again until it changes", async () => {
    const { data_version } = refreshes.held!.report!;
    await refreshes.discard(data_version);
    assertEquals([refreshes.held, refreshes.state], [null, "serving"]);
    assertEquals(refreshes.discarded, data_version);
    assertEquals((await live(watched, 200)).reasons, [
      `data version ${data_version} was discarded; data version ${watched.snapshot.data_version} stays served`,
    ]);
    refreshes.request();
    assertEquals((await live(watched, 200)).reasons, [
      `the files are those of data version ${data_version}, which was discarded; POST /api/v1/data/accept serves it`,
    ]);
    await staysFor(watched, () => refreshes.request());
  });
  await t.step("a failure between changes nothing of that", async () => {
    await watched.folder.write({ "customers.csv": "Number\n1\n" });
    assertEquals((await watched.next()).state, "failed");
    await watched.folder.write(exportsOf(100));
    const { reasons } = await live(watched, 200);
    assertStringIncludes(reasons[0], "which was discarded");
    assertEquals(refreshes.held, null);
  });
  await t.step("replaced by a newer one", async () => {
    await watched.folder.write(exportsOf(90));
    assertEquals((await watched.next()).state, "held");
    await watched.folder.write(exportsOf(80));
    assertEquals((await watched.next()).state, "held");
    assertEquals(refreshes.held!.report!.interactions, 80);
  });
  await t.step("still held after a failure", async () => {
    await watched.folder.write({ "customers.csv": "Number\n1\n" });
    assertEquals((await watched.next()).state, "failed");
    await watched.folder.write(exportsOf(80));
    assertEquals((await watched.next()).state, "held");
    assertEquals(refreshes.held!.report!.interactions, 80);
  });
  await t.step("accepted", async () => {
    await refreshes.accept(refreshes.held!.report!.data_version);
    assertEquals((await watched.next()).state, "serving");
    assertEquals(watched.snapshot.row_counts.interactions, 80);
    assertEquals(refreshes.held, null);
  });
  await t.step("dropped when the files are again what is served", async () => {
    await watched.folder.write(
      exportsOf(80, { channel: "Email", day: "01/01/2020" }),
    );
    assertEquals((await watched.next()).state, "held");
    const { data_version } = refreshes.held!.report!;
    await watched.folder.write(exportsOf(80));
    assertEquals((await live(watched, 80)).reasons, [
      `the files are those of data version ${watched.snapshot.data_version}, which is served`,
      `data version ${data_version} is no longer held`,
    ]);
    assertEquals(refreshes.held, null);
  });
});

Deno.test("without HOLD, a version is held while there is an administrator's key", async () => {
  let has_admin = false;
  await using watched = await watchedStore(exportsOf(200), {}, {
    hasAdmin: () => has_admin,
  });
  await live(watched, 200);
  await watched.folder.write(exportsOf(100));
  assertEquals((await watched.next()).state, "serving");
  has_admin = true;
  await watched.folder.write(exportsOf(50));
  assertEquals((await watched.next()).state, "held");
});

Deno.test("HOLD=off goes live with the same text", async () => {
  await using watched = await watchedStore(exportsOf(200), {
    ADMIN_KEY_SHA256,
    HOLD: "off",
  });
  await live(watched, 200);
  await watched.folder.write(exportsOf(100));
  const refresh = await watched.next();
  assertEquals(refresh.state, "serving");
  assertEquals(refresh.reasons, [
    "interactions lost 100 of 200 rows, more than HOLD_DROP=0.3 allows",
  ]);
  assertEquals(watched.snapshot.row_counts.interactions, 100);
});

/** The message of the conflict that `decision` throws; fails on anything else. */
async function conflictOf(decision: Promise<void>): Promise<string> {
  const error = await assertRejects(() => decision, StoreError);
  assertEquals(error.kind, "conflict");
  return error.message;
}

Deno.test("what was discarded can be accepted, while its files lie there", async (t) => {
  await using watched = await watchedStore(exportsOf(200), { HOLD: "on" });
  const { refreshes } = watched.store;
  await live(watched, 200);
  const first = watched.snapshot.data_version;
  await watched.folder.write(exportsOf(100));
  assertEquals((await watched.next()).state, "held");
  const { data_version } = refreshes.held!.report!;
  await refreshes.discard(data_version);
  await live(watched, 200);

  await t.step("built without being held again", async () => {
    await refreshes.accept(data_version);
    assertEquals(refreshes.state, "building");
    const { reasons } = await live(watched, 100);
    assertStringIncludes(reasons[0], "interactions lost 100 of 200 rows");
    assertEquals(refreshes.discarded, null);
    assertEquals(watched.snapshot.data_version, data_version);
  });
  await t.step("twice: it is served already", async () => {
    assertEquals(
      await conflictOf(refreshes.accept(data_version)),
      "No data is held.",
    );
  });
  await t.step("files that have changed since: a conflict", async () => {
    await watched.folder.write(exportsOf(50));
    assertEquals((await watched.next()).state, "held");
    const held = refreshes.held!.report!.data_version;
    await refreshes.discard(held);
    await live(watched, 100);
    await watched.folder.write({ ".new": exportsOf(40)["interactions.csv"] });
    const { path } = watched.folder;
    await Deno.rename(`${path}/.new`, `${path}/interactions.csv`);
    assertEquals(
      await conflictOf(refreshes.accept(held)),
      `The files are no longer those of data version ${held}.`,
    );
    assertEquals(refreshes.discarded, held);
    assertEquals((await watched.next()).state, "held");
  });
  assert(first !== data_version);
});

Deno.test("two rollbacks go back two versions, and nothing comes back by itself", async () => {
  await using state = await dataFolder();
  const settings = { STATE_DIR: state.path };
  let [second, third] = ["", ""];
  const newest = exportsOf(3, { channel: "Email" });
  {
    await using watched = await watchedStore(
      exportsOf(1, { channel: "Email" }),
      settings,
    );
    const { refreshes } = watched.store;
    await live(watched, 1);
    await watched.folder.write(exportsOf(2, { channel: "Email" }));
    await live(watched, 2);
    second = watched.snapshot.data_version;
    await watched.folder.write(newest);
    await live(watched, 3);
    third = watched.snapshot.data_version;
    await refreshes.rollback(third);
    await live(watched, 2);
    await refreshes.rollback(second);
    await live(watched, 1);
    assertEquals(refreshes.discarded, third);
    refreshes.request();
    const { reasons } = await live(watched, 1);
    assertStringIncludes(reasons[0], `${third}, which was discarded`);
    await watched.folder.write(exportsOf(2, { channel: "Email" }));
    assertStringIncludes(
      (await live(watched, 1)).reasons[0],
      `${second}, which was discarded`,
    );
  }
  await using watched = await watchedStore(newest, settings);
  await live(watched, 1);
  assertStringIncludes(
    (await live(watched, 1)).reasons[0],
    `${third}, which was discarded`,
  );
  await watched.store.refreshes.accept(third);
  await live(watched, 3);
  assertEquals(watched.store.refreshes.discarded, null);
});

Deno.test("from a rollback there is a way on", async (t) => {
  await using state = await dataFolder();
  const settings = { STATE_DIR: state.path, HOLD: "on" };
  const [before, after, other] = [
    exportsOf(100, { channel: "Email" }),
    exportsOf(120, { channel: "Email" }),
    exportsOf(20, { channel: "Email" }),
  ];
  let [first, second] = ["", ""];
  await t.step("back, once", async () => {
    await using watched = await watchedStore(before, settings);
    const { refreshes } = watched.store;
    await live(watched, 100);
    first = watched.snapshot.data_version;
    await watched.folder.write(after);
    await live(watched, 120);
    second = watched.snapshot.data_version;
    // Sent twice at once, as an impatient client does.
    const [one, two] = await Promise.allSettled([
      refreshes.rollback(second),
      refreshes.rollback(second),
    ]);
    assertEquals([one.status, two.status], ["fulfilled", "rejected"]);
    await live(watched, 100);
    assertEquals(
      await conflictOf(refreshes.rollback(second)),
      `Served is data version ${first}. Send that one to go back from it.`,
    );
    assertEquals(refreshes.discarded, second);
  });
  await t.step("on to what was left, also after a restart", async () => {
    await using watched = await watchedStore(after, settings);
    const { refreshes } = watched.store;
    await live(watched, 100);
    assertEquals(refreshes.discarded, second);
    const { reasons } = await live(watched, 100);
    assertStringIncludes(reasons[0], "which was discarded");
    await refreshes.accept(second);
    await live(watched, 120);
    assertEquals(refreshes.discarded, null);
  });
  await t.step("or on to others, and then to what was left", async () => {
    {
      await using watched = await watchedStore(after, settings);
      const { refreshes } = watched.store;
      await live(watched, 120);
      await watched.until(() => !refreshes.restored);
      await live(watched, 120);
      await refreshes.rollback(second);
      await live(watched, 100);
      await watched.folder.write(other);
      assertEquals((await watched.next()).state, "held");
      await refreshes.accept(refreshes.held!.report!.data_version);
      await live(watched, 20);
      assertEquals(refreshes.discarded, null);
      await watched.folder.write(after);
      await live(watched, 120);
      assertEquals(watched.snapshot.data_version, second);
    }
    await using watched = await watchedStore(after, settings);
    await live(watched, 120);
  });
});

Deno.test("rollback without STATE_DIR: a conflict that names it", async () => {
  await using watched = await watchedStore(exportsOf(1));
  await live(watched, 1);
  assertEquals(
    await conflictOf(
      watched.store.refreshes.rollback(watched.snapshot.data_version),
    ),
    "No earlier data is kept. Set STATE_DIR to keep the last good data.",
  );
});

Deno.test("a decision while the files cannot be loaded does not make them good", async () => {
  await using watched = await watchedStore(exportsOf(200), {
    ADMIN_KEY_SHA256,
  });
  const { refreshes } = watched.store;
  await live(watched, 200);
  await watched.folder.write(exportsOf(100));
  assertEquals((await watched.next()).state, "held");
  await watched.folder.write({ "customers.csv": "Number\n1\n" });
  assertEquals((await watched.next()).state, "failed");
  await refreshes.discard(refreshes.held!.report!.data_version);
  await live(watched, 200);
  assertEquals((await watched.next()).state, "failed");
  assertEquals(refreshes.state, "failed");
  assertStringIncludes(watched.store.notice!, "The latest refresh failed");
});

Deno.test("a discarded version that is accepted several times at once is built once", async () => {
  await using state = await dataFolder();
  await using watched = await watchedStore(exportsOf(200), {
    ADMIN_KEY_SHA256,
    STATE_DIR: state.path,
  });
  const { refreshes } = watched.store;
  await live(watched, 200);
  await watched.folder.write(exportsOf(100));
  assertEquals((await watched.next()).state, "held");
  const { data_version } = refreshes.held!.report!;
  await refreshes.discard(data_version);
  await live(watched, 200);
  await Promise.all(
    [1, 2, 3, 4].map(() => refreshes.accept(data_version)),
  );
  await live(watched, 100);
  await assertRejects(() => refreshes.accept(data_version), StoreError);
  const versions = [...Deno.readDirSync(state.path)]
    .filter(({ name }) => name.endsWith(data_version));
  assertEquals(versions.length, 1);
});
