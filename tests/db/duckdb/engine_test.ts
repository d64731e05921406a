/** The embedded engine does what every engine must, served from the index and from queries. */

import { Pressure } from "../../../db/serving/pressure.ts";
import { readConfig } from "../../../config.ts";
import { loadSettings } from "../../../create_store.ts";
import { DuckdbEngine } from "../../../db/duckdb/engine.ts";
import { StateFolder } from "../../../db/refresh/archive.ts";
import { createSlots } from "../../../db/serving/slots.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { testEngine } from "../engine_contract.ts";

for (const serve_from of ["index", "query"] as const) {
  testEngine(`DuckDB, served from the ${serve_from}`, async (settings) => {
    const config = readConfig(settings);
    const state = await dataFolder();
    const engine = new DuckdbEngine({
      ...loadSettings(config),
      memory_limit: config.DUCKDB_MEMORY_LIMIT,
      threads: config.DUCKDB_THREADS,
      serve_from,
      pressure: new Pressure({ limit_bytes: null, log() {} }),
      slots: createSlots(config),
      state_folder: new StateFolder(state.path, console.error),
    });
    return {
      engine,
      async [Symbol.asyncDispose]() {
        await engine.close();
        await state[Symbol.asyncDispose]();
      },
    };
  });
}
