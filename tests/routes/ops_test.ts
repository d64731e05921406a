/** `/healthz` and `/readyz`: alive is not ready, and what is wrong is said. */

import { assertEquals, assertRejects } from "@std/assert";
import { readConfig } from "../../config.ts";
import { createStore } from "../../create_store.ts";
import { dataFolder } from "../support/data_folder.ts";
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
  await using folder = await dataFolder({ "customers.csv": NO_CUSTOMERS });
  await using staging = await dataFolder();
  const store = createStore(readConfig({
    DATA_DIR: folder.path,
    STAGING_DIR: staging.path,
  }));
  const { app } = appOn(store);
  await assertRejects(() => store.load(() => {}));
  const answer = await app.request("/readyz");
  assertEquals(answer.status, 503);
  assertEquals(await answer.json(), {
    error:
      `${folder.path} has no file of interactions. Put interactions.csv (or .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx, or a workbook with a sheet interactions) there; a header alone counts.`,
  });
  await store.close();
  assertEquals(await (await app.request("/healthz")).json(), { status: "ok" });
});
