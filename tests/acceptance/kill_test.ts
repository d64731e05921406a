/** kill -9 at any moment: the next start serves, and nothing of the dead process is left. */

import { assert, assertEquals } from "@std/assert";
import { setTimeout as pause } from "node:timers/promises";
import { dataFolder, keptIn, namesIn } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { beginDownload, largeExports } from "../support/large_download.ts";
import { startServer, waitFor } from "../support/start_server.ts";
import { utf8 } from "../support/text_bytes.ts";
import { until } from "../support/until.ts";
import { exportsOf } from "../support/watched_store.ts";

Deno.test("killed in loads, refreshes and while it keeps the last good data", async () => {
  await using folder = await dataFolder(exportsOf(20_000));
  await using state = await dataFolder();
  await using staging = await dataFolder();
  const settings = {
    DATA_DIR: folder.path,
    STATE_DIR: state.path,
    STAGING_DIR: staging.path,
    REFRESH_SECONDS: "1",
    HOLD: "off",
  };
  for (let i = 0; i < 8; i++) {
    await using server = await startServer(settings);
    // Before it has loaded anything, while it does, and during refreshes.
    await pause(300 * i);
    await folder.write(exportsOf(20_000 + i));
    await pause(150 * i);
    await server.stop("SIGKILL");
  }
  await using server = await startServer(settings);
  const ready = await waitFor(`${server.base_url}/readyz`, 200);
  assertEquals((await ready.json()).status, "ready");
  const answer = await waitFor(`${server.base_url}/api/v1/interactions/1`, 200);
  await answer.body?.cancel();
  const left = await namesIn(staging.path);
  assertEquals(left.length, 1, left.join());
  assertEquals(await server.stop(), 0);
  const kept = await keptIn(state.path);
  assert(
    kept.every((name) => /^\d{8}-[0-9a-f]{16}$/.test(name)) && kept.length <= 3,
    kept.join(),
  );
});

Deno.test("killed during downloads: the next start removes what they had open", async () => {
  await using folder = await dataFolder(largeExports());
  await using staging = await dataFolder();
  const settings = { DATA_DIR: folder.path, STAGING_DIR: staging.path };
  {
    await using server = await startServer(settings);
    const ready = await waitFor(`${server.base_url}/readyz`, 200);
    await ready.body?.cancel();
    const downloads = await Promise.all([
      beginDownload(server.base_url),
      beginDownload(server.base_url),
    ]);
    await server.stop("SIGKILL");
    // Never a whole one that is too short.
    const rest = await Promise.all(downloads.map((one) => one.rest()));
    assertEquals(rest, ["cut", "cut"]);
    assertEquals((await namesIn(staging.path)).length, 1);
  }
  await using server = await startServer(settings);
  const answer = await waitFor(`${server.base_url}/api/v1/interactions/1`, 200);
  await answer.body?.cancel();
  assertEquals((await namesIn(staging.path)).length, 1);
  assertEquals(await server.stop(), 0);
  assertEquals(await namesIn(staging.path), []);
});

Deno.test("killed during uploads: the files before them stay, and nothing hidden", async () => {
  const files = exportsOf(5);
  await using folder = await dataFolder(files);
  const settings = {
    DATA_DIR: folder.path,
    ADMIN_KEY_SHA256,
  };
  {
    await using server = await startServer(settings);
    const ready = await waitFor(`${server.base_url}/readyz`, 200);
    await ready.body?.cancel();
    const ended = ["customers.csv", "interactions.csv"].map((name) =>
      fetch(`${server.base_url}/api/v1/data/files/${name}`, {
        method: "PUT",
        headers: { Authorization: `Bearer ${ADMIN_KEY}` },
        // Begins like a good file and never ends.
        body: new ReadableStream({
          start: (controller) =>
            controller.enqueue(utf8(files[name] as string)),
        }),
      }).then(({ status }) => status, () => "ended")
    );
    // Before its file is locked, an upload is not known to be one of a killed process.
    const underWay = async () =>
      (await namesIn(folder.path))
        .filter((name) => /^\.upload-.+(?<!\.new)$/.test(name));
    for (let i = 0; i < 400 && (await underWay()).length < 2; i++) {
      await pause(25);
    }
    assertEquals((await underWay()).length, 2);
    await server.stop("SIGKILL");
    assertEquals(await Promise.all(ended), ["ended", "ended"]);
    assertEquals((await namesIn(folder.path)).length, 4);
  }
  await using server = await startServer(settings);
  const answer = await waitFor(`${server.base_url}/api/v1/interactions/1`, 200);
  assertEquals((await answer.json()).data.interactions, { Email: 5 });
  assertEquals(await namesIn(folder.path), [
    "customers.csv",
    "interactions.csv",
  ]);
  for (const [name, content] of Object.entries(files)) {
    assertEquals(await Deno.readTextFile(`${folder.path}/${name}`), content);
  }
  assertEquals(await server.stop(), 0);
});

Deno.test("a check whose client goes away, and one that is killed: nothing is left", async () => {
  const files = exportsOf(5);
  await using folder = await dataFolder(files);
  await using staging = await dataFolder();
  const settings = {
    DATA_DIR: folder.path,
    STAGING_DIR: staging.path,
    ADMIN_KEY_SHA256,
  };
  /** The number of files and folders of what is received, copied or built. */
  const atWork = async () => {
    const names = await Promise.all(
      (await namesIn(staging.path)).map((name) =>
        namesIn(`${staging.path}/${name}`)
      ),
    );
    // The lock, and the database that is served.
    return names.flat().length - 2;
  };
  const check = (base_url: string, signal?: AbortSignal) =>
    fetch(`${base_url}/api/v1/data/check/interactions.csv`, {
      method: "POST",
      headers: { Authorization: `Bearer ${ADMIN_KEY}` },
      body: exportsOf(400_000)["interactions.csv"] as string,
      signal,
    }).then(({ status }) => status, () => "ended");
  {
    await using server = await startServer(settings);
    const { base_url } = server;
    await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
    await until(async () => await atWork() === 0);
    const client = new AbortController();
    const gone = check(base_url, client.signal);
    await until(async () => await atWork() >= 3);
    client.abort();
    assertEquals(await gone, "ended");
    await until(async () => await atWork() === 0);

    const killed = check(base_url);
    await until(async () => await atWork() >= 3);
    await server.stop("SIGKILL");
    assertEquals(await killed, "ended");
  }
  await using server = await startServer(settings);
  const answer = await waitFor(`${server.base_url}/api/v1/interactions/1`, 200);
  assertEquals((await answer.json()).data.interactions, { Email: 5 });
  await until(async () => await atWork() === 0);
  assertEquals((await namesIn(staging.path)).length, 1);
  assertEquals(await namesIn(folder.path), Object.keys(files).sort());

  // A process that stops does not wait for a check.
  const stopped = check(server.base_url);
  await until(async () => await atWork() >= 3);
  assertEquals(await server.stop(), 0);
  assert([503, "ended"].includes(await stopped));
  assertEquals(await namesIn(staging.path), []);
});
