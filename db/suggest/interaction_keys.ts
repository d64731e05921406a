/** Drafts the keys of interactions: who, when, by which channel and about what. */

import { type ColumnFacts, likelyForms } from "./column_facts.ts";
import {
  type Body,
  deletedFilters,
  type DraftFilter,
  type DraftKey,
  type DraftValue,
  filling,
  headersOf,
  idOf,
  isShort,
  isTime,
  keyOf,
  known,
  percent,
  valuesAmong,
} from "./draft_keys.ts";
import {
  channelOf,
  DONE,
  PLANNED,
  rankOf,
  type Role,
} from "./known_headers.ts";
import { findLinks, type Link, type Target } from "./links.ts";
import type { Sample } from "./sample.ts";

function interactionFilters(columns: readonly ColumnFacts[]): DraftFilter[] {
  const filters = deletedFilters(columns);
  for (const facts of known("status", columns)) {
    const done = valuesAmong(facts, DONE);
    const planned = valuesAmong(facts, PLANNED);
    if (planned.length === 0 || done.length === 0) continue;
    filters.push({
      key: "keep_where",
      header: facts.header,
      values: done,
      evidence: "others are planned",
    });
  }
  for (const facts of known("first_line", columns)) {
    if (facts.values.length === facts.rows) continue;
    filters.push({
      key: "skip_where",
      header: facts.header,
      values: [""],
      evidence: "the further lines of an order have none",
    });
  }
  return filters;
}

/** What interactions may name the customers by. */
function targetsOf(columns: readonly ColumnFacts[]): Target[] {
  const { column: id, pattern } = idOf(columns);
  const names = known("name", columns);
  return [
    ...id ? [{ by: "id" as const, facts: id, pattern: pattern?.regexp }] : [],
    ...columns.filter(({ emails }) => emails >= 0.5)
      .map((facts) => ({ by: "email" as const, facts })),
    ...columns.filter(({ phones }) => phones >= 0.5)
      .map((facts) => ({ by: "phone" as const, facts })),
    ...names.map((facts) => ({ by: "name" as const, facts })),
  ].map(({ pattern, ...target }: Target) =>
    pattern ? { ...target, pattern } : target
  );
}

/** Drafts a source of interactions; `named` is its file and sheet, `customers` are those of each file of customers. */
export function interactionsBody(
  columns: readonly ColumnFacts[],
  { named, customers }: {
    readonly named: Pick<Sample, "file" | "sheet">;
    readonly customers: readonly (readonly ColumnFacts[])[];
  },
): Body {
  const unsure: string[] = [];
  const keys: DraftKey[] = [];
  const used: string[] = [];
  const take = (key: DraftKey) => {
    keys.push(key);
    if (key.facts) used.push(key.facts.header);
  };
  const free = (role: Role) =>
    known(role, columns).filter(({ header }) => !used.includes(header));

  const id = free("interaction_id").find(({ distinct, values, rows, times }) =>
    times.length === 0 && values.length >= 0.9 * rows &&
    distinct >= 0.5 * values.length &&
    (values.length > 1 || /id|no|number/i.test(named.file + values[0]))
  );
  if (id) take(keyOf("id", id));

  const links = findLinks(
    columns.filter(({ header }) => !used.includes(header)),
    customers.flatMap(targetsOf),
  );
  const [link] = links;
  if (link) take(customerKey(link, links));
  else {
    unsure.push(
      "No column says which customer: write customer, or leave the source out",
    );
    keys.push({
      key: "customer",
      choices: [],
      evidence: "no column with ids, addresses or names of the customers",
      asks: "Which column names the customer",
    });
  }
  const time = timeKey(columns.filter(({ header }) => !used.includes(header)));
  if (time) take(time);

  const isNamed = ({ values, times, distinct }: ColumnFacts) =>
    times.length === 0 && distinct <= 1_000 && isShort(values);
  const [channel, ...channels] = free("channel").filter(isNamed);
  const noun = channelOf(named.sheet ?? "") ?? channelOf(named.file);
  if (channel) {
    take(keyOf("channel", channel, {
      ...channels.length > 0 && {
        asks: `Others may be meant: ${headersOf(channels)}`,
      },
    }));
  } else {
    keys.push({
      key: "channel",
      choices: noun === null ? [] : [{ value: noun }],
      evidence: noun === null
        ? "no column, and no channel in the name of the file"
        : "no column; by the name of the file",
      ...noun === null && {
        asks: 'Which channel are these? Write channel = { value = "Call" }',
      },
    });
  }
  const [topic, ...topics] = free("topic").filter(isNamed);
  if (topic) {
    const has_commas = topic.values.some((value) => value.includes(", "));
    take(keyOf("topic", topic, {
      ...has_commas && {
        choices: [{ column: topic.header, separator: "," }],
      },
      ...topics.length > 0 && {
        asks: `Others may be meant: ${headersOf(topics)}`,
      },
    }));
  }
  return {
    table: "interactions",
    keys,
    filters: interactionFilters(columns),
    unsure,
  };
}

