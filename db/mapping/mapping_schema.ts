/** The schema of tally.toml: how a system's own tables, columns, dates and ids are named to Tally. */

import { z } from "zod";
import { nearest } from "../model/edit_distance.ts";
import { escapeUnseen } from "../model/names.ts";
import { isTimeZone } from "../model/time_zone.ts";
import { MAX_ATTRIBUTES, nameProblem } from "./attribute_names.ts";
import { hasDay, NAMED_FORMATS, patternProblem } from "./time_format.ts";

/** The largest number of characters of a text in tally.toml, and of elements of a list. */
const MAX_LENGTH = 500;
const MAX_ELEMENTS = 100;
/** The largest number of lines above a header or below the rows. */
const MAX_LINES = 1_000;

function text(description: string) {
  return z.string().min(1, "must not be empty").max(
    MAX_LENGTH,
    `must have at most ${MAX_LENGTH} characters`,
  ).regex(/^\P{Cc}*$/u, "must not have control characters")
    .meta({ description });
}

const header = text(
  "A header of the file; case, spaces, underscores and invisible characters do not matter",
);
const constant = text(
  "The value of every row, where the file has no such column",
);

/** A column by its header, or with more to say. */
function column<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.union([header, z.strictObject({ column: header, ...shape })]);
}

/** The same, or one value for every row. */
function columnOrValue<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.union([
    header,
    z.strictObject({ column: header, ...shape }),
    z.strictObject({ value: constant }),
  ]);
}

const files = text(
  "The files in the data folder, or the folders of parts, by name, such as calls*.csv: * is any text and ? any character; case does not matter",
).refine(
  (glob) => !glob.includes("/") && !glob.includes("\\"),
  "names files in the data folder itself, without a path",
).refine((glob) => !glob.includes("**"), "must not have **");

const values = z.array(
  z.union([
    z.string().max(
      MAX_LENGTH,
      `must have at most ${MAX_LENGTH} characters`,
    ),
    z.number(),
    z.boolean(),
  ])
    .transform(String),
).min(1, "must have a value").max(
  MAX_ELEMENTS,
  `must have at most ${MAX_ELEMENTS} values`,
);

// By header, such as { Status = ["Deleted", "Spam"] }.
const where = z.record(header, values);

const separator = z.string().min(1, "must not be empty").max(
  10,
  "must have at most 10 characters",
).meta({
  description: "What separates several values in one cell, such as ;",
});

const pattern = text(
  "A regular expression (RE2) whose one group is the id, such as '\\((\\d+)\\)$' for Ann Smith (12)",
).refine((pattern) => groupsOf(pattern) === 1, "must have exactly one group");

const file_name = text(
  "A regular expression (RE2) on the name of the file, without its folders, whose one group is the value of every row, such as ^(.*)_2024",
).refine((pattern) => groupsOf(pattern) === 1, "must have exactly one group");

const prefix = text(
  "Is put before every id, such as zd-, to keep the ids of two systems apart; the ids must be texts",
).max(64, "must have at most 64 characters");

/** The kinds of ids. */
export const ID_KINDS = ["integer", "text", "salesforce"] as const;

const kind = z.enum(ID_KINDS).meta({
  description:
    "integer, the default: 1 to 2^53-1; text: 1 to 128 characters, compared exactly; salesforce: text, whose forms of 15 and of 18 characters are one id",
});

const zone = z.string().superRefine((zone, context) => {
  if (isTimeZone(zone)) return;
  context.addIssue({
    code: "custom",
    message: `must be an IANA time zone such as Europe/Berlin, and is ${
      escapeUnseen(JSON.stringify(zone.slice(0, 60)))
    }`,
    params: { meant: nearest(zone, Intl.supportedValuesOf("timeZone")) },
  });
}).meta({
  description:
    "The time zone of times without an offset, such as Europe/Berlin; they are converted to TIME_ZONE",
});

