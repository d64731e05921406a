/** Downloads: whole answers, kept when they are small, streamed when they are large. */

import { joinBytes } from "../db/model/bytes.ts";
import { fault, type LogEntry } from "../db/model/log.ts";
import { StoreError } from "../db/model/problems.ts";
import type { Question } from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import type { Kept } from "./answer_cache.ts";
import type { Deadline } from "./deadline.ts";
import { gzipped } from "./gzip.ts";
import type { Format } from "./formats/formats.ts";
import { watched } from "./sending.ts";
import type { Underway } from "./underway.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Downloads up to this many bytes are answered whole and kept; larger ones are streamed. */
const KEPT_BYTES = 1_048_576;

/** A whole answer, or the stream of a large one, which the first caller takes. */
export type Download = Kept | {
  /** The stream, or undefined when it is taken; `onBroken` is called with the cause when it breaks off. */
  take(onBroken: (error: unknown) => void): ReadableStream<Bytes> | undefined;
};

/** How a download is made. */
export interface DownloadOptions {
  readonly encode: NonNullable<Format["encode"]>;
  readonly bom: boolean;
  readonly gzip: boolean;
  /** Is disposed when the download ends, in any way. */
  readonly deadline: Deadline;
  /** How long it waits for a reader that takes too little. */
  readonly stall_ms: number;
  /** Takes the memory for it; throws when there is too little. */
  readonly reserve: () => Disposable;
  readonly snapshot: Pick<Snapshot, "ask" | "begin" | "retain">;
  readonly underway: Underway;
}

/** Begins a download. Throws an error before the first KEPT_BYTES, so that it gets a status of its own. */
export async function startDownload(
  question: Question,
  {
    encode,
    bom,
    gzip,
    deadline,
    stall_ms,
    snapshot,
    reserve,
    underway,
  }: DownloadOptions,
): Promise<Download> {
  const held = new DisposableStack();
  held.use(deadline);
  held.use(snapshot.retain());
  held.use(underway.begin("download", (reason) => deadline.abort(reason)));
  const end = () => held.dispose();
  const { signal } = deadline;
  const head: Bytes[] = [];
  let pieces: AsyncIterator<Bytes> | undefined;
  let encoded: AsyncGenerator<Bytes> | undefined;
  // The end of the compression does not end the rows that it reads.
  const endPieces = () =>
    Promise.allSettled([pieces?.return?.(), encoded?.return(undefined)]);
  try {
    const run = held.use(await snapshot.begin(deadline, { whole: true }));
    held.use(reserve());
    encoded = encode(snapshot.ask(question, run), { bom });
    pieces = gzip ? gzipped(encoded)[Symbol.asyncIterator]() : encoded;
    for (let bytes = 0; bytes <= KEPT_BYTES;) {
      const { done, value } = await pieces.next();
      if (done) {
        end();
        return { body: joinBytes(head), is_gzip: gzip };
      }
      head.push(value);
      bytes += value.length;
    }
    signal.throwIfAborted();
  } catch (error) {
    // The snapshot may be closed when it is given back: its query ends first.
    await endPieces();
    end();
    throw error;
  }
  const rest = pieces;
  const broken = Promise.withResolvers<unknown>();
  const whole: AsyncIterator<Bytes> = {
    async next() {
      const value = head.shift();
      return value ? { value } : await rest.next();
    },
    async return() {
      await endPieces();
      return { done: true, value: undefined };
    },
  };
  let stream: ReadableStream<Bytes> | undefined = watched(whole, {
    stall_ms,
    signal,
    onCancel: () =>
      deadline.abort(new StoreError("cancelled", "The client went away.")),
    onEnd: end,
    onBroken: broken.resolve,
  });
  return {
    take(onBroken) {
      const taken = stream;
      if (taken) broken.promise.then(onBroken);
      stream = undefined;
      return taken;
    },
  };
}

/** The entry of the log for a download that broke off; `id` is that of its request. */
export function brokenDownload(error: unknown, id: string): LogEntry {
  const text = `Request ${id}: the download was broken off`;
  const event = { event: "download_broken", text, id };
  if (!(error instanceof StoreError)) return fault(error, event);
  return { ...event, level: "warning", text: `${text}. ${error.message}` };
}
