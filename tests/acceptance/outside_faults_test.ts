/** What goes wrong outside of the process: the data folder is gone and back, the clock is set back. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dataFolder } from "../support/data_folder.ts";
import { faultLines, logLines } from "../support/log_lines.ts";
import { scraped } from "../support/metric_lines.ts";
import { noticeOf, startServer } from "../support/start_server.ts";
import { until } from "../support/until.ts";
import { emailsOf, exportsOf } from "../support/watched_store.ts";

Deno.test("DATA_DIR gone and back: a notice, then none, and the data stays", async (t) => {
  await using parent = await dataFolder();
  const data = `${parent.path}/data`;
  const away = `${parent.path}/away`;
  await Deno.mkdir(data);
  for (const [name, text] of Object.entries(exportsOf(5))) {
    await Deno.writeTextFile(`${data}/${name}`, text as string);
  }
  await using server = await startServer({
    DATA_DIR: data,
    REFRESH_SECONDS: "1",
  });
  assertEquals(await noticeOf(server), "");
  const gone: [name: string, go: () => Promise<void>, text: string][] = [
    ["the folder is gone", () => Deno.rename(data, away), "does not exist"],
    // As a mount point whose mount is lost.
    ["it is empty", async () => {
      await Deno.rename(data, away);
      await Deno.mkdir(data);
    }, "The latest refresh failed"],
    ["a file is in its place", async () => {
      await Deno.rename(data, away);
      await Deno.writeTextFile(data, "");
    }, "The latest refresh failed"],
  ];
  for (const [name, go, text] of gone) {
    await t.step(name, async () => {
      await go();
      await until(async () => (await noticeOf(server)).includes(text));
      assertEquals(await emailsOf(server), 5);
      await Deno.remove(data).catch(() => {});
      await Deno.rename(away, data);
      await until(async () => await noticeOf(server) === "");
      assertEquals(await emailsOf(server), 5);
    });
  }
  assertEquals(faultLines(server.output.error), []);
});

Deno.test("the clock set back by a day: refreshes go on, in their order", async () => {
  await using folder = await dataFolder(exportsOf(5));
  await using state = await dataFolder();
  await using clock = await dataFolder({
    "clock.js": `
      const RealDate = Date;
      let offset = 0;
      Deno.addSignalListener("SIGUSR2", () => offset = -86_400_000);
      globalThis.Date = class extends RealDate {
        constructor(...given) {
          super(...given.length > 0 ? given : [RealDate.now() + offset]);
        }
        static now() {
          return RealDate.now() + offset;
        }
      };
    `,
  });
  await using server = await startServer({
    DATA_DIR: folder.path,
    STATE_DIR: state.path,
    REFRESH_SECONDS: "1",
  }, { deno_flags: [`--preload=${clock.path}/clock.js`] });
  assertEquals(await noticeOf(server), "");
  const get = async (path: string) =>
    (await fetch(`${server.base_url}${path}`)).json();
  Deno.kill(server.pid, "SIGUSR2");
  await until(async () => {
    const metrics = await (await fetch(`${server.base_url}/metrics`)).text();
    return scraped(metrics).samples.get("tally_data_age_seconds") === 0;
  });
  assertEquals((await get("/api/v1/data")).data.age_seconds, 0);
  for (const interactions of [6, 7]) {
    await folder.write(exportsOf(interactions));
    await until(async () => await emailsOf(server) === interactions);
  }
  const { data: history } = await get("/api/v1/data/history");
  const sequences = history.map((one: { sequence: number }) => one.sequence);
  assertEquals(sequences.length, 3);
  assertEquals(sequences, sequences.toSorted().toReversed());
  const [latest, , first] = history;
  assert(Date.parse(latest.ended_at) < Date.parse(first.ended_at));
  for (const { seconds } of logLines(server.output.out)) {
    assert(seconds === undefined || Number(seconds) >= 0);
  }
  assertEquals(await server.stop(), 0);
  assertStringIncludes(server.output.out, '"event":"stopped"');
  assertEquals(server.output.error, "");
});
