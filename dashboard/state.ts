/** All that the page is drawn from, as one value. */

import type { Answers, Checked, Explanation, NameCount } from "./answers.ts";
import { FIRST, type Question, questionsOf, type Slot } from "./questions.ts";
import { type DataDays, type View, viewHref } from "./view.ts";

/** An answer, or a failure, and the question that it belongs to. */
export interface Answered<Body> {
  readonly question: Question;
  readonly status: number;
  /** When it came, as `State.now` has it. */
  readonly came_at: number;
  /** Whether it is to be asked again. */
  readonly is_stale: boolean;
  /** Null where it failed. */
  readonly body: Body | null;
  /** Why it failed, in words; null where it did not. */
  readonly error: string | null;
}

/** The latest answer of each question. */
export type Slots = {
  readonly [One in Slot]?: Answered<Answers[One]>;
};

/** Whether the page may read. */
export type Access =
  /** Anyone may. */
  | "open"
  /** A key is needed, and there is none. */
  | "locked"
  /** A key is given. */
  | "key";

/** What happens to a file that was dropped. */
export type UploadStep =
  | { readonly step: "checking" | "publishing" | "published" }
  | { readonly step: "checked"; readonly checked: Checked }
  /** Refused by the server, or failed on the way there. */
  | { readonly step: "refused" | "failed"; readonly error: string };

/** A file that was dropped. */
export type Upload =
  & { readonly name: string; readonly bytes: number }
  & UploadStep;

/** What the administrator sees and does; null where nobody has given the administrator's key. */
export interface Admin {
  readonly upload: Upload | null;
  /** The result of the latest decision, in words. */
  readonly said: string | null;
}

/** The search for a customer. */
export interface Search {
  readonly text: string;
  /** Null while it is asked. */
  readonly found: Answers["customers"]["data"] | null;
  readonly error: string | null;
}

/** Where a number comes from, as it is shown. */
export interface Explained {
  readonly title: string;
  readonly question: Question;
  /** Null while it is asked. */
  readonly explanation: Explanation | null;
  readonly error: string | null;
}

/** All that the page is drawn from. */
export interface State {
  readonly view: View;
  /** The version of the data that is shown; null while there is none. */
  readonly data_version: string | null;
  /** Whether reading needs no key. */
  readonly is_open: boolean;
  readonly access: Access;
  /** Why a key was not taken, in words. */
  readonly access_error: string | null;
  readonly slots: Slots;
  /** The tags of the reader's languages, the most preferred first. */
  readonly locales: readonly string[];
  /** The milliseconds since the page was asked for, by which ages grow; no time of the reader's clock, which may be wrong. */
  readonly now: number;
  /** Why what the reader did last has failed, in words; null where it has not. */
  readonly failure: string | null;
  /** Whether the server has gone away. */
  readonly is_lost: boolean;
  /** Cursors of the pages of the list of customers before the present one, and its own. */
  readonly cursors: readonly string[];
  readonly search: Search | null;
  /** What is sought among the names of each filter. */
  readonly narrowed: Readonly<Record<string, string>>;
  readonly explained: Explained | null;
  /** Whether the server knows an administrator's key. */
  readonly has_admin: boolean;
  readonly admin: Admin | null;
  /** Why an administrator's key was not taken, in words. */
  readonly admin_error: string | null;
}

/** The page of a view before anything is answered. */
export function startOf(
  view: View,
  { is_open, locales, now, has_admin }: Pick<
    State,
    "is_open" | "locales" | "now" | "has_admin"
  >,
): State {
  return {
    view,
    data_version: null,
    is_open,
    access: is_open ? "open" : "locked",
    access_error: null,
    slots: {},
    locales,
    now,
    failure: null,
    is_lost: false,
    cursors: [],
    search: null,
    narrowed: {},
    explained: null,
    has_admin,
    admin: null,
    admin_error: null,
  };
}

/** The days of the data; null while they are not known, and where there are none. */
export function rangeOf({ slots }: State): DataDays | null {
  const range = slots.dimensions?.body?.data.date_range;
  if (!range) return null;
  const newest = slots.data?.body?.data.newest_day;
  // While versions change, it may be that of other data.
  const is_within = newest && range.first <= newest && newest <= range.last;
  return { ...range, newest: is_within ? newest : range.last };
}

/** The names of each dimension that the data has, as the API lists them: null where they are too many to list. */
export function dimensionsOf(
  { slots }: State,
): ReadonlyMap<string, readonly NameCount[] | null> {
  const { attributes = {}, date_range: _, ...lists } =
    slots.dimensions?.body?.data ?? {};
  return new Map([
    ...Object.entries(lists)
      .map(([plural, names]) => [plural.slice(0, -1), names] as const),
    ...Object.entries(attributes),
  ]) as ReadonlyMap<string, readonly NameCount[] | null>;
}

