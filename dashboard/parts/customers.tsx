/** The customers: those with the most contacts, the search, and everything about one. */

import type { Answers, CustomerCounts } from "../answers.ts";
import { CUSTOMER_CHART_SLOTS, titled } from "../cards.ts";
import type { Locale } from "../locale.ts";
import {
  CUSTOMERS_LISTED,
  downloadOf,
  sortName,
  sortOf,
} from "../questions.ts";
import { isBusy, type State } from "../state.ts";
import { type View, viewHref } from "../view.ts";
import { ChartCard, ExplainLink, failureText } from "./chart_card.tsx";
import { Icon } from "./icons.tsx";

interface Props {
  readonly state: State;
  readonly locale: Locale;
}

/** The section about customers. */
export function Customers({ state, locale }: Props) {
  return (
    <section id="customers" class="section" aria-labelledby="customers-title">
      <h2 id="customers-title">Customers</h2>
      <LookUp state={state} />
      {state.view.customer !== null && (
        <OneCustomer state={state} locale={locale} />
      )}
      <TopCustomers state={state} locale={locale} />
    </section>
  );
}

function LookUp({ state: { view, search } }: { readonly state: State }) {
  const found = search?.found;
  return (
    <form class="look-up with-script" role="search" data-do="look-up">
      <label class="search-field">
        <Icon of="search" />
        <span class="only-read">Find a customer</span>
        <input
          type="search"
          name="text"
          data-do="search"
          placeholder="Find a customer by id, name or occupation"
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      <div class="found" aria-live="polite">
        {search && (
          <p class="hint">
            {search.error ??
              (!found
                ? "Searching…"
                : found.length === 0
                ? "No customer begins with that."
                : found.length === 1
                ? "1 customer found"
                : `The first ${found.length} customers`)}
          </p>
        )}
        {found && found.length > 0 && (
          <ul>
            {found.map((one) => (
              <li key={`${one.customer_id}`}>
                <a class="option" href={customerHref(view, one)}>
                  <span class="option-name">{titleOf(one)}</span>
                  <span class="option-more">
                    {[one.type, one.occupation].filter(Boolean).join(" · ")}
                  </span>
                </a>
              </li>
            ))}
          </ul>
        )}
      </div>
    </form>
  );
}

/** The address of a view with a customer in it. */
export function customerHref(
  view: View,
  { customer_id }: Pick<CustomerCounts, "customer_id">,
): string {
  return `${viewHref({ ...view, customer: `${customer_id}` })}#customer`;
}

function titleOf({ customer_id, name }: CustomerCounts): string {
  return name ? `${name} (${customer_id})` : `Customer ${customer_id}`;
}

function OneCustomer({ state, locale }: Props) {
  const { view, slots } = state;
  const record = slots.record?.body?.data;
  const error = slots.record?.error;
  return (
    <article
      id="customer"
      class="card customer"
      aria-labelledby="customer-title"
      aria-busy={isBusy(state, "record") ? "true" : "false"}
    >
      <header class="card-head">
        <h3 id="customer-title" tabindex={-1}>
          {record ? titleOf(record) : `Customer ${view.customer}`}
        </h3>
        <a
          class="icon-button"
          href={`${viewHref({ ...view, customer: null })}#customers`}
        >
          <Icon of="close" />
          <span class="only-read">Close this customer</span>
        </a>
        <p class="summary">
          {error ?? (record
            ? `${
              locale.counted(record.total, "interaction")
            } since the beginning of the data, whatever is filtered above.`
            : "Looking up…")}
        </p>
      </header>
      {record && (
        <>
          <dl class="facts">
            {record.name !== undefined && (
              <Fact name="Id" value={`${record.customer_id}`} />
            )}
            <Fact name="Type" value={record.type} />
            <Fact name="Occupation" value={record.occupation} />
            {attributesOf(state).map((name) => (
              <Fact
                key={name}
                name={titled(name)}
                value={attributeIn(record, name)}
              />
            ))}
            <Fact
              name="First contact"
              value={record.first_contact && locale.day(record.first_contact)}
            />
            <Fact
              name="Last contact"
              value={record.last_contact && locale.day(record.last_contact)}
            />
            <Fact
              name="Known from"
              value={record.known_from === "customers"
                ? "The customers' records"
                : "Interactions only"}
            />
          </dl>
          <div class="cards">
            {CUSTOMER_CHART_SLOTS.map((slot) => (
              <ChartCard
                key={slot}
                state={state}
                slot={slot}
                locale={locale}
                wide={slot === "contacts"}
              />
            ))}
          </div>
        </>
      )}
    </article>
  );
}

function Fact(
  { name, value }: { readonly name: string; readonly value: string | null },
) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value ?? "—"}</dd>
    </div>
  );
}

