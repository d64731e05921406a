/** Documents name what the repository has: files, folders and links; and they keep to its words, as settings and OpenAPI do. */

import { assert, assertEquals } from "@std/assert";
import { settings } from "../config.ts";
import { appOn, emptyStore } from "./support/open_app.ts";

const ROOT = new URL("../", import.meta.url);

const names = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
for (const folder of ["docs", "docs/exports"]) {
  for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
    if (name.endsWith(".md")) names.push(`${folder}/${name}`);
  }
}
const documents = await Promise.all(
  names.sort().map(async (name) => ({
    name,
    text: await Deno.readTextFile(new URL(name, ROOT)),
  })),
);

const PATH = String
  .raw`(?<![\w/.:-])(?:(?:access|routes|db|sql|tests|trials|bench|docs|operator|web)\/[\w./*-]*|\w+\.ts\b)`;

/** The paths of this repository that a text names; those of code examples are checked elsewhere. */
function pathsIn(text: string): string[] {
  const prose = text.replaceAll(/^```(?!mermaid).*\n[^]*?^```$/gm, "");
  return Array.from(
    prose.matchAll(new RegExp(PATH, "g")),
    ([path]) => path.replace(/[.-]+$/, ""),
  );
}

async function exists(path: string): Promise<boolean> {
  const at = path.lastIndexOf("/") + 1;
  const [folder, name] = [path.slice(0, at), path.slice(at)];
  try {
    if (!name.includes("*")) {
      await Deno.stat(new URL(path, ROOT));
      return true;
    }
    const pattern = new RegExp(
      `^${name.replaceAll(".", "\\.").replaceAll("*", ".+")}$`,
    );
    for await (const one of Deno.readDir(new URL(folder, ROOT))) {
      if (pattern.test(one.name)) return true;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return false;
}

Deno.test("every file and folder that a document names is in the repository", async () => {
  const found = documents.flatMap(({ name, text }) =>
    pathsIn(text).map((path) => ({ name, path }))
  );
  assert(found.length > 100, `found only ${found.length}`);
  for (const { name, path } of found) {
    assert(
      await exists(path),
      `${name} names ${path}, which is not in the repository`,
    );
  }
});

Deno.test("links lead somewhere, in the file as well", async () => {
  const headings = (text: string) =>
    new Set(
      Array.from(text.matchAll(/^#+ (.+)$/gm), ([, title]) =>
        title.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")),
    );
  let links = 0;
  for (const { name, text } of documents) {
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const url = new URL(target, new URL(name, ROOT));
      const { hash } = url;
      url.hash = "";
      const linked = await Deno.readTextFile(url);
      assert(
        !hash || headings(linked).has(hash.slice(1)),
        `${name} links to ${target}, which has no such heading`,
      );
      links++;
    }
  }
  assert(links > 20, `found only ${links}`);
});

Deno.test("every choice names its files", () => {
  const { text } = documents.find(({ name }) => name === "docs/decisions.md")!;
  const choices = text.slice(text.indexOf("\n## Choices\n"))
    .split(/\n\n(?=\*\*)/).slice(1);
  assert(choices.length > 20, `found only ${choices.length}`);
  for (const choice of choices) {
    const [, files] = /\n\nFiles: ([^]+)$/.exec(choice.trim()) ?? [];
    assert(
      files && pathsIn(files).length > 0,
      `name the files of this choice: ${choice.slice(0, 60)}`,
    );
  }
});

/** Phrases that are hard for readers of another first language. */
const RIDDLES =
  /\b(?:tells?|told|(?:comes?|came) to|in spite of|that there is|answers? ends|an? \w+ an? (?:table|file|customer|core|line|row|topic|day|period|snapshot|step))\b/i;

/** The summaries and descriptions of /openapi.json. */
async function openApiTexts(): Promise<string[]> {
  const { app } = appOn(emptyStore());
  const document = await (await app.request("/openapi.json")).text();
  const texts: string[] = [];
  JSON.parse(document, (name, value) => {
    if (/^(summary|description)$/.test(name) && typeof value === "string") {
      texts.push(value);
    }
    return value;
  });
  assert(texts.length > 100, `found only ${texts.length}`);
  return texts;
}

Deno.test("documents, settings and OpenAPI use plain words", async () => {
  const texts = [
    ...documents,
    ...(await openApiTexts()).map((text) => ({ name: "/openapi.json", text })),
    ...Object.entries(settings.shape).map(([name, { description }]) => ({
      name,
      text: description!,
    })),
  ];
  for (const { name, text } of texts) {
    const riddle = RIDDLES.exec(text.replaceAll(/\s+/g, " "));
    assertEquals(riddle?.[0], undefined, `${name}: name the mechanism`);
  }
});
