/** Answers with rows: kept ones, JSON that is made once for all who ask at the same time, and downloads. */

import { refusalOf } from "../access/grant.ts";
import type { Admission, Work } from "../db/model/admission.ts";
import { joinBytes } from "../db/model/bytes.ts";
import type { Metric } from "../db/model/metric.ts";
import type { Run } from "../db/model/run.ts";
import type { Store } from "../db/store.ts";
import { permit } from "./access.ts";
import { answerText, explained } from "./answer.ts";
import { AnswerCache, type Kept, nameOf } from "./answer_cache.ts";
import { type Download, startDownload } from "./download.ts";
import type { JsonAnswer, RowsReply } from "./endpoint.ts";
import type { Exchange, FromSnapshot, MaybePromise } from "./exchange.ts";
import { FORMATS } from "./formats/formats.ts";
import { gzipped } from "./gzip.ts";
import { encodeJson } from "./json_body.ts";
import { readAll, recallAll } from "./read_rows.ts";
import {
  type FormatQuery,
  hasTag,
  type Wanted,
  wantedOf,
} from "./representation.ts";
import type { Responses } from "./responses.ts";
import { SharedWork } from "./shared_work.ts";
import type { Underway } from "./underway.ts";
import { downloadBytes, jsonBytes } from "./work_bytes.ts";

/** The settings of answers with rows. */
export interface RowsSettings {
  readonly CACHE_BYTES: number;
  readonly DOWNLOAD_TIMEOUT_MS: number;
  readonly QUERY_TIMEOUT_MS: number;
  readonly STALL_SECONDS: number;
}

/** What answers with rows are made with. */
export interface RowsParts {
  readonly store: Pick<Store, "snapshot">;
  readonly config: RowsSettings;
  readonly underway: Underway;
  readonly pressure: Admission;
  readonly responses: Responses;
}

/** Answers with rows. */
export interface RowsAnswers {
  /** Throws a 400, 401, 403 or 503, and what the question throws. */
  answer(reply: RowsReply, from: FromSnapshot): MaybePromise<Response>;
  /** The answer to a request that was understood before, if it is kept and its caller may have it. */
  keptAnswer(exchange: Exchange): Response | undefined;
  /** Those of the cache. */
  readonly metrics: readonly Metric[];
}

interface FromRows extends Pick<FromSnapshot, "exchange" | "snapshot"> {
  readonly wanted: Wanted;
  /** If-None-Match; null without it. */
  readonly tags: string | null;
}

/** JSON of fewer bytes is not worth compressing: it fits one packet. */
const MIN_GZIP_BYTES = 1_400;

