/** A full disk under STAGING_DIR, STATE_DIR or DATA_DIR: answers go on, the remedy is named, nothing is left, and room mends it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { dataFolder, keptIn, namesIn } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { faultLines, logLines } from "../support/log_lines.ts";
import { can_mount, type SmallDisk, smallDisk } from "../support/small_disk.ts";
import { noticeOf, startServer } from "../support/start_server.ts";
import { until as wait } from "../support/until.ts";
import { emailsOf, exportsOf } from "../support/watched_store.ts";

const STAGING_FULL =
  "The disk under STAGING_DIR is full. Free some space, or set STAGING_DIR to another disk.";

/** A test that needs a disk of its own. */
function diskTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: can_mount ? name : `SKIPPED, since only root may mount: ${name}`,
    ignore: !can_mount,
    fn,
  });
}

/** What failed for lack of disk is tried again after half a minute. */
const until = (holds: () => Promise<boolean>) => wait(holds, { seconds: 120 });

/** Waits until a version is kept, whole. */
async function untilKept({ path }: SmallDisk): Promise<void> {
  await until(async () =>
    (await keptIn(path)).some((name) => /^\d{8}-/.test(name))
  );
}

diskTest(
  "the disk under the log full: the version before stays, and lines come when there is room",
  async () => {
    await using disk = await smallDisk(1);
    await using folder = await dataFolder(exportsOf(5));
    const log = `${disk.path}/log`;
    await using server = await startServer({
      DATA_DIR: folder.path,
      REFRESH_SECONDS: "1",
    }, { under: ["sh", "-c", 'exec "$@" 2>>"$0"', log] });
    assertEquals(await noticeOf(server), "");
    await disk.fill();
    await folder.write({ "customers.csv": "nothing that is known\n" });
    await until(async () => (await noticeOf(server)) !== "");
    assertEquals(await Deno.readTextFile(log), "");

    await disk.free();
    await folder.write({ "customers.csv": "nothing that is known either\n" });
    await until(async () => (await Deno.readTextFile(log)).endsWith("\n"));
    const lines = logLines(await Deno.readTextFile(log));
    assertEquals(lines.map(({ event }) => event), ["refresh_failed"]);
    assertEquals(await emailsOf(server), 5);
  },
);

diskTest(
  "STAGING_DIR full at a refresh: the version before stays, until there is room",
  async () => {
    await using staging = await smallDisk(24);
    await using folder = await dataFolder(exportsOf(5));
    await using server = await startServer({
      DATA_DIR: folder.path,
      STAGING_DIR: staging.path,
      REFRESH_SECONDS: "1",
    });
    assertEquals(await noticeOf(server), "");
    const before = await namesIn(
      `${staging.path}/${(await namesIn(staging.path))[0]}`,
    );
    await staging.fill();
    await folder.write(exportsOf(20_000));
    await until(async () => (await noticeOf(server)).includes(STAGING_FULL));
    assertEquals(await emailsOf(server), 5);
    const [work] = (await namesIn(staging.path))
      .filter((name) => name.startsWith("tally-"));
    assertEquals(
      (await namesIn(`${staging.path}/${work}`)).length,
      before.length,
      "what the failed load wrote is removed",
    );
    await staging.free();
    await until(async () => await emailsOf(server) === 20_000);
    assertEquals(await noticeOf(server), "");
    assertEquals(faultLines(server.output.error), []);
    assertEquals(await server.stop(), 0);
    assertEquals(await namesIn(staging.path), []);
  },
);

diskTest(
  "STAGING_DIR full at the first load: not ready, with the remedy",
  async () => {
    await using staging = await smallDisk(2);
    await using folder = await dataFolder(exportsOf(200_000));
    await using server = await startServer({
      DATA_DIR: folder.path,
      STAGING_DIR: staging.path,
    });
    await until(async () => {
      const answer = await fetch(`${server.base_url}/readyz`);
      assertEquals(answer.status, 503);
      return (await answer.json()).error === STAGING_FULL;
    });
    assertEquals(faultLines(server.output.error), []);
    assertEquals(await server.stop(), 0);
    assertEquals(await namesIn(staging.path), []);
  },
);

diskTest(
  "STATE_DIR full: served and not kept, with a notice, until there is room",
  async () => {
    await using state = await smallDisk(2);
    await using folder = await dataFolder(exportsOf(5));
    await using server = await startServer({
      DATA_DIR: folder.path,
      STATE_DIR: state.path,
      REFRESH_SECONDS: "1",
    });
    assertEquals(await noticeOf(server), "");
    await untilKept(state);
    await state.fill();
    await folder.write(exportsOf(6));
    await until(async () =>
      (await noticeOf(server)).includes("STATE_DIR does not keep the data")
    );
    assertEquals(await emailsOf(server), 6);
    const names = await keptIn(state.path);
    assertEquals(names.length, 2, "the version before, and the filler");
    await state.free();
    // It is tried again by itself.
    await until(async () => await noticeOf(server) === "");
    assertEquals((await keptIn(state.path)).length, 2);
    assertEquals(
      logLines(server.output.error).map(({ event, stack }) => [event, stack]),
      [["state_dir_unusable", undefined]],
    );
    assertEquals(await server.stop(), 0);
  },
);

diskTest(
  "STATE_DIR full at the start: the last good data is served from it",
  async () => {
    await using state = await smallDisk(1);
    await using folder = await dataFolder(exportsOf(5));
    await using server = await startServer({
      DATA_DIR: folder.path,
      STATE_DIR: state.path,
    });
    await untilKept(state);
    assertEquals(await server.stop(), 0);
    await state.fill();
    await folder.write({ "customers.csv": "broken\n" });
    await using again = await startServer({
      DATA_DIR: folder.path,
      STATE_DIR: state.path,
    });
    assertStringIncludes(await noticeOf(again), "last good data");
    assertEquals(await emailsOf(again), 5);
  },
);

diskTest("DATA_DIR full: an upload is 507, and leaves nothing", async () => {
  await using data = await smallDisk(4);
  for (const [name, text] of Object.entries(exportsOf(5))) {
    await Deno.writeTextFile(`${data.path}/${name}`, text as string);
  }
  await using server = await startServer({
    DATA_DIR: data.path,
    ADMIN_KEY_SHA256,
  });
  assertEquals(await noticeOf(server), "");
  const upload = async (interactions: number) => {
    const answer = await fetch(
      `${server.base_url}/api/v1/data/files/interactions.csv`,
      {
        method: "PUT",
        headers: { Authorization: `Bearer ${ADMIN_KEY}` },
        body: exportsOf(interactions)["interactions.csv"] as string,
      },
    );
    return { status: answer.status, ...await answer.json() };
  };
  const { status, error } = await upload(400_000);
  assertEquals([status, error], [
    507,
    "The disk is full; nothing was kept. Free some space and send the file again.",
  ]);
  assertEquals(await namesIn(data.path), ["customers.csv", "interactions.csv"]);
  assertEquals(await emailsOf(server), 5);
  assertEquals((await upload(6)).status, 202);
  await until(async () => await emailsOf(server) === 6);
});
