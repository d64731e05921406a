/** A store that follows a loader: what it says of itself before, and while, it cannot reach what it follows. */

import { assertEquals } from "@std/assert";
import { readConfig } from "../../../config.ts";
import { createServedStore } from "../../../create_store.ts";
import { appOn } from "../../support/open_app.ts";
import { until } from "../../support/until.ts";

Deno.test("a follower is building until its first look has a result", async () => {
  const store = createServedStore(
    readConfig({
      STORE: "clickhouse",
      ROLE: "follower",
      // Nothing listens there.
      CLICKHOUSE_URL: "http://127.0.0.1:1",
    }),
    { log() {} },
  );
  await using _ = { [Symbol.asyncDispose]: () => store.close() };
  const { app } = appOn(store);
  const said = async () => {
    const { error, data } = await (await app.request("/api/v1/data")).json();
    return [data.state, error];
  };
  assertEquals(await said(), [
    "building",
    "Not ready: the data is being loaded.",
  ]);
  store.watch(() => {});
  await until(() => store.refreshes.history.length > 0);
  assertEquals(await said(), [
    "failed",
    "ClickHouse does not answer (CLICKHOUSE_URL). Ask again in a moment.",
  ]);
});