/** Makes what answers with rows, with a cache that gives its memory back under pressure. */
export function createRowsAnswers(
  { store, config, underway, pressure, responses }: RowsParts,
): RowsAnswers {
  const { found, notModified, sendOptions } = responses;
  const cache = new AnswerCache<Wanted>(config.CACHE_BYTES);
  const answers = new SharedWork<Kept>();
  const downloads = new SharedWork<Download>();
  const stall_ms = config.STALL_SECONDS * 1_000;
  pressure.addCache(cache);

  function answer(
    reply: RowsReply,
    { exchange, need, names_version, snapshot, query }: FromSnapshot,
  ): MaybePromise<Response> {
    const { request } = exchange;
    const wanted = wantedOf(reply, {
      request,
      snapshot,
      query: query as FormatQuery,
      need,
      names_version,
      route: exchange.route,
    });
    permit(exchange.caller, wanted.need);
    const tags = request.headers.get("if-none-match");
    const from = { exchange, snapshot, wanted, tags };
    const is_json = wanted.format === "json";
    const recalled = () => {
      const rows = is_json && !reply.explain &&
        recallAll(snapshot, reply.reads);
      return rows ? answerRecalled(reply.json(rows), from) : undefined;
    };
    // Kept is what is compressed; the rest is made sooner than it is looked for.
    const answer = wanted.gzip
      ? known(from) ?? recalled()
      : hasIt(from) ?? recalled() ?? known(from);
    if (answer) return answer;
    cache.countMiss();
    understand(from);
    return is_json ? answerJson(reply, from) : answerDownload(reply, from);
  }

  /** An answer that took no query; kept only where it is compressed, which takes longer than to make it. */
  function answerRecalled(
    json: JsonAnswer,
    from: FromRows,
  ): MaybePromise<Response> {
    const { exchange, snapshot, wanted, tags } = from;
    let body = "";
    for (const part of answerText(snapshot, json)) body += part;
    if (!wanted.gzip || body.length < MIN_GZIP_BYTES) {
      return found(wanted, { exchange, tags, body });
    }
    const compressed = gzipped([new TextEncoder().encode(body)]);
    return new Response(compressed).bytes().then((body) => {
      const answer = { body, is_gzip: true };
      understand(from);
      cache.set(snapshot, { key: wanted.key, answer });
      return found(wanted, { exchange, tags, ...answer });
    });
  }

  // Of a question that names customers, the answer is another one for a caller who
  // sees others of them.
  function understand({ exchange, snapshot, wanted }: FromRows): void {
    if (wanted.need.about === "named") return;
    const request = textOf(exchange.request);
    cache.understand(snapshot, { request, as: wanted });
  }

  /** The answer to a client that has it already. */
  function hasIt({ exchange, wanted, tags }: FromRows): Response | undefined {
    return tags !== null && hasTag(tags, wanted.etag)
      ? notModified(wanted, exchange)
      : undefined;
  }

  /** What needs no query: the client has it, or it is kept. */
  function known(from: FromRows): Response | undefined {
    const answer = hasIt(from);
    if (answer) return answer;
    const { exchange, snapshot, wanted, tags } = from;
    const kept = cache.get(snapshot, wanted.key);
    return kept && found(wanted, { exchange, tags, ...kept });
  }

  // Work that is shared retains the snapshot itself: it may outlive the request
  // that began it.
  async function answerJson(
    reply: RowsReply,
    { exchange, snapshot, wanted, tags }: FromRows,
  ): Promise<Response> {
    const { signal } = exchange.request;
    const takes: Work = {
      kind: "question",
      bytes: jsonBytes(snapshot, reply.reads),
    };
    pressure.require(takes);
    const kept = await answers.run(
      `${nameOf(snapshot)} ${wanted.key}`,
      {
        client: signal,
        timeout_ms: config.QUERY_TIMEOUT_MS,
        async work(deadline) {
          using _ = snapshot.retain();
          using _deadline = deadline;
          using _underway = underway.begin(
            "answer",
            (reason) => deadline.abort(reason),
          );
          using run = await snapshot.begin(deadline);
          using _reserved = pressure.reserve(takes);
          const { data, meta } = reply.json(
            await readAll(snapshot, { reads: reply.reads, run }),
          );
          const text = answerText(snapshot, {
            data,
            meta: reply.explain
              ? { ...meta, ...await explained(snapshot, reply.explain) }
              : meta,
          });
          const pieces = await encodeJson(text, run);
          const kept = await keptOf(pieces, { gzip: wanted.gzip, run });
          cache.set(snapshot, { key: wanted.key, answer: kept });
          return kept;
        },
      },
    );
    return found(wanted, { exchange, tags, ...kept });
  }

  async function answerDownload(
    { download: question }: RowsReply,
    { exchange, snapshot, wanted, tags }: FromRows,
  ): Promise<Response> {
    const { signal } = exchange.request;
    const { key, format, bom, gzip } = wanted;
    const takes: Work = {
      kind: "download",
      bytes: downloadBytes(snapshot, question!),
    };
    pressure.require(takes);
    const work = `${nameOf(snapshot)} ${key}`;
    // Whoever does not get the stream that was started asks for one of its own.
    for (let turn = 0;; turn++) {
      const download = await downloads.run(
        turn === 0 ? work : `${work} ${crypto.randomUUID()}`,
        {
          client: signal,
          timeout_ms: config.DOWNLOAD_TIMEOUT_MS,
          async work(deadline) {
            const download = await startDownload(question!, {
              encode: FORMATS[format].encode!,
              bom,
              gzip,
              deadline,
              stall_ms,
              snapshot,
              underway,
              reserve: () => pressure.reserve(takes),
            });
            if ("body" in download) {
              cache.set(snapshot, { key, answer: download });
            }
            return download;
          },
        },
      );
      if ("body" in download) {
        return found(wanted, { exchange, tags, ...download });
      }
      const body = download.take(sendOptions(exchange).onBroken);
      if (body) return found(wanted, { exchange, tags, body, is_gzip: gzip });
    }
  }

  function keptAnswer(exchange: Exchange): Response | undefined {
    const { request, caller } = exchange;
    // A question that names customers hardly comes twice, and is answered from memory.
    if (request.url.includes("customer_id=")) return undefined;
    const { snapshot } = store;
    const wanted = snapshot && cache.understood(snapshot, textOf(request));
    if (!wanted || refusalOf(caller, wanted.need)) return undefined;
    exchange.route = wanted.route;
    return known({
      exchange,
      snapshot,
      wanted,
      tags: request.headers.get("if-none-match"),
    });
  }

  return { answer, keptAnswer, metrics: cache.metrics };
}

/** All of a request that says what is asked for. */
function textOf({ url, headers }: Request): string {
  return `${url}\n${headers.get("accept")}\n${headers.get("accept-encoding")}`;
}

async function keptOf(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  { gzip, run }: { gzip: boolean; run: Run },
): Promise<Kept> {
  const is_gzip = gzip &&
    (pieces.length > 1 || pieces[0].length >= MIN_GZIP_BYTES);
  const paced = async function* () {
    for (const piece of pieces) {
      yield piece;
      await run.pause();
    }
  };
  const body = is_gzip
    ? await new Response(gzipped(paced())).bytes()
    : joinBytes(pieces);
  return { body, is_gzip };
}
