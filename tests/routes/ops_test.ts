/** `/healthz` and `/readyz`: alive is not ready, and what is wrong is said. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readConfig } from "../../config.ts";
import { createStore } from "../../create_store.ts";
import { LOADING } from "../../routes/ops.ts";
import { dataFolder } from "../support/data_folder.ts";
import { keyFile } from "../support/keys.ts";
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

Deno.test("with keys, only the administrator is told what is wrong, and where", async () => {
  const { file: key_file, keys } = keyFile({
    read: { scopes: ["read"] },
    admin: { scopes: ["admin"] },
  });
  await using folder = await dataFolder({ "customers.csv": NO_CUSTOMERS });
  const store = createStore(readConfig({ DATA_DIR: folder.path }), {
    log() {},
  });
  const { app, callers } = appOn(store, {}, { key_file });
  const ready = async (key?: string) => {
    const headers: HeadersInit = key ? { "X-API-Key": key } : {};
    const answer = await app.request("/readyz", { headers });
    return await answer.json();
  };
  assertEquals((await ready()).error, LOADING);

  await assertRejects(() => store.load(() => {}));
  for (const key of [undefined, "wrong", keys.read]) {
    assertEquals(await ready(key), {
      error:
        "Not ready: the data cannot be served. The administrator's key shows the reason.",
    });
  }
  assertStringIncludes((await ready(keys.admin)).error, folder.path);

  await folder.write({ "interactions.csv": NO_INTERACTIONS });
  await store.load(() => {});
  assertEquals((await ready()).notice, undefined);
  callers.problem = "it is no JSON";
  for (const key of [undefined, "wrong", keys.read]) {
    assertEquals(
      (await ready(key)).notice,
      "Something needs attention. The administrator's key shows what it is.",
    );
  }
  assertEquals(
    (await ready(keys.admin)).notice,
    "API_KEYS_FILE cannot be used: it is no JSON. The keys of before are used.",
  );
  await store.close();
});
