/** Bodies of JSON answers: bounded, ended by the deadline, and made while others are answered. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { hold } from "../support/hold.ts";
import { HTTPException } from "hono/http-exception";
import { StoreError } from "../../db/model/problems.ts";
import { encodeJson, MAX_JSON_BYTES } from "../../routes/json_body.ts";
import {
  createLeastBytes,
  createRowText,
  type Json,
  jsonOf,
  jsonParts,
  jsonText,
} from "../../routes/json_text.ts";
import { turn } from "../support/turn.ts";
import { worked } from "../support/worked.ts";

const decode = (pieces: Uint8Array<ArrayBuffer>[]) => new Blob(pieces).text();

/** So many parts of a mebibyte; counts those that were made. */
function mebibytes(most: number) {
  const made = { parts: 0 };
  const text = function* () {
    for (; made.parts < most; made.parts++) yield "x".repeat(1_048_576);
  };
  return { made, text: text() };
}

Deno.test("encodeJson, whatever is written: the same text in parts as in one", async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({ i, name: "🛥" }));
  const table: [value: Json, text: string][] = [
    [null, "null"],
    ["Zoë 🛥", '"Zoë 🛥"'],
    [1.5, "1.5"],
    [true, "true"],
    [[], "[]"],
    [{}, "{}"],
    [new Map(), "{}"],
    [[[], {}, null], "[[],{},null]"],
    [
      new Map<string, Json>([["10", 1], ["2", [{ "ä": "b" }]]]),
      '{"10":1,"2":[{"ä":"b"}]}',
    ],
    [{ many, end: [] }, JSON.stringify({ many, end: [] })],
  ];
  for (const [value, text] of table) {
    const pieces = await encodeJson(jsonParts(value), await turn());
    assertEquals(await decode(pieces), text);
    assertEquals(jsonText(value), text);
  }
});

Deno.test("encodeJson, as long as the bound: whole; a byte more: 400 that names csv, and no more is made", async () => {
  const most = MAX_JSON_BYTES / 1_048_576;
  const whole = mebibytes(most);
  const pieces = await encodeJson(whole.text, await turn());
  assertEquals(
    pieces.reduce((sum, { length }) => sum + length, 0),
    MAX_JSON_BYTES,
  );
  const longer = mebibytes(1_000);
  const error = await assertRejects(
    async () => await encodeJson(longer.text, await turn()),
    HTTPException,
    "more than 32 MiB",
  );
  assertEquals(error.status, 400);
  assert(error.message.includes("format=csv or format=ndjson"));
  assertEquals(longer.made.parts, most);
  // It is bytes that count, not characters.
  await assertRejects(
    async () =>
      await encodeJson(
        jsonOf("ä".repeat(MAX_JSON_BYTES / 2 + 1)),
        await turn(),
      ),
    HTTPException,
  );
});

Deno.test("encodeJson, still at it when the time is over: ends with the deadline's reason", async () => {
  const late = new AbortController();
  const endless = function* () {
    for (;;) {
      hold(1);
      yield "x".repeat(100_000).slice(0, 70_000);
    }
  };
  setTimeout(() => late.abort(new StoreError("timeout", "too long")), 30);
  const began_ms = worked();
  await assertRejects(
    async () => await encodeJson(endless(), await turn(late.signal)),
    StoreError,
    "too long",
  );
  assert(worked() - began_ms < 200);
});

Deno.test("createLeastBytes: names, texts and a digit for each number", () => {
  const shape = {
    columns: [
      { name: "customer_id", type: "integer" },
      { name: "type", type: "text" },
      { name: "Zoë", type: "integer" },
      { name: "total", type: "integer" },
    ],
    pivoted: { start: 2, names: ["Zoë"] },
  } as const;
  const leastBytes = createLeastBytes(shape);
  const rowText = createRowText(shape);
  const bytes = (row: (string | number | null)[]) =>
    new TextEncoder().encode(rowText(row)).length;
  assertEquals(leastBytes([1, "Red", 2, 2]), bytes([1, "Red", 2, 2]));
  assertEquals(leastBytes([]), bytes([1, "", 2, 2]));
  assert(leastBytes([10, null, 20, 20]) <= bytes([10, null, 20, 20]));
});
