/** `deno task compare`: real servers with the same data have no difference, with other data they have, and it says which. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { ALLOWED_DIFFERENCES } from "../operator/compare/differences.ts";
import { csv, dataFolder, namesIn } from "./support/data_folder.ts";
import { keyFile } from "./support/keys.ts";
import {
  type RunningServer,
  startServer,
  waitFor,
} from "./support/start_server.ts";
import { nastyFiles } from "./support/text_ids.ts";

const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
);
const SAMPLE = new URL("../data", import.meta.url).pathname;

async function compare(args: readonly string[]) {
  const [, ...command] = tasks.compare.command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...command, ...args],
    cwd: new URL("../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}

async function serve(
  DATA_DIR: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const server = await startServer({
    DATA_DIR,
    LOG_REQUESTS: "off",
    ...settings,
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  return server;
}

for (
  const [name, files] of Object.entries({
    "the sample": null,
    "ids that are texts": nastyFiles(),
  })
) {
  Deno.test(`${name}: answers from memory and from queries are the same`, async () => {
    await using folder = await dataFolder(files ?? {});
    const data = files ? folder.path : SAMPLE;
    await using index = await serve(data, { SERVE_FROM: "index" });
    await using query = await serve(data, { SERVE_FROM: "query" });
    const json = `${query.staging}/equality.json`;
    const { code, out, error } = await compare([
      ...["--against", index.base_url, "--questions", "300", "--seed", "20"],
      ...["--json", json, `${query.base_url}/`],
    ]);
    assertEquals({ code, error }, { code: 0, error: "" }, out);
    assertMatch(out, /^[\d,]+ answers, no difference \(seed 20\)$/m);
    assertMatch(out, /^customer +[\d,]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +0$/m);

    const result = JSON.parse(await Deno.readTextFile(json));
    assertEquals(result.seed, 20);
    assertEquals(result.differences, []);
    assertEquals(result.not_asked, []);
    assertEquals(result.allowed_differences, ALLOWED_DIFFERENCES);
    const { reference, compared } = result.versions;
    assertEquals(reference.url, index.base_url);
    assertEquals(compared.url, query.base_url);
    assertMatch(reference.data_version, /^[0-9a-f]{16}$/);
    assertEquals(compared.data_version, reference.data_version);
    const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
    const answers = sum(
      result.kinds.map((kind: { answers: number }) => kind.answers),
    );
    assertEquals(answers, result.answers);
    assertEquals(sum(Object.values(result.statuses)), answers);
    // More than the questions, as lists have pages; most of them right.
    assert(answers > 300 && result.statuses["200"] > 0.7 * answers);
  });
}

Deno.test("one interaction on another channel is found, and the questions that show it", async () => {
  const customers = csv(["Customer_Id", "Type"], ["1", "Red"], ["2", "Blue"]);
  const interactions = (channel: string) =>
    csv(
      ["Date Start", "Interaction", "Customers"],
      ["2020-01-31", "Call", "1"],
      ["2020-02-01", "Mail", "2"],
      ["2020-02-02", channel, "2"],
    );
  await using one = await dataFolder({
    "customers.csv": customers,
    "interactions.csv": interactions("Call"),
  });
  await using other = await dataFolder({
    "customers.csv": customers,
    "interactions.csv": interactions("Mail"),
  });
  await using reference = await serve(one.path);
  await using compared = await serve(other.path);
  const json = `${compared.staging}/equality.json`;
  const { code, out } = await compare([
    ...["--against", reference.base_url, "--questions", "300", "--seed", "1"],
    ...["--json", json, compared.base_url],
  ]);
  assertEquals(code, 1);
  const { differences, kinds } = JSON.parse(await Deno.readTextFile(json));
  assertMatch(out, /answers, differences: [\d,]+ \(seed 1\)\n$/);
  const { question, where, kind } = differences[0];
  assertStringIncludes(out, `${kind}: ${question}`);
  assertStringIncludes(out, `  ${where}\n  reference  `);
  // What both still agree on: the customer without a change, and wrong questions.
  const total = kinds.reduce(
    (sum: number, one: { answers: number }) => sum + one.answers,
    0,
  );
  assert(differences.length > 50 && differences.length < 0.8 * total);
  for (
    const name of ["customer", "metrics", "download", "report", "timeline"]
  ) {
    const found = differences.some((one: { kind: string }) =>
      one.kind === name
    );
    assert(found, `no difference of ${name}`);
  }
});

Deno.test("where keys and limits are on, it has a key and waits", async () => {
  const { file, keys } = keyFile({ read: { scopes: ["read", "download"] } });
  await using folder = await dataFolder({ "keys.json": JSON.stringify(file) });
  const settings = {
    API_KEYS_FILE: `${folder.path}/keys.json`,
    RATE_LIMIT: "40",
    RATE_BURST: "20",
  };
  await using one = await serve(SAMPLE, settings);
  await using other = await serve(SAMPLE, settings);
  const args = [
    ...["--against", one.base_url, "--questions", "80", "--seed", "2"],
    other.base_url,
  ];
  const without = await compare(args);
  assertEquals(without.code, 1);
  assertStringIncludes(without.error, "/api/v1/dimensions answers 401");
  const { code, out } = await compare([...args, "--key", keys.read]);
  assertEquals(code, 0, out);
  // Ports have such digits too.
  assertEquals(/^Statuses: .*\b429 /m.test(out), false, out);
});

Deno.test("what cannot be compared says so in one line", async (t) => {
  await using empty = await dataFolder();
  await using nothing = await startServer({ DATA_DIR: empty.path });
  const against = ["--against", nothing.base_url];
  const cases: [name: string, args: string[], text: string | RegExp][] = [
    [
      "nothing to compare with",
      ["http://localhost:1"],
      "Usage: deno task compare",
    ],
    ["nothing to compare", against, "Usage: deno task compare"],
    ["an unknown option", ["--quick"], "'--quick'"],
    [
      "a file that cannot be written",
      [...against, "--json", `${empty.path}/none/x.json`, nothing.base_url],
      `${empty.path}/none/x.json cannot be written: No such file or directory`,
    ],
    [
      "a file that may not be written",
      [...against, "--json", "/proc/x.json", nothing.base_url],
      "/proc/x.json cannot be written: this process may not write there",
    ],
    [
      "no number",
      [...against, "--questions", "many", nothing.base_url],
      "--questions must be a whole number from 1",
    ],
    [
      "no URL",
      [...against, "localhost"],
      "localhost is no http or https URL",
    ],
    [
      "nobody there",
      [
        ...["--against", "http://127.0.0.1:1"],
        ...["--json", `${empty.path}/x.json`, nothing.base_url],
      ],
      "http://127.0.0.1:1 did not answer /openapi.json",
    ],
    [
      "no data yet",
      [...against, nothing.base_url],
      /\/api\/v1\/\w+ answers 503|\/openapi\.json answers 503/,
    ],
  ];
  for (const [name, args, text] of cases) {
    await t.step(name, async () => {
      const { code, out, error } = await compare(args);
      assertEquals({ code, out }, { code: 1, out: "" });
      if (typeof text === "string") assertStringIncludes(error, text);
      else assertMatch(error, text);
      assertEquals(await namesIn(empty.path), []);
      assert(!/\.ts:\d/.test(error), error);
    });
  }
});

Deno.test("a file of an earlier result stays as it is where nothing is compared", async () => {
  await using folder = await dataFolder({ "x.json": "earlier" });
  await Deno.symlink("x.json", `${folder.path}/link.json`);
  for (const name of ["x.json", "link.json"]) {
    const { code, error } = await compare([
      ...["--against", "http://127.0.0.1:1"],
      ...["--json", `${folder.path}/${name}`, "http://127.0.0.1:1"],
    ]);
    assertEquals(code, 1);
    assertStringIncludes(error, "did not answer");
    assertEquals(await namesIn(folder.path), ["link.json", "x.json"]);
    assertEquals(
      await Deno.readTextFile(`${folder.path}/${name}`),
      "earlier",
    );
  }
  const { error } = await compare([
    ...["--against", "http://127.0.0.1:1"],
    ...["--json", folder.path, "http://127.0.0.1:1"],
  ]);
  assertStringIncludes(error, `${folder.path} cannot be written: `);
});
