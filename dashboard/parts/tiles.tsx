/** The first numbers: how much, how many, how often, how fresh; each with its change against the period before. */

import type { Answers, Group } from "../answers.ts";
import type { Locale } from "../locale.ts";
import { parametersOf, type Question, spanOf } from "../questions.ts";
import { ageOf, isBusy, rangeOf, type State } from "../state.ts";
import { ExplainLink } from "./chart_card.tsx";
import { Icon } from "./icons.tsx";

/** The tiles. */
export function Tiles(
  { state, locale }: { readonly state: State; readonly locale: Locale },
) {
  const { channels, dimensions, reached, data } = state.slots;
  const range = rangeOf(state);
  const counted = totalsOf(channels?.body, { measure: "interactions", locale });
  // Where nothing has happened, nobody was reached, and nothing is asked.
  const has_no_days = dimensions?.body && range === null;
  const people = has_no_days
    ? { now: 0, before: null, against: null }
    : totalsOf(reached?.body, { measure: "customers", locale });
  const each = counted && people && (has_no_days || isOneView(state))
    ? {
      now: ratio(counted.now, people.now),
      before: counted.before === null || people.before === null
        ? null
        : ratio(counted.before, people.before),
      against: counted.against,
    }
    : null;
  const said = { locale, is_all: state.view.period.of === "all" };
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
  /** The period before, in words; null where nothing is compared. */
  readonly against: string | null;
}

/** The sums of an answer, which alone says what it is compared with: the view, and another answer, may be of another period. */
function totalsOf(
  body: Answers["channels" | "reached"] | null | undefined,
  { measure, locale }: {
    readonly measure: "interactions" | "customers";
    readonly locale: Locale;
  },
): Compared | null {
  if (!body) return null;
  const sum = (name: keyof Group) =>
    body.data.reduce((sum, group) => sum + (group[name] as number), 0);
  const { compared_with } = body.meta;
  return {
    now: sum(measure),
    before: compared_with ? sum("previous") : null,
    against: compared_with
      ? locale.days(compared_with.start_date, compared_with.end_date)
      : null,
  };
}

/** Whether the interactions and the customers that are shown are of one view and one version of the data. */
function isOneView(state: State): boolean {
  const { channels, reached } = state.slots;
  const [one, other] = [channels!, reached!].map(({ question, body }) => {
    const { by: _, start_date, end_date, ...others } = parametersOf(question);
    const span = spanOf({ start_date, end_date }, rangeOf(state));
    return JSON.stringify([body!.meta.data_version, span, others]);
  });
  return one === other;
}

function ratio(interactions: number, customers: number): number {
  return customers === 0 ? 0 : interactions / customers;
}

function changeOf(
  compared: Compared | null,
  { locale, is_all }: {
    readonly locale: Locale;
    /** Whether all days of the data count. */
    readonly is_all: boolean;
  },
): Change | null {
  if (!compared) return null;
  const { now, before, against } = compared;
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
