/** Query strings: both readers read the same, and so do both ways to a handler. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type QueryValues,
  readEncodedQuery,
  readQuery,
} from "../../routes/query_string.ts";
import { openApp } from "../support/open_app.ts";

const FILES = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n",
  "interactions.csv": "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n",
  "products.csv": "Date,Product\n03-2020,Sand\n",
};

/** Query strings of few characters, so that names repeat and pairs are empty. */
const queryText = fc.array(
  fc.constantFrom("&", "&", "=", "=", "a", "b", "?", "topic", "Sand", ".", "1"),
  { maxLength: 12 },
).map((parts) => parts.join(""));

/** The same text with every letter a encoded, which only the general reader takes. */
function encoded(text: string): string {
  return text.replaceAll("a", "%61");
}

function plain(query: QueryValues): QueryValues {
  return { ...query };
}

Deno.test("readQuery and readEncodedQuery say the same of any text", () => {
  fc.assert(
    fc.property(queryText, (text) => {
      const read = plain(readQuery(`http://h/path?${text}`));
      assertEquals(read, plain(readEncodedQuery(text)));
      assertEquals(read, plain(readQuery(`http://h/path?${encoded(text)}`)));
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("readQuery, cases", () => {
  const table: [text: string, query: QueryValues][] = [
    ["", {}],
    ["?", {}],
    ["?&", {}],
    ["?&topic=sand", { topic: "sand" }],
    ["?topic=sand&&", { topic: "sand" }],
    ["?topic", { topic: "" }],
    ["?=x", { "": "x" }],
    ["?a=1&b=2&a=3", { a: ["1", "3"], b: "2" }],
    ["?a=1=2", { a: "1=2" }],
    ["?a=?", { a: "?" }],
    ["?a+b=%26", { "a b": "&" }],
  ];
  for (const [text, query] of table) {
    assertEquals(plain(readQuery(`http://h/${text}`)), query, text);
  }
});

Deno.test("a query string is answered alike, past Hono, through it, and by other endpoints", async () => {
  await using opened = await openApp(FILES);
  const ask = async (path: string) => {
    const answer = await opened.app.request(path);
    const { error } = await answer.json();
    return { status: answer.status, error };
  };
  const table: [query: string, status: number][] = [
    ["&topic=sand", 200],
    ["topic=s%61nd&&", 200],
    ["&", 200],
    ["=sand", 400],
    ["topic=sand&topic=sand", 400],
    ["__proto__=1", 400],
    ["topic=%FF", 400],
  ];
  for (const [query, status] of table) {
    const past = await ask(`/api/v1/interactions/1?${query}`);
    assertEquals(past.status, status, query);
    // An encoded path is not known for the question of every page view.
    assertEquals(await ask(`/%61pi/v1/interactions/1?${query}`), past);
    const topics = await ask(`/api/v1/interactions/1/topics?${query}`);
    assertEquals(topics.status, status, query);
  }
});
