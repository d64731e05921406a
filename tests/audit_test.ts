/** `deno task audit`: it fails on what is found, and when no program could ask the registry. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { dataFolder } from "./support/data_folder.ts";

const ROOT = new URL("../", import.meta.url);
const { tasks, imports } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);
const ADVISORIES = "/-/npm/v1/security/advisories/bulk";

/** What the registry answers to a program: a severity of zod, null for no advisory, undefined for no answer. */
type Advice = string | null | undefined;

/** Answers as a registry that has the pinned packages without their dependencies. */
function registry(advice: { readonly deno?: Advice; readonly npm?: Advice }) {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url, headers }) => {
      const { origin, pathname } = new URL(url);
      if (pathname !== ADVISORIES) {
        const name = decodeURIComponent(pathname.slice(1));
        const pinned = Object.values<string>(imports)
          .find((one) => one.startsWith(`npm:${name}@`));
        if (!pinned) return new Response("{}", { status: 404 });
        const [version] = pinned.slice(`npm:${name}@`.length).split("/");
        const dist = { tarball: `${origin}/package.tgz` };
        return Response.json({
          name,
          "dist-tags": { latest: version },
          versions: { [version]: { name, version, dist } },
        });
      }
      const by = headers.get("User-Agent")!.startsWith("Deno/")
        ? "deno"
        : "npm";
      const severity = advice[by];
      if (severity === undefined) return new Response("", { status: 405 });
      return Response.json(
        severity === null ? {} : {
          zod: [{
            id: 1,
            url: "https://example.com/advisory",
            title: "A weakness for this test",
            severity,
            vulnerable_versions: "*",
            cwe: [],
            cvss: { score: 0, vectorString: null },
          }],
        },
      );
    },
  );
}

const has_npm = await new Deno.Command("npm", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

Deno.test("it fails on high severity, and says who was asked", async (t) => {
  const cases: [
    name: string,
    advice: Parameters<typeof registry>[0],
    code: number,
    text: string,
  ][] = [
    [
      "nothing is known",
      { deno: null },
      0,
      "Asked by deno audit: nothing of high severity or above.\n",
    ],
    ["high", { deno: "high" }, 1, "Asked by deno audit: see above"],
    [
      "only npm is answered, moderate",
      { npm: "moderate" },
      0,
      "Asked by npm audit: nothing of high severity or above.\n",
    ],
    [
      "only npm is answered, high",
      { npm: "high" },
      1,
      "Asked by npm audit: see above",
    ],
    [
      "nobody is answered",
      {},
      1,
      "The packages are not checked, since neither program could ask the registry.\n",
    ],
  ];
  const [, ...args] = tasks.audit.command.split(" ");
  for (const [name, advice, code, text] of cases) {
    await t.step({
      name,
      ignore: "npm" in advice && !has_npm,
      async fn() {
        await using cache = await dataFolder();
        await using server = registry(advice);
        const registry_url = `http://127.0.0.1:${server.addr.port}/`;
        const ended = await new Deno.Command(Deno.execPath(), {
          args,
          cwd: ROOT,
          env: {
            NPM_CONFIG_REGISTRY: registry_url,
            // Of those that npx has set, if it runs the tests.
            npm_config_registry: registry_url,
            npm_config_cache: cache.path,
            NO_PROXY: "127.0.0.1",
          },
        }).output();
        const decoder = new TextDecoder();
        const output = decoder.decode(ended.stdout) +
          decoder.decode(ended.stderr);
        assertStringIncludes(output, text);
        assertEquals(ended.code, code, output);
      },
    });
  }
});
