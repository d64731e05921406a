/** The page as a function of its state: the same on the server and in the browser. */

import { CHART_SLOTS } from "./cards.ts";
import { type Locale, localeOf } from "./locale.ts";
import { ChartCard } from "./parts/chart_card.tsx";
import { Customers } from "./parts/customers.tsx";
import { DataPanel, KeyForm } from "./parts/data_panel.tsx";
import { ExplainDialog } from "./parts/explain.tsx";
import { Filters } from "./parts/filters.tsx";
import { Brand } from "./parts/icons.tsx";
import { Tiles } from "./parts/tiles.tsx";
import { spanOf } from "./questions.ts";
import { rangeOf, type State } from "./state.ts";
import { datesOf, viewHref, WHOLE } from "./view.ts";

/** Everything below `<body>`. */
export function Page({ state }: { readonly state: State }) {
  const locale = localeOf(state.locales);
  const is_locked = state.access === "locked";
  return (
    <>
      <a class="skip" href="#main">Skip to the numbers</a>
      <header class="top">
        <div class="inside">
          <a class="brand" href="?">
            <Brand />
            Tally
          </a>
          {!is_locked && (
            <nav aria-label="Sections">
              <a href="#main">Overview</a>
              <a href="#customers">Customers</a>
              <a href="#data">Data</a>
            </nav>
          )}
          <Status state={state} />
        </div>
      </header>
      <main id="main" class="inside" tabindex={-1}>
        {is_locked
          ? <Locked error={state.access_error} />
          : <Numbers state={state} locale={locale} />}
      </main>
      <footer class="inside">
        <p>
          Every number here is an answer of the <a href="openapi.json">API</a>.
        </p>
      </footer>
      <ExplainDialog explained={state.explained} locale={locale} />
    </>
  );
}

/** Whether what is shown is what the server serves now. */
function Status({ state }: { readonly state: State }) {
  const { is_lost, access } = state;
  const data = state.slots.data?.body?.data;
  const [tone, text] = access === "locked"
    ? ["off", "A key is needed"]
    : is_lost
    ? ["bad", "Server not reached"]
    : !data
    ? ["off", "Asking…"]
    : !data.report
    ? ["bad", "No data"]
    : data.held
    ? ["warning", "New data is held"]
    : data.state === "building"
    ? ["good", "Refreshing"]
    : data.state === "failed"
    ? ["warning", "Last refresh failed"]
    : ["good", "Up to date"];
  return (
    <p class={`status status-${tone}`} role="status">
      <svg class="dot" width="10" height="10" aria-hidden="true">
        <circle cx="5" cy="5" r="4" />
      </svg>
      {text}
    </p>
  );
}

function Locked({ error }: { readonly error: string | null }) {
  return (
    <section class="card locked" aria-labelledby="locked-title">
      <h1 id="locked-title">Your key, please</h1>
      <p>
        These numbers are for holders of a key with the scope{" "}
        <code>read</code>. It is kept in this tab only, and forgotten when you
        close it.
      </p>
      <div class="with-script">
        <KeyForm what="reader" label="Key" error={error} />
      </div>
      <p class="without-script">
        This page needs JavaScript to send your key.
      </p>
    </section>
  );
}

function Numbers(
  { state, locale }: { readonly state: State; readonly locale: Locale },
) {
  const { data } = state.slots;
  if (data?.body && !data.body.data.report) {
    return (
      <>
        <section class="card locked" aria-labelledby="waiting-title">
          <h1 id="waiting-title">
            {data.body.data.state === "building"
              ? "The data is being loaded"
              : "No data is served"}
          </h1>
          <p>{data.error}</p>
          <p class="hint">
            This page shows the numbers as soon as they are there.
          </p>
        </section>
        <DataPanel state={state} locale={locale} />
      </>
    );
  }
  const failed = state.slots.dimensions?.error;
  if (failed) {
    return (
      <section class="card locked" aria-labelledby="failed-title">
        <h1 id="failed-title">
          {state.slots.dimensions!.status === 403
            ? "This key may not read these numbers"
            : "The numbers cannot be shown"}
        </h1>
        <p>{failed}</p>
        {state.access === "key" && (
          <p class="actions">
            <button type="button" class="button" data-do="sign-out">
              Use another key
            </button>
          </p>
        )}
      </section>
    );
  }
  return (
    <>
      <Notices state={state} />
      <section class="section" aria-labelledby="overview-title">
        <Heading state={state} locale={locale} />
        <Filters state={state} locale={locale} />
        <h2 class="only-read">Totals and charts</h2>
        <Tiles state={state} locale={locale} />
        <div class="cards">
          {CHART_SLOTS.map((slot) => (
            <ChartCard
              key={slot}
              state={state}
              slot={slot}
              locale={locale}
              wide={slot === "timeline"}
            />
          ))}
        </div>
      </section>
      <Customers state={state} locale={locale} />
      <DataPanel state={state} locale={locale} />
    </>
  );
}

function Heading(
  { state, locale }: { readonly state: State; readonly locale: Locale },
) {
  const range = rangeOf(state);
  const span = spanOf(datesOf(state.view.period, range), range);
  return (
    <div class="heading">
      <h1 id="overview-title">Customer interactions</h1>
      <p class="lead">
        {span
          ? locale.days(span.first, span.last)
          : range
          ? "No day of the data is in this period"
          : "\u00a0"}
      </p>
    </div>
  );
}

/** What a reader should know before the numbers. */
function Notices({ state }: { readonly state: State }) {
  const { slots, view, failure, is_lost } = state;
  const notice = slots.data?.body?.data.notice;
  const refused = slots.channels?.status === 400 ? slots.channels.error : null;
  const warnings = [
    is_lost &&
    "The server is not reached. The numbers here are the last ones it gave.",
    failure,
  ].filter((text) => text !== null && text !== false);
  return (
    <div class="notices" aria-live="polite">
      {warnings.map((text) => <p class="note note-warning" key={text}>{text}
      </p>)}
      {refused && (
        <p class="note note-warning">
          {refused}{" "}
          <a href={viewHref({ ...WHOLE, sort: view.sort })}>Show all</a>
        </p>
      )}
      {notice && <p class="note">{notice}</p>}
    </div>
  );
}
