/** Lists of names in filters: what they take does not grow with the names of the list times those of the data. */

import { assert, assertEquals } from "@std/assert";
import { csv } from "../support/data_folder.ts";
import { openApp } from "../support/open_app.ts";

const LENGTH = 400;
const NAMES = Array.from(
  { length: LENGTH },
  (_, i) => `q${letter(Math.floor(i / 26))}${letter(i % 26)}`,
);
/** Of so many months, each with another set of topics. */
const MONTHS = 240;

const FILES = {
  "tally.toml": `[customers]
files = "people.csv"
id = "Id"
occupation = "Occupation"
type = "Type"
attributes = { country = "Country" }

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = "Who"
`,
  "people.csv": csv(
    ["Id", "Occupation", "Type", "Country"],
    ...NAMES.map((name, i) => [`${i + 1}`, name, name, name]),
  ),
  "calls.csv": csv(
    ["When", "Kind", "Who"],
    ...NAMES.map((name, i) => [`${monthOf(i)}-01`, name, `${i + 1}`]),
  ),
  "products.csv": csv(
    ["Date", "Product"],
    ...NAMES.map((name, i) => [monthOf(i), name]),
  ),
};

function letter(place: number): string {
  return String.fromCharCode("a".charCodeAt(0) + place);
}

function monthOf(i: number): string {
  const month = i % MONTHS;
  return `${2000 + Math.floor(month / 12)}-${
    `${month % 12 + 1}`.padStart(2, "0")
  }`;
}

/** Counts the elements of long lists that are gone through to find one, or to mark some, until it is disposed. */
function countVisited() {
  const list = { includes: [].includes, indexOf: [].indexOf };
  const { forEach } = Uint8Array.prototype;
  let visited = 0;
  // deno-lint-ignore no-explicit-any
  const counted = <Method extends (...args: any[]) => unknown>(
    method: Method,
  ) =>
    function (this: { length: number }, ...args: unknown[]) {
      if (this.length >= MONTHS / 2) visited += this.length;
      return method.apply(this, args);
    };
  Object.assign(Array.prototype, {
    includes: counted(list.includes),
    indexOf: counted(list.indexOf),
  });
  Object.assign(Uint8Array.prototype, { forEach: counted(forEach) });
  return {
    get visited() {
      return visited;
    },
    [Symbol.dispose]() {
      Object.assign(Array.prototype, list);
      Object.assign(Uint8Array.prototype, { forEach });
    },
  };
}

Deno.test("a list of names is not looked for in the list of all names, one by one", async (t) => {
  const list = NAMES.join(",");
  const paths = [
    ...["topic", "channel"].flatMap((name) =>
      ["", "/timeline", "/topics"].map((of) =>
        `interactions/1${of}?${name}=${list}`
      )
    ),
    ...["topic", "channel", "type", "occupation", "country"].flatMap(
      (name) => [
        `interactions?${name}=${list}`,
        `interactions?customer_id=1,2&${name}=${list}`,
        `metrics/interactions?by=year&${name}=${list}`,
        `metrics/customers?by=year&${name}=${list}`,
      ],
    ),
    ...["topic", "channel", "type", "country"].flatMap((name) => [
      `metrics/interactions?pivot=${name}`,
      `metrics/interactions?pivot=${name}&${name}=${list}`,
    ]),
    `metrics/interactions?pivot=channel&by=country&channel=${list}`,
  ];
  for (const SERVE_FROM of ["index", "query"]) {
    await using opened = await openApp(FILES, {
      SERVE_FROM,
      MAX_CHANNELS: "1000",
    });
    for (const path of paths) {
      await t.step(`${SERVE_FROM}: ${path.slice(0, 60)}`, async () => {
        using count = countVisited();
        const answer = await opened.app.request(`/api/v1/${path}`);
        await answer.body?.cancel();
        assertEquals(answer.status, 200);
        assert(count.visited < 20 * LENGTH, `${count.visited} names`);
      });
    }
  }
});