function customerKey(link: Link, links: readonly Link[]): DraftKey {
  const { facts, target, is_exact, separator, found } = link;
  const how: Record<string, string> = {
    ...separator !== undefined && { separator },
    ...target && !is_exact && { match: target.facts.header },
    ...target?.by === "phone" && { match_as: "phone" },
  };
  const choice = Object.keys(how).length > 0
    ? { column: facts.header, ...how }
    : facts.header;
  const others = [
    ...new Set(
      links.filter((other) => other.facts !== facts)
        .map((other) => JSON.stringify(other.facts.header)),
    ),
  ];
  return keyOf("customer", facts, {
    choices: [choice],
    evidence: target
      ? `${percent(found)} found in ${
        JSON.stringify(target.facts.header)
      } of customers; ${filling(facts)}`
      : `by its header alone; ${filling(facts)}`,
    ...others.length > 0
      ? { asks: `Others may be meant: ${others.slice(0, 5).join(", ")}` }
      : found < 0.9 && target
      ? { asks: "Some are not found in the sample of the customers" }
      : {},
  });
}

function timeKey(columns: readonly ColumnFacts[]): DraftKey | null {
  const times = columns.filter(isTime);
  const rank = ({ header }: ColumnFacts) => rankOf("time", header) ?? 1_000;
  const fit = ({ times, has_native_dates }: ColumnFacts) =>
    has_native_dates ? 1 : times[0].share;
  const [facts, ...others] = times.sort((a, b) =>
    rank(a) - rank(b) || fit(b) - fit(a)
  );
  if (!facts) return null;
  const clock = known("clock", columns)
    .find((one) => one !== facts && one.clocks >= 0.5);
  const is_two = clock !== undefined &&
    !facts.values.some((value) => value.includes(":"));
  const forms = facts.has_native_dates ? [] : likelyForms(facts);
  const where: Record<string, string> = is_two
    ? { date: facts.header, time: clock.header }
    : { column: facts.header };
  const choices: DraftValue[] = forms.length === 0 ? [where] : forms
    .map((format) => ({ ...where, format }));
  const asks_order = choices.length > 1;
  const asks_zone = facts.has_zoneless_times || is_two;
  const best = facts.times.at(0);
  return keyOf("time", facts, {
    choices: choices.map((choice) =>
      typeof choice !== "string" && Object.keys(choice).length === 1
        ? facts.header
        : choice
    ),
    ...asks_zone && !asks_order && typeof choices[0] !== "string" && {
      instead: { ...choices[0], zone: "Europe/Berlin" },
    },
    evidence: `${
      facts.has_native_dates
        ? "dates of the file itself"
        : `${percent(best!.share)} fit ${forms.join(" and ")}`
    }; ${filling(facts)}`,
    asks: [
      ...asks_order ? ["The sample fits each of these forms: choose one"] : [],
      ...asks_zone
        ? [
          "In which time zone are these times? Without zone they are used as written",
        ]
        : [],
      ...others.length > 0
        ? [`Other columns with times: ${headersOf(others)}`]
        : [],
    ].join(". ") || undefined,
  });
}
