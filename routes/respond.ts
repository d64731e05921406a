/** Answers questions with rows: in the format asked for, kept, shared, within a deadline, streamed when large. */

import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { HTTPException } from "hono/http-exception";
import { StoreError } from "../db/model/problems.ts";
import type { Snapshot } from "../db/store.ts";
import type { AnswerRows, Asked } from "./answer.ts";
import {
  chooseFormat,
  DOWNLOAD_FORMATS,
  FORMAT_NAMES,
  type FormatName,
  MEDIA_TYPES,
} from "./formats/formats.ts";
import { AnswerCache, type Kept, nameOf } from "./answer_cache.ts";
import { hasTag } from "./caching.ts";
import type { Deadline } from "./deadline.ts";
import { requestId } from "./request_id.ts";
import { SharedWork } from "./shared_work.ts";

/** The settings of answers with rows. */
export interface AnswerSettings {
  readonly CACHE_SECONDS: number;
  readonly CACHE_BYTES: number;
  readonly QUERY_TIMEOUT_MS: number;
  readonly DOWNLOAD_TIMEOUT_MS: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Exports up to this many bytes are answered whole and kept; larger ones streamed. */
const DOWNLOAD_KEPT_BYTES = 1_048_576;
/** JSON of fewer bytes is not worth compressing: it fits one packet. */
const MIN_GZIP_BYTES = 1_400;

const JSON_ONLY: readonly FormatName[] = ["json"];

/** What a request asks for, as it was understood. */
interface Wanted {
  readonly data_version: string;
  readonly format: FormatName;
  readonly bom: boolean;
  readonly gzip: boolean;
  /** Question and representation, in characters an ETag may have. */
  readonly key: string;
  readonly etag: string;
  /** Name of the file that it is saved as. */
  readonly file: string;
}

/** The answer to a whole export: kept, or a stream that the first who asks takes. */
type Download = Kept | { take(): ReadableStream<Bytes> | undefined };

/** How questions with rows are answered. */
export interface RowAnswers {
  readonly answerRows: AnswerRows;
  /** The answer to a request that was answered before and whose answer is kept, if so. */
  answerAgain(
    request: Request,
    snapshot: Snapshot | null,
  ): Response | undefined;
}

/** Makes answers with rows; `log` gets why a stream was broken off. */
export function createAnswerRows(
  settings: AnswerSettings,
  log: (text: string) => void,
): RowAnswers {
  const cache_control = `public, max-age=${settings.CACHE_SECONDS}`;
  const cache = new AnswerCache<Wanted>(settings.CACHE_BYTES);
  const answers = new SharedWork<Kept>();
  const exports = new SharedWork<Download>();

  function withHeaders(
    request: Request,
    { data_version, etag }: Wanted,
    answer: Response,
  ): Response {
    // One by one: see answerJson.
    const { headers } = answer;
    headers.append("Cache-Control", cache_control);
    headers.append("Data-Version", data_version);
    headers.append("ETag", etag);
    headers.append("Vary", "Accept, Accept-Encoding");
    headers.append("X-Request-Id", requestId(request));
    return answer;
  }

  function notModified(request: Request, wanted: Wanted): Response {
    return withHeaders(request, wanted, new Response(null, { status: 304 }));
  }

  function found(
    request: Request,
    wanted: Wanted,
    body: BodyInit,
    is_gzip: boolean,
  ): Response {
    const { format, file } = wanted;
    // RFC 9110, 13.1.2: `*` is true only if there is something to answer.
    if (request.headers.get("if-none-match")?.trim() === "*") {
      if (body instanceof ReadableStream) body.cancel();
      return notModified(request, wanted);
    }
    const charset = format === "csv" ? "; charset=utf-8" : "";
    const answer = new Response(body, {
      headers: { "Content-Type": MEDIA_TYPES[format] + charset },
    });
    if (is_gzip) answer.headers.append("Content-Encoding", "gzip");
    if (format !== "json") {
      answer.headers.append(
        "Content-Disposition",
        `attachment; filename="${file}"`,
      );
    }
    return withHeaders(request, wanted, answer);
  }

  /** What needs no query: the client has it, or it is kept. */
  function known(
    request: Request,
    snapshot: Snapshot,
    wanted: Wanted,
  ): Response | undefined {
    const tags = request.headers.get("if-none-match");
    if (tags !== null && hasTag(tags, wanted.etag)) {
      return notModified(request, wanted);
    }
    const kept = cache.get(snapshot, wanted.key);
    return kept && found(request, wanted, kept.body, kept.is_gzip);
  }

  async function answer(
    request: Request,
    snapshot: Snapshot,
    asked: Asked,
    wanted: Wanted,
  ): Promise<Response> {
    using _ = snapshot.retain();
    const { key, format, gzip } = wanted;
    const work = `${nameOf(snapshot)} ${key}`;
    if (format === "json") {
      const { body, is_gzip } = await answers.run(
        work,
        request.signal,
        settings.QUERY_TIMEOUT_MS,
        async (deadline) => {
          const kept = await jsonOf(snapshot, asked, wanted, deadline);
          cache.set(snapshot, key, kept);
          return kept;
        },
      );
      return found(request, wanted, body, is_gzip);
    }
    const startOne = async (deadline: Deadline) => {
      const exported = await startDownload(
        snapshot,
        asked,
        wanted,
        deadline,
        (error) => log(`${requestId(request)} ${textOf(error)}`),
      );
      if ("body" in exported) cache.set(snapshot, key, exported);
      return exported;
    };
    // Whoever does not get the stream that was started asks for one of its own.
    for (let turn = 0;; turn++) {
      const exported = await exports.run(
        turn === 0 ? work : `${work} ${crypto.randomUUID()}`,
        request.signal,
        settings.DOWNLOAD_TIMEOUT_MS,
        startOne,
      );
      if ("body" in exported) {
        return found(request, wanted, exported.body, exported.is_gzip);
      }
      const stream = exported.take();
      if (stream) return found(request, wanted, stream, gzip);
    }
  }

  return {
    answerRows(c, snapshot, asked) {
      const request = c.req.raw;
      const wanted = wantedOf(c, snapshot, asked);
      cache.understand(snapshot, textOfRequest(request), wanted);
      return known(request, snapshot, wanted) ??
        answer(request, snapshot, asked, wanted);
    },
    answerAgain(request, snapshot) {
      if (!snapshot || request.method !== "GET") return undefined;
      const wanted = cache.understood(snapshot, textOfRequest(request));
      return wanted && known(request, snapshot, wanted);
    },
  };
}

/** All of a request that tells what is asked for. */
function textOfRequest({ url, headers }: Request): string {
  return `${url}\n${headers.get("accept")}\n${headers.get("accept-encoding")}`;
}

function wantedOf(
  c: Context,
  { data_version }: Snapshot,
  { name, key: question, rows }: Asked,
): Wanted {
  const format = chooseFormat(c, rows ? FORMAT_NAMES : JSON_ONLY);
  const bom = c.req.query("bom") === "1";
  if (bom && format !== "csv") {
    throw new HTTPException(400, { message: "bom is for format=csv only." });
  }
  const is_text = format === "json" || DOWNLOAD_FORMATS[format].is_text;
  const gzip = is_text && accepts(c, {
        header: "Accept-Encoding",
        supports: ["gzip"],
        default: "identity",
      }) === "gzip";
  const key = `${question}${format === "json" ? "" : `.${format}`}${
    bom ? ".bom" : ""
  }${gzip ? ".gz" : ""}`;
  return {
    data_version,
    format,
    bom,
    gzip,
    key,
    etag: `"${data_version}-${key}"`,
    file: `${name}-${data_version}.${format}`,
  };
}

async function jsonOf(
  snapshot: Snapshot,
  asked: Asked,
  { gzip }: Wanted,
  deadline: Deadline,
): Promise<Kept> {
  using _ = snapshot.retain();
  using _deadline = deadline;
  const text = await asked.json({ signal: deadline.signal });
  const body = new TextEncoder().encode(text);
  if (!gzip || body.length < MIN_GZIP_BYTES) return { body, is_gzip: false };
  const packed = await new Response(gzipped([body])).bytes();
  return { body: packed, is_gzip: true };
}

function gzipped(
  pieces: Iterable<Bytes> | AsyncIterable<Bytes>,
): ReadableStream<Bytes> {
  return ReadableStream.from(pieces)
    .pipeThrough(new CompressionStream("gzip"));
}

/** Begins an export; what fails before it has some size is thrown, with an honest status. */
async function startDownload(
  snapshot: Snapshot,
  asked: Asked,
  { format, bom, gzip }: Wanted,
  deadline: Deadline,
  logFailure: (error: unknown) => void,
): Promise<Download> {
  const retained = snapshot.retain();
  const end = () => {
    deadline[Symbol.dispose]();
    retained[Symbol.dispose]();
  };
  const { signal } = deadline;
  const rows = asked.rows!({ signal, whole: true });
  const { encode } = DOWNLOAD_FORMATS[format as keyof typeof DOWNLOAD_FORMATS];
  const encoded = encode(rows, { bom });
  const pieces: AsyncIterator<Bytes> = gzip
    ? gzipped(encoded)[Symbol.asyncIterator]()
    : encoded;
  const head: Bytes[] = [];
  try {
    for (let bytes = 0; bytes <= DOWNLOAD_KEPT_BYTES;) {
      const { done, value } = await pieces.next();
      if (done) {
        end();
        const body = await new Response(ReadableStream.from(head)).bytes();
        return { body, is_gzip: gzip };
      }
      head.push(value);
      bytes += value.length;
    }
    signal.throwIfAborted();
  } catch (error) {
    end();
    throw error;
  }
  let stream: ReadableStream<Bytes> | undefined = streamOf(
    head,
    pieces,
    deadline,
    end,
    logFailure,
  );
  return {
    take() {
      const taken = stream;
      stream = undefined;
      return taken;
    },
  };
}

/** The rest of an export as it is read. An error in it breaks the connection. */
function streamOf(
  head: Bytes[],
  pieces: AsyncIterator<Bytes>,
  deadline: Deadline,
  end: () => void,
  logFailure: (error: unknown) => void,
): ReadableStream<Bytes> {
  const { signal } = deadline;
  let fail = (_: unknown) => {};
  // Also while nobody reads, so that a client that stalls, or leaves before it
  // has begun, holds nothing.
  const onAbort = () => fail(signal.reason);
  const leave = async () => {
    signal.removeEventListener("abort", onAbort);
    end();
    await pieces.return?.();
  };
  return new ReadableStream<Bytes>({
    start(controller) {
      fail = (error) => {
        fail = () => {};
        if (!isCancelled(error)) logFailure(error);
        controller.error(error);
        leave().catch(() => {});
      };
      signal.addEventListener("abort", onAbort);
    },
    async pull(controller) {
      const piece = head.shift();
      if (piece) return controller.enqueue(piece);
      try {
        const { done, value } = await pieces.next();
        if (signal.aborted) return;
        if (!done) return controller.enqueue(value);
        await leave();
        controller.close();
      } catch (error) {
        fail(error);
      }
    },
    async cancel() {
      fail = () => {};
      deadline.abort(new StoreError("cancelled", "The client went away."));
      await leave().catch(() => {});
    },
  }, { highWaterMark: 0 });
}

function isCancelled(error: unknown): boolean {
  return error instanceof StoreError && error.kind === "cancelled";
}

function textOf(error: unknown): string {
  const text = error instanceof StoreError
    ? error.message
    : error instanceof Error
    ? error.stack
    : String(error);
  return `An export was broken off. ${text}`;
}
