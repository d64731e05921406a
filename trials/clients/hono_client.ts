/** Six calls with the client of `deno task client`; what they answer is printed as JSON. */

import { createClient } from "./tally.js";

declare const process: { readonly argv: readonly string[] };

const [, , base_url, key] = process.argv;
const tally = createClient(base_url);
const { interactions, data, dimensions } = tally.api.v1;

const one = await interactions[":customer_id"].$get({
  param: { customer_id: "4" },
  query: { start_date: "2020-03-01", topic: "sand" },
});
if (one.status !== 200) throw new Error((await one.json()).error);
const bird: number = (await one.json()).data.interactions.Bird;

const batch = await interactions.$get({
  query: { customer_id: "4,5,99", channel: "Bird" },
});
if (batch.status !== 200) throw new Error((await batch.json()).error);
const page = await batch.json();
const rows: [number | string, number][] = page.data
  .map(({ customer_id, total }) => [customer_id, total]);
const unknown: (number | string)[] | undefined = page.meta.unknown_customer_ids;

const csv = await interactions.$get({ query: { format: "csv", limit: "1" } });
const [head] = (await csv.text()).split("\r\n");

const missing = await interactions[":customer_id"].$get({
  param: { customer_id: "99" },
});
let problem = "";
if (missing.status === 404) {
  const { error }: { error: string } = await missing.json();
  problem = error;
}

const upload = await data.files[":name"].$put(
  { param: { name: "customers_2.csv" } },
  {
    headers: { Authorization: `Bearer ${key}` },
    init: { body: new Blob(["Customer_Id\n77\n"]) },
  },
);
if (upload.status !== 202) throw new Error((await upload.json()).error);
const bytes: number = (await upload.json()).data.bytes;

const names = await dimensions.$get();
if (names.status !== 200) throw new Error((await names.json()).error);
const { date_range } = (await names.json()).data;
const until = date_range !== null && date_range.last > "2021";

console.log(
  JSON.stringify({ bird, rows, unknown, csv: head, problem, bytes, until }),
);