/** A view without filters that are no dimensions of the data: other sites add parameters to an address. */
function knownView(state: State, view: View): View {
  if (!state.slots.dimensions?.body) return view;
  const dimensions = dimensionsOf(state);
  const filters = Object.entries(view.filters)
    .filter(([dimension]) => dimensions.has(dimension));
  return { ...view, filters: Object.fromEntries(filters) };
}

/** Whether a view is the one that is shown. */
export function isShown(state: State, view: View): boolean {
  return viewHref(knownView(state, view)) === viewHref(state.view);
}

/** The questions that the page has now, in the order in which they are asked. */
export function wantedOf(
  state: State,
): Readonly<Partial<Record<Slot, Question>>> {
  if (state.access === "locked") return {};
  if (!state.slots.dimensions?.body) return FIRST;
  const cursor = state.cursors.at(-1) ?? null;
  const range = rangeOf(state);
  return { ...FIRST, ...questionsOf(state.view, { range, cursor }) };
}

/** Whether what is shown in a slot is not, or not yet, the answer that is wanted. */
export function isBusy(state: State, slot: Slot): boolean {
  const wanted = wantedOf(state)[slot];
  return wanted !== undefined && isMissing(state, [slot, wanted]);
}

/** The questions whose answers are not there, in the order in which they are asked. */
export function missingOf(state: State): (readonly [Slot, Question])[] {
  return (Object.entries(wantedOf(state)) as [Slot, Question][])
    .filter((one) => isMissing(state, one));
}

function isMissing(
  { slots }: State,
  [slot, wanted]: readonly [Slot, Question],
): boolean {
  const answered = slots[slot];
  return answered?.question !== wanted || answered.is_stale;
}

/** The seconds since the data was loaded: what the server has said, and the time since then; null while nothing is served. */
export function ageOf({ slots: { data }, now }: State): number | null {
  const age_seconds = data?.body?.data.age_seconds ?? null;
  if (!data || age_seconds === null) return null;
  return age_seconds + Math.max(0, now - data.came_at) / 1_000;
}

/** A result of the API as a slot keeps it. */
export function answeredOf(
  question: Question,
  { status, body, came_at }: {
    readonly status: number;
    readonly body: unknown;
    readonly came_at: number;
  },
): Answered<unknown> {
  const is_ok = status === 200;
  const { error } = body as { readonly error?: string };
  return {
    question,
    status,
    came_at,
    is_stale: false,
    // While nothing is served, the state of the data comes with the failure.
    body: is_ok || (status === 503 && question === FIRST.data) ? body : null,
    error: is_ok ? null : error ?? `The server answered ${status}.`,
  };
}

/** The state with an answer. */
export function withAnswer(
  state: State,
  { slot, answered }: {
    readonly slot: Slot;
    readonly answered: Answered<unknown>;
  },
): State {
  const { data_version = null } =
    (answered.body as { meta?: { data_version?: string } } | null)?.meta ?? {};
  const next = { ...state, slots: { ...state.slots, [slot]: answered } };
  return slot === "dimensions"
    ? { ...next, data_version, view: knownView(next, state.view) }
    : next;
}

/** The state in which another version is to be shown: what is shown stays until it is answered anew. */
export function withVersion(state: State, data_version: string | null): State {
  const slots = Object.entries(state.slots).map(([slot, answered]) => [
    slot,
    { ...answered, is_stale: true },
  ]);
  return {
    ...state,
    data_version,
    cursors: [],
    slots: Object.fromEntries(slots),
  };
}

/** The state in which one answer is to be asked again. */
export function withStale(state: State, slot: Slot): State {
  const answered = state.slots[slot];
  if (!answered) return state;
  const slots = { ...state.slots, [slot]: { ...answered, is_stale: true } };
  return { ...state, slots };
}

/** The state with another view. */
export function withView(state: State, given: View): State {
  const view = knownView(state, given);
  const { record: _, contacts: __, customer_topics: ___, ...others } =
    state.slots;
  const is_same_customer = view.customer === state.view.customer;
  return {
    ...state,
    view,
    failure: null,
    cursors: [],
    slots: is_same_customer ? state.slots : others,
  };
}

/** The state after the key has ended: nothing of what it has read is left. */
export function withoutKey(state: State, access_error: string): State {
  const { view, locales, now, has_admin, is_open } = state;
  return {
    ...startOf(view, { locales, now, has_admin, is_open }),
    access_error,
  };
}
