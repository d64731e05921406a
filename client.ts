/** The composition root of `deno task client`: writes a typed client that works without this source. */

import { readArguments } from "./operator/command_line.ts";
import { cannotBeWritten, fail, print } from "./operator/terminal.ts";
import { endpoints } from "./routes/app.ts";
import { clientTypes } from "./routes/client_types.ts";

const CLIENT = `/** Hono's client for Tally; written by \`deno task client\`. */
/* @ts-self-types="./tally.d.ts" */

import { hc } from "hono/client";

/** Makes a client of the server at \`base\`, such as https://tally.example.com. */
export function createClient(base, options) {
  return hc(base, options);
}
`;

const USAGE = `Usage:
  deno task client [DIR]

The default is ./client.`;

const [folder = "./client", ...rest] = readArguments({}, USAGE).positionals;
if (rest.length > 0) fail(USAGE);
try {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/tally.d.ts`, clientTypes(endpoints));
  await Deno.writeTextFile(`${folder}/tally.js`, CLIENT);
} catch (error) {
  fail(cannotBeWritten(folder, error));
}
print(
  `${folder} has tally.js and tally.d.ts; they need the package hono.`,
);
