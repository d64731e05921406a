/** The API as the text of a TypeScript module, for Hono's client where this source is not. */

import { z } from "zod";
import type { Described } from "./endpoint.ts";

/** What a reference to a named schema begins with. */
const DEFINITIONS = "#/$defs/";

type Schema = z.core.JSONSchema.BaseSchema;

const HEAD =
  `/** Tally's API as types for Hono's client; written by \`deno task client\`. */

import type { Hono } from "hono";
import type { ClientRequestOptions, hc } from "hono/client";
import type { BlankEnv } from "hono/types";

/** Makes a client of the server at \`base\`, such as https://tally.example.com. */
export declare function createClient(
  base: string,
  options?: ClientRequestOptions,
): Client;

/** A client, with a method for each endpoint. */
export type Client = ReturnType<typeof hc<Api>>;

/** The API, as \`hc<Api>\` takes it. */
export type Api = Hono<BlankEnv, Paths, "/">;

/** What an endpoint takes, and what it answers by status; \`Text\` are the statuses with no JSON. */
type Endpoint<Input, Outputs, Text = never> = {
  [Status in keyof Outputs]: {
    input: Input;
    output: Outputs[Status];
    outputFormat: Status extends Text ? "text" : "json";
    status: Status;
  };
}[keyof Outputs];

type Paths = `;

/** Writes `tally.d.ts`: what endpoints take and answer, with no import but Hono's. */
export function clientTypes(endpoints: readonly Described[]): string {
  const named: NamedTypes = new Map();
  const by_path = Map.groupBy(endpoints, ({ path }) => path);
  const paths = Array.from(by_path, ([path, all]) => ({
    name: path,
    type: members(all.map((one) => ({
      name: `$${one.method}`,
      comment: one.summary,
      type: endpointType(one, named),
    }))),
  }));
  const types = Array.from(
    named,
    ([name, type]) => `\nexport type ${name} = ${type};\n`,
  );
  return `${HEAD}${members(paths)};\n${types.join("")}`;
}

/** The types that have a name of their own. */
type NamedTypes = Map<string, string>;

/** The type of a schema; the types that it names are added to `named`. */
function schemaType(
  schema: z.ZodType,
  { io, named }: {
    readonly io: "input" | "output";
    readonly named: NamedTypes;
  },
): string {
  const { $defs = {}, ...json } = z.toJSONSchema(schema, { io });
  for (const [name, one] of Object.entries($defs)) {
    named.set(name, typeOf(one));
  }
  return typeOf(json);
}

function endpointType(endpoint: Described, named: NamedTypes): string {
  const answers = Object.entries(endpoint.answers);
  const outputs = answers.map(([status, { schema, description }]) => ({
    name: status,
    comment: description,
    type: schemaType(schema, { io: "output", named }),
  }));
  const texts = answers.filter(([, { content_type }]) => content_type)
    .map(([status]) => status);
  const parts = [inputType(endpoint), members(outputs), texts.join(" | ")];
  return `Endpoint<${parts.filter(Boolean).join(", ")}>`;
}

// As routes/api.ts has it: what requires nothing may be left out.
function inputType({ params, query, body }: Described): string {
  const given = Object.entries({ param: params, query, json: body });
  return members(given.flatMap(([name, schema]) => {
    if (!schema || Object.keys(schema.shape).length === 0) return [];
    const json = z.toJSONSchema(schema, { io: "input" });
    return [{ name, optional: !json.required?.length, type: typeOf(json) }];
  }));
}

interface Member {
  readonly name: string;
  readonly type: string;
  readonly optional?: boolean;
  readonly comment?: string | undefined;
}

function members(all: readonly Member[]): string {
  if (all.length === 0) return "Record<never, never>";
  const lines = all.flatMap(({ name, type, optional, comment }) => {
    const key = /^(\$?[a-z_]\w*|\d+|\[.+\])$/i.test(name)
      ? name
      : JSON.stringify(name);
    return [
      ...comment ? [`/** ${comment.replaceAll("*/", "*\\/")} */`] : [],
      `${key}${optional ? "?" : ""}: ${type};`,
    ];
  });
  return `{\n${lines.join("\n").replaceAll(/^/gm, "  ")}\n}`;
}

/** The TypeScript of a JSON Schema, as zod makes it of the schemas of endpoints. */
export function typeOf(schema: Schema): string {
  if (schema.$ref) return schema.$ref.slice(DEFINITIONS.length);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((one) => JSON.stringify(one)));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return union(choices.map(partOf));
  if (Array.isArray(schema.type)) {
    return union(schema.type.map((type) => typeOf({ ...schema, type })));
  }
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `Array<${partOf(schema.items as Schema)}>`;
    case "object":
      return objectType(schema);
  }
  const { description: _, ...rest } = schema;
  if (Object.keys(rest).length === 0) return "unknown";
  throw new Error(`Which type has ${JSON.stringify(schema)}?`);
}

function objectType(schema: Schema): string {
  const { properties = {}, required = [], additionalProperties } = schema;
  const all: Member[] = Object.entries(properties).map(([name, property]) => ({
    name,
    comment: (property as Schema).description,
    optional: !required.includes(name),
    type: partOf(property),
  }));
  if (!additionalProperties) return members(all);
  const type = partOf(additionalProperties);
  return all.length === 0
    ? `Record<string, ${type}>`
    : members([...all, { name: "[name: string]", type }]);
}

function partOf(schema: Schema | boolean): string {
  return schema === true ? "unknown" : typeOf(schema as Schema);
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(" | ");
}
