/** Five calls with a client of @hey-api/openapi-ts; what they answer is printed as JSON. */

import { client } from "./client/client.gen.ts";
import {
  getCustomerInteractions,
  listCustomers,
  listInteractions,
  uploadFile,
} from "./client/index.ts";

const [baseUrl, key] = Deno.args;
client.setConfig({ baseUrl });

const one = await getCustomerInteractions({
  path: { customer_id: 4 },
  query: { start_date: "2020-01-01" },
});
const bird: number | undefined = one.data?.data.interactions.Bird;

const customers = await listCustomers({ query: { type: "Red", limit: 2 } });
const ids: number[] | undefined = customers.data?.data
  .map(({ customer_id }) => customer_id);

const csv = await listInteractions({
  query: { format: "csv", limit: 1 },
  parseAs: "text",
});

const wrong = await getCustomerInteractions({
  path: { customer_id: 4 },
  query: { start_date: "x" },
});
const problem: string | undefined = wrong.error?.error;

const upload = await uploadFile({
  path: { name: "customers_2.csv" },
  auth: key,
  body: new Blob(["Customer_Id\n77\n"]),
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
