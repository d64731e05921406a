/** The composition root of `deno task compare`: asks two running deployments the same questions and prints what differs. */

import { compareDeployments } from "./operator/compare/compare.ts";
import {
  type Deployment,
  NotReachedError,
} from "./operator/compare/deployment.ts";
import {
  comparisonJson,
  comparisonText,
  differenceText,
} from "./operator/compare/texts.ts";
import { readArguments } from "./operator/command_line.ts";
import {
  cannotBeWritten,
  createPaint,
  fail,
  print,
} from "./operator/terminal.ts";

const USAGE =
  "Usage: deno task compare --against URL [--questions N] [--seed S] [--key KEY] [--json FILE] URL";

/** Differences that are printed; the file of --json has all. */
const SHOWN = 100;

const args = readArguments({
  against: { type: "string" },
  questions: { type: "string", default: "2000" },
  seed: { type: "string" },
  key: { type: "string" },
  json: { type: "string" },
}, USAGE);
const { values: { against, key, json, ...numbers }, positionals } = args;
const [url, ...rest] = positionals;
if (!against || !url || rest.length > 0) fail(USAGE);

function numberOf(name: "questions" | "seed", least: number): number {
  const text = numbers[name];
  const value = text === undefined
    ? crypto.getRandomValues(new Uint32Array(1))[0]
    : Number(text);
  if (Number.isInteger(value) && value >= least && value < 2 ** 32) {
    return value;
  }
  return fail(`--${name} must be a whole number from ${least}\n${USAGE}`);
}

function deploymentOf(text: string): Deployment {
  const parsed = URL.parse(text);
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username) {
    return fail(`${text} is no http or https URL without a user\n${USAGE}`);
  }
  return { url: parsed.origin + parsed.pathname.replace(/\/+$/, ""), key };
}

async function writeResult(
  path: string,
  text: string,
  options?: Deno.WriteFileOptions,
): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, options);
  } catch (error) {
    fail(cannotBeWritten(path, error));
  }
}

/** Ends the process where a file cannot be written; leaves no new one, and one that is there as it is. */
async function requireWritable(path: string): Promise<void> {
  try {
    // This process may not read, and cannot look whether it is there.
    await Deno.writeTextFile(path, "", { createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      fail(cannotBeWritten(path, error));
    }
    return await writeResult(path, "", { append: true });
  }
  await Deno.remove(path);
}

const paint = createPaint(Deno.stdout.isTerminal());
let shown = 0;
const deployments = {
  reference: deploymentOf(against),
  compared: deploymentOf(url),
};
const seed = numberOf("seed", 0);
const questions = numberOf("questions", 1);
// Before any question is asked, since the answers take long.
if (json) await requireWritable(json);
try {
  const comparison = await compareDeployments(
    deployments,
    {
      seed,
      questions,
      found(difference) {
        if (shown++ < SHOWN) {
          print(`${differenceText(difference, paint)}\n`);
        }
      },
    },
  );
  if (shown > SHOWN) print(`and ${shown - SHOWN} more differences\n`);
  print(comparisonText(comparison, paint));
  if (comparison.differences.length > 0) Deno.exitCode = 1;
  if (json) await writeResult(json, comparisonJson(comparison));
} catch (error) {
  if (!(error instanceof NotReachedError)) throw error;
  fail(`${error.message}.`);
}
