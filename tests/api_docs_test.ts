/** docs/api.md: every example is answered as it says, every endpoint has one, the client's code has its types. */

import { assert, assertEquals } from "@std/assert";
import { endpoints } from "../routes/app.ts";
import type { Endpoint } from "../routes/endpoint.ts";
import { openApp } from "./support/open_app.ts";

const ROOT = new URL("../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/api.md", ROOT));
const examples = Array.from(
  text.matchAll(/```http\nGET (\S+)\n```\n(?:\n```json\n([^`]+)```)?/g),
  ([, path, answer]) => ({ path, answer }),
);

/** What anyone may ask and an answer can be shown of. */
const gets = (endpoints as readonly Endpoint[]).filter((
  { method, access, answers },
) => method === "get" && access !== "admin" && !answers[200].content_type);

/** The endpoint that answers a path. */
function endpointOf(path: string): Endpoint {
  return gets.findLast((endpoint) =>
    new RegExp(`^${endpoint.path.replaceAll(/:\w+/g, "[^/]+")}$`)
      .test(path.split("?")[0])
  )!;
}

/** An answer without what is of the moment or of the load's rules. */
// deno-lint-ignore no-explicit-any
function lasting({ meta, ...answer }: any): unknown {
  if (!meta) return answer;
  const { data_version: _version, loaded_at: _moment, ...rest } = meta;
  return { ...answer, meta: rest };
}

Deno.test("every example is answered as it says, and as its schema says", async (t) => {
  await using opened = await openApp(new URL("data", ROOT).pathname);
  assert(examples.length > 15);
  for (const { path, answer } of examples) {
    await t.step(path, async () => {
      const response = await opened.app.request(encodeURI(path));
      const body = await response.json();
      assertEquals(response.status, answer?.includes('"error"') ? 410 : 200);
      if (answer) assertEquals(lasting(body), lasting(JSON.parse(answer)));
      endpointOf(path).answers[response.status].schema.parse(body);
    });
  }
});

Deno.test("every endpoint has an example, and its own are as its schema says", () => {
  const shown = new Set(examples.map(({ path }) => endpointOf(path)));
  for (const endpoint of gets) {
    const older = endpoint.path === "/api/v1/stats/:table";
    assert(older || shown.has(endpoint), `docs/api.md lacks ${endpoint.path}`);
    for (const answer of Object.values(endpoint.answers)) {
      if ("example" in answer) answer.schema.parse(answer.example);
    }
  }
});

Deno.test("the dimensions and pivots are those of the catalogue", async () => {
  await using opened = await openApp(new URL("data", ROOT).pathname);
  const { data } = await (await opened.app.request("/api/v1/metrics")).json();
  const dimensions: { name: string; pivots: boolean }[] = data.dimensions;
  const namesIn = (sentence: RegExp) =>
    Array.from(
      sentence.exec(text)![1].matchAll(/`(\w+)`/g),
      ([, name]) => name,
    );
  assertEquals(
    namesIn(/`by` takes([^.]+)\./),
    dimensions.map(({ name }) => name),
  );
  assertEquals(
    namesIn(/`pivot` turns([^.]+)\./),
    dimensions.filter(({ pivots }) => pivots).map(({ name }) => name),
  );
});

Deno.test("the formats are those of the application, by format and by Accept", async () => {
  await using opened = await openApp(new URL("data", ROOT).pathname);
  const { app } = opened;
  const { paths } = await (await app.request("/openapi.json")).json();
  const parameters: { name: string; schema: { enum: string[] } }[] =
    paths["/api/v1/interactions"].get.parameters;
  const told = Array.from(
    text.matchAll(/^\| `(\w+)` +\| `(\w+\/[^`]+)` /gm),
    ([, format, media_type]) => ({ format, media_type }),
  );
  assertEquals(
    told.map(({ format }) => format),
    parameters.find(({ name }) => name === "format")!.schema.enum,
  );
  for (const { format, media_type } of told) {
    const path = "/api/v1/interactions";
    for (
      const answer of [
        await app.request(`${path}?format=${format}`),
        await app.request(path, { headers: { Accept: media_type } }),
      ]
    ) {
      const [type] = answer.headers.get("Content-Type")!.split(";");
      assertEquals(type, media_type, format);
      await answer.body?.cancel();
    }
  }
});

Deno.test("the client's example has its types", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--doc-only", "docs/api.md"],
    cwd: ROOT,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
