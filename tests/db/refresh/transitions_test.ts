/** What becomes of the data: the properties that hold after any events in any order, and each event's result. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { LoadReport, Refresh } from "../../../db/model/report.ts";
import {
  type Effect,
  isKnown,
  next,
  NOTHING_YET,
  outcomeOf,
  type RefreshEvent,
  type RefreshStatus,
  refusalOf,
  type Version,
} from "../../../db/refresh/transitions.ts";

const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(16));
const AT = "2024-05-01T10:00:00.000Z";
const POLICY = { hold: true, began_at: AT, at: AT };

let made = 0;

function version(data_version: string): Version {
  const report = { data_version, loaded_at: AT } as LoadReport;
  return { number: ++made, report, changes: null };
}

/** The status and the effects after some events. */
function after(
  events: readonly RefreshEvent[],
  from: RefreshStatus = NOTHING_YET,
) {
  let status = from;
  let effects: readonly Effect[] = [];
  for (const event of events) {
    ({ status, effects } = next(status, event, POLICY));
  }
  return { status, effects };
}

const built = (data_version: string, doubts: string[] = []) => ({
  type: "built",
  version: version(data_version),
  doubts,
  warnings: [],
} as const);
const toldBy = (effects: readonly Effect[]) =>
  effects.filter((effect) => effect.type === "tell")
    .map(({ refresh: { state, reasons } }) => [state, ...reasons]);
const typesOf = (effects: readonly Effect[]) => effects.map(({ type }) => type);

/** What a random step tries to do; what the status does not allow is passed over. */
const step = fc.record({
  kind: fc.constantFrom(
    "started",
    "abandoned",
    "seen",
    "built",
    "doubted",
    "reopened",
    "rolled back",
    "failed",
    "accept",
    "discard",
    "followed",
  ),
  data_version: fc.constantFrom(A, B, C),
  hold: fc.boolean(),
});

function eventOf(
  { kind, data_version }: { kind: string; data_version: string },
  status: RefreshStatus,
): RefreshEvent | null {
  const { served } = status;
  const decided = (type: "accept" | "discard" | "rollback") =>
    refusalOf(status, { type, data_version }) === null;
  switch (kind) {
    case "started":
    case "abandoned":
      return { type: kind };
    case "seen":
      return isKnown(status, data_version)
        ? { type: "seen", data_version }
        : null;
    case "built":
      return built(data_version);
    case "doubted":
      return built(data_version, ["it lost rows"]);
    case "reopened":
      return served
        ? null
        : { type: kind, version: version(data_version), because: "start" };
    case "rolled back":
      return decided("rollback")
        ? {
          type: "reopened",
          version: version(data_version === A ? B : A),
          because: "rollback",
          left: ["00000002"],
        }
        : null;
    case "failed":
      return { type: kind, reasons: ["no column Customer_Id"] };
    case "accept":
      return decided(kind) ? { type: "accepted", data_version } : null;
    case "followed":
      return {
        type: kind,
        served: data_version,
        discarded: data_version === A ? [] : [A],
      };
    default:
      return decided("discard") ? { type: "discarded", data_version } : null;
  }
}

