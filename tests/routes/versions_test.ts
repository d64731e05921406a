/** data_version: a question may name the data that it is of, and its answer may then be kept. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { endpoints } from "../../routes/app.ts";
import type { Endpoint } from "../../routes/endpoint.ts";
import { keyFile } from "../support/keys.ts";
import { openApp, type OpenedApp } from "../support/open_app.ts";
import { exportsOf } from "../support/watched_store.ts";

const STALE = "0".repeat(16);

/** A path of every endpoint that answers from a snapshot. */
const questions = (endpoints as readonly Endpoint[])
  .filter(({ answer }) => answer)
  .map(({ path }) =>
    path.replace(":customer_id", "1").replace(":table", "customers")
  );

async function ask(
  { app }: Pick<OpenedApp, "app">,
  { path, headers = {} }: {
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
) {
  const answer = await app.fetch(
    new Request(`http://localhost${path}`, { headers }),
  );
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text };
}

Deno.test("every question may name the version, and its answer may then be kept", async (t) => {
  const { file: key_file, keys } = keyFile({ read: { scopes: ["read"] } });
  await using open = await openApp(exportsOf(3), { CACHE_SECONDS: "7" });
  await using keyed = await openApp(exportsOf(3), {}, { key_file });
  const { data_version } = open.snapshot;
  assertEquals(keyed.snapshot.data_version, data_version);
  assert(questions.length > 10);

  for (const path of questions) {
    await t.step(path, async () => {
      // The second time, lists come from the cache.
      for (const _ of [1, 2]) {
        const any = await ask(open, { path });
        assertEquals(
          [any.status, any.headers.get("Cache-Control")],
          [200, "public, max-age=0, s-maxage=7"],
        );
        const named = await ask(open, {
          path: `${path}?data_version=${data_version}`,
        });
        assertEquals(
          [named.status, named.headers.get("Cache-Control")],
          [200, "public, max-age=86400, immutable"],
        );
        assertEquals(named.text, any.text);
        const etag = any.headers.get("ETag")!;
        assertEquals(named.headers.get("ETag"), etag);
        const again = await ask(open, {
          path: `${path}?data_version=${data_version}`,
          headers: { "If-None-Match": etag },
        });
        assertEquals(
          [again.status, again.headers.get("Cache-Control")],
          [304, "public, max-age=86400, immutable"],
        );
        const stale = await ask(open, {
          path: `${path}?data_version=${STALE}`,
        });
        assertEquals([stale.status, stale.text], [
          410,
          JSON.stringify({
            error:
              `Data version ${STALE} is not served. Ask for ${data_version}, or without data_version.`,
          }),
        ]);
        assertEquals(stale.headers.get("Cache-Control"), "no-store");
        const of_key = { "X-API-Key": keys.read };
        for (
          const [query, cache_control] of [
            ["", "private, max-age=0"],
            [
              `?data_version=${data_version}`,
              "private, max-age=86400, immutable",
            ],
          ]
        ) {
          const own = await ask(keyed, { path: path + query, headers: of_key });
          assertEquals(
            [own.status, own.headers.get("Cache-Control")],
            [200, cache_control],
          );
        }
      }
      const wrong = await ask(open, { path: `${path}?data_version=x` });
      assertEquals(wrong.status, 400);
      assertStringIncludes(wrong.text, "A data_version is 16 hex digits.");
    });
  }
});

Deno.test("a download names the version too", async () => {
  await using opened = await openApp(exportsOf(3));
  const { data_version } = opened.snapshot;
  const path = "/api/v1/interactions?format=csv&data_version=";
  const { status, headers } = await ask(opened, { path: path + data_version });
  assertEquals(status, 200);
  assertStringIncludes(headers.get("Cache-Control")!, "immutable");
  assertEquals((await ask(opened, { path: path + STALE })).status, 410);
});
