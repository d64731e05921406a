/** Asks two deployments the same questions, one after the other, and collects differences and times. */

import {
  type Catalogue,
  describe,
  ofBoth,
  onlyOfOne,
  type ServedVersion,
} from "./catalogue.ts";
import {
  type Answer,
  ask,
  type Deployment,
  NotReachedError,
} from "./deployment.ts";
import { differenceOf, type Parting } from "./differences.ts";
import {
  type Kind,
  type Question,
  QUESTION_KINDS,
  questionsOf,
  VERSION_PLACE,
} from "./questions.ts";

/** The two deployments, of which the reference is right where they differ. */
export interface Pair<Value> {
  readonly reference: Value;
  readonly compared: Value;
}

/** What a comparison has found. */
export interface Comparison {
  readonly seed: number;
  /** Answers that were compared; each page of a list is one. */
  readonly answers: number;
  /** How many of them had each status, such as 200. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly versions: Pair<ServedVersion & { readonly url: string }>;
  /** Paths and parameters that only one describes, which nobody was asked. */
  readonly not_asked: readonly string[];
  readonly kinds: readonly KindResult[];
  readonly differences: readonly Difference[];
}

/** The answers to the questions of one kind. */
export interface KindResult {
  readonly kind: Kind;
  readonly answers: number;
  readonly differences: number;
  /** Milliseconds from the request to the last byte. */
  readonly p50_ms: Pair<number>;
  readonly p99_ms: Pair<number>;
}

/** A question that was answered in two ways. */
export interface Difference extends Parting {
  readonly kind: Kind;
  /** Path and query string, without the cursor of a later page. */
  readonly question: string;
  readonly accept?: string;
  /** From 1; later pages are not compared after a difference. */
  readonly page: number;
}

/** What is asked, and who follows. */
export interface CompareOptions {
  readonly seed: number;
  readonly questions: number;
  /** Called with each difference as it is found. */
  readonly found: (difference: Difference) => void;
}

/** The served version of a deployment that is compared. */
interface Served {
  readonly deployment: Deployment;
  readonly version: ServedVersion;
}

/**
 * Compares two deployments.
 *
 * Throws `NotReachedError` when one of them cannot be asked, or when its data
 * changes meanwhile.
 */
export async function compareDeployments(
  { reference, compared }: Pair<Deployment>,
  { seed, questions, found }: CompareOptions,
): Promise<Comparison> {
  const described = {
    reference: await describe(reference),
    compared: await describe(compared),
  };
  const catalogues = [
    described.reference.catalogue,
    described.compared.catalogue,
  ] as const;
  const catalogue: Catalogue = ofBoth(...catalogues);
  const served: Pair<Served> = {
    reference: { deployment: reference, version: described.reference.version },
    compared: { deployment: compared, version: described.compared.version },
  };
  const times = createTimes();
  const differences: Difference[] = [];
  let is_reference_first = true;
  for (const question of questionsOf(catalogue, { seed, count: questions })) {
    const difference = await compareAnswers(served, {
      question,
      is_reference_first,
      took: times.took,
    });
    // In turns, so that neither profits from what the other has warmed.
    is_reference_first = !is_reference_first;
    if (!difference) continue;
    differences.push(difference);
    found(difference);
  }
  const versionOf = ({ deployment, version }: Served) => ({
    url: deployment.url,
    ...version,
  });
  return {
    seed,
    answers: times.count(),
    statuses: times.statuses(),
    versions: {
      reference: versionOf(served.reference),
      compared: versionOf(served.compared),
    },
    not_asked: onlyOfOne(...catalogues),
    kinds: times.results(differences),
    differences,
  };
}

/** Asks one question with all its pages; answers the first difference. */
async function compareAnswers(
  served: Pair<Served>,
  { question, is_reference_first, took }: {
    readonly question: Question;
    readonly is_reference_first: boolean;
    readonly took: (kind: Kind, answers: Pair<Answer>) => void;
  },
): Promise<Difference | null> {
  let cursors: Pair<string | null> = { reference: null, compared: null };
  for (let page = 1; page <= question.pages; page++) {
    const askReference = () =>
      askPage(served.reference, { ...question, cursor: cursors.reference });
    const askCompared = () =>
      askPage(served.compared, { ...question, cursor: cursors.compared });
    let reference, compared;
    if (is_reference_first) {
      reference = await askReference();
      compared = await askCompared();
    } else {
      compared = await askCompared();
      reference = await askReference();
    }
    took(question.kind, { reference, compared });
    const parting = differenceOf(question.path, {
      reference: { answer: reference, version: served.reference.version },
      compared: { answer: compared, version: served.compared.version },
    });
    const { kind, path, accept } = question;
    if (parting) return { kind, question: path, accept, page, ...parting };
    cursors = { reference: nextOf(reference), compared: nextOf(compared) };
    if (cursors.reference === null || cursors.compared === null) return null;
  }
  return null;
}

async function askPage(
  { deployment, version }: Served,
  { path, accept, cursor }: Question & { readonly cursor: string | null },
): Promise<Answer> {
  const { data_version } = version;
  const own = path.replaceAll(VERSION_PLACE, data_version);
  const answer = await ask(deployment, {
    accept,
    path: cursor === null
      ? own
      : `${own}${own.includes("?") ? "&" : "?"}cursor=${
        encodeURIComponent(cursor)
      }`,
  });
  const answered = answer.headers.get("Data-Version");
  if (answered !== null && answered !== data_version) {
    throw new NotReachedError(
      `${deployment.url} went from data version ${data_version} to ${answered} during the comparison. Compare again`,
    );
  }
  return answer;
}

/** The cursor of the next page, if the answer has one. */
function nextOf({ status, headers, body }: Answer): string | null {
  const type = headers.get("Content-Type") ?? "";
  if (status !== 200 || !type.startsWith("application/json")) return null;
  return JSON.parse(new TextDecoder().decode(body)).meta?.next ?? null;
}

function createTimes() {
  const all = new Map<Kind, Pair<number>[]>();
  const statuses: Record<string, number> = {};
  return {
    took(kind: Kind, { reference, compared }: Pair<Answer>): void {
      const { status } = reference;
      statuses[status] = (statuses[status] ?? 0) + 1;
      const ms = { reference: reference.ms, compared: compared.ms };
      const times = all.get(kind);
      if (times) times.push(ms);
      else all.set(kind, [ms]);
    },
    statuses: () => statuses,
    count: () => all.values().reduce((sum, times) => sum + times.length, 0),
    results(differences: readonly Difference[]): KindResult[] {
      return QUESTION_KINDS.filter((kind) => all.has(kind)).map((kind) => {
        const times = all.get(kind)!;
        return {
          kind,
          answers: times.length,
          differences: differences.filter((one) => one.kind === kind).length,
          p50_ms: quantiles(times, 0.5),
          p99_ms: quantiles(times, 0.99),
        };
      });
    },
  };
}

function quantiles(times: readonly Pair<number>[], share: number) {
  const of = (side: keyof Pair<number>) => {
    const sorted = times.map((ms) => ms[side]).sort((a, b) => a - b);
    const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
    return Math.round(sorted[at] * 1_000) / 1_000;
  };
  return { reference: of("reference"), compared: of("compared") };
}
