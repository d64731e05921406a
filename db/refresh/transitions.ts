/** Decides what is served, held, discarded and kept after each event of a refresh: a pure function, without I/O, clock or engine. */

import {
  type Changes,
  FILES_ARE_OF,
  type LoadReport,
  type Outcome,
  type Refresh,
} from "../model/report.ts";

/** The facts of a snapshot that decisions need. */
export interface Version {
  /** Rises with every snapshot that is built or reopened in this process. */
  readonly number: number;
  readonly report: LoadReport;
  /** Compared with the snapshot that was served when it was built; null when none was. */
  readonly changes: Changes | null;
}

/** The served, held and discarded versions, and the result of the latest refresh. */
export interface RefreshStatus {
  readonly served: Version | null;
  /** Whether the served version comes from the archive, and is not that of the files. */
  readonly restored: boolean;
  readonly held:
    | { readonly version: Version; readonly refresh: Refresh }
    | null;
  /** The versions whose files are not built until they change; first that of the files that lie there. */
  readonly discarded: readonly string[];
  readonly building: boolean;
  readonly latest: Refresh | null;
  /** Why nothing is served; null while something is, or while the first load runs. */
  readonly problem: string | null;
}

/** What happened. */
export type RefreshEvent =
  /** A refresh began. */
  | { readonly type: "started" }
  /** It ended without a result: its files changed meanwhile, and the next check loads them. */
  | { readonly type: "abandoned" }
  /** The files are those of a version that needs no build: see `isKnown`. */
  | { readonly type: "seen"; readonly data_version: string }
  | {
    readonly type: "built";
    readonly version: Version;
    /** Why it should wait for a decision. */
    readonly doubts: readonly string[];
    /** Possible mistakes in its files, which were loaded all the same. */
    readonly warnings: readonly string[];
  }
  /** An archived version was opened: at the start, or to go back to it. */
  | {
    readonly type: "reopened";
    readonly version: Version;
    readonly because: "start";
  }
  | {
    readonly type: "reopened";
    readonly version: Version;
    readonly because: "rollback";
    /** Names in the archive of the version that the rollback leaves. */
    readonly left: readonly string[];
  }
  | {
    readonly type: "failed";
    readonly reasons: readonly string[];
    /** Whether the same files were loaded again by themselves. */
    readonly retried?: boolean;
  }
  /** Another process decides, and this is what its archive says. */
  | {
    readonly type: "followed";
    /** The version that went live there last; null for none. */
    readonly served: string | null;
    readonly discarded: readonly string[];
  }
  /** A decision of the administrator that `refusalOf` allows. */
  | {
    readonly type: "accepted" | "discarded";
    readonly data_version: string;
  };

/** An action that follows from an event; they are carried out in order. */
export type Effect =
  /** Answers come from this version from now on. */
  | { readonly type: "serve"; readonly version: Version }
  /** Nobody needs this version any more. */
  | { readonly type: "close"; readonly version: Version }
  /** This version is put into the archive. */
  | { readonly type: "keep"; readonly version: Version }
  | {
    readonly type: "mark_discarded";
    /** All of them. */
    readonly data_versions: readonly string[];
  }
  | { readonly type: "drop_kept"; readonly name: string }
  /** The files are looked at and loaded again, whether they have changed or not. */
  | { readonly type: "look_again" }
  /** Log, history, events and webhook get this. */
  | { readonly type: "tell"; readonly refresh: Refresh };

/** The inputs of a decision beside status and event. */
export interface Policy {
  /** Whether a version with doubts waits for the administrator. */
  readonly hold: boolean;
  /** When the refresh or the decision began, ISO 8601 in UTC. */
  readonly began_at: string;
  /** Now, ISO 8601 in UTC. */
  readonly at: string;
}

/** As many discarded versions are remembered. */
const MAX_DISCARDED = 20;

/** The status before the first event. */
export const NOTHING_YET: RefreshStatus = {
  served: null,
  restored: false,
  held: null,
  discarded: [],
  building: true,
  latest: null,
  problem: null,
};

/** Whether the files of this version need no build: it is served, held or discarded. */
export function isKnown(
  { served, held, discarded }: RefreshStatus,
  data_version: string,
): boolean {
  // With nothing to serve, a discarded version is better than none.
  return served !== null && (data_version === versionOf(served) ||
    data_version === versionOf(held?.version) ||
    discarded.includes(data_version));
}

/** A decision of the administrator about a version. */
export interface Decision {
  readonly type: "accept" | "discard" | "rollback";
  readonly data_version: string;
}

