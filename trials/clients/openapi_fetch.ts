/** Five calls with a client of openapi-typescript and openapi-fetch; what they answer is printed as JSON. */

import createClient from "openapi-fetch";
import type { paths } from "./schema.d.ts";

const [baseUrl, key] = Deno.args;
const tally = createClient<paths, "application/json">({ baseUrl });

const one = await tally.GET("/api/v1/interactions/{customer_id}", {
  params: { path: { customer_id: 4 }, query: { start_date: "2020-01-01" } },
});
const bird: number | undefined = one.data?.data.interactions.Bird;

const customers = await tally.GET("/api/v1/customers", {
  params: { query: { type: "Red", limit: 2 } },
});
const ids: number[] | undefined = customers.data?.data
  .map(({ customer_id }) => customer_id);

const csv = await tally.GET("/api/v1/interactions", {
  params: { query: { format: "csv", limit: 1 } },
  parseAs: "text",
});

const wrong = await tally.GET("/api/v1/interactions/{customer_id}", {
  params: { path: { customer_id: 4 }, query: { start_date: "x" } },
});
const problem: string | undefined = wrong.error?.error;

const upload = await tally.PUT("/api/v1/data/files/{name}", {
  params: { path: { name: "customers_2.csv" } },
  headers: {
    Authorization: `Bearer ${key}`,
    "Content-Type": "application/octet-stream",
  },
  body: new Blob(["Customer_Id\n77\n"]),
  bodySerializer: (body) => body as Blob,
});
const bytes: number | undefined = upload.data?.data.bytes;

console.log(
  JSON.stringify({
    bird,
    ids,
    csv: String(csv.data).split("\r\n")[0],
    problem,
    bytes,
  }),
);
