/** Deliveries over HTTP to the real process: whatever the order, there is a way to live data, and nothing half goes live. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { dataFolder, type Files, namesIn } from "./support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "./support/keys.ts";
import { faultLines } from "./support/log_lines.ts";
import { startServer, waitFor } from "./support/start_server.ts";

const hashOf = (text: string) =>
  createHash("sha256").update(text).digest("hex");
const customers = (rows: number) =>
  "Customer_Id\n" +
  Array.from({ length: rows }, (_, i) => `${i + 1}\n`).join("");
const interactions = (rows: number) =>
  "Date Start,Interaction,Customers\n" + "01/02/2020,Email,1\n".repeat(rows);
const checksum = (name: string, text: string) => `${hashOf(text)}  ${name}\n`;
const manifest = (files: Record<string, string>) =>
  JSON.stringify({
    files: Object.entries(files).map(([file, text]) => ({
      file,
      sha256: hashOf(text),
      bytes: text.length,
    })),
  });

/** A server of `files`, and what a client does to it. */
async function delivery(files: Files) {
  const folder = await dataFolder(files);
  const server = await startServer({
    DATA_DIR: folder.path,
    ADMIN_KEY_SHA256,
    REFRESH_SECONDS: "1",
    SETTLE_SECONDS: "60",
    HOLD: "off",
  });
  const url = `${server.base_url}/api/v1/data/files`;
  const headers = { Authorization: `Bearer ${ADMIN_KEY}` };
  return {
    folder,
    server,
    async send(
      method: "PUT" | "DELETE",
      name: string,
      { body, ...more }: { body?: string } & Record<string, string> = {},
    ) {
      const answer = await fetch(`${url}/${name}`, {
        method,
        headers: { ...headers, ...more },
        body,
      });
      const etag = answer.headers.get("ETag");
      return { status: answer.status, etag, ...await answer.json() };
    },
    /** Delivers a file that is taken. */
    async put(name: string, body: string) {
      const answer = await this.send("PUT", name, { body });
      assertEquals(answer.status, 202, `${name}: ${answer.error}`);
      return answer;
    },
    list: () => fetch(url, { headers }),
    /** What is served: customers and interactions. */
    async served(): Promise<string> {
      const answer = await fetch(`${server.base_url}/api/v1/data`);
      const { data: { report } } = await answer.json();
      return report ? `${report.customers}, ${report.interactions}` : "nothing";
    },
    /** Waits until that is served; it must come from `before`, with nothing between. */
    async becomes(expected: string, before: string) {
      for (let i = 0; i < 400; i++) {
        const served = await this.served();
        if (served === expected) return;
        assertEquals(served, before);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const answer = await fetch(`${server.base_url}/api/v1/data`);
      const { data: { state, reasons, waiting } } = await answer.json();
      throw new Error(JSON.stringify({ expected, state, reasons, waiting }));
    },
    /** Looks twice and a half: nothing must come of what is there. */
    async stays(expected: string) {
      for (let i = 0; i < 25; i++) {
        assertEquals(await this.served(), expected);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async [Symbol.asyncDispose]() {
      // What an empty folder lacks is said; nothing of it is a fault of ours.
      assertEquals(faultLines(server.output.error), []);
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const old_pair = {
  "customers.csv": customers(1),
  "customers.csv.sha256": checksum("customers.csv", customers(1)),
  "interactions.csv": interactions(1),
};
const old_set = {
  "customers.csv": customers(1),
  "interactions.csv": interactions(1),
  "manifest.json": manifest({
    "customers.csv": customers(1),
    "interactions.csv": interactions(1),
  }),
};

Deno.test("a file with its .sha256, new: in either order", async () => {
  for (const proof_first of [true, false]) {
    await using to = await delivery({ "interactions.csv": interactions(1) });
    const files = [
      ["customers.csv", customers(3)],
      ["customers.csv.sha256", checksum("customers.csv", customers(3))],
    ];
    for (const [name, text] of proof_first ? files.reverse() : files) {
      await to.put(name, text);
    }
    await to.becomes("3, 1", "nothing");
  }
});

Deno.test("a file with its .sha256, replaced: the .sha256 first", async () => {
  await using to = await delivery(old_pair);
  await to.becomes("1, 1", "nothing");

  const refused = await to.send("PUT", "customers.csv", { body: customers(2) });
  assertEquals(refused.status, 409);
  assertEquals(
    refused.error,
    "customers.csv could not go live: customers.csv.sha256 is for other bytes. Upload the right customers.csv.sha256 first, or delete it.",
  );
  await to.put("customers.csv", customers(1));

  await to.put(
    "customers.csv.sha256",
    checksum("customers.csv", customers(2)),
  );
  await to.stays("1, 1");
  await to.put("customers.csv", customers(2));
  await to.becomes("2, 1", "1, 1");

  // The way without a checksum.
  assertEquals((await to.send("DELETE", "customers.csv.sha256")).status, 202);
  await to.put("customers.csv", customers(4));
  await to.becomes("4, 1", "2, 1");
});

Deno.test("a set with manifest.json, new: manifest.json last or first", async () => {
  for (const manifest_first of [true, false]) {
    await using to = await delivery({});
    const files = Object.entries(old_set);
    for (const [name, text] of manifest_first ? files.reverse() : files) {
      await to.put(name, text);
    }
    await to.becomes("1, 1", "nothing");
  }
});

Deno.test("a set with manifest.json, replaced: manifest.json first, and nothing half goes live", async () => {
  await using to = await delivery(old_set);
  await to.becomes("1, 1", "nothing");

  const refused = await to.send("PUT", "customers.csv", { body: customers(2) });
  assertEquals(refused.status, 409);
  assertStringIncludes(
    refused.error,
    "customers.csv could not go live: manifest.json lists other bytes for it.",
  );

  const files = {
    "customers.csv": customers(2),
    "interactions.csv": interactions(5),
    "products.csv": "Date,Product\n02-2020,Sand\n",
  };
  await to.put("manifest.json", manifest(files));
  await to.put("customers.csv", files["customers.csv"]);
  await to.put("interactions.csv", files["interactions.csv"]);
  await to.stays("1, 1");
  await to.put("products.csv", files["products.csv"]);
  await to.becomes("2, 5", "1, 1");

  // A file of the set that goes: the manifest without it first.
  const { "products.csv": _, ...fewer } = files;
  await to.put("manifest.json", manifest(fewer));
  assertEquals((await to.send("DELETE", "products.csv")).status, 202);
  await to.put("customers.csv", files["customers.csv"]);
  await to.becomes("2, 5", "2, 5");

  // Without a manifest, files go live as they come.
  assertEquals((await to.send("DELETE", "manifest.json")).status, 202);
  await to.put("customers.csv", customers(6));
  await to.becomes("6, 5", "2, 5");
  await to.put(
    "manifest.json",
    manifest({ ...fewer, "customers.csv": customers(6) }),
  );
  await to.stays("6, 5");
});

Deno.test("a set with both, replaced: whatever vouches first, in any order", async () => {
  await using to = await delivery({ ...old_set, ...old_pair });
  await to.becomes("1, 1", "nothing");
  const files = {
    "customers.csv": customers(2),
    "interactions.csv": interactions(2),
  };
  await to.put("customers.csv.sha256", checksum("customers.csv", customers(2)));
  // The manifest is still of the old ones.
  const refused = await to.send("PUT", "customers.csv", { body: customers(2) });
  assertStringIncludes(refused.error, "manifest.json lists other bytes");
  await to.put("manifest.json", manifest(files));
  for (const [name, text] of Object.entries(files)) await to.put(name, text);
  await to.becomes("2, 2", "1, 1");
});

Deno.test("preconditions over HTTP", async (t) => {
  await using to = await delivery({});
  let etag = "";
  await t.step("If-None-Match: * creates, once of two at a time", async () => {
    const answers = await Promise.all(
      [1, 2].map((rows) =>
        to.send("PUT", "customers.csv", {
          body: customers(rows),
          "If-None-Match": "*",
        })
      ),
    );
    assertEquals(answers.map(({ status }) => status).sort(), [202, 412]);
    const won = answers.find(({ status }) => status === 202)!;
    const lost = answers.find(({ status }) => status === 412)!;
    assertEquals(lost.error, "If-None-Match: customers.csv is there.");
    etag = won.etag!;
    assertEquals(etag, `"${won.data.sha256}"`);
    const { data } = await (await to.list()).json();
    assertEquals(data, [won.data]);
    assertEquals(data[0].kind, "export");
  });
  await t.step("If-Match replaces what is known, and removes it", async () => {
    const body = customers(3);
    const put = (tag: string) =>
      to.send("PUT", "customers.csv", { body, "If-Match": tag });
    const replaced = await put(etag);
    assertEquals(replaced.status, 202);
    const again = await put(etag);
    assertEquals(again.status, 412);
    assertStringIncludes(again.error, replaced.etag!);
    assertEquals((await put("*")).status, 202);
    const remove = (tag: string) =>
      to.send("DELETE", "customers.csv", { "If-Match": tag });
    assertEquals((await remove(etag)).status, 412);
    assertEquals((await remove(replaced.etag!)).status, 202);
    assertEquals((await put("*")).status, 412);
    assertEquals(await namesIn(to.folder.path), []);
  });
  await t.step("a part of a file would replace the whole: 400", async () => {
    const answer = await to.send("PUT", "customers.csv", {
      body: customers(1),
      "Content-Range": "bytes 0-13/100",
    });
    assertEquals(answer.status, 400);
    assertStringIncludes(answer.error, "Content-Range");
    assertEquals(await namesIn(to.folder.path), []);
  });
  await t.step(
    "a body that says it is packed: 415, and not packed",
    async () => {
      const put = (coding: string) =>
        to.send("PUT", "customers.csv", {
          body: customers(1),
          "Content-Encoding": coding,
        });
      const answer = await put("gzip");
      assertEquals(answer.status, 415);
      assertStringIncludes(answer.error, "a file whose name ends with .csv.gz");
      assertEquals(await namesIn(to.folder.path), []);
      assertEquals((await put("Identity")).status, 202);
      assertEquals((await to.send("DELETE", "customers.csv")).status, 202);
    },
  );
  await t.step(
    "an empty folder named like an export is no export",
    async () => {
      await Deno.mkdir(`${to.folder.path}/customers.csv`);
      const answer = await to.send("DELETE", "customers.csv");
      assertEquals(answer.status, 409);
      assertEquals(
        answer.error,
        "customers.csv is a folder. Folders are neither replaced nor removed.",
      );
      assertEquals(await namesIn(to.folder.path), ["customers.csv"]);
    },
  );
});

Deno.test("while DATA_DIR is away: 503 that names it, without a stack; then as before", async () => {
  await using parent = await dataFolder({
    "exports/customers.csv": customers(1),
    "exports/interactions.csv": interactions(1),
  });
  const DATA_DIR = `${parent.path}/exports`;
  await using server = await startServer({
    DATA_DIR,
    ADMIN_KEY_SHA256,
    REFRESH_SECONDS: "1",
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  await Deno.rename(DATA_DIR, `${parent.path}/away`);
  const url = `${server.base_url}/api/v1/data/files`;
  const headers = { Authorization: `Bearer ${ADMIN_KEY}` };
  const ask = {
    list: () => fetch(url, { headers }),
    put: () =>
      fetch(`${url}/customers.csv`, {
        method: "PUT",
        headers,
        body: customers(2),
      }),
    remove: () => fetch(`${url}/customers.csv`, { method: "DELETE", headers }),
  };
  for (const action of Object.values(ask)) {
    const answer = await action();
    assertEquals(answer.status, 503);
    assert(answer.headers.has("Retry-After"));
    assertEquals(
      (await answer.json()).error,
      `DATA_DIR=${DATA_DIR} does not exist. Set DATA_DIR to a folder with the exports that this process may read.`,
    );
  }
  await Deno.rename(`${parent.path}/away`, DATA_DIR);
  for (const action of Object.values(ask)) {
    const answer = await action();
    assert(answer.ok, String(answer.status));
    await answer.body?.cancel();
  }
  assertEquals(faultLines(server.output.error), []);
});
