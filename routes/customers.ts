/** `/api/v1/customers`: the known customers, with their records, contacts and totals. */

import { z } from "zod";
import { NAMED_DIMENSIONS } from "../db/model/dimensions.ts";
import type { CustomersQuestion } from "../db/model/questions.ts";
import { unknownCustomer } from "./access.ts";
import {
  countsSchema,
  EXAMPLE_META,
  metaSchema,
  questionQuery,
  rowsFailures,
  rowsJson,
  rowsQuerySchema,
  rowTextOf,
} from "./answer.ts";
import {
  customerParams,
  type NamedCustomer,
  namedCustomer,
  shownId,
  shownName,
} from "./customer_ids.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { type Asked, endpoint, failure, type RowsReply } from "./endpoint.ts";
import {
  filterOf,
  namesShape,
  PAGE_ROWS,
  pageShape,
  questionText,
} from "./filters.ts";
import { jsonOf } from "./json_text.ts";

/** What customers are found by, besides their ids. */
const SEARCHED = NAMED_DIMENSIONS.filter((one) => one.is_searched)
  .map(({ name }) => name);

const customersQuery = rowsQuerySchema({
  q: z.string().min(1, "q is empty.").optional().meta({
    description: `Beginning of the customer_id or of the ${
      SEARCHED.join(" or ")
    }, ignoring case`,
  }),
  type: namesShape.type,
  occupation: namesShape.occupation,
  ...pageShape,
});

const customer = z.object({
  customer_id: shownId,
  name: shownName,
  occupation: z.string().nullable(),
  type: z.string().nullable(),
  known_from: z.enum(["customers", "interactions"]),
  first_contact: z.iso.date().nullable(),
  last_contact: z.iso.date().nullable(),
  interactions: countsSchema,
  total: z.int(),
}).meta({ id: "Customer" });

const example = {
  customer_id: 4,
  occupation: "Jedi",
  type: "Red",
  known_from: "customers",
  first_contact: "2020-02-11",
  last_contact: "2020-03-05",
  interactions: { Bird: 1, Call: 1 },
  total: 2,
};

/** The endpoint of the list. */
export const customersEndpoint = endpoint({
  path: "/api/v1/customers",
  name: "listCustomers",
  summary: "The known customers",
  description:
    "Customers with a record, and those who are known from interactions only, in the order of customer_id; known_from has which.",
  query: customersQuery,
  answers: {
    200: {
      description: "A page; meta.next is the cursor of the next page or null",
      schema: z.object({
        data: z.array(customer),
        meta: metaSchema.extend({ next: z.string().nullable() }),
      }),
      example: { data: [example], meta: { ...EXAMPLE_META, next: null } },
    },
    ...rowsFailures,
  },
  answer: askCustomers,
});

/** The endpoint of one customer. */
export const customerEndpoint = endpoint({
  path: "/api/v1/customers/:customer_id",
  name: "getCustomer",
  access: "customer",
  summary: "One customer",
  description: "The record, first and last contact, and totals.",
  params: customerParams,
  query: questionQuery,
  answers: {
    200: {
      description: "The customer",
      schema: z.object({ data: customer, meta: metaSchema }),
      example: { data: example, meta: EXAMPLE_META },
    },
    404: failure("No such customer"),
    ...rowsFailures,
  },
  answer: ({ snapshot, params: { customer_id }, query: { explain } }) =>
    askCustomer(namedCustomer(snapshot, customer_id), explain),
});

function askCustomers(
  { snapshot, visible, query: given }: Asked<
    unknown,
    z.output<typeof customersQuery>
  >,
): RowsReply {
  const { q: prefix, limit, cursor, explain } = given;
  const filter = filterOf({ snapshot, visible }, given);
  const parts = { q: prefix, ...filter };
  const question_text = questionText("customers", parts);
  const question: CustomersQuestion = {
    kind: "customers",
    filter,
    prefix,
    after_customer_id: cursor === undefined
      ? undefined
      : readCursor(snapshot, { question: question_text, cursor, length: 1 })[0],
  };
  return {
    of: "rows",
    file: "customers",
    key: questionText("customers", { ...parts, limit, cursor, explain }),
    download: { ...question, limit },
    reads: [{ question, page_rows: limit ?? PAGE_ROWS.fallback }],
    json([page]) {
      const { last } = page;
      return {
        data: rowsJson(page),
        meta: {
          next: last
            ? writeCursor(snapshot, {
              question: question_text,
              position: [snapshot.customers.numberOf(last[0]!)],
            })
            : null,
        },
      };
    },
    ...explain && { explain: { questions: [question], filter, q: prefix } },
  };
}

function askCustomer(
  { number, id, encoded }: NamedCustomer,
  explain: string | undefined,
): RowsReply {
  const question: CustomersQuestion = {
    kind: "customers",
    filter: { customer_ids: [number] },
  };
  return {
    of: "rows",
    file: `customer-${encoded}`,
    key: questionText("customer", { customer_id: id, explain }),
    reads: [{ question }],
    json([{ cells: [row], ...shape }]) {
      if (!row) throw unknownCustomer();
      return { data: jsonOf(rowTextOf(shape)(row)), meta: {} };
    },
    ...explain && {
      explain: { questions: [question], filter: { customer_ids: [id] } },
    },
  };
}
