/** Checks the sums of a load: no row is lost or invented. */

import type { LoadReport } from "./report.ts";

/** The counts that are checked. */
export type Accounts = Pick<
  LoadReport,
  "files" | "channels" | "interactions" | "merged_interactions"
>;

/**
 * Throws an error, a bug, unless each file's rows are kept or set aside, what was
 * merged adds up, and every interaction has a channel. Rows kept are counted by
 * their date forms, from other rows than those set aside.
 */
export function checkAccounts(
  { files, channels, interactions, merged_interactions }: Accounts,
): void {
  for (const { file, table, date_forms, ...counts } of files) {
    if (table !== "interactions" && table !== "products") continue;
    const { rows_read, rows_set_aside } = counts;
    const dated = sum(date_forms.map(({ rows }) => rows));
    requireEqual(`rows of ${file}`, {
      whole: rows_read,
      parts: dated + rows_set_aside,
    });
  }
  requireEqual("interactions merged", {
    whole: merged_interactions,
    parts: sum(files.map((file) => file.interactions_merged)),
  });
  requireEqual("interactions by channel", {
    whole: interactions,
    parts: sum(channels.map((channel) => channel.interactions)),
  });
}

/** Throws an error, a bug, unless a whole is the sum of its parts. */
export function requireEqual(
  what: string,
  { whole, parts }: { readonly whole: number; readonly parts: number },
): void {
  if (whole === parts) return;
  throw new Error(`${what} do not add up: ${whole} and ${parts}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
