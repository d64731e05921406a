/** Two stores on one STATE_DIR: the first keeps and decides, the second serves, follows, and takes over. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { StateFolder } from "../../../db/refresh/archive.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder, keptIn, namesIn } from "../../support/data_folder.ts";
import {
  exportsOf,
  live,
  type WatchedStore,
  watchedStore,
} from "../../support/watched_store.ts";

const CALL = exportsOf(120, { channel: "Call" });
const BIRD = exportsOf(150, { channel: "Bird" });
/** Too few rows, so that it is held. */
const FEW = exportsOf(5, { channel: "Call" });

function shared(state: string): RegExp {
  return RegExp(
    `STATE_DIR="${state}" is locked by another process \\(${state}/lock\\): this one serves from it, and keeps and decides nothing until that one has ended\\.`,
  );
}

/** Waits until so many versions are kept: that ends after a version went live. */
async function untilKept(watched: WatchedStore, state: string, count = 1) {
  await watched.until(() =>
    [...Deno.readDirSync(state)].filter(({ name }) => /^\d{8}-/.test(name))
      .length === count
  );
}

function channels({ snapshot }: WatchedStore): readonly string[] {
  return snapshot.channels;
}

Deno.test("the second keeps and decides nothing, says so, and takes over", async () => {
  await using state = await dataFolder();
  const settings = { STATE_DIR: state.path, HOLD: "off" };
  const first = await watchedStore(CALL, settings);
  await live(first, 120);
  await untilKept(first, state.path);
  await using second = await watchedStore(BIRD, settings);
  // First what is kept, then its own files.
  await live(second, 120);
  await live(second, 150);
  const kept = await keptIn(state.path);
  assertEquals(kept.length, 1, kept.join());
  assertEquals(first.store.notice, null);
  assertMatch(second.store.notice!, shared(state.path));
  assertEquals(
    second.logged.filter((one) => shared(state.path).test(one)).length,
    1,
  );

  const { data_version } = second.snapshot;
  for (const decision of ["accept", "discard", "rollback"] as const) {
    const error = await assertRejects(
      () => second.store.refreshes[decision](data_version),
      StoreError,
      `${state.path}/lock`,
    );
    assertEquals(error.kind, "conflict");
  }

  await first[Symbol.asyncDispose]();
  await second.until(() => second.store.notice === null);
  await second.until(() =>
    [...Deno.readDirSync(state.path)].some(({ name }) =>
      name.endsWith(data_version)
    )
  );
  assertEquals(
    second.logged.at(-1),
    `STATE_DIR="${state.path}" is kept by this process from now on.`,
  );
  await second.store.refreshes.rollback(data_version);
  assertEquals(channels(second), ["Call"]);
});

Deno.test("the second follows what the first decides: accept, discard, rollback", async () => {
  await using state = await dataFolder();
  const settings = { STATE_DIR: state.path, HOLD: "on" };
  await using first = await watchedStore(CALL, settings);
  await live(first, 120);
  await untilKept(first, state.path);
  await first.folder.write(BIRD);
  const bird = await first.next();
  assertEquals(bird.state, "held");
  await using second = await watchedStore(BIRD, settings);
  await live(second, 120);
  assertEquals((await second.next()).state, "held");
  assertEquals(
    second.store.held?.report?.data_version,
    bird.report?.data_version,
  );

  const { data_version } = bird.report!;
  await first.store.refreshes.accept(data_version);
  await live(second, 150);
  assertEquals(second.store.held, null);

  await first.folder.write(FEW);
  await second.folder.write(FEW);
  await second.until(() => second.store.held !== null);
  await first.until(() => first.store.held !== null);
  const few = first.store.held!.report!.data_version;
  await first.store.refreshes.discard(few);
  await second.until(() => second.store.held === null);
  assertEquals(second.store.discarded, few);
  assertEquals(channels(second), ["Bird"]);

  // The files that lie there are those of what was discarded.
  await first.store.refreshes.accept(few);
  for (const one of [first, second]) {
    await one.until(() => one.snapshot.data_version === few);
    assertEquals(one.store.discarded, null);
  }
  await untilKept(first, state.path, 3);
  await first.store.refreshes.rollback(few);
  await second.until(() => second.snapshot.data_version === data_version);

  await first.store.refreshes.rollback(data_version);
  assertEquals(channels(first), ["Call"]);
  await second.until(() => second.snapshot.channels[0] === "Call");
  assertEquals(second.store.refreshes.history[0].state, "serving");
  await untilKept(first, state.path);
});

