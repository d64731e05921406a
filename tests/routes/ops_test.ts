/** `/healthz` and `/readyz`: alive is not ready, and what is wrong is said. */

import { assertEquals } from "@std/assert";
import { appOn, openApp } from "../support/open_app.ts";
import { NO_CUSTOMERS, NO_INTERACTIONS } from "../support/load_folder.ts";

Deno.test("ready names the version", async () => {
  await using opened = await openApp({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": NO_INTERACTIONS,
  });
  const answer = await opened.app.request("/readyz");
  assertEquals(answer.status, 200);
  assertEquals(await answer.json(), {
    status: "ready",
    data_version: opened.snapshot.data_version,
    loaded_at: opened.snapshot.loaded_at,
  });
});

Deno.test("not ready says why", async () => {
  const { app } = appOn({ snapshot: null, problem: "a.csv, line 3: bad." });
  const answer = await app.request("/readyz");
  assertEquals(answer.status, 503);
  assertEquals(await answer.json(), { error: "a.csv, line 3: bad." });
  assertEquals(await (await app.request("/healthz")).json(), { status: "ok" });
});
