/** The data itself: how fresh and clean it is, what has changed, and what an administrator can do. */

import type { ServedReport } from "../../db/model/report.ts";
import type { DataState } from "../answers.ts";
import type { Locale } from "../locale.ts";
import { type Admin, ageOf, type State, type Upload } from "../state.ts";

interface Props {
  readonly state: State;
  readonly locale: Locale;
}

const STATES = {
  building: "A refresh is being built",
  serving: "Served",
  held: "New data waits for a decision",
  failed: "The latest refresh failed",
} as const;

/** The section about the data. */
export function DataPanel({ state, locale }: Props) {
  const answered = state.slots.data;
  const data = answered?.body?.data;
  return (
    <section id="data" class="section" aria-labelledby="data-title">
      <h2 id="data-title">Data</h2>
      {!data && (
        <p class="card">
          {answered?.error ?? "Asking for the state of the data…"}
        </p>
      )}
      {data && (
        <div class="cards">
          <Freshness data={data} state={state} locale={locale} />
          {data.report && <Changed data={data} locale={locale} />}
          <AdminPanel data={data} state={state} locale={locale} />
          {data.report && (
            <Files report={data.report} state={state} locale={locale} />
          )}
        </div>
      )}
    </section>
  );
}

function Freshness(
  { data, state, locale }: Props & { readonly data: DataState },
) {
  const { report } = data;
  const age = ageOf(state);
  return (
    <div class="card">
      <h3>What is served</h3>
      <dl class="facts">
        <div>
          <dt>State</dt>
          <dd>
            {data.report || data.state === "building"
              ? STATES[data.state]
              : "Nothing is served yet"}
          </dd>
        </div>
        {data.loaded_at && age !== null && (
          <div>
            <dt>Loaded</dt>
            <dd>
              <time
                datetime={data.loaded_at}
                title={locale.moment(data.loaded_at)}
              >
                {locale.ago(age)}
              </time>
            </dd>
          </div>
        )}
        {report && (
          <>
            <div>
              <dt>Customers</dt>
              <dd>{locale.count(report.customers)}</dd>
            </div>
            <div>
              <dt>Interactions</dt>
              <dd>{locale.count(report.interactions)}</dd>
            </div>
            {report.date_range && (
              <div>
                <dt>Days</dt>
                <dd>
                  {locale.days(report.date_range.first, report.date_range.last)}
                </dd>
              </div>
            )}
          </>
        )}
        {data.data_version && (
          <div>
            <dt>Version</dt>
            <dd>
              <code>{data.data_version}</code>
            </dd>
          </div>
        )}
      </dl>
      <Lines title="Waiting for" lines={data.waiting} />
      {report && report.warnings.length > 0 && (
        <Lines
          title="To check"
          lines={report.warnings.map(({ text }) => text)}
        />
      )}
    </div>
  );
}

function Lines(
  { title, lines }: {
    readonly title: string;
    readonly lines: readonly string[];
  },
) {
  if (lines.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul class="lines">
        {lines.map((line) => <li key={line}>{line}</li>)}
      </ul>
    </>
  );
}

function Changed(
  { data: { changes }, locale }: {
    readonly data: DataState;
    readonly locale: Locale;
  },
) {
  return (
    <div class="card">
      <h3>What the last refresh changed</h3>
      {changes
        ? <Changes changes={changes} locale={locale} />
        : <p class="summary">This is the first version since the start.</p>}
    </div>
  );
}

