/** Finds the kept versions that hold a customer, and removes them whole: a version is the proof of its files, and is never rewritten. */

import { isCustomerId } from "../model/customer_ids.ts";
import { harmless, seenText } from "../model/names.ts";
import type { LoadReport } from "../model/report.ts";
import type { StateFolder, VersionFolder } from "./archive.ts";

/** Whose rows are counted, and what the ids of the version are. */
export interface CustomerOfVersion {
  /** As the exports write it. */
  readonly id: string;
  readonly ids: "integer" | "text";
}

/** A number of rows in one table of a kept version. */
export interface TableRows {
  readonly table: string;
  readonly rows: number;
}

/** How a customer is removed. */
export interface ErasureOptions {
  /** As the exports write it: a whole number, or a text. */
  readonly id: string;
  /** Whether versions are only looked through. */
  readonly dry_run: boolean;
  /** Whether versions that cannot be read, and so may hold the customer, are removed too. */
  readonly unreadable: boolean;
  /** Counts the customer's rows in the tables that lie in `folder`; throws where they cannot be read. */
  readonly countRows: (
    folder: string,
    customer: CustomerOfVersion,
  ) => Promise<readonly TableRows[]>;
  /** Called with one line for each version. */
  readonly say: (line: string) => void;
}

/** The result of a removal. */
export interface Erasure {
  /** Number of versions that were looked through. */
  readonly versions: number;
  /** Number of folders that were removed. */
  readonly removed: number;
  /** Number of folders still there that hold the customer, or may. */
  readonly left: number;
  /** Whether the latest version was read, and holds nothing of the customer. */
  readonly latest_is_clean: boolean;
}

/** What a version was found to be, and the words for it. */
interface Finding {
  readonly is: "clean" | "holding" | "unreadable" | "gone";
  readonly text: string;
}

/**
 * Removes the versions in `state` that hold a customer. A server may keep and drop
 * versions meanwhile; those that it keeps are looked through too.
 */
export async function eraseCustomer(
  state: StateFolder,
  options: ErasureOptions,
): Promise<Erasure> {
  const { say } = options;
  const seen = new Set<string>();
  let removed = 0;
  let left = 0;
  let latest: Finding["is"] | undefined;
  const remove = async (
    name: string,
    { text, drop }: { readonly text: string; drop(): Promise<void> },
  ) => {
    const failure = options.dry_run ? null : await failureOf(drop);
    const is_removed = failure === null && !options.dry_run;
    if (is_removed) removed++;
    else left++;
    say(
      `${name}: ${text}; ${
        is_removed ? "removed" : failure ?? "would be removed"
      }`,
    );
  };

  const unseen = async () =>
    (await state.versions()).filter(({ name }) => !seen.has(name));
  for (let found = await unseen(); found.length > 0; found = await unseen()) {
    for (const version of found) {
      const { name } = version;
      seen.add(name);
      const { is, text } = await lookThrough(version, state, options);
      latest = is;
      if (is === "holding" || is === "unreadable" && options.unreadable) {
        await remove(name, { text, drop: () => state.drop(name) });
      } else if (is === "unreadable") {
        left++;
        say(`${name}: ${text}; may hold the customer, --unreadable removes it`);
      } else say(`${name}: ${text}`);
    }
  }
  const { removing, writing } = await state.unfinished();
  for (const name of removing) {
    await remove(name, {
      text: "the rest of a removal that did not end",
      drop: () => state.finishDrop(name),
    });
  }
  for (const name of writing) {
    left++;
    say(
      `${name}: may hold the customer: a version that is being written, or that a killed process left. If it is still there in a minute, restart the server, which removes it`,
    );
  }
  return {
    versions: seen.size,
    removed,
    left,
    latest_is_clean: latest === "clean",
  };
}

async function lookThrough(
  version: VersionFolder,
  state: StateFolder,
  { id, countRows }: ErasureOptions,
): Promise<Finding> {
  const { name } = version;
  let places: string[] = [];
  let may_have_rows = true;
  let problem: string | null = null;
  if ("problem" in version) problem = version.problem;
  else {
    const { report } = version.loaded;
    const customer = { id, ids: report.mapping?.ids ?? "integer" };
    may_have_rows = customer.ids === "text" || isCustomerId(id, "integer");
    places = setAsidePlaces(report, customer);
    try {
      const rows = may_have_rows
        ? await countRows(`${state.path}/${name}`, customer)
        : [];
      places.unshift(...rows.map(({ table, rows }) => `${table} (${rows})`));
    } catch (error) {
      problem = (error as Error).message;
    }
  }
  if (places.length > 0) {
    return { is: "holding", text: `holds the customer: ${places.join(", ")}` };
  }
  if (problem === null) {
    return {
      is: "clean",
      text: may_have_rows
        ? "nothing found"
        : "nothing found among the rows set aside; its ids are whole numbers, and this is none",
    };
  }
  // A server drops its oldest version when it keeps another one.
  return (await state.versions()).some((one) => one.name === name)
    ? { is: "unreadable", text: `cannot be read: ${inOneLine(problem)}` }
    : { is: "gone", text: "removed by another process" };
}

/** The number of listed rows set aside that name a customer, with the first of them. */
function setAsidePlaces(
  { set_aside_listed }: LoadReport,
  customer: CustomerOfVersion,
): string[] {
  const isOf = isOfCustomer(customer);
  const rows = set_aside_listed.filter(({ value }) =>
    value !== null && isOf(value)
  );
  if (rows.length === 0) return [];
  const [{ file, line, column }] = rows;
  return [
    `rows set aside (${rows.length}; the first: ${
      inOneLine(file)
    }, line ${line}, ${column})`,
  ];
}

/** Whether a cell is the id of a customer, or a list with it. */
function isOfCustomer(
  { id, ids }: CustomerOfVersion,
): (cell: string) => boolean {
  const spellings = ids === "integer" && isCustomerId(id, ids)
    ? groupedDigits(id)
    : [seenText(id).trim()];
  const plain = (text: string) =>
    ids === "integer" ? text.replace(/^0+(?=\d)|\.0+$/g, "") : text;
  return (cell) => {
    const text = seenText(cell);
    // A comma separates ids, or groups the digits of one.
    return [text, ...text.split(/[;|]/), ...text.split(/[;|,]/)]
      .map((element) => element.trim())
      .some((element) =>
        spellings.includes(element) || spellings.includes(plain(element))
      );
  };
}

/** A whole number with its digits grouped in every way that the file contract knows: 1,234 and 1.234, 1,23,456. */
function groupedDigits(id: string): string[] {
  return [
    id,
    ...["en-US", "de-DE", "en-IN"].map((locale) =>
      BigInt(id).toLocaleString(locale)
    ),
  ];
}

/** The first line of a message, or a file's name, for a terminal. */
function inOneLine(text: string): string {
  return harmless(text.split("\n")[0]);
}

async function failureOf(action: () => Promise<void>): Promise<string | null> {
  try {
    await action();
    return null;
  } catch (error) {
    return `cannot be removed: ${(error as Error).message}`;
  }
}
