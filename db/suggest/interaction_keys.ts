/** Drafts the keys of interactions: who, when, by which channel and about what. */

import { type ColumnFacts, factsOf, likelyForms } from "./column_facts.ts";
import {
  type Body,
  deletedFilters,
  type DraftFilter,
  type DraftKey,
  filling,
  headersOf,
  idOf,
  isShort,
  isTime,
  keyOf,
  known,
  percent,
  quotedList,
  tomlOf,
  valuesAmong,
} from "./draft_keys.ts";
import {
  channelsIn,
  DONE,
  PLANNED,
  rankOf,
  type Role,
  saysCount,
} from "./known_headers.ts";
import {
  findLinks,
  idsIn,
  type Link,
  type LinkTarget,
  type Target,
} from "./links.ts";
import { wordPattern } from "./globs.ts";
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

/** Whether values are numbers that a row may count as, and no ids or years. */
function isCount({ values, times, header }: ColumnFacts): boolean {
  return values.length > 0 && times.length === 0 &&
    values.every((value) => /^\d{1,6}$/.test(value)) &&
    !/(^|[^a-z])(id|nr|no|key|code|year|zip)$/i.test(header);
}

/** What interactions may name the customers of a file by. */
export function targetsOf(columns: readonly ColumnFacts[]): Target[] {
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

/** What samples are called: by their sheets where these have names, else by their files. */
export type Named = Pick<Sample, "file" | "sheet">;

/** The channels that the sheet of a sample speaks of, or else its file. */
export function namedChannels({ file, sheet = "" }: Named): {
  readonly channels: readonly string[];
  readonly from: "sheet" | "file";
} {
  const of_sheet = channelsIn(sheet);
  return of_sheet.length > 0
    ? { channels: of_sheet, from: "sheet" }
    : { channels: channelsIn(file), from: "file" };
}

/** The column with the ids of interactions. */
export function interactionIdOf(
  columns: readonly ColumnFacts[],
  { named }: { readonly named: readonly Named[] },
): ColumnFacts | undefined {
  return known("interaction_id", columns).find((
    { distinct, values, rows, times },
  ) =>
    times.length === 0 && values.length >= 0.9 * rows &&
    distinct >= 0.5 * values.length &&
    (values.length > 1 || /id|no|number/i.test(named[0].file + values[0]))
  );
}

/** The most values of a column that says the channel, where its header does not. */
const FEW_CHANNELS = 20;

/** The columns that say the channel: by their headers, and then by their values, where no name of a file or a sheet says it. */
export function channelColumns(
  columns: readonly ColumnFacts[],
  { named }: { readonly named: readonly Named[] },
): ColumnFacts[] {
  const by_header = known("channel", columns).filter(isNamed);
  const is_said = named.every((one) =>
    namedChannels(one).channels.length === 1
  );
  if (is_said) return by_header;
  const by_values = columns.filter((facts) =>
    isNamed(facts) && !by_header.includes(facts) &&
    rankOf("topic", facts.header) === null &&
    rankOf("status", facts.header) === null && saysChannels(facts)
  );
  return [...by_header, ...by_values];
}

/** Whether most of few values speak of channels, and are no addresses. */
function saysChannels({ values, distinct }: ColumnFacts): boolean {
  if (distinct > FEW_CHANNELS) return false;
  const channels = new Set(values).values().filter((value) =>
    !/@|:\/\//.test(value) && channelsIn(value).length > 0
  );
  return channels.toArray().length > distinct / 2;
}

function isNamed({ values, times, distinct }: ColumnFacts): boolean {
  return times.length === 0 && distinct <= 1_000 && isShort(values);
}

/** Columns of few values that return, which may say the channel whatever they are called. */
function headersOfKinds(columns: readonly ColumnFacts[]): string[] {
  return columns.filter((facts) =>
    isNamed(facts) && facts.distinct > 1 && facts.distinct <= FEW_CHANNELS &&
    facts.distinct * 2 <= facts.values.length && facts.clocks < 0.5 &&
    !facts.values.every((value) => /^[\d.,+-]+$/.test(value))
  ).map(({ header }) => header);
}

/** The channel of files without a column for it. */
function constantChannel(
  named: readonly Named[],
  kinds: readonly string[],
): DraftKey {
  const channels = [
    ...new Set(named.flatMap((one) => namedChannels(one).channels)),
  ];
  const { from } = namedChannels(named[0]);
  const may_be_columns = kinds.length === 0
    ? ""
    : `. If a column says it, name that one: ${quotedList(kinds)}`;
  if (channels.length === 0) {
    const file_name = wordPattern([...new Set(named.map(({ file }) => file))]);
    return {
      key: "channel",
      choices: [],
      evidence: "no column, and no channel in the name of the file",
      asks: `Which channel are these? Write channel = { value = "Call" }${
        file_name === null
          ? ""
          : `, or, for a word of the names of the files, channel = ${
            tomlOf({ file_name })
          }`
      }${may_be_columns}`,
    };
  }
  const is_one = channels.length === 1;
  return {
    key: "channel",
    choices: channels.map((value) => ({ value })),
    evidence: `no column; by the name of the ${from}`,
    ...(!is_one || kinds.length > 0) && {
      asks: `${
        is_one
          ? `The name of the ${from} says the channel`
          : `The name of the ${from} speaks of several channels: choose one`
      }${may_be_columns}`,
    },
  };
}

/** Drafts a source of interactions; `named` are its files and sheets, `targets` are what it may name customers by. */
export function interactionsBody(
  columns: readonly ColumnFacts[],
  { named, targets }: {
    readonly named: readonly Named[];
    readonly targets: readonly LinkTarget[];
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

  const id = interactionIdOf(columns, { named });
  if (id) take(keyOf("id", id));

  const links = findLinks(
    columns.filter(({ header }) => !used.includes(header)),
    targets,
  );
  const [link] = links;
  if (link) {
    take(customerKey(link, { links, has_customers: targets.length > 0 }));
  } else {
    keys.push({
      key: "customer",
      choices: [],
      evidence: "no column with ids, addresses or names of the customers",
      asks:
        "Which column names the customer? Write customer and its header, or leave the source out",
    });
  }
  const time = timeKey(columns.filter(({ header }) => !used.includes(header)));
  if (time) take(time);

  const filters = interactionFilters(columns);
  const filtered = filters.map(({ header }) => header);
  const [channel, ...channels] = channelColumns(columns, { named })
    .filter(({ header }) => !used.includes(header));
  if (channel) used.push(channel.header);
  const [topic, ...topics] = free("topic").filter(isNamed);
  if (topic) used.push(topic.header);
  if (channel) {
    keys.push(keyOf("channel", channel, {
      asks: [
        ...rankOf("channel", channel.header) === null
          ? ["By its values: the header does not say that this is the channel"]
          : [],
        ...channels.length > 0
          ? [`Others may be meant: ${headersOf(channels)}`]
          : [],
      ].join(". ") || undefined,
    }));
  } else {
    const kinds = headersOfKinds(columns).filter((header) =>
      !used.includes(header) && !filtered.includes(header)
    );
    keys.push(constantChannel(named, kinds));
  }
  if (topic) {
    const has_commas = topic.values.some((value) => value.includes(", "));
    keys.push(keyOf("topic", topic, {
      ...has_commas && {
        choices: [{ column: topic.header, separator: "," }],
      },
      ...topics.length > 0 && {
        asks: `Others may be meant: ${headersOf(topics)}`,
      },
    }));
  }
  const numbers = columns.filter((facts) =>
    !used.includes(facts.header) && !filtered.includes(facts.header) &&
    isCount(facts)
  );
  const has_days_alone = time?.facts !== undefined &&
    !time.facts.values.some((value) => value.includes(":"));
  const counts = numbers.filter(({ header }) => saysCount(header) === "surely");
  if (counts.length > 0 && !id) {
    const [count, ...others] = counts;
    keys.push(keyOf("count", count, {
      asks:
        `A row counts as many interactions as this column says: leave the line out if each row is one${
          others.length === 0
            ? ""
            : `. Others may be meant, and one alone can be taken: ${
              headersOf(others)
            }`
        }`,
    }));
  } else {
    const maybe = numbers.filter(({ header }) =>
      saysCount(header) !== null || !id && has_days_alone
    );
    if (maybe.length > 0) {
      unsure.push(
        `Each row is one interaction. If a column says how many a row stands for, write count and its header. Columns of whole numbers: ${
          headersOf(maybe)
        }`,
      );
    }
  }
  return {
    table: "interactions",
    keys,
    filters,
    unsure,
  };
}

function customerKey(
  link: Link,
  { links, has_customers }: {
    readonly links: readonly Link[];
    readonly has_customers: boolean;
  },
): DraftKey {
  const { facts, target, is_exact, separator, found } = link;
  const how: Record<string, string> = {
    ...separator !== undefined && { separator },
    ...target && !is_exact && { match: target.facts.header },
    ...target?.by === "phone" && { match_as: "phone" },
  };
  const choice = Object.keys(how).length > 0
    ? { column: facts.header, ...how }
    : facts.header;
  const { are_lists, may_separate } = target ? {} : idsIn(facts);
  const others = [
    ...new Set(
      links.filter((other) => other.facts !== facts)
        .map((other) => JSON.stringify(other.facts.header)),
    ),
  ];
  return keyOf("customer", facts, {
    choices: [choice],
    ...may_separate !== undefined && {
      instead: { column: facts.header, separator: may_separate },
    },
    evidence: target
      ? `${percent(found)} found in ${
        JSON.stringify(target.facts.header)
      } of customers; ${filling(facts)}`
      : `by its header alone; ${filling(facts)}`,
    asks: [
      ...found < 0.9 && has_customers
        ? [
          `${
            target ? percent(1 - found) : "All"
          } are not found in the sample of the customers`,
        ]
        : [],
      ...are_lists
        ? ["Some cells have several ids: each of them is a customer"]
        : [],
      ...may_separate !== undefined
        ? [
          `Each cell is one customer. Take the other line if ${
            JSON.stringify(may_separate)
          } separates several`,
        ]
        : [],
      ...others.length > 0
        ? [`Others may be meant: ${others.slice(0, 5).join(", ")}`]
        : [],
    ].join(". ") || undefined,
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
  const clock = clockOf(facts, columns);
  const joined = clock && { facts: joinedWith(facts, clock), clock };
  const is_joined = joined !== undefined && hasForm(joined.facts) &&
    known("clock", columns).includes(joined.clock);
  const read = is_joined ? joined.facts : facts;
  const where = (clock: ColumnFacts | undefined): Record<string, string> =>
    clock
      ? { date: facts.header, time: clock.header }
      : { column: facts.header };
  const forms = withForms(where(is_joined ? clock : undefined), read);
  const asks_order = forms.length > 1;
  const with_clock = joined && !is_joined && hasForm(joined.facts)
    ? withForms(where(clock), joined.facts)
    : [];
  const choices = asks_order ? [...forms, ...with_clock] : forms;
  const instead = with_clock.length > 0
    ? with_clock[0]
    : read.has_zoneless_times
    ? { ...forms[0], zone: "Europe/Berlin" }
    : undefined;
  const best = read.times.at(0);
  return keyOf("time", facts, {
    choices: choices.map((choice) =>
      Object.keys(choice).length === 1 ? facts.header : choice
    ),
    ...!asks_order && instead && { instead },
    evidence: `${
      facts.has_native_dates
        ? "dates of the file itself"
        : `${percent(best!.share)} fit ${likelyForms(read).join(" and ")}`
    }; ${filling(facts)}`,
    asks: [
      ...!facts.has_native_dates && best!.share < 1
        ? [
          `${
            Math.round((1 - best!.share) * read.values.length)
          } of ${read.values.length} values have another form: these rows are set aside`,
        ]
        : [],
      ...asks_order ? ["The sample fits each of these forms: choose one"] : [],
      ...clock && !is_joined
        ? [
          with_clock.length > 0
            ? `These are days. Take a line with date and time if ${
              JSON.stringify(clock.header)
            } is their time of day`
            : `These are days: no form reads them together with the time of day in ${
              JSON.stringify(clock.header)
            }`,
        ]
        : [],
      ...read.has_zoneless_times
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

/** The column with the times of day of days that have none: by its header, or else the only one. */
function clockOf(
  days: ColumnFacts,
  columns: readonly ColumnFacts[],
): ColumnFacts | undefined {
  const has_times = days.values.some((value) =>
    days.has_native_dates
      // A spreadsheet keeps no difference between a day and its midnight.
      ? /:/.test(value) && !/ 00:00(:00)?$/.test(value)
      : /:|^\d+\.\d+$/.test(value)
  );
  if (has_times) return undefined;
  const clocks = columns.filter((one) => one !== days && one.clocks >= 0.5);
  return known("clock", clocks).at(0) ??
    (clocks.length === 1 ? clocks[0] : undefined);
}

/** Days and times of day as a load puts them together. */
function joinedWith(days: ColumnFacts, clock: ColumnFacts): ColumnFacts {
  return factsOf({
    header: days.header,
    cells: days.cells.map((cell, i) => `${cell} ${clock.cells[i]}`.trim()),
    has_native_dates: days.has_native_dates,
    has_local_times: days.has_native_dates,
  });
}

function hasForm({ has_native_dates, times }: ColumnFacts): boolean {
  return has_native_dates || times.length > 0;
}

/** Where times are, in each form that they may have. */
function withForms(
  where: Readonly<Record<string, string>>,
  facts: ColumnFacts,
): Readonly<Record<string, string>>[] {
  const forms = facts.has_native_dates ? [] : likelyForms(facts);
  return forms.length === 0
    ? [where]
    : forms.map((format) => ({ ...where, format }));
}
