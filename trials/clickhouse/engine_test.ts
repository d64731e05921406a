/** ClickHouse does what every engine must. */

import { readConfig } from "../../config.ts";
import { createEngine } from "../../create_store.ts";
import { testEngine } from "../../tests/db/engine_contract.ts";
import { suiteClickHouse } from "./start_clickhouse.ts";

const clickhouse = await suiteClickHouse();
addEventListener("unload", () => clickhouse.child?.kill());
let databases = 0;

testEngine("ClickHouse", async (settings) => {
  const engine = createEngine(readConfig({
    ...settings,
    STORE: "clickhouse",
    ROLE: "loader",
    CLICKHOUSE_URL: clickhouse.url,
    CLICKHOUSE_USER: clickhouse.user,
    CLICKHOUSE_PASSWORD: clickhouse.password,
    CLICKHOUSE_DATABASE: `contract_${Deno.pid}_${++databases}`,
  }));
  await engine.open();
  return { engine, [Symbol.asyncDispose]: () => engine.close() };
});