/** Why a decision cannot be carried out, as a sentence that says what can; null when it can. */
export function refusalOf(
  { served, held, discarded }: RefreshStatus,
  { type, data_version }: Decision,
): string | null {
  const held_version = versionOf(held?.version);
  switch (type) {
    case "accept":
      if (data_version === held_version || discarded.includes(data_version)) {
        return null;
      }
      break;
    case "discard":
      if (data_version === held_version) return null;
      break;
    case "rollback": {
      const served_version = versionOf(served);
      if (data_version === served_version) return null;
      return served_version === null
        ? "No data is served."
        : `Served is data version ${served_version}. Send that one to go back from it.`;
    }
  }
  const known = [
    ...held_version === null ? [] : [`Held is data version ${held_version}.`],
    ...discarded.length === 0 || type === "discard"
      ? []
      : [`Discarded is data version ${discarded.join(", ")}.`],
  ];
  return known.join(" ") || "No data is held.";
}

/** How a refresh may end that loads files. */
export type OutcomeEvent = Extract<
  RefreshEvent,
  { type: "built" | "failed" }
>;

/**
 * What a refresh would do that ended with this event, and the reasons that it would
 * give; of a version that is known already, although a refresh would not build it.
 */
export function outcomeOf(
  status: RefreshStatus,
  { event, policy }: {
    readonly event: OutcomeEvent;
    readonly policy: Policy;
  },
): { readonly outcome: Outcome; readonly reasons: readonly string[] } {
  if (event.type === "failed") {
    return { outcome: "refused", reasons: event.reasons };
  }
  const { data_version } = event.version.report;
  const is_known = isKnown(status, data_version);
  const after = next(
    // Without a latest one, each result is news.
    { ...status, latest: null },
    is_known ? { type: "seen", data_version } : event,
    policy,
  ).status;
  // That a version is held already is never news.
  const { state, reasons } = after.latest ?? after.held!.refresh;
  const outcome = state === "held"
    ? "held"
    : !is_known
    ? "served"
    : data_version === versionOf(status.served)
    ? "unchanged"
    : "discarded";
  return { outcome, reasons };
}

