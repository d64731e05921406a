/** Sends long bodies as they are read, and cuts readers that take too little of them. */

import { createPause } from "../db/model/pause.ts";
import { StoreError } from "../db/model/problems.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A reader takes at least so many bytes in STALL_SECONDS. */
const LEAST_BYTES = 65_536;
/** Pieces are sent in parts of so many bytes, so that it is seen early what is taken. */
const PART_BYTES = 65_536;
/** Parts that are sent, to a reader in this thread too, before others may need the thread: a millisecond of work. */
const PARTS_AT_ONCE = 16;

/** What a reader has taken since its time began anew. */
export interface Patience {
  readonly taken_bytes: number;
  /** For which the body waited for it, and it has not taken enough. */
  readonly waited_ms: number;
}

/** The patience with a reader that has taken nothing yet. */
export const FRESH: Patience = { taken_bytes: 0, waited_ms: 0 };

/** The patience after a reader took `bytes`, for which the body waited `waited_ms`. */
export function afterPart(
  { taken_bytes, waited_ms }: Patience,
  part: { readonly bytes: number; readonly waited_ms: number },
): Patience {
  const taken = taken_bytes + part.bytes;
  return taken >= LEAST_BYTES
    ? FRESH
    : { taken_bytes: taken, waited_ms: waited_ms + part.waited_ms };
}

/** How a body is sent. */
export interface SendOptions {
  /** How long it waits for a reader that does not take LEAST_BYTES meanwhile. */
  readonly stall_ms: number;
  /** When it is aborted, the body breaks off with its reason. */
  readonly signal?: AbortSignal;
  /** Is called when the client leaves, before the pieces end, which it may hasten. */
  onCancel?(): void;
  /** Is called once, when no more is read from the pieces, whether sent or broken off. */
  onEnd?(): void;
  /** Is called with the cause when the body breaks off, unless the client left. */
  onBroken(error: unknown): void;
}

/**
 * A body that is sent as its pieces are read; an error in it breaks the connection. What
 * the pieces take to make does not count as the reader's time.
 */
export function watched(
  pieces: AsyncIterator<Bytes> | Iterator<Bytes>,
  { stall_ms, signal, onCancel, onEnd, onBroken }: SendOptions,
): ReadableStream<Bytes> {
  let unsent: Bytes = new Uint8Array();
  let patience = FRESH;
  let waits_since = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last_bytes = 0;
  let parts = 0;
  const pause = createPause();
  let has_ended = false;
  let fail = (_: unknown) => {};

  // Also while nobody reads, so that a client that stalls, or disconnects before the
  // first byte, occupies nothing.
  const onAbort = () => fail(signal!.reason);
  const leave = async () => {
    has_ended = true;
    fail = () => {};
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    // A slot becomes free when its query has ended, not before.
    try {
      await pieces.return?.();
    } finally {
      onEnd?.();
    }
  };
  const wait = () => {
    waits_since = performance.now();
    timer = setTimeout(
      () => fail(stalled(stall_ms)),
      // Less than nothing when this thread was busy as the last timer ran out.
      Math.max(0, stall_ms - patience.waited_ms),
    );
  };
  return new ReadableStream<Bytes>({
    start(controller) {
      fail = (error) => {
        if (!isCancelled(error)) onBroken(error);
        controller.error(error);
        unsent = new Uint8Array();
        leave().catch(() => {});
      };
      signal?.addEventListener("abort", onAbort);
      wait();
    },
    async pull(controller) {
      clearTimeout(timer);
      patience = afterPart(patience, {
        bytes: last_bytes,
        waited_ms: performance.now() - waits_since,
      });
      try {
        if (++parts % PARTS_AT_ONCE === 0) await pause();
        if (has_ended) return;
        while (unsent.length === 0) {
          const { done, value } = await pieces.next();
          if (has_ended) return;
          if (done) {
            await leave();
            return controller.close();
          }
          unsent = value;
        }
      } catch (error) {
        return fail(error);
      }
      // A copy: who clones a view, as tee() does, clones all bytes below it.
      const part = unsent.slice(0, PART_BYTES);
      unsent = unsent.subarray(part.length);
      last_bytes = part.length;
      wait();
      controller.enqueue(part);
    },
    async cancel() {
      const left = leave();
      onCancel?.();
      await left.catch(() => {});
    },
  }, { highWaterMark: 0 });
}

function stalled(stall_ms: number): StoreError {
  return new StoreError(
    "timeout",
    `The client took less than ${LEAST_BYTES / 1_024} KiB in ${
      stall_ms / 1_000
    } seconds (STALL_SECONDS).`,
  );
}

function isCancelled(error: unknown): boolean {
  return error instanceof StoreError && error.kind === "cancelled";
}