function TopCustomers({ state, locale }: Props) {
  const answered = state.slots.customers;
  const body = answered?.body;
  return (
    <figure
      class="card wide"
      aria-labelledby="top-title"
      aria-busy={isBusy(state, "customers") ? "true" : "false"}
    >
      <figcaption class="card-head">
        <h3 id="top-title">All customers</h3>
        {answered?.body && (
          <p class="actions-inline">
            <a
              class="button"
              href={downloadOf(answered.question, "csv")}
              data-do="download"
              download=""
            >
              CSV
            </a>
            <ExplainLink question={answered.question} title="All customers">
              Where from?
            </ExplainLink>
          </p>
        )}
        <p class="summary">
          {body
            ? `${
              locale.counted(body.meta.customers, "customer")
            }. A heading sorts by its column.`
            : answered?.error
            ? failureText(state, answered)
            : "Counting…"}
        </p>
      </figcaption>
      {body
        ? <CustomersTable state={state} body={body} locale={locale} />
        : answered?.error
        ? <p class="empty">No numbers.</p>
        : <div class="skeleton skeleton-list" aria-hidden="true" />}
    </figure>
  );
}

/** The attributes of customers that `tally.toml` names. */
function attributesOf({ slots }: State): string[] {
  return Object.keys(slots.dimensions?.body?.data.attributes ?? {});
}

function attributeIn(row: CustomerCounts, name: string): string | null {
  return row[name] as string | null;
}

/** Channels in the list of customers; the file has them all. */
const MOST_CHANNELS = 20;
/** Attributes in the list; the file and the card of a customer have them all. */
const MOST_ATTRIBUTES = 3;

function CustomersTable(
  { state, body, locale }: Props & {
    readonly body: Answers["customers"];
  },
) {
  const { cursors } = state;
  const view = { ...state.view, sort: sortOf(state.view) };
  const all = Object.keys(body.data[0]?.interactions ?? {});
  const channels = all.slice(0, MOST_CHANNELS);
  const all_attributes = attributesOf(state);
  const attributes = all_attributes.slice(0, MOST_ATTRIBUTES);
  const more = [
    { of: "more channel", left: all.length - channels.length },
    { of: "more attribute", left: all_attributes.length - attributes.length },
  ].filter(({ left }) => left > 0);
  const has_names = body.data.some(({ name }) => name !== undefined);
  const before = cursors.length * CUSTOMERS_LISTED;
  return (
    <>
      <div
        class="scroll"
        tabindex={0}
        role="region"
        aria-label="All customers: numbers"
      >
        <table class="list">
          <thead>
            <tr>
              <SortHead
                view={view}
                by="customer_id"
                all={all}
                title="Customer"
              />
              {has_names && <th scope="col">Name</th>}
              <th scope="col">Type</th>
              <th scope="col">Occupation</th>
              {attributes.map((name) => (
                <th scope="col" key={name}>{titled(name)}</th>
              ))}
              {channels.map((channel) => (
                <SortHead
                  key={channel}
                  view={view}
                  by={sortName(channel)}
                  all={all}
                  title={channel}
                  is_number
                />
              ))}
              <SortHead
                view={view}
                by="total"
                all={all}
                title="Total"
                is_number
              />
            </tr>
          </thead>
          <tbody>
            {body.data.map((row) => (
              <tr key={`${row.customer_id}`}>
                <th scope="row">
                  <a href={customerHref(view, row)}>{row.customer_id}</a>
                </th>
                {has_names && <td>{row.name}</td>}
                <td>{row.type}</td>
                <td>{row.occupation}</td>
                {attributes.map((name) => (
                  <td key={name}>{attributeIn(row, name)}</td>
                ))}
                {channels.map((channel) => (
                  <td class="number" key={channel}>
                    {locale.count(row.interactions[channel])}
                  </td>
                ))}
                <td class="number total">{locale.count(row.total)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more.length > 0 && (
        <p class="hint">
          In the CSV file: {more.map(({ of, left }) => locale.counted(left, of))
            .join(", ")}.
        </p>
      )}
      <nav class="pager with-script" aria-label="Pages of customers">
        <button
          type="button"
          class="button"
          data-do="before"
          disabled={cursors.length === 0}
        >
          Back
        </button>
        <p>
          {body.data.length === 0
            ? "None"
            : `${locale.count(before + 1)} to ${
              locale.count(before + body.data.length)
            }`}
        </p>
        <button
          type="button"
          class="button"
          data-do="next"
          disabled={body.meta.next === null}
        >
          Next
        </button>
      </nav>
    </>
  );
}

function SortHead({ view, by, all, title, is_number = false }: {
  readonly view: View;
  readonly by: string;
  /** The names of all channels, one of which may begin with `-`. */
  readonly all: readonly string[];
  readonly title: string;
  readonly is_number?: boolean;
}) {
  // The API takes a name as it is before it takes its `-` for an order.
  const down = all.includes(`-${by}`) ? by : `-${by}`;
  const is_up = view.sort === by;
  const is_down = !is_up && view.sort === down;
  // Numbers begin with the largest, ids with the first.
  const next = is_number ? (is_down ? by : down) : (is_up ? down : by);
  return (
    <th
      scope="col"
      class={is_number ? "number" : undefined}
      aria-sort={is_down ? "descending" : is_up ? "ascending" : undefined}
    >
      <a href={viewHref({ ...view, sort: next })}>
        {title}
        {(is_down || is_up) && <Icon of={is_down ? "down" : "up"} />}
      </a>
    </th>
  );
}
