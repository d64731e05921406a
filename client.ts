/** The composition root of `deno task client`: writes a typed client that works without this source. */

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

const [folder = "./client", ...rest] = Deno.args;
if (rest.length > 0 || folder.startsWith("-")) {
  console.error("Usage:\n  deno task client [DIR]\n\nThe default is ./client.");
  Deno.exit(1);
}
try {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/tally.d.ts`, clientTypes(endpoints));
  await Deno.writeTextFile(`${folder}/tally.js`, CLIENT);
} catch (error) {
  console.error(`${folder} cannot be written: ${(error as Error).message}`);
  Deno.exit(1);
}
console.log(
  `${folder} has tally.js and tally.d.ts; they need the package hono.`,
);
