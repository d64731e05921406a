/** Checks answers against the OpenAPI document. */

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/** The schema of a parameter. */
export interface Schema {
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly format?: string;
}

/** A parameter of an operation. */
export interface Parameter {
  readonly in: "path" | "query";
  readonly name: string;
  readonly schema: Schema;
}

/** An operation of the document. */
export interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, {
      readonly content?: Readonly<Record<string, { readonly schema: object }>>;
    }>
  >;
}

/** The operations by path and method. */
export type Paths = Readonly<
  Record<string, Readonly<Record<string, Operation>>>
>;

/** What is checked. */
export interface GivenAnswer {
  readonly status: number;
  /** Empty where it has no body. */
  readonly type: string;
  readonly text: string;
}

/** An operation with its method and path. */
export type NamedOperation = Operation & { readonly name: string };

/** Makes the checks of a document. */
export function createDocumentCheck(
  { paths, components }: { readonly paths: Paths; readonly components: object },
) {
  const ajv = new Ajv2020({ validateFormats: false, strict: false });
  const compiled = new Map<object, ValidateFunction>();
  // Literal paths first, as OpenAPI has it.
  const templates = Object.keys(paths)
    .sort((a, b) => a.split("{").length - b.split("{").length)
    .map((path) => ({
      path,
      pattern: RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    }));
  return {
    /** The operation that a request is for; `method` is in lower case. */
    operationOf(method: string, pathname: string): NamedOperation | undefined {
      const path = templates.find(({ path, pattern }) =>
        pattern.test(pathname) && paths[path][method]
      )?.path;
      return path === undefined
        ? undefined
        : { name: `${method} ${path}`, ...paths[path][method] };
    },

    /** How an answer differs from what the document says; null when it does not. */
    problemOf(
      { name, responses }: NamedOperation,
      { status, type, text }: GivenAnswer,
    ): string | null {
      const documented = responses[status];
      if (!documented) return `${name}: undocumented status ${status}`;
      const content = documented.content?.[type];
      if (type && !content) {
        return `${name} ${status}: undocumented type ${type}`;
      }
      if (type !== "application/json") return null;
      const { schema } = content!;
      const validate = compiled.get(schema) ??
        ajv.compile({ ...schema, components });
      compiled.set(schema, validate);
      return validate(JSON.parse(text))
        ? null
        : `${name} ${status}: ${ajv.errorsText(validate.errors)}`;
    },
  };
}