function Changes(
  { changes, locale }: {
    readonly changes: NonNullable<DataState["changes"]>;
    readonly locale: Locale;
  },
) {
  const tables = Object.entries(changes.tables);
  const news = [
    ["New customers", changes.new_customers],
    ["Vanished customers", changes.vanished_customers],
  ] as const;
  const names = [
    ["New channels", changes.new_channels],
    ["Vanished channels", changes.vanished_channels],
    ["New types", changes.new_types],
    ["Vanished types", changes.vanished_types],
    ["New topics", changes.new_topics],
    ["Vanished topics", changes.vanished_topics],
    ["New attributes", changes.new_attributes],
    ["Vanished attributes", changes.vanished_attributes],
  ] as const;
  return (
    <>
      <table class="list">
        <caption class="only-read">Rows by table</caption>
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col" class="number">Added</th>
            <th scope="col" class="number">Gone</th>
          </tr>
        </thead>
        <tbody>
          {tables.map(([table, { rows_added, rows_gone }]) => (
            <tr key={table}>
              <th scope="row">{table}</th>
              <td class="number">{locale.count(rows_added)}</td>
              <td class="number">{locale.count(rows_gone)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <dl class="facts">
        {news.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{locale.count(value)}</dd>
          </div>
        ))}
        {names.flatMap(([title, values]) =>
          values.length === 0 ? [] : [
            <div key={title}>
              <dt>{title}</dt>
              <dd>{values.join(", ")}</dd>
            </div>,
          ]
        )}
      </dl>
    </>
  );
}

/** Files listed; the API has them all. */
const FILES_LISTED = 100;

function Files(
  { report, state, locale }: Props & { readonly report: ServedReport },
) {
  const { files } = report;
  const set_aside = files.reduce((sum, one) => sum + one.rows_set_aside, 0);
  return (
    <div class="card wide">
      <div class="card-head">
        <h3>Files</h3>
        {state.admin && set_aside > 0 && (
          <a
            class="button"
            href="api/v1/data/set-aside?format=csv&bom=1"
            data-do="download"
            download=""
          >
            Rows set aside, as CSV
          </a>
        )}
        <p class="summary">
          {set_aside === 0
            ? "Every row is counted."
            : `${
              locale.counted(set_aside, "row")
            } set aside for breaking a rule, and counted nowhere.`}
        </p>
      </div>
      <div class="scroll" tabindex={0} role="region" aria-label="Files: rows">
        <table class="list">
          <caption class="only-read">Files</caption>
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">Table</th>
              <th scope="col" class="number">Size</th>
              <th scope="col" class="number">Rows counted</th>
              <th scope="col" class="number">Set aside</th>
              <th scope="col">Most often, because of</th>
            </tr>
          </thead>
          <tbody>
            {files.slice(0, FILES_LISTED).map((file) => (
              <tr key={file.file}>
                <th scope="row">{file.file}</th>
                <td>{file.table}</td>
                <td class="number">{locale.bytes(file.bytes)}</td>
                <td class="number">{locale.count(file.rows_kept)}</td>
                <td class="number">{locale.count(file.rows_set_aside)}</td>
                <td>
                  {file.set_aside.length === 0
                    ? "—"
                    : file.set_aside.slice(0, 3).map((
                      { column, reason, rows },
                    ) => `${column}: ${reason} (${locale.count(rows)})`).join(
                      "; ",
                    )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function AdminPanel(
  { data, state, locale }: Props & { readonly data: DataState },
) {
  const { admin } = state;
  return (
    <div class="card wide with-script" id="admin">
      <h3>For the administrator</h3>
      {!state.has_admin
        ? (
          <p class="summary">
            Files can be delivered here once <code>ADMIN_KEY_SHA256</code>{" "}
            or a key with the scope <code>admin</code> is set.
          </p>
        )
        : admin
        ? <Decisions data={data} admin={admin} locale={locale} />
        : (
          <>
            <p class="summary">
              Deliver a file, decide about held data, or go back a version.
            </p>
            <KeyForm
              what="admin"
              label="The administrator's key"
              error={state.admin_error}
            />
          </>
        )}
    </div>
  );
}

/** A form for a key. The browser keeps it in this tab only. */
export function KeyForm({ what, label, error }: {
  readonly what: "admin" | "reader";
  readonly label: string;
  readonly error: string | null;
}) {
  const id = `key-${what}`;
  return (
    <form class="key-form" data-do="sign-in" data-what={what}>
      <label for={id}>{label}</label>
      <input
        id={id}
        name="key"
        type="password"
        autocomplete="off"
        required
        aria-describedby={`${id}-error`}
        aria-invalid={error ? "true" : undefined}
      />
      <button type="submit" class="button primary">Continue</button>
      <p id={`${id}-error`} class="error" role="alert">{error ?? ""}</p>
    </form>
  );
}

function Decisions({ data, admin, locale }: {
  readonly data: DataState;
  readonly admin: Admin;
  readonly locale: Locale;
}) {
  const { held, discarded } = data;
  return (
    <>
      {held && (
        <div class="note note-warning">
          <h4>New data waits for your decision</h4>
          <Lines title="Because" lines={held.reasons} />
          {held.changes && <Changes changes={held.changes} locale={locale} />}
          <p class="actions">
            <Decide what="accept" version={held.data_version} is_primary>
              Accept and serve
            </Decide>
            <Decide what="discard" version={held.data_version}>Discard</Decide>
          </p>
        </div>
      )}
      {discarded && (
        <div class="note">
          <h4>A version was discarded, or left by going back</h4>
          <p>
            Its files are not loaded until they change: <code>{discarded}</code>
          </p>
          <p class="actions">
            <Decide what="accept" version={discarded}>
              Serve it all the same
            </Decide>
          </p>
        </div>
      )}
      <DropZone upload={admin.upload} locale={locale} />
      <p class="actions">
        <button
          type="button"
          class="button"
          data-do="decide"
          data-what="refresh"
        >
          Check the folder now
        </button>
        {data.data_version && (
          <Decide what="rollback" version={data.data_version}>
            Go back a version
          </Decide>
        )}
        <button type="button" class="button" data-do="sign-out">
          Forget the key
        </button>
      </p>
      <p role="status" class="summary">{admin.said ?? ""}</p>
    </>
  );
}

function Decide({ what, version, is_primary = false, children }: {
  readonly what: "accept" | "discard" | "rollback";
  readonly version: string;
  readonly is_primary?: boolean;
  // deno-lint-ignore no-explicit-any
  readonly children?: any;
}) {
  return (
    <button
      type="button"
      class={is_primary ? "button primary" : "button"}
      data-do="decide"
      data-what={what}
      data-version={version}
    >
      {children}
    </button>
  );
}

function DropZone(
  { upload, locale }: {
    readonly upload: Upload | null;
    readonly locale: Locale;
  },
) {
  return (
    <div class="drop" data-drop="true">
      <p>
        <strong>Drop an export here</strong>, or{" "}
        <label class="button">
          choose a file
          <input type="file" class="only-read" data-do="choose" />
        </label>
      </p>
      <p class="hint">
        It is checked first. Nothing goes live before you say so.
      </p>
      {upload && <Dropped upload={upload} locale={locale} />}
    </div>
  );
}

const STEPS = {
  checking: "Checking the whole folder with this file in it…",
  publishing: "Delivering…",
  published: "Delivered. The new version shows here as soon as it is served.",
} as const;

function Dropped(
  { upload, locale }: { readonly upload: Upload; readonly locale: Locale },
) {
  const { name, bytes } = upload;
  return (
    <div class="dropped" role="status">
      <h4>{name} ({locale.bytes(bytes)})</h4>
      {"error" in upload
        ? (
          <>
            <p class="error">
              {upload.step === "refused"
                ? "This file cannot be served:"
                : "The delivery failed:"}
            </p>
            <ul class="lines">
              {upload.error.split("\n").map((line) => <li key={line}>{line}
              </li>)}
            </ul>
            <p class="actions">
              <CancelButton />
            </p>
          </>
        )
        : upload.step === "checked"
        ? <CheckedFile upload={upload} locale={locale} />
        : <p>{STEPS[upload.step]}</p>}
    </div>
  );
}

const OUTCOMES = {
  served: "It fits. It would be served at once.",
  held: "It fits, and would be held for a decision.",
  unchanged: "It would change nothing: the data served is the same.",
  discarded: "This data was discarded before, and would not be served.",
  refused: "It cannot be served.",
} as const;

function CheckedFile({ upload: { name, checked }, locale }: {
  readonly upload: Extract<Upload, { step: "checked" }>;
  readonly locale: Locale;
}) {
  const { outcome, reasons, changes, report } = checked;
  const file = report?.files.find((one) => one.file === name);
  return (
    <>
      <p class={outcome === "refused" ? "error" : undefined}>
        {OUTCOMES[outcome]}
      </p>
      <Lines
        title={outcome === "served" ? "To check" : "Because"}
        lines={reasons}
      />
      {file && (
        <p>
          {locale.counted(file.rows_kept, "row")} counted,{" "}
          {locale.count(file.rows_set_aside)} set aside
          {file.set_aside.length > 0 &&
            `, most often ${file.set_aside[0].column}: ${
              file.set_aside[0].reason
            }`}.
        </p>
      )}
      {changes && <Changes changes={changes} locale={locale} />}
      <p class="actions">
        {outcome !== "refused" && (
          <button type="button" class="button primary" data-do="publish">
            Publish
          </button>
        )}
        <CancelButton />
      </p>
    </>
  );
}

function CancelButton() {
  return <button type="button" class="button" data-do="cancel">Cancel</button>;
}
