/** A comparison of two deployments as a person reads it, and as a file of a release has it. */

import { count } from "../../db/model/count.ts";
import { harmless } from "../../db/model/names.ts";
import { aligned, type Paint } from "../terminal.ts";
import type { Comparison, Difference, KindResult, Pair } from "./compare.ts";
import { ALLOWED_DIFFERENCES } from "./differences.ts";

/** One difference in four lines. */
export function differenceText(
  { kind, question, accept, page, where, reference, compared }: Difference,
  paint: Paint,
): string {
  const more = [
    ...accept ? [`Accept: ${accept}`] : [],
    ...page > 1 ? [`page ${page}`] : [],
  ].map((text) => `, ${text}`).join("");
  return [
    paint("bad", `${kind}: ${harmless(question)}${more}`),
    `  ${harmless(where)}`,
    `  reference  ${harmless(reference)}`,
    `  compared   ${harmless(compared)}`,
  ].join("\n");
}

/** The versions, the times of each kind, and the result in the last line. */
export function comparisonText(
  { seed, answers, statuses, versions, not_asked, kinds, differences }:
    Comparison,
  paint: Paint,
): string {
  const result = differences.length === 0
    ? paint("good", `${count(answers)} answers, no difference`)
    : paint(
      "bad",
      `${count(answers)} answers, differences: ${count(differences.length)}`,
    );
  const versionLine = (side: keyof Pair<unknown>) => {
    const { url, data_version, loaded_at, api_version } = versions[side];
    return [side, url, data_version, loaded_at, `API ${api_version}`];
  };
  return [
    ...aligned([
      ["", "URL", "data version", "loaded at", ""],
      versionLine("reference"),
      versionLine("compared"),
    ]),
    ...not_asked.length > 0
      ? ["", `Only one has, so not asked: ${harmless(not_asked.join(", "))}`]
      : [],
    "",
    ...timeLines(kinds).map((line, i) =>
      i === 0 ? paint("heading", line) : line
    ),
    "",
    `Statuses: ${
      Object.entries(statuses).map(([status, n]) => `${status} ${count(n)}`)
        .join(", ")
    }`,
    `${result} (seed ${seed})`,
  ].join("\n");
}

function timeLines(kinds: readonly KindResult[]): string[] {
  return aligned([
    [
      "Milliseconds",
      "answers",
      "p50 reference",
      "p50 compared",
      "p99 reference",
      "p99 compared",
      "differences",
    ],
    ...kinds.map(({ kind, answers, differences, p50_ms, p99_ms }) => [
      kind,
      count(answers),
      ...[p50_ms, p99_ms].flatMap(({ reference, compared }) => [
        reference.toFixed(1),
        compared.toFixed(1),
      ]),
      count(differences),
    ]),
  ]);
}

/** The file of `--json`. */
export function comparisonJson(comparison: Comparison): string {
  const { seed, answers, statuses, versions, ...rest } = comparison;
  return `${
    JSON.stringify(
      {
        seed,
        answers,
        statuses,
        versions,
        allowed_differences: ALLOWED_DIFFERENCES,
        ...rest,
      },
      null,
      2,
    )
  }\n`;
}
