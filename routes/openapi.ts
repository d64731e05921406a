/** `/openapi.json`: the API described by the very schemas that validate. */

import { Hono } from "hono";
import { z } from "zod";
import type { Answer, Endpoint } from "./endpoint.ts";

/** The route, for a table of endpoints. */
export function createOpenApi(endpoints: readonly Endpoint[]) {
  const document = JSON.stringify(describe(endpoints));
  return new Hono().get("/openapi.json", (c) =>
    c.body(document, 200, {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
    }));
}

function describe(endpoints: readonly Endpoint[]) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Tally",
      version: "1",
      description:
        "How often each customer was talked to, per channel and topic. A topic is by the month's product, an assumption.",
    },
    paths: paths(endpoints),
    components: {
      securitySchemes: {
        admin_key: {
          type: "http",
          scheme: "bearer",
          description: "The key whose SHA-256 is the setting ADMIN_KEY_SHA256.",
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
      [endpoint.method ?? "get"]: operation(endpoint),
    };
  }
  return paths;
}

function operation(
  { summary, description, params, query, body, admin, answers }: Endpoint,
) {
  const with_key = { admin_key: [] };
  return {
    summary,
    description,
    ...admin && {
      security: admin === "required" ? [with_key] : [{}, with_key],
    },
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