const format = z.string().superRefine((format, context) => {
  if ((NAMED_FORMATS as readonly string[]).includes(format)) return;
  const problem = format.includes("%")
    ? patternProblem(format)
    : `must be one of ${NAMED_FORMATS.join(", ")}, or a pattern such as ` +
      "%d.%m.%Y %H:%M";
  if (!problem) return;
  context.addIssue({
    code: "custom",
    message: problem,
    params: { meant: nearest(format, NAMED_FORMATS) },
  });
}).meta({
  description: `One of ${
    NAMED_FORMATS.join(", ")
  }, or a pattern of strptime such as %m/%d/%Y %I:%M %p; without it, the forms of the file contract`,
  examples: [...NAMED_FORMATS, "%m/%d/%Y %I:%M %p"],
});

const how_written = { format: format.optional(), zone: zone.optional() };

const time = z.union([
  header,
  z.strictObject({ column: header, ...how_written }),
  z.strictObject({
    date: header.meta({ description: "The header of the date" }),
    time: header.meta({ description: "The header of the time of day" }),
    ...how_written,
  }),
]).superRefine((time, context) => {
  if (typeof time === "string") return;
  const { format = "" } = time;
  if (format.includes("%") && !hasDay(format)) {
    context.addIssue({
      code: "custom",
      path: ["format"],
      message: "has no day of the month, %d",
    });
  }
  if ("date" in time && /^(epoch_|excel)/.test(format)) {
    context.addIssue({
      code: "custom",
      path: ["format"],
      message:
        `is not for date and time: ${format} is one number with its time of day`,
    });
  }
  if (time.zone && format.startsWith("epoch_")) {
    context.addIssue({
      code: "custom",
      path: ["zone"],
      message: `has no meaning with ${format}, which counts from 1970 UTC`,
    });
  }
});

const customer = column({
  separator: separator.optional(),
  match: header.optional().meta({
    description:
      "The header of a column of the customers, such as Phone Number, by which the customer is found",
  }),
  match_as: z.enum(["text", "phone"]).optional().meta({
    description:
      "How the two columns are compared: text, the default, trimmed and ignoring case; phone by the digits and a leading +",
  }),
  unmatched: z.enum(["set_aside", "anonymous"]).optional().meta({
    description:
      "What happens to rows that match no customer: set_aside, the default, or anonymous, counted without a customer",
  }),
  pattern: pattern.optional(),
  prefix: prefix.optional(),
}).superRefine((customer, context) => {
  if (typeof customer === "string") return;
  if (customer.match) {
    if (customer.prefix === undefined) return;
    return context.addIssue({
      code: "custom",
      path: ["prefix"],
      message: "has no meaning with match, which finds the id itself",
    });
  }
  for (const key of ["match_as", "unmatched"] as const) {
    if (customer[key] === undefined) continue;
    context.addIssue({ code: "custom", path: [key], message: "needs match" });
  }
});

const SOME_LINES = `must be from 1 to ${MAX_LINES}`;
const lines = z.int().min(1, SOME_LINES).max(MAX_LINES, SOME_LINES);

const source = {
  files,
  sheet: text(
    "The sheet of the workbook; without it, the only one with a value",
  ).optional(),
  header_row: lines.optional().meta({
    description:
      "The line of the header, or the row in a sheet, from 1 and counting every line",
  }),
  footer_rows: lines.optional().meta({
    description: "The number of rows at the end that are no data",
  }),
  skip_where: where.optional().meta({
    description:
      'Rows with one of these values are passed over, such as { Status = ["Deleted", "Spam"] }; "" is no value',
  }),
  keep_where: where.optional().meta({
    description:
      'Only rows with one of these values in each of these columns count, such as { Status = ["Done"] }; "" is no value',
  }),
};

const attributes = z.record(z.string(), columnOrValue({})).superRefine(
  (attributes, context) => {
    const names = Object.keys(attributes);
    for (const name of names) {
      const message = nameProblem(name);
      if (message === undefined) continue;
      context.addIssue({ code: "custom", path: [name], message });
    }
    if (names.length > MAX_ATTRIBUTES) {
      context.addIssue({
        code: "custom",
        message: `must have at most ${MAX_ATTRIBUTES} attributes`,
      });
    }
  },
);