Deno.test("whatever happens in whatever order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let status = NOTHING_YET;
      const open = new Set<Version>();
      const closed = new Set<Version>();
      let served = null as Version | null;
      let marked: readonly string[] = [];
      for (const one of steps) {
        const event = eventOf(one, status);
        if (!event) continue;
        const policy = { ...POLICY, hold: one.hold };
        const result = next(status, event, policy);
        assertEquals(next(status, event, policy), result, "it is pure");
        if ("version" in event) open.add(event.version);

        for (const effect of result.effects) {
          if (effect.type === "serve") {
            assert(open.has(effect.version), "what is served is open");
            served = effect.version;
          }
          if (effect.type === "close") {
            assert(open.delete(effect.version), "a version is closed once");
            assert(effect.version !== served, "what is served stays open");
            closed.add(effect.version);
          }
          if (effect.type === "keep") assertEquals(effect.version, served);
          if (effect.type === "mark_discarded") {
            marked = effect.data_versions;
          }
        }
        const before = status;
        ({ status } = result);
        const is_followed = event.type === "followed";
        if (is_followed) marked = event.discarded;
        const { held, latest } = status;
        assertEquals(status.served, served);
        assertEquals(
          new Set([served, held?.version].filter((one) => one != null)),
          open,
          "every version is served, held or closed",
        );
        assertEquals(status.discarded, marked, "the archive knows it");
        if (typesOf(result.effects).includes("serve")) {
          const rolled_back = event.type === "reopened" &&
            event.because === "rollback";
          assertEquals(
            status.discarded,
            is_followed ? marked : rolled_back
              ? [
                ...new Set([
                  ...before.discarded,
                  before.served!.report.data_version,
                ]),
              ].filter((one) => one !== served!.report.data_version)
              : event.type === "reopened"
              ? before.discarded
              : [],
          );
        }
        const told = result.effects.filter(({ type }) => type === "tell");
        assertEquals(told.length, latest === before.latest ? 0 : 1);
        if (told.length > 0) {
          assertEquals(told, [{ type: "tell", refresh: latest }] as Effect[]);
          assert(latest!.sequence > (before.latest?.sequence ?? 0));
        } else {
          const discarded = is_followed ? marked : before.discarded;
          assertEquals(
            { ...status, building: false },
            { ...before, building: false, discarded },
            "what is not told changes nothing",
          );
        }
        if (status.served) assertEquals(status.problem, null);
        assertEquals(status.restored && !status.served, false);
      }
      return true;
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("seen: what the files are, once", async (t) => {
  const cases: [
    name: string,
    events: RefreshEvent[],
    data_version: string,
    told: string[][],
  ][] = [
    ["what is served", [built(A)], A, []],
    [
      "what is served, after a failure",
      [
        built(A),
        { type: "failed", reasons: ["cut"] },
      ],
      A,
      [[
        "serving",
        `the files are those of data version ${A}, which is served`,
      ]],
    ],
    ["what is served, with another held", [built(A), built(B, ["less"])], A, [[
      "serving",
      `the files are those of data version ${A}, which is served`,
      `data version ${B} is no longer held`,
    ]]],
    [
      "what is served, after a restart",
      [{
        type: "reopened",
        version: version(A),
        because: "start",
      }],
      A,
      [[
        "serving",
        `the files are those of data version ${A}, which is served`,
      ]],
    ],
    ["what is held", [built(A), built(B, ["less"])], B, []],
    [
      "what is held, after a failure",
      [
        built(A),
        built(B, ["less"]),
        { type: "failed", reasons: ["cut"] },
      ],
      B,
      [["held", "less"]],
    ],
    [
      "what was discarded",
      [
        built(A),
        built(B, ["less"]),
        { type: "discarded", data_version: B },
      ],
      B,
      [[
        "serving",
        `the files are those of data version ${B}, which was discarded; POST /api/v1/data/accept serves it`,
      ]],
    ],
  ];
  for (const [name, events, data_version, told] of cases) {
    await t.step(name, () => {
      const { status } = after(events);
      assert(isKnown(status, data_version));
      const seen: RefreshEvent = { type: "seen", data_version };
      const once = next(status, seen, POLICY);
      assertEquals(toldBy(once.effects), told);
      assertEquals(next(once.status, seen, POLICY).effects, []);
    });
  }
});

Deno.test("the discarded version", async (t) => {
  const rolled_back = after([built(A), built(B), {
    type: "reopened",
    version: version(A),
    because: "rollback",
    left: ["00000002"],
  }]);
  await t.step("is what a rollback leaves, first of all in the archive", () => {
    assertEquals(rolled_back.status.discarded, [B]);
    assertEquals(typesOf(rolled_back.effects), [
      "mark_discarded",
      "drop_kept",
      "serve",
      "close",
      "tell",
    ]);
  });
  await t.step("is no longer discarded once another is accepted", () => {
    const { status } = after([built(C, ["less"]), {
      type: "accepted",
      data_version: C,
    }], rolled_back.status);
    assertEquals(status.discarded, []);
    assertEquals(isKnown(status, B), false);
  });
  await t.step("stays so when a second rollback leaves another", () => {
    const { status, effects } = after([{
      type: "reopened",
      version: version(C),
      because: "rollback",
      left: ["00000001"],
    }], rolled_back.status);
    assertEquals(status.discarded, [B, A]);
    assertEquals(effects[0], {
      type: "mark_discarded",
      data_versions: [B, A],
    });
    assert(isKnown(status, B));
    assert(isKnown(status, A));
    for (const data_version of [A, B]) {
      assertEquals(refusalOf(status, { type: "accept", data_version }), null);
    }
  });
  await t.step("stays so when a held one is discarded after it", () => {
    const { status } = after([
      built(C, ["less"]),
      { type: "discarded", data_version: C },
    ], rolled_back.status);
    assertEquals(status.discarded, [C, B]);
  });
  await t.step("is built when it is accepted, and discarded until then", () => {
    const accepted: RefreshEvent = { type: "accepted", data_version: B };
    const { status, effects } = after([accepted], rolled_back.status);
    assertEquals([status.building, status.discarded, effects], [
      true,
      [B],
      [],
    ]);
    const failed = after([{ type: "failed", reasons: ["cut"] }], status);
    assertEquals(failed.status.discarded, [B]);
    assertEquals(after([built(B)], status).status.discarded, []);
  });
  await t.step("of a rollback leaves what is held, unless it is that", () => {
    const back = (data_version: string) =>
      after([built(A), built(B), built(C, ["less"]), {
        type: "reopened",
        version: version(data_version),
        because: "rollback",
        left: ["00000002"],
      }]);
    const { status, effects } = back(A);
    assertEquals(status.held?.version.report.data_version, C);
    assertEquals(
      effects.filter(({ type }) => type === "close").length,
      1,
    );
    assertEquals(back(C).status.held, null);
  });
  await t.step("is built all the same when nothing is served", () => {
    assertEquals(isKnown({ ...NOTHING_YET, discarded: [A] }, A), false);
  });
});

Deno.test("failed again by itself: told where it is another state or reason", () => {
  const failed = (reason: string, retried: boolean): RefreshEvent => ({
    type: "failed",
    reasons: [reason],
    retried,
  });
  const { status } = after([built(A), failed("full", false)]);
  for (
    const [reason, retried, told] of [
      ["full", true, []],
      ["away", true, ["tell"]],
      ["full", false, ["tell"]],
    ] as const
  ) {
    const again = after([{ type: "started" }, failed(reason, retried)], status);
    assertEquals(again.effects.map(({ type }) => type), [...told]);
    assertEquals(again.status.building, false);
    assertEquals(again.status.latest?.reasons, [reason]);
  }
  const { effects } = after([built(A), failed("full", true)]);
  assertEquals(effects.map(({ type }) => type), ["tell"]);
});

Deno.test("after a decision, files that could not be loaded are loaded again", async (t) => {
  const holding = [built(A), built(B), built(C, ["less"])];
  const decisions: RefreshEvent[] = [
    { type: "accepted", data_version: C },
    { type: "discarded", data_version: C },
    {
      type: "reopened",
      version: version(A),
      because: "rollback",
      left: ["00000002"],
    },
  ];
  for (const decision of decisions) {
    await t.step(decision.type, () => {
      const looksAgain = (events: readonly RefreshEvent[]) =>
        typesOf(after([...events, decision]).effects).includes("look_again");
      assertEquals(looksAgain(holding), false);
      const failed: RefreshEvent = { type: "failed", reasons: ["cut"] };
      assertEquals(looksAgain([...holding, failed]), true);
    });
  }
});

Deno.test("followed: the decisions of another process", async (t) => {
  const holding = after([built(A), built(B, ["less"])]).status;
  const cases: [
    name: string,
    from: RefreshStatus,
    event: { served: string | null; discarded: string[] },
    told: string[][],
    effects: string[],
  ][] = [
    ["nothing new", holding, { served: A, discarded: [] }, [], []],
    ["what is held went live there", holding, { served: B, discarded: [C] }, [[
      "serving",
      "less",
    ]], ["serve", "close", "tell"]],
    ["what is held was discarded there", holding, {
      served: A,
      discarded: [B],
    }, [[
      "serving",
      `data version ${B} was discarded; data version ${A} stays served`,
    ]], ["close", "tell"]],
    [
      "what is served was left there",
      after([built(B)]).status,
      {
        served: A,
        discarded: [B],
      },
      [],
      [],
    ],
    ["nothing is served", NOTHING_YET, { served: A, discarded: [B] }, [], []],
  ];
  for (const [name, from, { served, discarded }, told, effects] of cases) {
    await t.step(name, () => {
      const followed: RefreshEvent = { type: "followed", served, discarded };
      const { status, effects: done } = next(from, followed, POLICY);
      assertEquals(toldBy(done), told);
      assertEquals(typesOf(done), effects);
      assertEquals(status.discarded, discarded);
      assertEquals(status.held, name === "nothing new" ? from.held : null);
    });
  }
});

Deno.test("outcomeOf: what a refresh would do, and it is not done", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 20 }),
      fc.constantFrom<RefreshEvent & { type: "built" | "failed" }>(
        ...[A, B, C].flatMap((one) => [built(one), built(one, ["less"])]),
        { type: "failed", reasons: ["cut", "torn"] },
      ),
      fc.boolean(),
      (steps, event, hold) => {
        let status = NOTHING_YET;
        for (const one of steps) {
          const event = eventOf(one, status);
          if (event) ({ status } = next(status, event, POLICY));
        }
        const policy = { ...POLICY, hold };
        const before = structuredClone(status);
        const { outcome, reasons } = outcomeOf(status, { event, policy });
        assertEquals(status, before);

        // A refresh looks first whether it knows the version.
        const { data_version } = "version" in event
          ? event.version.report
          : { data_version: "" };
        const done = isKnown(status, data_version)
          ? next(status, { type: "seen", data_version }, policy)
          : next(status, event, policy);
        const { served, held, discarded } = done.status;
        const became = event.type === "failed"
          ? "refused"
          : served === event.version
          ? "served"
          : held?.version.report.data_version === data_version
          ? "held"
          : served?.report.data_version === data_version
          ? "unchanged"
          : discarded.includes(data_version) && "discarded";
        assertEquals(outcome, became);
        const told = toldBy(done.effects);
        if (told.length > 0) assertEquals(reasons, told[0].slice(1));
        assertEquals(
          reasons.length > 0,
          event.type === "failed" ||
            outcome !== "served" || event.doubts.length > 0,
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("outcomeOf: each outcome with its reasons", async (t) => {
  const known = (what: string) =>
    `the files are those of data version ${B}, which ${what}`;
  const discarded = [
    built(A),
    built(B, ["less"]),
    { type: "discarded", data_version: B } as const,
  ];
  const cases: [
    name: string,
    events: RefreshEvent[],
    event: RefreshEvent & { type: "built" | "failed" },
    outcome: string,
    reasons: string[],
  ][] = [
    ["nothing served", [], built(B), "served", []],
    ["nothing served, with doubts", [], built(B, ["less"]), "served", ["less"]],
    ["another is served", [built(A)], built(B), "served", []],
    ["doubts", [built(A)], built(B, ["less"]), "held", ["less"]],
    ["a failure", [built(A)], { type: "failed", reasons: ["cut"] }, "refused", [
      "cut",
    ]],
    ["served already", [built(B)], built(B, ["less"]), "unchanged", [
      known("is served"),
    ]],
    [
      "served already, another held",
      [built(B), built(A, ["less"])],
      built(B),
      "unchanged",
      [
        known("is served"),
        `data version ${A} is no longer held`,
      ],
    ],
    ["held already", [built(A), built(B, ["less"])], built(B), "held", [
      "less",
    ]],
    ["discarded", discarded, built(B), "discarded", [
      known("was discarded; POST /api/v1/data/accept serves it"),
    ]],
    ["another than the discarded one", discarded, built(C), "served", []],
  ];
  for (const [name, events, event, outcome, reasons] of cases) {
    await t.step(name, () => {
      const { status } = after(events);
      assertEquals(outcomeOf(status, { event, policy: POLICY }), {
        outcome,
        reasons,
      } as ReturnType<typeof outcomeOf>);
    });
  }
});

Deno.test("refusalOf: what can be decided about instead", async (t) => {
  const { status: serving } = after([built(A)]);
  const { status: holding } = after([built(A), built(B, ["less"])]);
  const { status: discarded } = after([
    built(A),
    built(B, ["less"]),
    { type: "discarded", data_version: B },
  ]);
  const cases: [
    RefreshStatus,
    "accept" | "discard" | "rollback",
    string,
    string | null,
  ][] = [
    [NOTHING_YET, "accept", A, "No data is held."],
    [NOTHING_YET, "discard", A, "No data is held."],
    [NOTHING_YET, "rollback", A, "No data is served."],
    [serving, "accept", A, "No data is held."],
    [serving, "rollback", A, null],
    [
      serving,
      "rollback",
      B,
      `Served is data version ${A}. Send that one to go back from it.`,
    ],
    [holding, "accept", B, null],
    [holding, "accept", C, `Held is data version ${B}.`],
    [holding, "discard", B, null],
    [holding, "discard", A, `Held is data version ${B}.`],
    [discarded, "accept", B, null],
    [discarded, "accept", A, `Discarded is data version ${B}.`],
    [discarded, "discard", B, "No data is held."],
  ];
  for (const [i, [status, type, data_version, refusal]] of cases.entries()) {
    await t.step(
      `${i}: ${type}`,
      () => assertEquals(refusalOf(status, { type, data_version }), refusal),
    );
  }
});

Deno.test("sequence: rises also over a restart, and when the clock goes back", () => {
  const failed: RefreshEvent = { type: "failed", reasons: [] };
  const at = (status: RefreshStatus, at: string) =>
    next(status, failed, { ...POLICY, at }).status;
  const numbers = (status: RefreshStatus) =>
    (status.latest as Refresh).sequence;
  const first = at(NOTHING_YET, AT);
  const second = at(first, AT);
  const back = at(second, "2024-04-01T10:00:00.000Z");
  assertEquals(numbers(second), numbers(first) + 1);
  assertEquals(numbers(back), numbers(second) + 1);
  assert(numbers(at(NOTHING_YET, "2024-05-01T10:00:01.000Z")) > numbers(back));
});
