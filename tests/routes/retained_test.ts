/** A snapshot is asked only while it is retained: a refresh in between closes it. */

import { assert, assertEquals } from "@std/assert";
import type { Snapshot, Store } from "../../db/store.ts";
import { endpoints } from "../../routes/app.ts";
import type { Endpoint } from "../../routes/endpoint.ts";
import { FORMAT_NAMES } from "../../routes/formats/formats.ts";
import { appOn, openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
  "interactions.csv": "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n",
};

/** Every question to a snapshot, in every format that it has, explained too. */
const QUESTIONS = (endpoints as readonly Endpoint[])
  .filter(({ answer }) => answer)
  .flatMap(({ path, query }) => {
    const url = path.replace(":customer_id", "1").replace(
      ":table",
      "customers",
    );
    const parameters = Object.keys(query!.shape);
    return [
      url,
      ...parameters.includes("explain") ? [`${url}?explain=1`] : [],
      ...parameters.includes("format")
        ? FORMAT_NAMES.map((format) => `${url}?format=${format}`)
        : [],
      ...url === "/api/v1/interactions" ? [`${url}?customer_id=1,9`] : [],
    ];
  });

/** The snapshot, which fails when it is asked and nobody retains it. */
function guarded(snapshot: Snapshot) {
  let users = 0;
  const guard = <Args extends unknown[], Result>(
    name: string,
    ask: (...args: Args) => Result,
  ) =>
  (...args: Args) => {
    assert(users > 0, `${name} while nobody retains the snapshot`);
    return ask(...args);
  };
  const guardedRows = (rows: ReturnType<Snapshot["ask"]>) => ({
    ...rows,
    count: guard("count", rows.count),
    batches: (async function* () {
      for await (const batch of rows.batches) {
        guard("batches", () => {})();
        yield batch;
      }
    })(),
  });
  return {
    users: () => users,
    snapshot: {
      ...snapshot,
      ask: guard(
        "ask",
        (question, run) => guardedRows(snapshot.ask(question, run)),
      ) as Snapshot["ask"],
      recall: guard("recall", snapshot.recall),
      explain: guard("explain", snapshot.explain),
      countByChannel: guard("countByChannel", snapshot.countByChannel),
      retain() {
        const retained = snapshot.retain();
        users++;
        let done = false;
        return {
          [Symbol.dispose]() {
            if (done) return;
            done = true;
            users--;
            retained[Symbol.dispose]();
          },
        };
      },
    } satisfies Snapshot,
  };
}

for (const SERVE_FROM of ["index", "query"]) {
  Deno.test(`every question retains the snapshot, served from the ${SERVE_FROM}`, async (t) => {
    await using opened = await openApp(FILES, { SERVE_FROM });
    const { snapshot, users } = guarded(opened.snapshot);
    const { refreshes, files } = opened.store;
    const notice = null;
    const store: Store = {
      snapshot,
      problem: null,
      notice,
      refreshes,
      files,
    };
    const { app, logged } = appOn(store, { CACHE_BYTES: "0" });
    assert(QUESTIONS.length > 40);
    for (const path of QUESTIONS) {
      await t.step(path, async () => {
        const answer = await app.request(path);
        await answer.bytes();
        assertEquals([answer.status, logged], [200, []]);
        assertEquals(users(), 0);
      });
    }
    for (
      const path of [
        "/api/v1/interactions/9",
        "/api/v1/interactions/9/topics",
        "/api/v1/interactions/9/timeline",
        "/api/v1/customers/9",
        "/api/v1/interactions?page=2",
        "/api/v1/interactions?format=csv&cursor=x",
      ]
    ) {
      await t.step(`${path}: refused, and given back`, async () => {
        const answer = await app.request(path);
        await answer.bytes();
        assertEquals([answer.status >= 400, logged], [true, []]);
        assertEquals(users(), 0);
      });
    }
  });

  Deno.test(`a refresh right after a question was asked, served from the ${SERVE_FROM}`, async (t) => {
    await using after = await openApp(FILES, { SERVE_FROM });
    for (
      const path of [
        "/api/v1/interactions/1",
        "/api/v1/interactions/1/timeline",
        "/api/v1/interactions/1/topics",
        "/api/v1/interactions?customer_id=1,9",
        "/api/v1/customers/1?explain=1",
      ]
    ) {
      await t.step(path, async () => {
        const before = await openApp(FILES, { SERVE_FROM });
        const { refreshes, files } = before.store;
        const store = {
          snapshot: before.snapshot,
          problem: null,
          notice: null,
          refreshes,
          files,
        };
        const { app, logged } = appOn(store);
        const asked = app.request(path);
        store.snapshot = after.snapshot;
        const closed = before[Symbol.asyncDispose]();
        const answer = await asked;
        await answer.bytes();
        assertEquals([answer.status, logged], [200, []]);
        await closed;
      });
    }
  });
}
