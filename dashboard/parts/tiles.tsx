/** The first numbers: how much, how many, how often, how fresh; each with its change against the period before. */

import type { Group } from "../answers.ts";
import type { Locale } from "../locale.ts";
import type { Question } from "../questions.ts";
import { ageOf, isBusy, rangeOf, type State } from "../state.ts";
import { ExplainLink } from "./chart_card.tsx";
import { Icon } from "./icons.tsx";

/** The tiles. */
export function Tiles(
  { state, locale }: { readonly state: State; readonly locale: Locale },
) {
  const { channels, dimensions, reached, data } = state.slots;
  const before = channels?.body?.meta.compared_with;
  const is_compared = before !== undefined;
  const counted = totalsOf(channels?.body?.data, {
    measure: "interactions",
    is_compared,
  });
  const range = rangeOf(state);
  const has_no_days = dimensions?.body && range === null;
  // Where nothing has happened, nobody was reached, and nothing is asked.
  const people = has_no_days
    ? { now: 0, before: null }
    : totalsOf(reached?.body?.data, {
      measure: "customers",
      is_compared,
    });
  const each = counted && people && {
    now: ratio(counted.now, people.now),
    before: counted.before === null || people.before === null
      ? null
      : ratio(counted.before, people.before),
  };
  const against = before
    ? locale.days(before.start_date, before.end_date)
    : null;
  const said = { locale, against, is_all: state.view.period.of === "all" };
  const age = ageOf(state);
  return (
    <ul class="tiles">
      <Tile
        title="Interactions"
        value={channels?.error ? "—" : counted && locale.count(counted.now)}
        change={changeOf(counted, said)}
        question={channels?.question}
        is_busy={isBusy(state, "channels")}
      />
      <Tile
        title="Customers reached"
        value={reached?.error ? "—" : people && locale.count(people.now)}
        change={changeOf(people, said)}
        question={reached?.question}
        is_busy={isBusy(state, "reached")}
      />
      <Tile
        title="Contacts per customer"
        value={reached?.error ? "—" : each && locale.ratio(each.now)}
        change={changeOf(each, said)}
        question={reached?.question}
        is_busy={isBusy(state, "reached") || isBusy(state, "channels")}
      />
      <Tile
        title="Newest interaction"
        value={range ? locale.day(range.newest) : data?.body ? "None" : null}
        change={age === null ? null : { text: `Loaded ${locale.ago(age)}` }}
        is_busy={false}
      />
    </ul>
  );
}

interface Change {
  readonly text: string;
  readonly direction?: "up" | "down";
}

function Tile({ title, value, change, question, is_busy }: {
  readonly title: string;
  /** Null while it is counted. */
  readonly value: string | null | undefined;
  readonly change: Change | null;
  readonly question?: Question | undefined;
  readonly is_busy: boolean;
}) {
  return (
    <li class="tile" aria-busy={is_busy ? "true" : "false"}>
      <h3>{title}</h3>
      {question && (
        <ExplainLink question={question} title={title}>
          <Icon of="question" />
          <span class="only-read">{title}: where from?</span>
        </ExplainLink>
      )}
      <p class="tile-value">{value ?? <span class="skeleton">—</span>}</p>
      <p class={`tile-change ${change?.direction ?? ""}`}>
        {change?.direction && <Icon of={change.direction} />}
        {change?.text ?? "\u00a0"}
      </p>
    </li>
  );
}

interface Compared {
  readonly now: number;
  /** Null where nothing is compared. */
  readonly before: number | null;
}

function totalsOf(
  groups: readonly Group[] | undefined,
  { measure, is_compared }: {
    readonly measure: "interactions" | "customers";
    readonly is_compared: boolean;
  },
): Compared | null {
  if (!groups) return null;
  const sum = (name: keyof Group) =>
    groups.reduce((sum, group) => sum + (group[name] as number), 0);
  return { now: sum(measure), before: is_compared ? sum("previous") : null };
}

function ratio(interactions: number, customers: number): number {
  return customers === 0 ? 0 : interactions / customers;
}

function changeOf(
  compared: Compared | null,
  { locale, against, is_all }: {
    readonly locale: Locale;
    /** The period before, in words; null where nothing is compared. */
    readonly against: string | null;
    /** Whether all days of the data count. */
    readonly is_all: boolean;
  },
): Change | null {
  if (!compared) return null;
  const { now, before } = compared;
  if (before === null || against === null) {
    return { text: is_all ? "In all" : "No whole period to compare with" };
  }
  if (before === 0) return { text: `None in ${against}` };
  const share = now / before - 1;
  if (share === 0) return { text: `As in ${against}` };
  return {
    text: `${locale.change(share)} against ${against}`,
    direction: share > 0 ? "up" : "down",
  };
}
