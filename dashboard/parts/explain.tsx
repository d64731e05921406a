/** Where a number comes from: filters, files, rows set aside, and the SQL. */

import type { Explanation } from "../answers.ts";
import { titled } from "../cards.ts";
import type { Locale } from "../locale.ts";
import type { Explained } from "../state.ts";
import { Icon } from "./icons.tsx";

/** The dialog. */
export function ExplainDialog(
  { explained, locale }: {
    readonly explained: Explained | null;
    readonly locale: Locale;
  },
) {
  return (
    <dialog id="explained" aria-labelledby="explained-title">
      <div class="card-head">
        <h2 id="explained-title">
          {explained ? `${explained.title}: where from?` : "Where from?"}
        </h2>
        <button type="button" class="icon-button" data-do="close">
          <Icon of="close" />
          <span class="only-read">Close</span>
        </button>
      </div>
      {explained && (
        <>
          {explained.explanation
            ? <Sources explanation={explained.explanation} locale={locale} />
            : <p>{explained.error ?? "Asking…"}</p>}
          <h3>The question</h3>
          <p>
            <code class="wraps">{`/${explained.question}`}</code>
          </p>
        </>
      )}
    </dialog>
  );
}

function Sources(
  { explanation: { filters, files, set_aside, sql }, locale }: {
    readonly explanation: Explanation;
    readonly locale: Locale;
  },
) {
  return (
    <>
      <h3>What is counted</h3>
      {Object.keys(filters).length === 0
        ? <p>All of the data: no filter is set.</p>
        : (
          <dl class="facts">
            {Object.entries(filters).map(([name, value]) => (
              <div key={name}>
                <dt>{titled(name)}</dt>
                <dd>{Array.isArray(value) ? value.join(", ") : `${value}`}</dd>
              </div>
            ))}
          </dl>
        )}
      <h3>Files</h3>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col" class="number">Rows counted</th>
            <th scope="col" class="number">Set aside</th>
          </tr>
        </thead>
        <tbody>
          {files.map(({ file, rows_kept, rows_set_aside }) => (
            <tr key={file}>
              <th scope="row">{file}</th>
              <td class="number">{locale.count(rows_kept)}</td>
              <td class="number">{locale.count(rows_set_aside)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {set_aside.length > 0 && (
        <>
          <h3>Rows set aside</h3>
          <ul class="lines">
            {set_aside.map(({ file, column, reason, rows }) => (
              <li key={`${file} ${column} ${reason}`}>
                {locale.count(rows)} of {file}, {column}: {reason}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>SQL</h3>
      {sql.length === 0
        ? <p>None: the answer is known since the load.</p>
        : sql.map(({ name, text }) => (
          <pre key={name} tabindex={0}><code>{text}</code></pre>
        ))}
    </>
  );
}
