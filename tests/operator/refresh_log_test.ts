/** The log of refreshes: what became of the files, for a person and as fields. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { LogEntry } from "../../db/model/log.ts";
import type { Changes, LoadReport, Refresh } from "../../db/model/report.ts";
import { terminalText } from "../../operator/log.ts";
import {
  type Circumstances,
  createRefreshLog,
  refreshEntry,
} from "../../operator/refresh_log.ts";
import {
  loadFolder,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
} from "../support/load_folder.ts";
import { textFiles } from "../support/text_ids.ts";
import { exportsOf, live, watchedStore } from "../support/watched_store.ts";

const [BEFORE, AFTER] = ["a".repeat(16), "b".repeat(16)];
const KNOWN = `the files are those of data version ${BEFORE}, which is served`;

const CIRCUMSTANCES: Circumstances = {
  before: BEFORE,
  had_failed: false,
  snapshot: null,
  notice: null,
  base_url: "http://localhost",
  uptime_seconds: 4.25,
};

function refreshOf(
  state: Refresh["state"],
  { data_version, reasons = [] }: {
    readonly data_version: string | null;
    readonly reasons?: readonly string[];
  },
): Refresh {
  return {
    sequence: 1,
    state,
    started_at: "2024-05-01T10:00:00.000Z",
    ended_at: "2024-05-01T10:00:02.500Z",
    reasons,
    report: data_version === null ? null : {
      data_version,
      seconds: 1.26,
      customers: 2,
      interactions: 7,
      files: [
        { rows_read: 5, rows_set_aside: 1 },
        { rows_read: 6, rows_set_aside: 2 },
      ],
    } as unknown as LoadReport,
    changes: {
      tables: { interactions: { rows_added: 1_234, rows_gone: 5 } },
    } as unknown as Changes,
  };
}

Deno.test("each result of a refresh has its event, its level, its text and its counts", async (t) => {
  const counts = {
    customers: 2,
    interactions: 7,
    files: 2,
    rows_read: 11,
    rows_set_aside: 3,
  };
  const table: [Refresh, Partial<Circumstances>, Partial<LogEntry>][] = [
    [refreshOf("serving", { data_version: AFTER }), {}, {
      level: "info",
      event: "refresh_served",
      text:
        `Live after 2.5 s: data version ${AFTER}: 1,234 interactions added, 5 gone`,
      data_version: AFTER,
      ...counts,
      interactions_added: 1_234,
      interactions_gone: 5,
    }],
    [
      refreshOf("serving", { data_version: BEFORE, reasons: ["as they were"] }),
      {},
      {
        level: "info",
        event: "refresh_unchanged",
        text: `Still serving data version ${BEFORE}`,
        data_version: BEFORE,
        reasons: ["as they were"],
        account: ["as they were"],
        ...counts,
      },
    ],
    [
      refreshOf("serving", { data_version: BEFORE, reasons: [KNOWN] }),
      { had_failed: true },
      {
        level: "info",
        event: "refresh_unchanged",
        text:
          `The files are good again; still serving the last good data, data version ${BEFORE}`,
        data_version: BEFORE,
        reasons: [KNOWN],
        account: [KNOWN],
        ...counts,
      },
    ],
    [
      // A decision says nothing of the files.
      refreshOf("serving", { data_version: BEFORE, reasons: ["discarded"] }),
      { had_failed: true },
      {
        level: "info",
        event: "refresh_unchanged",
        text: `Still serving data version ${BEFORE}`,
        data_version: BEFORE,
        reasons: ["discarded"],
        account: ["discarded"],
        ...counts,
      },
    ],
    [refreshOf("held", { data_version: AFTER, reasons: ["fewer rows"] }), {}, {
      level: "warning",
      event: "refresh_held",
      text:
        `Held: data version ${AFTER} needs a decision: POST /api/v1/data/accept or /discard.`,
      data_version: AFTER,
      reasons: ["fewer rows"],
      account: ["fewer rows"],
      ...counts,
    }],
    [refreshOf("failed", { data_version: null, reasons: ["a", "b"] }), {}, {
      level: "error",
      event: "refresh_failed",
      text: "Refresh failed; the version before stays in service.",
      data_version: BEFORE,
      reasons: ["a", "b"],
      account: ["a", "b"],
    }],
    [refreshOf("failed", { data_version: null, reasons: ["a"] }), {
      before: null,
    }, {
      level: "error",
      event: "refresh_failed",
      text: "Not ready: the data cannot be served.",
      data_version: null,
      reasons: ["a"],
      account: ["a"],
    }],
  ];
  for (const [refresh, circumstances, expected] of table) {
    await t.step(String(expected.text), () => {
      assertEquals(
        refreshEntry(refresh, { ...CIRCUMSTANCES, ...circumstances }),
        {
          seconds: 2.5,
          reasons: [],
          account: [],
          ...expected,
        } as LogEntry,
      );
    });
  }
});

function firstEntry(
  { store, snapshot }: Awaited<ReturnType<typeof loadFolder>>,
): LogEntry {
  return refreshEntry(store.refreshes.history[0], {
    ...CIRCUMSTANCES,
    before: null,
    snapshot,
  });
}

Deno.test("the first data is shown with its totals; a hostile column name does nothing", async () => {
  await using opened = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv":
      "Date,Event,Customers,\x1b[2Jsecret\n05/03/2020,Bird,1\n",
  });
  const text = terminalText(firstEntry(opened), new Date());
  for (
    const line of [
      "Ready in 4.3 s, data version ",
      "\n  customers     1, 1 of them only in interactions\n",
      "\n  interactions  1, from 2020-03-05 to 2020-03-05\n",
      "\n  channels      Bird\n",
      "\n  set aside     no rows\n",
      "\ufffd[2Jsecret",
      "\n  Open http://localhost/ in a browser\n",
    ]
  ) assertStringIncludes(text, line);
  assertEquals(text.includes("\x1b"), false);
});

Deno.test("the address to try has the id of a customer in one segment", async () => {
  await using opened = await loadFolder(textFiles({
    records: [["a/b ü", "", "Jedi", "Red"]],
    interactions: [],
  }));
  const url = "http://localhost/api/v1/interactions/a%2Fb%20%C3%BC";
  const { example_url, account } = firstEntry(opened);
  assertEquals(example_url, url);
  assertEquals(account!.at(-1), `Try ${url}`);
});

Deno.test("files that are good again after a failure are logged, though nothing changes", async () => {
  await using watched = await watchedStore(exportsOf(3));
  const logged: LogEntry[] = [];
  watched.store.refreshes.subscribe(createRefreshLog({
    store: watched.store,
    base_url: "http://localhost",
    log: (entry) => void logged.push(entry),
  }));
  await live(watched, 3);
  await watched.folder.write({ "interactions.csv": "Nothing\n" });
  assertEquals((await watched.next()).state, "failed");
  await watched.folder.write(exportsOf(3));
  await watched.next();
  assertEquals(logged.map(({ event }) => event), [
    "refresh_served",
    "refresh_failed",
    "refresh_unchanged",
  ]);
  const { data_version } = watched.snapshot;
  assertEquals(
    logged[2].text,
    `The files are good again; still serving the last good data, data version ${data_version}`,
  );
});

Deno.test("the first data after a failure: the time of its own load", async () => {
  await using opened = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": NO_INTERACTIONS,
  });
  const [refresh] = opened.store.refreshes.history;
  const { text } = refreshEntry({
    ...refresh,
    started_at: "2026-01-01T00:00:00.000Z",
    ended_at: "2026-01-01T00:00:01.500Z",
  }, {
    ...CIRCUMSTANCES,
    before: null,
    had_failed: true,
    snapshot: opened.snapshot,
  });
  assertStringIncludes(text, "Ready in 1.5 s, ");
});
