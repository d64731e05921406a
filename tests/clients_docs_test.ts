/** docs/clients.md: every example prints what it says, with the real server, and the lists are those of the server. */

import { assert, assertEquals } from "@std/assert";
import { hc } from "hono/client";
import type { Api } from "../routes/api.ts";
import { dataFolder } from "./support/data_folder.ts";
import { keyFile } from "./support/keys.ts";
import { appOn, emptyStore, openApp } from "./support/open_app.ts";
import { startServer, waitFor } from "./support/start_server.ts";

const ROOT = new URL("../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/clients.md", ROOT));
const { imports } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);
const examples = Array.from(
  text.matchAll(
    /```(js|python|sh|ts)\n([^]+?)```\n(?:\n```text\n([^]+?)```)?/g,
  ),
  ([, language, code, printed]) => ({ language, code, printed }),
);

const WITH_COUNTRIES = {
  "tally.toml": `[customers]
files = "customers.csv"
id = "Id"
attributes = { country = "Country" }

[interactions]
files = "interactions.csv"
customer = "Customer"
time = "Date"
channel = "Channel"
`,
  "customers.csv": "Id,Country\n4,DE\n5,FR\n7,DE\n9,DE\n",
  "interactions.csv": "Date,Channel,Customer\n2020-01-01,Call,4\n",
};

// What a page has and Deno has not; the first output ends it.
const PAGE = `globalThis.document = {
  querySelector: () => ({
    set textContent(text) {
      console.log(text);
      Deno.exit();
    },
  }),
};
`;

/** The file that an example becomes, and the command that runs it. */
function programOf({ language, code }: { language: string; code: string }) {
  const deno = [Deno.execPath(), "run", "--quiet"];
  switch (language) {
    case "python":
      return { file: "example.py", run: ["python3", "example.py"] };
    case "sh":
      return { file: "example.sh", run: ["sh", "-eu", "example.sh"] };
    case "ts":
      return {
        file: "example.ts",
        run: [...deno, "--check", "--allow-net", "example.ts"],
      };
  }
  return code.includes("document.")
    ? {
      file: "example.js",
      run: deno.concat(
        ["--allow-net", "--location=http://localhost/", "--preload=page.js"],
        "example.js",
      ),
    }
    : { file: "example.mjs", run: ["node", "example.mjs"] };
}

/** Whether `program` is on this machine. */
async function isThere(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"] }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("every example prints what it says", async (t) => {
  const { file, keys: { website } } = keyFile({
    website: { scopes: ["read", "embed"] },
  });
  await using folder = await dataFolder({
    "keys.json": JSON.stringify(file),
    "page.js": PAGE,
    "live.js": await Deno.readTextFile(new URL("docs/examples/live.js", ROOT)),
    "deno.json": JSON.stringify({ imports: { hono: imports.hono } }),
  });
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P=client", "client.ts", folder.path],
    cwd: ROOT,
  }).output();
  assert(success);
  const DATA_DIR = new URL("data", ROOT).pathname;
  await using open = await startServer({ DATA_DIR });
  await using with_keys = await startServer({
    DATA_DIR,
    API_KEYS_FILE: `${folder.path}/keys.json`,
  });
  await using countries = await dataFolder(WITH_COUNTRIES);
  await using with_countries = await startServer({ DATA_DIR: countries.path });
  for (const { base_url } of [open, with_keys, with_countries]) {
    await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
  }

  assert(examples.length > 8);
  for (const example of examples) {
    const { language, code, printed } = example;
    const { file, run: [program, ...args] } = programOf(example);
    const needs = language === "sh" ? "curl" : program;
    const name = `${language}: ${code.trim().split("\n").at(-1)}`;
    if (!await isThere(needs)) {
      console.log(`${needs} is not on this machine: not run: ${name}`);
      continue;
    }
    await t.step(name, async () => {
      const { base_url } = code.includes("KEY")
        ? with_keys
        : code.includes("country")
        ? with_countries
        : open;
      const source = code.replaceAll(
        /http:\/\/localhost:8000|https:\/\/tally\.example\.com/g,
        base_url,
      );
      await folder.write({ [file]: source });
      const { stdout, stderr } = await new Deno.Command(program, {
        args,
        cwd: folder.path,
        env: { KEY: website, NO_COLOR: "1" },
        signal: AbortSignal.timeout(120_000),
      }).output();
      const out = new TextDecoder().decode(stdout).replaceAll("\r", "");
      assertEquals(
        out.trimEnd(),
        printed.trimEnd(),
        new TextDecoder().decode(stderr),
      );
    });
  }
});

