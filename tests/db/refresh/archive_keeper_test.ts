/** What the store does when STATE_DIR, or another archive, cannot be read or written for a while. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { Archive, SentDecision } from "../../../db/engine.ts";
import { ArchiveKeeper } from "../../../db/refresh/archive_keeper.ts";
import { takeClock } from "../../support/clock.ts";
import { dataFolder } from "../../support/data_folder.ts";
import {
  exportsOf,
  live,
  TWO_LOOKS_MS,
  watchedStore,
} from "../../support/watched_store.ts";

Deno.test("a kept version that cannot be read stops no load", async () => {
  await using state = await dataFolder();
  const version = `${state.path}/00000001-0123456789abcdef`;
  await Deno.mkdir(`${version}/snapshot.json`, { recursive: true });
  await using watched = await watchedStore(exportsOf(3), {
    STATE_DIR: state.path,
  });
  await live(watched, 3);
  assertStringIncludes(
    watched.logged.join("\n"),
    "00000001-0123456789abcdef is passed over: its snapshot.json cannot be read",
  );
});

Deno.test("a decision that STATE_DIR did not take is written again", async () => {
  await using state = await dataFolder();
  await using watched = await watchedStore(exportsOf(120), {
    STATE_DIR: state.path,
    HOLD: "on",
  });
  const { store } = watched;
  await live(watched, 120);
  await watched.folder.write(exportsOf(5));
  await watched.until(() => store.held !== null);
  const { data_version } = store.held!.report!;
  // A folder stands where the list is to be.
  const list = `${state.path}/discarded.json`;
  await Deno.mkdir(list);
  await store.discard(data_version);
  const notice = "STATE_DIR does not remember which data was discarded: ";
  assertStringIncludes(store.notice!, notice);

  // That STATE_DIR is there does not make it well.
  const { length } = watched.logged;
  await delay(TWO_LOOKS_MS);
  assertStringIncludes(store.notice!, notice);
  await Deno.remove(list);
  {
    using clock = takeClock();
    clock.advance(60_000);
    store.request();
    await watched.until(() => store.notice === null);
  }
  assertEquals(JSON.parse(await Deno.readTextFile(list)), {
    data_versions: [data_version],
  });
  assertEquals(
    watched.logged.slice(length).filter((text) => text.includes("STATE_DIR")),
    [`STATE_DIR="${state.path}" is used as it should be again.`],
  );
});

/** An archive that others follow, and what it was asked to keep. */
function followedArchive(sent: readonly SentDecision[]) {
  const answered: [id: string, refusal: string | null][] = [];
  const isOpen = ({ id }: SentDecision) =>
    answered.every(([one]) => one !== id);
  const followed = { answered, is_full: false };
  const archive = {
    setting: "CLICKHOUSE_DATABASE",
    is_ours: true,
    shared: {
      sent: async () => {
        const open = sent.filter(isOpen);
        // What happens until it is read.
        await delay(10);
        return open;
      },
      answer({ id }: SentDecision, refusal: string | null) {
        if (followed.is_full) return Promise.reject(new Error("full"));
        answered.push([id, refusal]);
        return Promise.resolve();
      },
    },
  } as unknown as Archive;
  return Object.assign(followed, { archive });
}

const SENT: readonly SentDecision[] = [
  { id: "first", type: "rollback", data_version: "0".repeat(16) },
  { id: "second", type: "discard", data_version: "1".repeat(16) },
];

Deno.test("the answer to a decision that the archive did not take is written again, and no decision is taken up twice", async () => {
  const followed = followedArchive(SENT);
  const keeper = new ArchiveKeeper(followed.archive, () => {});
  assertEquals(await keeper.sent(), SENT);
  const [first, second] = SENT;
  followed.is_full = true;
  await keeper.answer(first, null);
  await keeper.answer(second, new Error("No data is held."));
  assertEquals(
    keeper.notice,
    "CLICKHOUSE_DATABASE does not tell a follower what became of its decision: full",
  );
  assertEquals(await keeper.sent(), []);

  followed.is_full = false;
  await keeper.writeAgain(null);
  assertEquals(followed.answered, []);
  using clock = takeClock();
  clock.advance(60_000);
  // It is answered while the archive is asked.
  const sent = keeper.sent();
  await keeper.writeAgain(null);
  assertEquals(await sent, []);
  assertEquals(followed.answered, [
    ["first", null],
    ["second", "No data is held."],
  ]);
  // As after a restart.
  const next = new ArchiveKeeper(followed.archive, () => {});
  assertEquals(await next.sent(), []);
});
