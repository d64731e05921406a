/** `/openapi.json`: the API, described by the schemas that check requests. */

import { createHash } from "node:crypto";
import { z } from "zod";
import {
  type CustomersShape,
  customersShape,
} from "../db/model/customer_ids.ts";
import {
  attributesOf,
  NAMED_DIMENSIONS,
  ofCustomers,
} from "../db/model/dimensions.ts";
import { attributeParam } from "./attribute_params.ts";
import {
  type Access,
  type Answer,
  type Endpoint,
  endpoint,
  failure,
} from "./endpoint.ts";
import { isProbe } from "./hosts.ts";
import { type FormatName, FORMATS } from "./formats/formats.ts";

/** The failures that are found before a request gets to its endpoint. */
const EARLY_FAILURES = {
  400: failure("The Host header is missing, or is no host"),
  405: failure("The path has not this method; the text has those that it has"),
  414: failure("The URL is too long"),
  421: failure("Nothing is answered under this host"),
  429: failure("The client has sent too many requests (RATE_LIMIT)"),
  500: failure("A fault of the program; its log has it under X-Request-Id"),
} as const;
const PAGE_FAILURES = {
  403: failure("A page of another origin sent it, which may not"),
} as const;
const KEY_FAILURES = {
  401: failure("Keys are on, and none that is known was sent"),
  403: failure("The key or token is not for this"),
} as const;

/** The document for what it depends on, with a hash of its text. */
interface Document {
  readonly of: string;
  readonly body: string;
  readonly key: string;
}

/** The endpoint that describes all others. */
export function createOpenApi(endpoints: readonly Endpoint[]) {
  const described = describe(endpoints);
  let latest: Document | undefined;
  function documentOf(
    { ids, names }: CustomersShape,
    attributes: readonly string[],
  ): Document {
    const of = `${ids} ${names} ${attributes}`;
    if (latest?.of === of) return latest;
    const body = JSON.stringify(named(described, { ids, names, attributes }));
    const key = createHash("sha256").update(body).digest("hex").slice(0, 32);
    return latest = { of, body, key };
  }
  // Before anything is served, as without a mapping.
  documentOf(customersShape({}), []);

  return endpoint({
    access: "public",
    path: "/openapi.json",
    name: "getOpenApi",
    summary: "The API as OpenAPI 3.1",
    description:
      "Made of the schemas that check requests. What a customer_id is, whether customers have names, and which attributes, is as in the served data.",
    has_etag: true,
    answers: {
      200: { description: "The document", schema: z.looseObject({}) },
    },
    answerNow({ store: { snapshot } }) {
      const { key, body } = documentOf(
        customersShape(snapshot?.report ?? {}),
        snapshot ? attributesOf(snapshot.report) : [],
      );
      const data_version = snapshot?.data_version ?? null;
      return { of: "document", data_version, key, body };
    },
  });
}

/** The groups of endpoints, by what follows /api/v1/ in the path. */
const TAGS: Readonly<Record<string, string>> = {
  interactions: "Contacts of customers, per channel",
  metrics: "Totals by up to three dimensions",
  customers: "The known customers",
  dimensions: "The names that filters take",
  stats: "Older paths",
  data: "How fresh and how clean the data is, its files and decisions about it",
  tokens: "Tokens for web pages",
  health: "Whether the process lives, and whether it is ready",
};

/** The headers of answers, by name. */
const HEADERS = {
  "X-Request-Id": "Of the request, also in the log",
  "ETag": "For If-None-Match; of the version and the question",
  "Data-Version": "The version of the data that was asked",
  "Cache-Control": "Whether and for how long it may be kept",
  "Content-Disposition": "The name of the file, of formats other than JSON",
  "Allow": "The methods that the path has",
  "Retry-After": "Seconds until a new request has a chance",
  "RateLimit":
    "Requests that the client may send at once now (r), and seconds until it may send more (t); on a 429, and when less than a fifth is left",
  "RateLimit-Policy":
    "Requests that a client may send at once (q), and seconds until that is so again after them (w)",
  "WWW-Authenticate": "How to send a key or token",
} as const;

type Header = keyof typeof HEADERS;

