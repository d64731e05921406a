/** Measures how long wrong keys take, in turns: the time must not say which ids there are. */

import { createKey } from "../access/api_key.ts";
import { Callers } from "../access/callers.ts";
import { emptyKeyFile, withKey } from "../access/key_file.ts";
import { median, row } from "./wrk.ts";

const keys = 1_000;
const rounds = 201;
const warm_up_rounds = 10;
const guesses = 1_000;

let file = emptyKeyFile();
for (let i = 0; i < keys; i++) {
  const options = { customers: null, expires_at: null };
  ({ file } = withKey(file, { ...options, name: `${i}`, scopes: ["read"] }));
}
const callers = new Callers({ key_file: file });

function headersOf(text: string): Headers {
  return new Headers({ Authorization: `Bearer ${text}` });
}

/** Microseconds for one guess; the guesses are new each time, as an attacker's are. */
function time(guess: (i: number) => string): number {
  const sent = Array.from({ length: guesses }, (_, i) => headersOf(guess(i)));
  const began = performance.now();
  for (const headers of sent) callers.identify(headers);
  return (performance.now() - began) / guesses * 1_000;
}

// All guesses are made alike, so that only the check can make a difference.
const strays = Array.from({ length: keys }, () => createKey().id);
const kinds = {
  "an id that no key has": (i: number) => createKey(strays[i % keys]).text,
  "the id of a key": (i: number) => createKey(file.keys[i % keys].id).text,
  "a wrong checksum": (i: number) =>
    createKey(strays[i % keys]).text.slice(0, -1) + "_",
};
const times: Record<string, number[]> = {};
for (let round = -warm_up_rounds; round < rounds; round++) {
  // In another order each time: what runs first leaves its garbage to the next.
  const turn = Object.entries(kinds)
    .map((one) => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at);
  for (const { one: [kind, guess] } of turn) {
    const took = time(guess);
    if (round >= 0) (times[kind] ??= []).push(took);
  }
}
console.log(`Medians of ${rounds} rounds of ${guesses} guesses, in turns\n`);
console.log("| Guess | Time (us) | Ratio to the first (quartiles) |");
console.log("| --- | ---: | :--- |");
const [first] = Object.keys(kinds).map((kind) => times[kind]);
for (const kind of Object.keys(kinds)) {
  const each = times[kind];
  const ratios = each.map((one, i) => one / first[i]).sort((a, b) => a - b);
  const at = (share: number) =>
    ratios[Math.floor(share * (rounds - 1))].toFixed(2);
  console.log(row(
    kind,
    median(each).toFixed(2),
    `${at(0.5)} (${at(0.25)}..${at(0.75)})`,
  ));
}