const customers = z.strictObject({
  ...source,
  id: column({
    kind: kind.optional(),
    pattern: pattern.optional(),
    prefix: prefix.optional(),
  }).meta({ description: "The column with the id of the customer" }),
  name: column({}).optional().meta({
    description:
      "The column with the name of the customer, which is shown and searched, never counted",
  }),
  type: columnOrValue({}).optional().meta({
    description: "The column with the type of the customer, or { value }",
  }),
  occupation: columnOrValue({}).optional().meta({
    description: "The column with the occupation of the customer, or { value }",
  }),
  attributes: attributes.optional().meta({
    description:
      'Further columns by which customers are grouped and chosen, by the name of each in the API, such as { country = "Country/Region" }',
  }),
}).meta({
  id: "customers",
  description: "Files of customers that are written alike",
});

const interactions = z.strictObject({
  ...source,
  id: column({}).optional().meta({
    description:
      "The column with the id of the interaction: rows with one id count once, and the later row wins",
  }),
  customer: customer.meta({
    description:
      "The column with the id of the customer, or with what match names",
  }),
  time: time.meta({
    description: "The column with date and time, or { date, time } for two",
  }),
  channel: z.union([
    columnOrValue({}),
    z.strictObject({ file_name }),
  ]).meta({
    description:
      'The column with the channel, or { value = "Call" }, or { file_name } for what the name of the file says',
  }),
  count: column({}).optional().meta({
    description:
      "The column with the number of interactions that a row stands for, from 0 to 1,000,000; a row with 0 is passed over",
  }),
  topic: columnOrValue({ separator: separator.optional() }).optional().meta({
    description: "The column with the topics, or { value }",
  }),
}).meta({
  id: "interactions",
  description: "Files of interactions that are written alike",
});

const products = z.strictObject({
  ...source,
  date: column({ format: format.optional() }).meta({
    description: "The column with the month, or a day in it",
  }),
  product: columnOrValue({}).meta({
    description: "The column with the product of that month, or { value }",
  }),
}).meta({
  id: "products",
  description: "Files with the product of each month",
});

const channels = z.strictObject({
  ...source,
  channel: columnOrValue({}).meta({
    description: "The column with the name of the channel as it is shown",
  }),
  aliases: column({ separator: separator.optional() }).optional().meta({
    description: "The column with other spellings of the channel",
  }),
}).meta({
  id: "channels",
  description: "Files with the channels and their spellings",
});

function oneOrMore<Schema extends z.ZodType>(schema: Schema) {
  return z.union([
    schema,
    z.array(schema).min(1, "must not be empty").max(
      MAX_ELEMENTS,
      `must have at most ${MAX_ELEMENTS} tables`,
    ),
  ]);
}

/** The schema of tally.toml, from which docs/tally.schema.json is generated. */
export const mappingSchema = z.strictObject({
  ids: z.enum(ID_KINDS).optional().meta({
    description: "The kind of customer ids, where customers = false",
  }),
  customers: z.union([z.literal(false), oneOrMore(customers)]).optional()
    .meta({
      description:
        "The files of customers; false where none is needed, and everyone is known from interactions",
    }),
  interactions: oneOrMore(interactions).optional().meta({
    description: "The files of interactions; one table for each system",
  }),
  products: oneOrMore(products).optional().meta({
    description: "The files of products",
  }),
  channels: oneOrMore(channels).optional().meta({
    description: "The files of channels",
  }),
}).meta({
  title: "tally.toml",
  description: "How the exports in the folder of Tally name what they have",
});

/** The contents of tally.toml. */
export type MappingFile = z.output<typeof mappingSchema>;

/** How many groups a regular expression has that are captured. */
function groupsOf(pattern: string): number {
  const without_classes = pattern.replace(/\\./gs, "")
    .replace(/\[\^?\]?[^\]]*\]/g, "");
  // What looks behind is no group; RE2 says itself that it has not got it.
  return (without_classes.match(/\((?!\?)|\(\?P?<(?![=!])/g) ?? []).length;
}
