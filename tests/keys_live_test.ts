/** A running server with a key file: what starts it, what it shows, and that changes of the file count at once. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { KeyFile } from "../access/key_file.ts";
import { dataFolder } from "./support/data_folder.ts";
import { keyFile } from "./support/keys.ts";
import { logLines, logTexts } from "./support/log_lines.ts";
import { runToEnd, startServer, waitFor } from "./support/start_server.ts";

const DATA_DIR = new URL("../data", import.meta.url).pathname;

function without(file: KeyFile, name: string): string {
  const keys = file.keys.filter((key) => key.name !== name);
  return JSON.stringify({ ...file, keys });
}

Deno.test("a key file that is missing stops the start with one line", async () => {
  const { code, out, error } = await runToEnd({
    DATA_DIR,
    API_KEYS_FILE: "/none/keys.json",
  });
  assertEquals([code, out], [1, ""]);
  assertEquals(logTexts(error), [
    'Wrong setting API_KEYS_FILE="/none/keys.json": there is no such file; deno task key create makes one',
  ]);
});

Deno.test("keys are needed, never shown, and end while the server runs", async (t) => {
  const { file, keys } = keyFile({
    website: { scopes: ["read", "embed"] },
    admin: { scopes: ["admin"] },
  });
  await using folder = await dataFolder({ "keys.json": JSON.stringify(file) });
  await using server = await startServer({
    DATA_DIR,
    API_KEYS_FILE: `${folder.path}/keys.json`,
    CORS_ORIGINS: "https://www.example.com",
  });
  const { base_url } = server;
  const url = `${base_url}/api/v1/interactions/4`;
  const as = (key: string) => ({ headers: { Authorization: `Bearer ${key}` } });
  const statusOf = async (at: string, init?: RequestInit) => {
    const answer = await fetch(at, init);
    await answer.body?.cancel();
    return answer.status;
  };
  await waitFor(`${base_url}/readyz`, 200);
  assertStringIncludes(
    server.output.out,
    "Reading needs a key (API_KEYS_FILE, keys that work: 2); administration needs an administrator's key.",
  );

  await t.step("an answer is for its caller only", async () => {
    assertEquals(await statusOf(url), 401);
    for (
      const path of ["/api/v1/interactions/4", "/api/v1/metrics/customers"]
    ) {
      const answer = await fetch(base_url + path, as(keys.website));
      await answer.body?.cancel();
      assertEquals(answer.status, 200);
      assertMatch(answer.headers.get("Cache-Control")!, /^private, /);
      const vary = answer.headers.get("Vary")!.split(/, */);
      for (const header of ["Authorization", "X-API-Key", "Origin"]) {
        assert(vary.includes(header), `${path}: ${vary}`);
      }
      assertEquals(answer.headers.get("X-Content-Type-Options"), "nosniff");
    }
    const head = await fetch(url, { ...as(keys.website), method: "HEAD" });
    assertEquals(head.status, 200);
    assertEquals(await statusOf(url, { method: "HEAD" }), 401);
  });

  await t.step("a page asks beforehand without a key", async () => {
    const answer = await fetch(url, {
      method: "OPTIONS",
      headers: {
        Origin: "https://www.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
      },
    });
    assertEquals(answer.status, 204);
    assertStringIncludes(
      answer.headers.get("Access-Control-Allow-Headers")!,
      "Authorization",
    );
  });

  let token = "";
  await t.step("a token is minted and read with", async () => {
    const minted = await fetch(`${base_url}/api/v1/tokens`, {
      method: "POST",
      headers: {
        ...as(keys.website).headers,
        "Content-Type": "application/json",
      },
      body: '{"customer_id":4,"minutes":60}',
    });
    assertEquals(minted.status, 201);
    assertEquals(minted.headers.get("Cache-Control"), "no-store");
    ({ token } = (await minted.json()).data);
    assertEquals(await statusOf(url, as(token)), 200);
    const other = `${base_url}/api/v1/customers/1`;
    assertEquals(await statusOf(other, as(token)), 404);
  });

  await t.step("a key in a URL is refused and not repeated", async () => {
    for (const secret of [keys.website, token]) {
      for (const name of ["key", "topic"]) {
        const answer = await fetch(
          `${url}?${name}=${secret}`,
          as(keys.website),
        );
        assertEquals(answer.status, 400);
        const { error } = await answer.json();
        assertMatch(error, /^The query string has a key or a token in it/);
        assertEquals(error.includes(secret), false);
      }
    }
    const answer = await fetch(url, {
      headers: { ...as(keys.website).headers, "X-Request-Id": keys.website },
    });
    await answer.body?.cancel();
    assertMatch(answer.headers.get("X-Request-Id")!, /^[\da-f]{10}-[\da-z]+$/);
  });

  await t.step("a revoked key ends its token", async () => {
    await folder.write({ next: without(file, "website") });
    await Deno.rename(`${folder.path}/next`, `${folder.path}/keys.json`);
    await waitFor(url, 401, as(keys.website));
    assertEquals(await statusOf(url, as(token)), 401);
    assertEquals(await statusOf(url, as(keys.admin)), 200);
  });

  await t.step("a broken file opens nothing", async () => {
    await folder.write({ next: "{" });
    await Deno.rename(`${folder.path}/next`, `${folder.path}/keys.json`);
    const ready = `${base_url}/readyz`;
    const noticeOf = async (init?: RequestInit) =>
      (await (await fetch(ready, init)).json()).notice as string;
    while (!(await noticeOf(as(keys.admin))).includes("API_KEYS_FILE")) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertEquals(
      await noticeOf(),
      "Something needs attention. The administrator's key shows what it is.",
    );
    assertEquals(await statusOf(url), 401);
    assertEquals(await statusOf(url, as(keys.admin)), 200);
  });

  await server.stop();
  const { out, error } = server.output;
  const read = logLines(out).filter(({ event }) => event === "key_file_read");
  assertEquals(
    read.map(({ text }) => text),
    ["API_KEYS_FILE was read again: 1 key works."],
  );
  const [unusable, ...further] = logTexts(error);
  assertMatch(
    unusable,
    /^API_KEYS_FILE=.+keys\.json": it is no JSON\. The keys of before are used\.$/,
  );
  assertEquals(further, []);
  for (const secret of [...Object.values(keys), token, file.token_secret]) {
    assertEquals((out + error).includes(secret), false);
  }
});
