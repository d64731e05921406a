/** The measures and the dimensions, with their definitions. */

import {
  type Dimension,
  dimensionNames,
  NAMED_DIMENSIONS,
  type NamedDimension,
  pivotsOf,
  type TimeDimension,
} from "../db/model/dimensions.ts";

/** A measure: a number that is counted. */
export interface Measure {
  readonly name: string;
  readonly endpoint: string;
  readonly definition: string;
  readonly grain: string;
  /** Whether the groups of a partition add up to the whole. */
  readonly adds_up: boolean;
}

/** A dimension by which measures are grouped. */
export interface CataloguedDimension {
  readonly name: Dimension;
  readonly definition: string;
  readonly grain: string;
  /** Whether its groups add up to the whole. */
  readonly adds_up: boolean;
  /** Whether its values can be columns. */
  readonly pivots: boolean;
}

/** Every measure. */
export const MEASURES = [
  {
    name: "interactions",
    endpoint: "/api/v1/metrics/interactions",
    definition:
      "Contacts with customers: one for each customer of a row that was kept; rows that were set aside do not count.",
    grain: "one customer, channel and moment",
    adds_up: true,
  },
  {
    name: "customers",
    endpoint: "/api/v1/metrics/customers",
    definition:
      "All known customers, with a record in the customers files or from interactions only, contacted or not.",
    grain: "one customer_id",
    adds_up: true,
  },
  {
    name: "customers_reached",
    endpoint: "/api/v1/metrics/customers",
    definition:
      "Known customers with at least one interaction in the period, on the channel or about the topic that is asked for; a customer counts once in each group.",
    grain: "one customer_id",
    adds_up: false,
  },
] as const satisfies readonly Measure[];

type Described = Omit<CataloguedDimension, "name" | "pivots">;

const DESCRIBED: Readonly<
  Record<
    typeof NAMED_DIMENSIONS[number]["name"] | "customer_id" | TimeDimension,
    Described
  >
> = {
  channel: {
    definition: "How the customer was contacted.",
    grain: "interaction",
    adds_up: true,
  },
  topic: {
    definition:
      "By the month's product, an assumption: the products that the products files name for the month, unless the interaction has its own topics. An interaction with several topics is counted under each; null is no topic.",
    grain: "interaction and topic",
    adds_up: false,
  },
  type: {
    definition:
      "The customer's type as of the latest record, for all of the history; null is unknown.",
    grain: "customer",
    adds_up: true,
  },
  occupation: {
    definition:
      "The customer's occupation as of the latest record, in its most frequent spelling; null is unknown.",
    grain: "customer",
    adds_up: true,
  },
  customer_id: {
    definition: "The customer.",
    grain: "customer",
    adds_up: true,
  },
  day: period("The day, such as 2020-03-05."),
  week: period("The ISO week, from Monday, such as 2020-W10."),
  month: period("The month, such as 2020-03."),
  quarter: period("The quarter, such as 2020-Q1."),
  year: period("The year, such as 2020."),
  weekday: {
    definition: "The day of the week, 1 (Monday) to 7.",
    grain: "day",
    adds_up: true,
  },
};

function period(definition: string) {
  return { definition, grain: "day", adds_up: true };
}

/** Every dimension, in the order in which errors list them. */
export function catalogueOf(
  named: readonly NamedDimension[],
): readonly CataloguedDimension[] {
  const pivots = pivotsOf(named);
  return dimensionNames(named).map((name) => ({
    name,
    ...DESCRIBED[name as keyof typeof DESCRIBED] ?? attribute(name),
    pivots: pivots.includes(name),
  }));
}

/** What tally.toml names, is told by its name alone. */
function attribute(name: string): Described {
  return {
    definition:
      `The customer's ${name} as of the latest record, in its most frequent spelling; null is unknown.`,
    grain: "customer",
    adds_up: true,
  };
}
