/** Reads the text of tally.toml by its schema, and says every mistake by the place of its key. */

import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import { nearest } from "../model/edit_distance.ts";
import { escapeUnseen } from "../model/names.ts";
import { type LoadProblem, refused } from "../model/problems.ts";
import { type MappingFile, mappingSchema } from "./mapping_schema.ts";

/** The file in the data folder that has the mapping. */
export const MAPPING_FILE = "tally.toml";
/** The file beside it that tells editors its schema. */
export const MAPPING_SCHEMA_FILE = "tally.schema.json";
/** The largest size of the mapping. */
export const MAPPING_MAX_BYTES = 1 << 18;
const REMEDY = "Mend it as docs/file-contract.md says";
/** How a draft begins a question that must be answered; the lines to choose from, if any, are comments below it. */
export const MUST_CHOOSE = "# CHOOSE: ";
/** A line to choose, before and after it is chosen, and its key. */
const CHOICE = /^(?:# )?(\w+) = /;
/** The number of mistakes that a refusal names. */
const PROBLEMS_LISTED = 10;
/** So many issues, and keys of an issue, are looked at: enough to tell which alternative was meant. */
const ISSUES_READ = 100;

/** The contents of the text of tally.toml. Throws a refusal that names every mistake. */
export function readMappingFile(text: string): MappingFile {
  const value = parseToml(text);
  const parsed = mappingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refused(
    ...mistakesIn(parsed.error.issues, {
      whole: value,
      before: [],
      if_missing: remedyIfMissing(text),
    }).slice(0, PROBLEMS_LISTED),
  );
}

/** What to do where a key is missing: in a draft, it may be a question without an answer. */
function remedyIfMissing(text: string): string {
  const lines = text.split("\n");
  const open = lines.flatMap((line, i) => {
    if (!line.startsWith(MUST_CHOOSE)) return [];
    const choices = choicesIn(lines, i + 1);
    return choices.every((choice) => choice.startsWith("#"))
      ? [{ line: i + 1, has_choices: choices.length > 0 }]
      : [];
  });
  const answer = (has_choices: boolean, how: string) => {
    const asked = open.filter((one) => one.has_choices === has_choices)
      .map(({ line }) => line);
    return asked.length === 0
      ? []
      : [`Answer CHOOSE in line ${asked.join(", ")}: ${how}`];
  };
  return [
    ...answer(
      true,
      "remove the # before one of the lines below it, or write the key there",
    ),
    ...answer(false, "write the key there"),
  ].join(". ") || REMEDY;
}

/** The lines from `start` on of which one is to be chosen; what is one line alone is another key. */
function choicesIn(lines: readonly string[], start: number): string[] {
  const keyOf = (line = "") => CHOICE.exec(line)?.[1];
  const key = keyOf(lines[start]);
  let end = start;
  while (key !== undefined && keyOf(lines[end]) === key) end++;
  return end - start > 1 ? lines.slice(start, end) : [];
}

function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.split("\n");
    throw refused({
      file: MAPPING_FILE,
      line: error.line,
      problem: `column ${error.column}: ${
        what.replace(/^Invalid TOML document: /, "not valid TOML, ")
          .replace(/\. aborting\.$/, "")
      }`,
      remedy: "Mend the line, or leave tally.toml out",
    });
  }
}

/** One mistake, by the path of its key. */
type Issue = z.core.$ZodIssue;

interface WhereIssuesAre {
  readonly whole: unknown;
  /** The path to where the paths of issues begin. */
  readonly before: readonly PropertyKey[];
  /** What to do where a key is missing. */
  readonly if_missing: string;
}

function mistakesIn(
  all: readonly Issue[],
  where: WhereIssuesAre,
): LoadProblem[] {
  const issues = all.slice(0, ISSUES_READ).map((issue) =>
    issue.code === "unrecognized_keys"
      ? { ...issue, keys: issue.keys.slice(0, ISSUES_READ) }
      : issue
  );
  // A key that is misspelt is missing as well, which is one mistake.
  const meant = new Set(
    issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) =>
          placeOf([
            ...issue.path,
            nearest(key, keysAt([...where.before, ...issue.path])) ?? key,
          ], where.whole)
        )
        : []
    ),
  );
  return issues
    .filter(({ path }) =>
      path.length === 0 || !meant.has(placeOf(path, where.whole)) ||
      valueAt(where.whole, [...where.before, ...path]) !== undefined
    )
    .flatMap((issue) => mistakesOf(issue, where));
}

