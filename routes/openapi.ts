/** `/openapi.json`: the API, described by the schemas that check requests. */

import { z } from "zod";
import {
  type Access,
  type Answer,
  type Endpoint,
  endpoint,
  failure,
} from "./endpoint.ts";
import { type FormatName, FORMATS } from "./formats/formats.ts";

/** The failures that are found before a request gets to its endpoint. */
const EARLY_FAILURES = {
  400: failure("The Host header is missing, or is no host"),
  414: failure("The URL is too long"),
  421: failure("Nothing is answered under this host"),
} as const;
const PAGE_FAILURES = {
  403: failure("A page of another origin sent it, which may not"),
} as const;
const KEY_FAILURES = {
  401: failure("Keys are on, and none that is known was sent"),
  403: failure("The key or token is not for this"),
} as const;

/** The endpoint that describes all others. */
export function createOpenApi(endpoints: readonly Endpoint[]) {
  const document = JSON.stringify(describe(endpoints));
  return endpoint({
    access: "public",
    path: "/openapi.json",
    summary: "The API as OpenAPI 3.1",
    description: "Made of the schemas that check requests.",
    answers: {
      200: { description: "The document", schema: z.looseObject({}) },
    },
    answerNow: () => ({
      of: "stream",
      media_type: "application/json",
      body: document,
    }),
  });
}

function describe(endpoints: readonly Endpoint[]) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Tally",
      version: "1",
      description:
        "How often each customer was contacted, per channel and topic. A topic is by the month's product, an assumption.",
    },
    paths: paths(endpoints),
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description:
            "A key of API_KEYS_FILE, a token of POST /api/v1/tokens, or the key whose SHA-256 is the setting ADMIN_KEY_SHA256. Reading needs one only where API_KEYS_FILE is set.",
        },
        api_key: {
          type: "apiKey",
          in: "header",
          name: "X-API-Key",
          description: "The same, for clients that cannot send the other.",
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
  const { summary, description, params, query, body, access } = endpoint;
  return {
    summary,
    description,
    ...access !== "public" && { security: securityOf(access) },
    parameters: [...parameters("path", params), ...parameters("query", query)],
    ...body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: jsonSchema(body) } },
      },
    },
    responses: responses(endpoint),
  };
}

function responses({ method, access, query, answers, answer }: Endpoint) {
  const early: Endpoint["answers"][] = [
    EARLY_FAILURES,
    // Those that always need a key have their own.
    access === "public" || alwaysNeedsKey(access) ? {} : KEY_FAILURES,
    method === "get" ? {} : PAGE_FAILURES,
  ];
  const of_all = Object.assign({}, ...early, answers);
  const statuses = Object.keys(of_all).map(Number);
  return {
    ...Object.fromEntries(statuses.map((status) => {
      const all = [answers, ...early].map((one) => one[status])
        .filter(Boolean);
      const description = all.map(({ description }) => description).join(". ");
      const formats = status === 200 ? query?.shape.format : undefined;
      return [status, response({ ...all[0], description }, formats)];
    })),
    // What comes from a snapshot has an ETag.
    ...answer && { 304: { description: "The client has it: If-None-Match" } },
  };
}

// Reading needs no key unless the settings say so.
function securityOf(access: Access) {
  const with_key = [{ bearer: [] }, { api_key: [] }];
  return alwaysNeedsKey(access) ? with_key : [{}, ...with_key];
}

function alwaysNeedsKey(access: Access): boolean {
  return access === "embed" || access === "admin";
}

function parameters(place: "path" | "query", schema?: z.ZodObject) {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...rest } = jsonSchema(field as z.ZodType);
    const required = place === "path";
    return { name, in: place, required, description, schema: rest };
  });
}

function response(
  { description, schema, content_type = "application/json", example }: Answer,
  formats?: z.ZodType,
) {
  return {
    description,
    content: {
      [content_type]: { schema: jsonSchema(schema), example },
      ...formats && downloads(formats),
    },
  };
}

/** The media types of the other formats in which an answer is available. */
function downloads(formats: z.ZodType) {
  const names = jsonSchema(formats).enum as FormatName[];
  const others = names.filter((name) => name !== "json");
  return Object.fromEntries(
    others.map((name) => [FORMATS[name].media_type, {}]),
  );
}

function jsonSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
