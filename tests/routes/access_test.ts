/** Who may ask which endpoint: as its definition says, and nowhere else. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { endpoints } from "../../routes/app.ts";
import type { Endpoint } from "../../routes/endpoint.ts";
import { dataFolder } from "../support/data_folder.ts";
import { appOn, openApp } from "../support/open_app.ts";

const KEY = "a key of our own";
const ADMIN_KEY_SHA256 = createHash("sha256").update(KEY).digest("hex");
const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
  "interactions.csv": "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n",
};
const RIGHT = `Bearer ${KEY}`;
const WRONG = [
  "Bearer wrong",
  `Bearer ${ADMIN_KEY_SHA256}`,
  `bearer ${KEY} `.repeat(2),
];
/** No key of ours: none at all, or another scheme, which may be a proxy's own. */
const NONE = [undefined, KEY, `Basic ${KEY}`];

Deno.test("every endpoint lets in whom its definition says", async (t) => {
  await using folder = await dataFolder(FILES);
  await using opened = await openApp(folder.path);
  const on = appOn(opened.store, { ADMIN_KEY_SHA256 }).app;
  const off = opened.app;

  for (const { method, path, access } of endpoints as readonly Endpoint[]) {
    const url = path.replaceAll(/:\w+/g, "1");
    const ask = async (app: typeof on, authorization?: string) => {
      const answer = await app.request(url, {
        method,
        headers: authorization ? { Authorization: authorization } : {},
      });
      const text = answer.headers.get("Content-Type") === "text/event-stream"
        ? ""
        : await answer.text();
      await answer.body?.cancel().catch(() => {});
      return {
        status: answer.status,
        asks: answer.headers.get("WWW-Authenticate"),
        text,
      };
    };
    const refused = async (authorization: string | undefined) => {
      const shut = await ask(on, authorization);
      assertEquals(shut.status, 401);
      assertStringIncludes(shut.asks!, "Bearer");
      const closed = await ask(off, authorization);
      assertEquals(closed.status, 403);
      assertStringIncludes(closed.text, "ADMIN_KEY_SHA256");
    };
    const let_in = async (authorization: string | undefined) => {
      for (const app of [on, off]) {
        const { status, asks } = await ask(app, authorization);
        assertEquals([401, 403].includes(status), false);
        assertEquals(asks, null);
      }
    };

    await t.step(`${method} ${path}: ${JSON.stringify(access)}`, async () => {
      for (const authorization of WRONG) {
        await (access === "public" ? let_in : refused)(authorization);
      }
      for (const authorization of NONE) {
        await (typeof access === "string" ? let_in : refused)(authorization);
      }
      if (access !== "public") {
        assertEquals((await ask(off, RIGHT)).status, 403);
      }
    });
  }
  assertEquals(
    await Deno.readTextFile(`${folder.path}/customers.csv`),
    FILES["customers.csv"],
  );
});

Deno.test("the endpoints that need the administrator's key are these", () => {
  const needing = (endpoints as readonly Endpoint[])
    .filter(({ access }) => typeof access === "object")
    .map(({ method, path }) => `${method} ${path}`);
  assertEquals(needing, [
    "post /api/v1/data/refresh",
    "post /api/v1/data/accept",
    "post /api/v1/data/discard",
    "post /api/v1/data/rollback",
    "get /api/v1/data/files",
    "put /api/v1/data/files/:name",
    "delete /api/v1/data/files/:name",
  ]);
});