function mistakesOf(
  issue: Issue,
  { whole, before, if_missing }: WhereIssuesAre,
): LoadProblem[] {
  const path = [...before, ...issue.path];
  const place = placeOf(path, whole);
  const value = valueAt(whole, path);
  const mistake = (problem: string, remedy = REMEDY) => [
    { file: MAPPING_FILE, problem: `${place}${problem}`, remedy },
  ];
  if (value === undefined && path.length > 0) {
    return mistake(" is missing", if_missing);
  }
  // A date of TOML is an object, and none that could have keys.
  if (value instanceof Date) {
    return mistake(` must be ${kindsAt(path).join(" or ")}`);
  }
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.flatMap((key) => {
        const known = keysAt(path);
        if (known.includes(key)) {
          return mistake(
            `.${key} does not go with ${
              strangersTo(key, { path, value })
            } beside it`,
          );
        }
        return mistake(
          `${place === "" ? "there is" : " has"} no key ${quoted(key)}`,
          remedyWith(nearest(key, known)),
        );
      });
    case "invalid_union": {
      return fewestMistakes(issue.errors, {
        whole,
        before: path,
        if_missing,
      }) ??
        mistake(` must be ${kindsAt(path).join(" or ")}`);
    }
    case "invalid_value": {
      const values = issue.values.map(String);
      return mistake(
        ` must be ${values.join(" or ")}`,
        remedyWith(
          typeof value === "string" ? nearest(value, values) : undefined,
        ),
      );
    }
    case "invalid_type":
      return mistake(` must be ${kindsAt(path).join(" or ")}`);
    case "custom":
      return mistake(` ${issue.message}`, remedyWith(issue.params?.meant));
    default:
      return mistake(` ${issue.message}`);
  }
}

function remedyWith(meant: string | undefined): string {
  return meant === undefined ? REMEDY : `Did you mean ${meant}? ${REMEDY}`;
}

/** The keys beside `key` of a table that no form of the table has together with it. */
function strangersTo(
  key: string,
  { path, value }: {
    readonly path: readonly PropertyKey[];
    readonly value: unknown;
  },
): string {
  const all = nodesAt(path).map(({ properties }) =>
    Object.keys(properties ?? {})
  );
  const known = all.flat();
  const forms = all.filter((keys) => keys.includes(key));
  // A key that no form has is a mistake of its own.
  return Object.keys(value as object)
    .filter((one) =>
      known.includes(one) && forms.every((keys) => !keys.includes(one))
    )
    .join(" and ") || "the other keys";
}

/** The mistakes by the alternative that the value was meant for: the one with the fewest. */
function fewestMistakes(
  branches: readonly (readonly Issue[])[],
  where: WhereIssuesAre,
): LoadProblem[] | undefined {
  return branches
    .filter((issues) =>
      !issues.some(({ code, path }) =>
        path.length === 0 &&
        (code === "invalid_type" || code === "invalid_value")
      )
    )
    .map((issues) => mistakesIn(issues, where))
    .toSorted((a, b) => a.length - b.length).at(0);
}

// Such as interactions[2].time.zone; a list of tables counts from 1, as people do.
function placeOf(path: readonly PropertyKey[], whole: unknown): string {
  return path.map((part, i) => {
    if (typeof part === "number") {
      return Array.isArray(valueAt(whole, path.slice(0, i)))
        ? `[${part + 1}]`
        : `.${part}`;
    }
    const name = /^[\w-]+$/.test(String(part))
      ? String(part)
      : quoted(String(part));
    return i === 0 ? name : `.${name}`;
  }).join("");
}

function quoted(key: string): string {
  return escapeUnseen(JSON.stringify(key.slice(0, 60)));
}

function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      value !== null && typeof value === "object" && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    whole,
  );
}

/** A part of a JSON Schema. */
interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
}

/** tally.toml as JSON Schema, for editors that complete and check it. */
export function mappingJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(mappingSchema, {
    io: "input",
    // What editors of TOML know.
    target: "draft-7",
  });
  // Taplo refuses a schema whose $id is relative.
  return { $schema, $id: "urn:tally:tally.toml", ...schema };
}

interface WholeSchema extends SchemaNode {
  readonly definitions?: Readonly<Record<string, SchemaNode>>;
}

/** Made for the first mistake and kept: it takes longer than all else that is done for one. */
let whole_schema: WholeSchema | undefined;

function nodesAt(path: readonly PropertyKey[]): SchemaNode[] {
  const whole: WholeSchema = whole_schema ??= mappingJsonSchema();
  const alternatives = (node: SchemaNode): SchemaNode[] => {
    if (node.$ref) {
      const name = node.$ref.slice("#/definitions/".length);
      return alternatives(whole.definitions![name]);
    }
    return node.anyOf ? node.anyOf.flatMap(alternatives) : [node];
  };
  return path.reduce<SchemaNode[]>(
    (nodes, key) =>
      nodes.flatMap(({ items, properties, additionalProperties }) => {
        const next = typeof key === "number"
          ? items
          : properties?.[String(key)] ?? additionalProperties;
        return next ? alternatives(next) : [];
      }),
    alternatives(whole),
  );
}

function keysAt(path: readonly PropertyKey[]): string[] {
  return nodesAt(path).flatMap(({ properties }) =>
    Object.keys(properties ?? {})
  );
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  object: "a table",
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
};

function kindsAt(path: readonly PropertyKey[]): string[] {
  return [
    ...new Set(
      nodesAt(path).map((node) =>
        node.const === undefined
          ? KINDS[node.type ?? ""] ?? "another value"
          : String(node.const)
      ),
    ),
  ];
}