/** The status after an event, and the effects to carry out. */
export function next(
  status: RefreshStatus,
  event: RefreshEvent,
  { hold, began_at, at }: Policy,
): { status: RefreshStatus; effects: readonly Effect[] } {
  const after = (
    change: Partial<RefreshStatus>,
    effects: readonly Effect[] = [],
  ) => ({ status: { ...status, building: false, ...change }, effects });
  /** As `after`, with a result that log, history, events and webhook get. */
  const told = (
    change: Partial<RefreshStatus>,
    result: Omit<Refresh, "sequence" | "started_at" | "ended_at">,
    { effects = [], afterwards = [] }: {
      readonly effects?: readonly Effect[];
      readonly afterwards?: readonly Effect[];
    } = {},
  ) => {
    const refresh: Refresh = {
      ...result,
      sequence: sequenceAfter(status.latest, at),
      started_at: began_at,
      ended_at: at,
    };
    return {
      refresh,
      ...after({ latest: refresh, ...change }, [
        ...effects,
        { type: "tell", refresh },
        ...afterwards,
      ]),
    };
  };
  const { served, held, discarded } = status;
  const close_held: Effect[] = held
    ? [{ type: "close", version: held.version }]
    : [];
  /** The effects of serving a version in the place of what is served, and of what is held unless that stays so. */
  const serving = (
    version: Version,
    still_held: RefreshStatus["held"] = null,
  ): Effect[] => [
    { type: "serve", version },
    ...served ? [{ type: "close", version: served } as const] : [],
    ...held && held.version !== version && !still_held ? close_held : [],
  ];
  // A decision says nothing of files that could not be loaded.
  const look_again: Effect[] = status.latest?.state === "failed"
    ? [{ type: "look_again" }]
    : [];
  const forget_discarded: Effect[] = discarded.length === 0
    ? []
    : [{ type: "mark_discarded", data_versions: [] }];
  const live = (version: Version) => ({
    served: version,
    restored: false,
    held: null,
    discarded: [],
    problem: null,
  });

  switch (event.type) {
    case "started":
      return after({ building: true });

    case "abandoned":
      return after({});

    case "seen": {
      const { data_version } = event;
      if (!served) return after({});
      if (held && data_version === versionOf(held.version)) {
        const { state } = status.latest ?? held.refresh;
        if (state === "held") return after({});
        const { refresh, ...rest } = told({}, {
          ...held.refresh,
          state: "held",
        });
        return {
          ...rest,
          status: { ...rest.status, held: { ...held, refresh } },
        };
      }
      const is_served = data_version === versionOf(served);
      const reasons = [
        is_served
          ? `${FILES_ARE_OF} ${data_version}, which is served`
          : `${FILES_ARE_OF} ${data_version}, which was discarded; POST /api/v1/data/accept serves it`,
        ...held
          ? [`data version ${versionOf(held.version)} is no longer held`]
          : [],
      ];
      const change = {
        held: null,
        ...is_served && { restored: false, discarded: [] },
      };
      const { latest } = status;
      const is_news = latest?.state !== "serving" || held !== null ||
        (is_served
          ? status.restored || discarded.length > 0
          : String(latest.reasons) !== String(reasons));
      const effects = [...close_held, ...is_served ? forget_discarded : []];
      if (!is_news) return after(change, effects);
      return told(change, {
        state: "serving",
        reasons,
        report: served.report,
        changes: null,
      }, { effects });
    }

    case "built": {
      const { version, doubts, warnings } = event;
      const { report, changes } = version;
      const result = { reasons: [...doubts, ...warnings], report, changes };
      if (served && hold && doubts.length > 0) {
        const { refresh, ...rest } = told(
          {},
          { ...result, state: "held" },
          { effects: close_held },
        );
        return {
          ...rest,
          status: { ...rest.status, held: { version, refresh } },
        };
      }
      return told(
        live(version),
        { ...result, state: "serving" },
        {
          effects: serving(version),
          afterwards: [...forget_discarded, { type: "keep", version }],
        },
      );
    }

    case "reopened": {
      const { version } = event;
      const { report, changes } = version;
      // A held version stays held, unless it has the same data.
      const still_held = held && versionOf(held.version) !== versionOf(version)
        ? held
        : null;
      const change = { ...live(version), held: still_held, restored: true };
      if (event.because === "start") {
        return told(
          { ...change, discarded },
          {
            state: "serving",
            reasons: [`the last good data, loaded ${report.loaded_at}`],
            report,
            changes,
          },
          { effects: serving(version, still_held) },
        );
      }
      const left_version = versionOf(served)!;
      // Behind what is discarded already: a rollback leaves the files as they are,
      // and the next one must not bring them back.
      const data_versions = [...new Set([...discarded, left_version])]
        .filter((one) => one !== versionOf(version));
      return told(
        { ...change, discarded: data_versions },
        {
          state: "serving",
          reasons: [`rolled back from data version ${left_version}`],
          report,
          changes,
        },
        {
          effects: [
            // First what a killed process must not forget.
            { type: "mark_discarded", data_versions },
            ...event.left.map((name): Effect => ({ type: "drop_kept", name })),
            ...serving(version, still_held),
          ],
          afterwards: look_again,
        },
      );
    }

    case "followed": {
      const { discarded } = event;
      const held_version = versionOf(held?.version);
      if (held && held_version === event.served) {
        const { version, refresh } = held;
        return told({ ...live(version), discarded }, {
          ...refresh,
          state: "serving",
        }, { effects: serving(version) });
      }
      if (served && held && discarded.includes(held_version!)) {
        return told({ held: null, discarded }, {
          state: "serving",
          reasons: [discardedText(held_version!, served)],
          report: served.report,
          changes: null,
        }, { effects: close_held });
      }
      return { status: { ...status, discarded }, effects: [] };
    }

    case "failed": {
      const { reasons, retried } = event;
      const { latest } = status;
      const is_news = !retried || latest?.state !== "failed" ||
        String(latest.reasons) !== String(reasons);
      if (!is_news) return after({});
      return told(
        { problem: served ? null : reasons.join("\n") },
        { state: "failed", reasons, report: null, changes: null },
      );
    }

    case "accepted": {
      // The discarded version is built first; it stays discarded until it is served.
      if (!held || event.data_version !== versionOf(held.version)) {
        return after({ building: true });
      }
      const { version, refresh } = held;
      return told(
        live(version),
        { ...refresh, state: "serving" },
        {
          effects: serving(version),
          afterwards: [
            ...forget_discarded,
            { type: "keep", version },
            ...look_again,
          ],
        },
      );
    }

    case "discarded": {
      if (!served || event.data_version !== versionOf(held?.version)) {
        return after({});
      }
      const { data_version } = event;
      const data_versions = [...new Set([data_version, ...discarded])]
        .slice(0, MAX_DISCARDED);
      return told(
        { held: null, discarded: data_versions },
        {
          state: "serving",
          reasons: [discardedText(data_version, served)],
          report: served.report,
          changes: null,
        },
        {
          effects: [{ type: "mark_discarded", data_versions }, ...close_held],
          afterwards: look_again,
        },
      );
    }
  }
}

function discardedText(data_version: string, served: Version): string {
  return `data version ${data_version} was discarded; data version ${
    versionOf(served)
  } stays served`;
}

function versionOf(version: Version): string;
function versionOf(version: Version | null | undefined): string | null;
function versionOf(version: Version | null | undefined): string | null {
  return version?.report.data_version ?? null;
}

/** The sequence of a refresh that ended at `at`: milliseconds of the epoch, so that it rises over a restart too. */
export function sequenceAfter(latest: Refresh | null, at: string): number {
  return Math.max((latest?.sequence ?? 0) + 1, Date.parse(at));
}
