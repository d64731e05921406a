/** The golden cases: requests and the exact answers wanted, over both folders, from index and query. */

import { assert, assertEquals } from "@std/assert";
import { openApp } from "../support/open_app.ts";

interface Case {
  dataset: "seed" | "dirty";
  path: string;
  status: number;
  /** Null: any one error text will do. */
  body: unknown;
}

const GOLDEN = new URL("../golden/", import.meta.url);
const cases: Case[] = JSON.parse(
  await Deno.readTextFile(new URL("cases.json", GOLDEN)),
);

for (const dataset of ["seed", "dirty"] as const) {
  for (const SERVE_FROM of ["index", "query"]) {
    Deno.test(`golden ${dataset}, served from the ${SERVE_FROM}`, async (t) => {
      await using opened = await openApp(new URL(dataset, GOLDEN).pathname, {
        SERVE_FROM,
        MAX_SET_ASIDE: "0.5",
      });
      const own = cases.filter((one) => one.dataset === dataset);
      assert(own.length > 90);
      for (const { path, status, body } of own) {
        await t.step(path, async () => {
          const answer = await opened.app.request(path);
          const text = await answer.text();
          assertEquals(answer.status, status);
          assertEquals(
            answer.headers.get("Content-Type")?.split(";")[0],
            "application/json",
          );
          // As text, because the order of the names counts.
          if (body !== null) assertEquals(text, JSON.stringify(body));
          else assertEquals(Object.keys(JSON.parse(text)), ["error"]);
        });
      }
    });
  }
}