function describe(endpoints: readonly Endpoint[]) {
  const with_key = {
    description:
      "A key of API_KEYS_FILE, a token of POST /api/v1/tokens, or the key whose SHA-256 is the setting ADMIN_KEY_SHA256. Reading needs one only where API_KEYS_FILE is set.",
  };
  return {
    openapi: "3.1.0",
    info: {
      title: "Tally",
      version: "1",
      description:
        "How often each customer was contacted, per channel and topic. A topic is by the month's product, an assumption.",
      license: { name: "MIT", identifier: "MIT" },
    },
    // Beside this document, also where a proxy has put a prefix in front of it.
    servers: [{ url: "." }],
    tags: Object.entries(TAGS)
      .map(([name, description]) => ({ name, description })),
    paths: paths(endpoints),
    components: {
      headers: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => [
          name,
          { description, schema: { type: "string" } },
        ]),
      ),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", ...with_key },
        api_key: {
          type: "apiKey",
          in: "header",
          name: "X-API-Key",
          ...with_key,
        },
      },
    },
  };
}

function paths(endpoints: readonly Endpoint[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = {
      ...paths[path],
      [endpoint.method]: operation(endpoint),
    };
  }
  return paths;
}

function operation(endpoint: Endpoint) {
  const { name, path, summary, description, params, query, access } = endpoint;
  const [, tag = "health"] = /^\/api\/v1\/(\w+)/.exec(path) ?? [];
  const content = bodyContent(endpoint);
  return {
    operationId: name,
    tags: [tag],
    summary,
    description,
    security: securityOf(access),
    parameters: [...parameters("path", params), ...parameters("query", query)],
    ...content && { requestBody: { required: true, ...content } },
    responses: responses(endpoint),
  };
}

function bodyContent({ body, upload }: Endpoint) {
  if (body) return { content: { "application/json": schemaOf(body) } };
  if (!upload) return undefined;
  return {
    description: upload,
    content: { "application/octet-stream": { schema: {} } },
  };
}

function responses(
  { method, path, access, query, answers, answer, has_etag = !!answer }:
    Endpoint,
) {
  const { 429: too_fast, ...early_failures } = EARLY_FAILURES;
  const early: Endpoint["answers"][] = [
    early_failures,
    isProbe(`//localhost${path}`) ? {} : { 429: too_fast },
    // Those that always need a key have their own.
    access === "public" || alwaysNeedsKey(access) ? {} : KEY_FAILURES,
    method === "get" ? {} : PAGE_FAILURES,
  ];
  const of_all = Object.assign({}, ...early, answers);
  const statuses = Object.keys(of_all).map(Number);
  // Data-Version is missing only where nothing is served yet.
  const lasting: Header[] = has_etag
    ? ["ETag", "Data-Version", "Cache-Control"]
    : [];
  return {
    ...Object.fromEntries(statuses.map((status) => {
      const all = [answers, ...early].map((one) => one[status])
        .filter(Boolean);
      const description = all.map(({ description }) => description).join(". ");
      const formats = status === 200 ? query?.shape.format : undefined;
      return [
        status,
        response({ ...all[0], description }, {
          formats,
          headers: [
            ...status === 200 ? lasting : [],
            ...formats ? ["Content-Disposition" as const] : [],
            ...status === 401 ? ["WWW-Authenticate" as const] : [],
            ...status === 405 ? ["Allow" as const] : [],
            ...status === 429
              ? ["RateLimit" as const, "RateLimit-Policy" as const]
              : [],
            ...status === 429 || status === 503 ? ["Retry-After" as const] : [],
          ],
        }),
      ];
    })),
    ...has_etag && {
      304: {
        description: "The client has it: If-None-Match",
        headers: headersOf(lasting),
      },
    },
  };
}

function headersOf(names: readonly Header[]) {
  return Object.fromEntries(
    (["X-Request-Id", ...names] as const).map((name) => [
      name,
      { $ref: `#/components/headers/${name}` },
    ]),
  );
}

// Reading needs no key unless the settings say so.
function securityOf(access: Access) {
  if (access === "public") return [];
  const with_key = [{ bearer: [] }, { api_key: [] }];
  return alwaysNeedsKey(access) ? with_key : [{}, ...with_key];
}

function alwaysNeedsKey(access: Access): boolean {
  return access === "embed" || access === "admin";
}

function parameters(place: "path" | "query", schema?: z.ZodObject) {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const required = place === "path";
    const parameter = (json: z.core.JSONSchema.BaseSchema) => {
      // A number that is checked as the text that it is in a URL.
      const { description, number, ...text } = json;
      return { name, in: place, required, description, schema: number ?? text };
    };
    const json = jsonSchema(field as z.ZodType);
    const by_ids = json.by_ids as ByIds | undefined;
    return by_ids
      ? {
        by_ids: {
          integer: parameter(by_ids.integer),
          text: parameter(by_ids.text),
        },
      }
      : parameter(json);
  });
}

