/** Kept answers: within their bytes, the latest asked for, of one snapshot. */

import { assertEquals } from "@std/assert";
import type { Snapshot } from "../../db/store.ts";
import { AnswerCache } from "../../routes/answer_cache.ts";

function snapshotOf(loaded_at: string): Snapshot {
  // The cache reads no more of it.
  return { data_version: "0123456789abcdef", loaded_at } as Snapshot;
}

function answerOf(bytes: number) {
  return { body: new Uint8Array(bytes), is_gzip: false };
}

Deno.test("get and set, within the bytes, the least asked for goes first", () => {
  const cache = new AnswerCache<{ text: string }>(80_000);
  const snapshot = snapshotOf("2024-01-01T00:00:00.000Z");
  assertEquals(cache.get(snapshot, "a"), undefined);
  const kept = answerOf(9_000);
  cache.set(snapshot, { key: "a", answer: kept });
  assertEquals(cache.get(snapshot, "a"), kept);
  // More than an eighth of the whole.
  cache.set(snapshot, { key: "large", answer: answerOf(10_001) });
  assertEquals(cache.get(snapshot, "large"), undefined);
  for (let i = 0; i < 10; i++) {
    cache.get(snapshot, "a");
    cache.set(snapshot, { key: `other ${i}`, answer: answerOf(9_000) });
  }
  assertEquals(cache.get(snapshot, "a"), kept);
  assertEquals(cache.get(snapshot, "other 0"), undefined);
  assertEquals(cache.get(snapshot, "other 9")?.body.length, 9_000);
});

Deno.test("another snapshot, even of the same files: nothing of the one before", () => {
  const cache = new AnswerCache<{ text: string }>(80_000);
  const first = snapshotOf("2024-01-01T00:00:00.000Z");
  const second = snapshotOf("2024-01-02T00:00:00.000Z");
  cache.get(first, "a");
  cache.set(first, { key: "a", answer: answerOf(10) });
  cache.understand(first, { request: "request", as: { text: "understood" } });
  assertEquals(cache.understood(first, "request")?.text, "understood");
  assertEquals(cache.get(second, "a"), undefined);
  assertEquals(cache.understood(second, "request"), undefined);
  // An answer that was begun before.
  cache.set(first, { key: "b", answer: answerOf(10) });
  assertEquals(cache.get(second, "b"), undefined);
});

Deno.test("no bytes: nothing is kept", () => {
  const cache = new AnswerCache<{ text: string }>(0);
  const snapshot = snapshotOf("2024-01-01T00:00:00.000Z");
  cache.get(snapshot, "a");
  cache.set(snapshot, { key: "a", answer: answerOf(1) });
  cache.understand(snapshot, {
    request: "request",
    as: { text: "understood" },
  });
  assertEquals(cache.get(snapshot, "a"), undefined);
  assertEquals(cache.understood(snapshot, "request"), undefined);
});
