/** `/openapi.json`: the API, described by the schemas that check requests. */

import { z } from "zod";
import {
  type Access,
  type Answer,
  type Described,
  endpoint,
} from "./endpoint.ts";

/** The endpoint that describes all others. */
export function createOpenApi(endpoints: readonly Described[]) {
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

function describe(endpoints: readonly Described[]) {
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

function paths(endpoints: readonly Described[]) {
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

function operation(
  { summary, description, params, query, body, access, answers }: Described,
) {
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
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [
        status,
        response(answer),
      ]),
    ),
  };
}

// Reading needs no key unless the settings say so.
function securityOf(access: Access) {
  const with_key = [{ bearer: [] }, { api_key: [] }];
  return access === "embed" || access === "admin"
    ? with_key
    : [{}, ...with_key];
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
) {
  return {
    description,
    content: {
      [content_type]: { schema: jsonSchema(schema), example },
    },
  };
}

function jsonSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
