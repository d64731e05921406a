/** What can be asked of a deployment: its names, ids, days and parameters, from its own answers. */

import { askJson, type Deployment } from "./deployment.ts";

/** A value of a dimension; null is none. */
export type Name = string | null;

/** All that random questions are made of. */
export interface Catalogue {
  /** The parameters of each path that both deployments describe, by the path. */
  readonly operations: Readonly<Record<string, readonly string[]>>;
  /** The dimensions of metrics, and whether each can be columns. */
  readonly dimensions: readonly {
    readonly name: string;
    readonly pivots: boolean;
  }[];
  /** The names that filters take, by the parameter; empty where they are too many. */
  readonly names: Readonly<Record<string, readonly Name[]>>;
  readonly customer_ids: readonly (string | number)[];
  readonly date_range: { readonly first: string; readonly last: string } | null;
  /** The number of customers. */
  readonly customers: number;
  /** Texts whose beginnings are searched for. */
  readonly texts: readonly string[];
  /** The files with rows that were set aside, and others. */
  readonly files: readonly string[];
}

/** Which version of the data a deployment serves, and of what API. */
export interface ServedVersion {
  readonly data_version: string;
  readonly loaded_at: string;
  /** `info.version` of its OpenAPI document. */
  readonly api_version: string;
}

/** The version that a deployment serves, and the questions that it answers. */
export interface Described {
  readonly version: ServedVersion;
  readonly catalogue: Catalogue;
}

const LISTS: Readonly<Record<string, string>> = {
  channels: "channel",
  topics: "topic",
  types: "type",
  occupations: "occupation",
};

/** Lists from which ids are taken: the first, the last, and those with most interactions. */
const ID_PATHS = [
  "/api/v1/interactions?limit=200",
  "/api/v1/interactions?limit=100&sort=-customer_id",
  "/api/v1/interactions?limit=100&sort=-total",
];

/** The parameters in the query string of what can be read, by its path. */
// deno-lint-ignore no-explicit-any
function operationsOf(document: any): Record<string, string[]> {
  // deno-lint-ignore no-explicit-any
  const paths = Object.entries<any>(document.paths);
  return Object.fromEntries(
    paths.filter(([, { get }]) => get).map(([path, { get }]) => [
      path,
      (get.parameters as { name: string; in: string }[])
        .filter((one) => one.in === "query").map(({ name }) => name),
    ]),
  );
}

/**
 * Asks a deployment what it has.
 *
 * Throws `NotReachedError` when it does not serve data.
 */
export async function describe(deployment: Deployment): Promise<Described> {
  const get = (path: string) => askJson(deployment, path);
  const document = await get("/openapi.json");
  const { data: lists, meta } = await get("/api/v1/dimensions");
  const { data: metrics } = await get("/api/v1/metrics");
  const { data: { report } } = await get("/api/v1/data");
  const { data: customers } = await get("/api/v1/customers?limit=200");
  const rows = [];
  for (const path of ID_PATHS) rows.push(...(await get(path)).data);
  const ids = [...customers, ...rows].map(({ customer_id }) => customer_id);

  const names: Record<string, Name[]> = {};
  const listed = [
    ...Object.entries(LISTS).map(([list, name]) => [name, lists[list]]),
    ...Object.entries(lists.attributes ?? {}),
  ] as [string, { name: Name }[] | null][];
  for (const [filter, list] of listed) {
    names[filter] = (list ?? []).map(({ name }) => name);
  }
  return {
    version: { ...versionOf(meta), api_version: document.info.version },
    catalogue: {
      operations: operationsOf(document),
      dimensions: metrics.dimensions.map((
        { name, pivots }: { name: string; pivots: boolean },
      ) => ({ name, pivots })),
      names,
      customer_ids: [...new Set<string | number>(ids)],
      date_range: lists.date_range,
      customers: report.customers,
      texts: textsOf([...customers, ...rows]),
      files: report.files.map(({ file }: { file: string }) => file),
    },
  };
}

function versionOf(
  { data_version, loaded_at }: { data_version: string; loaded_at: string },
) {
  return { data_version, loaded_at };
}

function textsOf(
  rows: readonly {
    customer_id: string | number;
    occupation?: Name;
    name?: Name;
  }[],
): string[] {
  return [
    ...new Set(
      rows.flatMap(({ customer_id, occupation, name }) =>
        [String(customer_id), occupation, name].filter((text) =>
          text !== null && text !== undefined
        ) as string[]
      ),
    ),
  ];
}

/** A catalogue of `one` with only the paths and parameters that `other` has too. */
export function ofBoth(one: Catalogue, other: Catalogue): Catalogue {
  return {
    ...one,
    operations: Object.fromEntries(
      Object.entries(one.operations)
        .filter(([path]) => Object.hasOwn(other.operations, path))
        .map(([path, names]) => [
          path,
          names.filter((name) => other.operations[path].includes(name)),
        ]),
    ),
  };
}

/** What only one of two deployments describes: paths, and parameters of paths. */
export function onlyOfOne(one: Catalogue, other: Catalogue): string[] {
  const all = ({ operations }: Catalogue) =>
    new Set(
      Object.entries(operations).flatMap(([path, names]) => [
        path,
        ...names.map((name) => `${name} of ${path}`),
      ]),
    );
  return [...all(one).symmetricDifference(all(other))].sort();
}
