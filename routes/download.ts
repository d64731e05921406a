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
  readonly snapshot: Pick<Snapshot, "ask" | "begin" | "retain">;
  readonly underway: Underway;
}

/** Begins a download. Throws an error before the first KEPT_BYTES, so that it gets a status of its own. */
export async function startDownload(
  question: Question,
  { encode, bom, gzip, deadline, snapshot, underway }: DownloadOptions,
): Promise<Download> {
  const held = new DisposableStack();
  held.use(deadline);
  held.use(snapshot.retain());
  held.use(underway.begin("download", (reason) => deadline.abort(reason)));
  const end = () => held.dispose();
  const { signal } = deadline;
  const head: Bytes[] = [];
  let pieces: AsyncIterator<Bytes>;
  try {
    const run = held.use(await snapshot.begin(deadline, { whole: true }));
    const encoded = encode(snapshot.ask(question, run), { bom });
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
    end();
    throw error;
  }
  const broken = Promise.withResolvers<unknown>();
  let stream: ReadableStream<Bytes> | undefined = streamOf(head, {
    pieces,
    deadline,
    end,
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

interface Rest {
  readonly pieces: AsyncIterator<Bytes>;
  readonly deadline: Deadline;
  end(): void;
  onBroken(error: unknown): void;
}

/** A download as it is read: its head, then the rest. An error in it breaks the connection. */
function streamOf(
  head: Bytes[],
  { pieces, deadline, end, onBroken }: Rest,
): ReadableStream<Bytes> {
  const { signal } = deadline;
  let fail = (_: unknown) => {};
  // Also while nobody reads, so that a client that stalls, or disconnects before
  // the first byte, occupies no slot.
  const onAbort = () => fail(signal.reason);
  const leave = async () => {
    signal.removeEventListener("abort", onAbort);
    // The slot becomes free when its query has ended, not before.
    try {
      await pieces.return?.();
    } finally {
      end();
    }
  };
  return new ReadableStream<Bytes>({
    start(controller) {
      fail = (error) => {
        fail = () => {};
        if (!isCancelled(error)) onBroken(error);
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

/** The entry of the log for a download that broke off; `id` is that of its request. */
export function brokenDownload(error: unknown, id: string): LogEntry {
  const text = `Request ${id}: the download was broken off`;
  const event = { event: "download_broken", text, id };
  if (!(error instanceof StoreError)) return fault(error, event);
  return { ...event, level: "warning", text: `${text}. ${error.message}` };
}
