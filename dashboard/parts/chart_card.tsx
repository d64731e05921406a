/** A chart with its name, its sentence, its legend, its numbers as a table, and what can be taken away. */

import {
  type Card,
  cardOf,
  type ChartSlot,
  fileName,
  TITLES,
} from "../cards.ts";
import { CHARTS } from "../charts/charts.tsx";
import {
  foldColumns,
  listedOf,
  type NumberTable,
  sumOf,
} from "../charts/number_table.ts";
import type { Locale } from "../locale.ts";
import { downloadOf, withParameters } from "../questions.ts";
import { isBusy, type State } from "../state.ts";
import { Icon } from "./icons.tsx";

/** Rows and columns of the table under a chart; a file has them all. */
const MOST_LISTED = { most_rows: 100, most_columns: 20 };

/** A chart, or what stands in its place while it is counted, empty or failed. */
export function ChartCard(
  { state, slot, locale, wide = false }: {
    readonly state: State;
    readonly slot: ChartSlot;
    readonly locale: Locale;
    readonly wide?: boolean;
  },
) {
  const card = cardOf(state, { slot, locale });
  const answered = state.slots[slot];
  const failed = answered?.error ? answered : null;
  const title_id = `title-${slot}`;
  return (
    <figure
      class={`card ${wide ? "wide" : ""}`}
      data-slot={slot}
      aria-labelledby={title_id}
      aria-busy={isBusy(state, slot) ? "true" : "false"}
    >
      <figcaption class="card-head">
        <h3 id={title_id}>{TITLES[slot]}</h3>
        {card && <TakeAway card={card} />}
        <p class="summary" id={`summary-${slot}`}>
          {card?.summary ?? (failed ? failureText(state, failed) : "Counting…")}
        </p>
      </figcaption>
      {card
        ? <Drawn card={card} locale={locale} />
        : failed
        ? <p class="empty">No numbers.</p>
        : <div class={`skeleton skeleton-${slot}`} aria-hidden="true" />}
    </figure>
  );
}

/** Why a card has no numbers; what is wrong with the view as a whole stands above it. */
export function failureText(
  { slots }: State,
  { status, error }: { readonly status: number; readonly error: string | null },
): string {
  return status === 400 && slots.channels?.status === 400
    ? "Not counted, as said above."
    : error!;
}

function Drawn(
  { card, locale }: { readonly card: Card; readonly locale: Locale },
) {
  const { slot, kind, drawn } = card;
  const Chart = CHARTS[kind];
  if (sumOf(drawn) === 0) return <p class="empty">Nothing to draw.</p>;
  return (
    <>
      {kind !== "heat" && drawn.columns.length > 1 && (
        <Legend table={foldColumns(drawn)} />
      )}
      <div
        class={`chart chart-${kind}`}
        role="group"
        tabindex={0}
        aria-roledescription="chart"
        aria-label={`${card.title}. Arrow keys read its numbers.`}
        aria-describedby={`summary-${slot}`}
      >
        <Chart table={drawn} locale={locale} />
      </div>
      <output
        class="readout"
        data-hint="Point at the chart, or use the arrow keys."
      >
      </output>
      <details class="numbers">
        <summary>Numbers as a table</summary>
        <div
          class="scroll"
          tabindex={0}
          role="region"
          aria-label={`${card.title}: numbers`}
        >
          <NumbersTable card={card} locale={locale} />
        </div>
      </details>
    </>
  );
}

function Legend({ table: { columns } }: { readonly table: NumberTable }) {
  return (
    <ul class="legend">
      {columns.map(({ label, tone, href }) => (
        <li key={label}>
          {href === null
            ? (
              <span class="legend-name">
                <Swatch tone={tone} />
                {label}
              </span>
            )
            : (
              <a class="legend-name" href={href}>
                <Swatch tone={tone} />
                {label}
              </a>
            )}
        </li>
      ))}
    </ul>
  );
}

function Swatch({ tone }: { readonly tone: number }) {
  return (
    <svg class="swatch" width="12" height="12" aria-hidden="true">
      <rect class={`tone-${tone}`} width="12" height="12" rx="2" />
    </svg>
  );
}

function NumbersTable(
  { card: { table, title, kind }, locale }: {
    readonly card: Card;
    readonly locale: Locale;
  },
) {
  const { columns, rows, more_rows, more_columns } = listedOf(table, {
    ...MOST_LISTED,
    has_periods: kind === "columns",
  });
  const has_total = table.columns.length > 1;
  const more = [[more_rows, "row"], [more_columns, "column"]] as const;
  const left_out = more.filter(([count]) => count > 0)
    .map(([count, thing]) => locale.counted(count, `more ${thing}`));
  return (
    <table>
      <caption class="only-read">{title}</caption>
      <thead>
        <tr>
          <th scope="col">{table.rows_title}</th>
          {columns.map(({ label }) => (
            <th scope="col" class="number" key={label}>{label}</th>
          ))}
          {has_total && <th scope="col" class="number">Total</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ label, href, values, total }) => (
          <tr key={label}>
            <th scope="row">
              {href === null ? label : <a href={href}>{label}</a>}
            </th>
            {values.map((value, i) => (
              <td class="number" key={columns[i].label}>
                {locale.count(value)}
              </td>
            ))}
            {has_total && <td class="number total">{locale.count(total)}</td>}
          </tr>
        ))}
      </tbody>
      {left_out.length > 0 && (
        <tfoot>
          <tr>
            <td colspan={columns.length + (has_total ? 2 : 1)}>
              In the CSV file: {left_out.join(" and ")}.
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

/** The menu of a chart: its numbers and picture as files, and where the numbers come from. */
function TakeAway(
  { card: { slot, title, question } }: { readonly card: Card },
) {
  // The record of one customer is JSON only.
  const has_csv = slot !== "record";
  return (
    <details class="menu menu-right" name="menu">
      <summary class="icon-button">
        <Icon of="more" />
        <span class="only-read">{title}: files and sources</span>
      </summary>
      <ul class="menu-list">
        {has_csv && (
          <li>
            <a
              href={downloadOf(question, "csv")}
              data-do="download"
              download={fileName(title, "csv")}
            >
              CSV
            </a>
          </li>
        )}
        <li class="with-script">
          <button type="button" data-do="svg">SVG</button>
        </li>
        <li class="with-script">
          <button type="button" data-do="png">PNG</button>
        </li>
        <li>
          <ExplainLink question={question} title={title}>
            Where from?
          </ExplainLink>
        </li>
      </ul>
    </details>
  );
}

/** A link to where a number comes from. */
export function ExplainLink(
  { question, title, children }: {
    readonly question: string;
    readonly title: string;
    // deno-lint-ignore no-explicit-any
    readonly children?: any;
  },
) {
  return (
    <a
      class="explain"
      href={withParameters(question, { explain: "1" })}
      data-do="explain"
      data-title={title}
    >
      {children}
    </a>
  );
}
