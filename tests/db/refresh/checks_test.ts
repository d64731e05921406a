/** Checks of a file beside refreshes and decisions, in every order: which gives way, and what is left. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { StoreError } from "../../../db/model/problems.ts";
import { namesIn } from "../../support/data_folder.ts";
import {
  exportsOf,
  live,
  type WatchedStore,
  watchedStore,
} from "../../support/watched_store.ts";

const LARGE = 400_000;

const interactionsOf = (count: number) =>
  exportsOf(count)["interactions.csv"] as string;

/** Checks interactions; the number that the data would have, or the error. */
function check(
  { store }: WatchedStore,
  count: number,
  { signal = new AbortController().signal, body = interactionsOf(count) }: {
    readonly signal?: AbortSignal;
    readonly body?: string | ReadableStream<Uint8Array>;
  } = {},
): Promise<number | string> {
  const stream = typeof body === "string" ? new Blob([body]).stream() : body;
  return store.files.check("interactions.csv", stream, { signal }).then(
    ({ report }) => report!.interactions,
    (error) => {
      assert(error instanceof StoreError, String(error.stack));
      return `${error.kind}: ${error.message}`;
    },
  );
}

/** The folders in STAGING_DIR, of what is open. */
async function workOf({ staging }: WatchedStore): Promise<string[]> {
  const [folder] = await namesIn(staging.path);
  return await namesIn(`${staging.path}/${folder}`);
}

/** Waits until the database of a check is being filled, beside so many that are open. */
async function building(watched: WatchedStore, open = 1): Promise<void> {
  // The lock, what was received, the copies, and the database.
  const wanted = open + 4;
  let now: string[] = [];
  for (let i = 0; i < 2_000 && now.length < wanted; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    now = await workOf(watched);
  }
  assert(now.length >= wanted, now.join());
}

/** Waits until only what is served is left in STAGING_DIR. */
async function settled(watched: WatchedStore): Promise<void> {
  let left: string[] = [];
  for (let i = 0; i < 400; i++) {
    left = await workOf(watched);
    if (left.length === 2) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(left.join());
}

Deno.test("checks, refreshes and decisions", async (t) => {
  await using watched = await watchedStore(exportsOf(200), { HOLD: "on" });
  const { store, folder } = watched;
  await live(watched, 200);
  await settled(watched);

  await t.step("two checks: the second is a conflict at once", async () => {
    const first = check(watched, LARGE);
    const second = await check(watched, 5);
    assertStringIncludes(String(second), "conflict: Another file is being");
    assertEquals(await first, LARGE);
    assertEquals(await check(watched, 5), 5);
    await settled(watched);
  });

  await t.step("a check while a refresh is built: a conflict", async () => {
    await folder.write(exportsOf(LARGE));
    await watched.until(() => store.state === "building");
    assertStringIncludes(
      String(await check(watched, 5)),
      "conflict: A refresh is being built",
    );
    await live(watched, LARGE);
    await settled(watched);
  });

  await t.step("a refresh while a check is built: it comes first", async () => {
    const checked = check(watched, LARGE + 1);
    await building(watched);
    await folder.write(exportsOf(LARGE + 2));
    // It may see for itself that a file that it copies has changed.
    assertMatch(
      String(await checked),
      /^conflict: The (check gave way|data folder changed)/,
    );
    await live(watched, LARGE + 2);
    await settled(watched);
  });

  await t.step(
    "a refresh while a check receives: the check goes on",
    async () => {
      const rest = Promise.withResolvers<void>();
      const text = new TextEncoder().encode(interactionsOf(LARGE));
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(text.slice(0, 1_000));
          await rest.promise;
          controller.enqueue(text.slice(1_000));
          controller.close();
        },
      });
      const checked = check(watched, LARGE, { body });
      await folder.write(exportsOf(LARGE + 3));
      await live(watched, LARGE + 3);
      await watched.until(() => store.state === "serving");
      rest.resolve();
      assertEquals(await checked, LARGE);
      await settled(watched);
    },
  );

  await t.step("a refused decision: the check goes on", async () => {
    const checked = check(watched, LARGE);
    await building(watched);
    const refusal = await store.accept("0".repeat(16)).catch(String);
    assertStringIncludes(String(refusal), "No data is held");
    assertEquals(await checked, LARGE);
    await settled(watched);
  });

  await t.step(
    "a decision while a check is built: it comes first",
    async () => {
      await folder.write(exportsOf(10));
      assertEquals((await watched.next()).state, "held");
      const checked = check(watched, LARGE);
      await building(watched, 2);
      await store.accept(store.held!.report!.data_version);
      assertStringIncludes(
        String(await checked),
        "conflict: The check gave way",
      );
      await live(watched, 10);
      await settled(watched);
    },
  );

  await t.step("a client that goes away while it is built", async () => {
    const client = new AbortController();
    const checked = check(watched, LARGE, { signal: client.signal });
    await building(watched);
    client.abort();
    assertStringIncludes(String(await checked), "cancelled: ");
    await settled(watched);
  });

  await t.step("a client that goes away while it sends", async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(interactionsOf(5)));
        setTimeout(() => controller.error(new Error("gone")), 50);
      },
    });
    assertEquals(
      await check(watched, 5, { body }),
      "invalid: The upload was cut off. Send it again.",
    );
    await settled(watched);
    assertEquals(await check(watched, 5), 5);
  });

  await t.step(
    "closed while a check is built: it ends, nothing is left",
    async () => {
      const checked = check(watched, LARGE);
      await building(watched);
      await store.close();
      assertStringIncludes(String(await checked), ": ");
      assertEquals(await namesIn(watched.staging.path), []);
    },
  );
  assertEquals(await namesIn(folder.path), [
    "customers.csv",
    "interactions.csv",
  ]);
  assertEquals(watched.logged, []);
});