/** The names in backticks of the row that begins with `title`. */
function rowOf(title: string): string {
  const row = text.split("\n").find((line) => line.startsWith(`| ${title} `))!;
  return Array.from(row.matchAll(/`([^`]+)`/g), ([, name]) => name).join();
}

Deno.test("what pages of other origins may do is what the server says", async () => {
  const { app } = appOn(emptyStore(), {
    CORS_ORIGINS: "https://www.example.com",
  });
  const { headers } = await app.request("/healthz", {
    method: "OPTIONS",
    headers: {
      Origin: "https://www.example.com",
      "Access-Control-Request-Method": "GET",
    },
  });
  assertEquals(
    ["methods", "headers they may send", "headers they may read"].map(rowOf),
    ["Allow-Methods", "Allow-Headers", "Expose-Headers"]
      .map((name) => headers.get(`Access-Control-${name}`)),
  );
});

Deno.test("the statuses are those of /openapi.json, and of every server", async () => {
  const { app } = appOn(emptyStore());
  const { paths } = await (await app.request("/openapi.json")).json();
  const described = new Set(["405", "500"]);
  for (const operations of Object.values<object>(paths)) {
    for (const { responses } of Object.values(operations)) {
      for (const status of Object.keys(responses)) {
        if (status >= "400") described.add(status);
      }
    }
  }
  const listed = Array.from(
    text.matchAll(/^\| ((?:\d{3}(?:, )?)+) +\|/gm),
    ([, statuses]) => statuses.split(", "),
  ).flat();
  assertEquals(listed.sort(), [...described].sort());
});

Deno.test("caches, prefixes, methods, a request id, and no Retry-After with 504", async () => {
  await using opened = await openApp(
    new URL("data", ROOT).pathname,
    { QUERY_TIMEOUT_MS: "1", CACHE_BYTES: "0" },
  );
  const { app, snapshot: { data_version } } = opened;
  const path = "/api/v1/interactions/4";
  const asked = async (url: string, init?: RequestInit) => {
    const { status, headers, body } = await app.request(url, init);
    await body?.cancel();
    return { status, headers };
  };
  const control = async (url: string) =>
    (await asked(url)).headers.get("Cache-Control");
  assertEquals(
    [
      await control(path),
      await control(`${path}?data_version=${data_version}`),
      await control("/api/v1/data"),
    ],
    Array.from(
      text.matchAll(/^\| .*\| `((?:public|no-store)[^`]*)` +\|/gm),
      ([, value]) => value,
    ),
  );
  assertEquals((await asked(`/tally${path}`)).status, 404);
  const refused = await asked(path, { method: "DELETE" });
  assertEquals(refused.status, 405);
  assert(refused.headers.has("Allow"));
  const slow = await asked("/api/v1/dimensions");
  assertEquals([slow.status, slow.headers.get("Retry-After")], [504, null]);
  const id = "of-our-own";
  const named = await asked(path, { headers: { "X-Request-Id": id } });
  assertEquals(named.headers.get("X-Request-Id"), id);
  const { healthz } = hc<Api>("https://www.example.com/tally");
  assertEquals(healthz.$url().href, "https://www.example.com/tally/healthz");
});