function response(
  { description, schema, content_type = "application/json", example }: Answer,
  { formats, headers }: {
    readonly formats?: z.ZodType;
    readonly headers: readonly Header[];
  },
) {
  return {
    description,
    headers: headersOf(headers),
    content: {
      [content_type]: { ...schemaOf(schema), example },
      ...formats && downloads(formats),
    },
  };
}

function schemaOf(schema: z.ZodType) {
  return { schema: jsonSchema(schema) };
}

/** The media types of the other formats in which an answer is available. */
function downloads(formats: z.ZodType) {
  const names = jsonSchema(formats).enum as FormatName[];
  const others = names.filter((name) => name !== "json");
  return Object.fromEntries(
    others.map((name) => [FORMATS[name].media_type, {}]),
  );
}

/** What stands in the place of a node, by what a customer_id is. */
type ByIds = Record<CustomersShape["ids"], z.core.JSONSchema.BaseSchema>;

/**
 * The document with every schema that has a name among its components: zod puts the
 * named schemas of each schema beside it. Of what depends on the customers, it has
 * what is so in the served data.
 */
function named<Document extends { readonly components: object }>(
  document: Document,
  { ids, names, attributes }: CustomersShape & {
    readonly attributes: readonly string[];
  },
): Document {
  const schemas: Record<string, unknown> = {};
  const hoisted = (value: unknown): unknown => {
    if (typeof value === "string") {
      return value.replace("#/$defs/", "#/components/schemas/");
    }
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      return attributes.length === 0
        ? value.map(hoisted)
        : value.flatMap((one) => withParams(one, attributes)).map(hoisted);
    }
    const { $defs, by_ids, only_names: _, ...rest } = attributes.length === 0
      ? value as Node
      : withProperties(value as Node, attributes);
    if (by_ids) return hoisted(by_ids[ids]);
    if ($defs) Object.assign(schemas, hoisted($defs));
    return Object.fromEntries(
      Object.entries(rest)
        .filter(([, one]) => names || !(one as Node | null)?.only_names)
        .map(([name, one]) => [
          name,
          name === "example" && ids === "text"
            ? withTextIds(one)
            : hoisted(one),
        ]),
    );
  };
  const { components, ...rest } = hoisted(document) as Document;
  return { ...rest, components: { schemas, ...components } } as Document;
}

/** A parameter, and where it is the last one about records, one for each attribute; `by` and `pivot` name them. */
function withParams(one: Node, attributes: readonly string[]): Node[] {
  if (one?.in !== "query") return [one];
  if (one.name === LAST.name) {
    const json = attributes.map((name) => ({
      name,
      in: "query",
      required: false,
      description: attributeParam(name).meta()!.description,
      schema: { type: "string" },
    }));
    return [one, ...json];
  }
  const last = LAST_LISTED[one.name as keyof typeof LAST_LISTED];
  return last === undefined ? [one] : [{
    ...one,
    description: String(one.description)
      .replace(`${last},`, `${[last, ...attributes].join(", ")},`),
  }];
}

/** The dimension that attributes follow wherever dimensions of customers are listed. */
const LAST = ofCustomers(NAMED_DIMENSIONS).at(-1)!;

/** The same in the description of a parameter. */
const LAST_LISTED = {
  by: LAST.name,
  pivot: ofCustomers(NAMED_DIMENSIONS).findLast(({ pivots }) => pivots)!.name,
};

/** A schema of what records say, or of the filters of an explanation, with the attributes. */
function withProperties(node: Node, attributes: readonly string[]): Node {
  const { properties, required } = node as {
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly required?: readonly string[];
  };
  const like = properties?.[LAST.name] ??
    (properties?.customer_ids ? properties[LAST.plural] : undefined);
  if (like === undefined) return node;
  return {
    ...node,
    properties: {
      ...properties,
      ...Object.fromEntries(attributes.map((name) => [name, like])),
    },
    ...required?.includes(LAST.name) && {
      required: [...required, ...attributes],
    },
  };
}

interface Node {
  readonly $defs?: unknown;
  readonly by_ids?: ByIds;
  readonly only_names?: true;
  readonly [name: string]: unknown;
}

/** An example in which a customer_id is a text. */
function withTextIds(example: unknown): unknown {
  if (Array.isArray(example)) return example.map(withTextIds);
  if (typeof example !== "object" || example === null) return example;
  return Object.fromEntries(
    Object.entries(example).map(([name, one]) => [
      name,
      name === "customer_id" ? String(one) : withTextIds(one),
    ]),
  );
}

function jsonSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