Deno.test("a lock whose file was removed is taken again, and so is what is served kept", async () => {
  await using state = await dataFolder();
  await using watched = await watchedStore(CALL, { STATE_DIR: state.path });
  await live(watched, 120);
  await untilKept(watched, state.path);
  // As when the volume is mounted anew.
  for (const name of await namesIn(state.path)) {
    await Deno.remove(`${state.path}/${name}`, { recursive: true });
  }
  await untilKept(watched, state.path);
  assert((await namesIn(state.path)).includes("lock"));
  const other = new StateFolder(state.path, () => {});
  await other.open();
  assertEquals(other.is_ours, false);
});

Deno.test("STATE_DIR gone and back: a notice, and what is served is kept", async () => {
  await using parent = await dataFolder();
  const state = `${parent.path}/state`;
  await using watched = await watchedStore(CALL, { STATE_DIR: state });
  await live(watched, 120);
  await untilKept(watched, state);
  await Deno.remove(state, { recursive: true });
  await Deno.writeTextFile(state, "in its place");
  await watched.until(() => watched.store.notice !== null);
  assertMatch(
    watched.store.notice!,
    /^STATE_DIR=.*\(it is a file, or below one\)$/,
  );
  assertEquals(watched.snapshot.channels, ["Call"]);
  await Deno.remove(state);
  await watched.until(() => watched.store.notice === null);
  await untilKept(watched, state);
});

Deno.test("a STATE_DIR that was made anew gets what was discarded", async () => {
  await using state = await dataFolder();
  await using watched = await watchedStore(CALL, {
    STATE_DIR: state.path,
    HOLD: "on",
  });
  const { store } = watched;
  await live(watched, 120);
  await untilKept(watched, state.path);
  await watched.folder.write(FEW);
  await watched.until(() => store.held !== null);
  const { data_version } = store.held!.report!;
  await store.discard(data_version);
  for (const name of await namesIn(state.path)) {
    await Deno.remove(`${state.path}/${name}`, { recursive: true });
  }
  await untilKept(watched, state.path);
  await watched.until(() =>
    [...Deno.readDirSync(state.path)]
      .some(({ name }) => name === "discarded.json")
  );
  store.request();
  await watched.until(() =>
    store.history[0].reasons[0].includes("which was discarded")
  );
  assertEquals([store.discarded, store.held], [data_version, null]);
});

Deno.test("decisions go on while STATE_DIR cannot be used", async () => {
  await using parent = await dataFolder();
  const path = `${parent.path}/state`;
  await using watched = await watchedStore(CALL, {
    STATE_DIR: path,
    HOLD: "on",
  });
  const { store } = watched;
  await live(watched, 120);
  await untilKept(watched, path);
  await watched.folder.write(FEW);
  await watched.until(() => store.held !== null);
  // As when a volume is gone, and something else stands in its place.
  await Deno.rename(path, `${path}-away`);
  await Deno.writeTextFile(path, "");
  await watched.until(() => store.notice !== null);
  const { data_version } = store.held!.report!;
  await store.accept(data_version);
  assertEquals(watched.snapshot.data_version, data_version);
  const { kind, message } = await assertRejects(
    () => store.rollback(data_version),
    StoreError,
  );
  assertEquals(kind, "unavailable");
  assertMatch(message, /STATE_DIR/);
});
