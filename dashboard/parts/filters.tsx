/** What is counted: the period, and the names of every dimension. All are links, so that they work without a script. */

import type { NameCount } from "../answers.ts";
import { nameText, titled } from "../cards.ts";
import type { Locale } from "../locale.ts";
import { dimensionsOf, rangeOf, type State } from "../state.ts";
import {
  datesOf,
  LAST_LENGTHS,
  type Name,
  type Period,
  viewHref,
  WHOLE,
  withNames,
  yearsOf,
} from "../view.ts";
import { Icon } from "./icons.tsx";

const LAST_TEXTS = {
  "30d": "30 days",
  "90d": "90 days",
  "12m": "12 months",
} as const;
/** Years among the presets; a custom period reaches the others. */
const YEARS_LISTED = 3;
/** Names of a menu; its search finds the others. */
const NAMES_LISTED = 50;
const SEARCHED_FROM = 10;

/** The filters of the view. */
export function Filters(
  { state, locale }: { readonly state: State; readonly locale: Locale },
) {
  const { view } = state;
  return (
    <div class="filters">
      <Periods state={state} />
      <div class="filter-menus">
        {filtersOf(state).map(({ dimension, names, not_listed }) => (
          <NamesMenu
            key={dimension}
            state={state}
            dimension={dimension}
            names={names}
            not_listed={not_listed}
            locale={locale}
          />
        ))}
      </div>
      <Chosen state={state} />
      <p class="only-read" role="status">
        {viewHref(view) === viewHref(WHOLE) ? "" : "Filters are set."}
      </p>
    </div>
  );
}

/** The dimensions that are offered, with their names, the most frequent first. */
function filtersOf(state: State) {
  const { not_listed } = state.slots.dimensions?.body?.meta ?? {};
  return Array.from(dimensionsOf(state)).flatMap(([dimension, names]) =>
    names && names.length > 0
      ? [{
        dimension,
        names: names.toSorted((a, b) => b.interactions - a.interactions),
        not_listed: not_listed?.[dimension] ?? 0,
      }]
      : []
  );
}

function Periods({ state }: { readonly state: State }) {
  const { view } = state;
  const range = rangeOf(state);
  const presets: readonly { text: string; period: Period }[] = [
    { text: "All time", period: { of: "all" } },
    ...LAST_LENGTHS.map((length) => ({
      text: LAST_TEXTS[length],
      period: { of: "last", length } as const,
    })),
    ...(range ? yearsOf(range).slice(0, YEARS_LISTED) : []).map((year) => ({
      text: `${year}`,
      period: { of: "year", year } as const,
    })),
  ];
  const now = viewHref({ ...WHOLE, period: view.period });
  const { start_date, end_date } = datesOf(view.period, range);
  return (
    <nav class="periods" aria-label="Period">
      <ul class="segments">
        {presets.map(({ text, period }) => (
          <li key={text}>
            <a
              href={viewHref({ ...view, period })}
              aria-current={viewHref({ ...WHOLE, period }) === now
                ? "true"
                : undefined}
            >
              {text}
            </a>
          </li>
        ))}
      </ul>
      <form class="days with-script" data-do="days">
        <label>
          From{" "}
          <input
            type="date"
            name="start_date"
            value={start_date ?? range?.first ?? ""}
          />
        </label>
        <label>
          to{" "}
          <input
            type="date"
            name="end_date"
            value={end_date ?? range?.last ?? ""}
          />
        </label>
        <button type="submit" class="button">Apply</button>
      </form>
    </nav>
  );
}

function NamesMenu(
  { state: { view, narrowed }, dimension, names, not_listed, locale }: {
    readonly state: State;
    readonly dimension: string;
    readonly names: readonly NameCount[];
    /** How many there are besides, of fewer interactions. */
    readonly not_listed: number;
    readonly locale: Locale;
  },
) {
  const chosen = view.filters[dimension] ?? [];
  const sought = (narrowed[dimension] ?? "").trim().toLowerCase();
  const found = names.filter(({ name }) =>
    nameText(dimension, name).toLowerCase().includes(sought)
  );
  const more = found.length - NAMES_LISTED;
  return (
    <details class="menu" name="menu">
      <summary class={chosen.length > 0 ? "button chosen" : "button"}>
        {titled(dimension)}
        {chosen.length > 0 && <span class="badge">{chosen.length}</span>}
        <Icon of="down" />
      </summary>
      <div class="menu-list">
        {names.length >= SEARCHED_FROM && (
          <label class="with-script narrow">
            <span class="only-read">Find in {titled(dimension)}</span>
            <input
              type="search"
              placeholder="Find…"
              data-do="narrow"
              data-dimension={dimension}
              autocomplete="off"
            />
          </label>
        )}
        <ul>
          {found.slice(0, NAMES_LISTED).map(({ name, interactions }) => {
            const is_chosen = chosen.includes(name);
            const next = is_chosen
              ? chosen.filter((one) => one !== name)
              : [...chosen, name];
            return (
              <li key={nameText(dimension, name)}>
                <a
                  class="option"
                  href={viewHref(withNames(view, { dimension, names: next }))}
                  aria-current={is_chosen ? "true" : undefined}
                >
                  <span class="tick">{is_chosen && <Icon of="check" />}</span>
                  <span class="option-name">{nameText(dimension, name)}</span>
                  <span class="number">{locale.count(interactions)}</span>
                </a>
              </li>
            );
          })}
        </ul>
        {more > 0 && (
          <p class="hint">{locale.count(more)} more: type to find them.</p>
        )}
        {not_listed > 0 && (
          <p class="hint">
            The {locale.count(not_listed)}{" "}
            with the fewest interactions are not among them.
          </p>
        )}
        {found.length === 0 && (
          <p class="hint">
            Nothing has this in its name.
          </p>
        )}
      </div>
    </details>
  );
}

/** The names that are chosen, each with a link that takes it back. */
function Chosen({ state: { view } }: { readonly state: State }) {
  const all = Object.entries(view.filters).flatMap(([dimension, names]) =>
    names.map((name): { dimension: string; name: Name } => ({
      dimension,
      name,
    }))
  );
  if (all.length === 0) return null;
  return (
    <ul class="chips" aria-label="Filters that are set">
      {all.map(({ dimension, name }) => {
        const names = view.filters[dimension].filter((one) => one !== name);
        return (
          <li key={`${dimension} ${name}`}>
            <a
              class="chip"
              href={viewHref(withNames(view, { dimension, names }))}
            >
              <span class="chip-of">{titled(dimension)}</span>
              {nameText(dimension, name)}
              <Icon of="close" />
              <span class="only-read">: remove this filter</span>
            </a>
          </li>
        );
      })}
      <li>
        <a class="chip-clear" href={viewHref({ ...view, filters: {} })}>
          Clear filters
        </a>
      </li>
    </ul>
  );
}
