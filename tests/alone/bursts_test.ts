/** Bursts of different questions: as many answers as one after another, and a prompt refusal for the others. */

import { assert, assertEquals } from "@std/assert";
import { generateExports } from "../../bench/generate.ts";
import { dataFolder } from "../support/data_folder.ts";
import { openApp } from "../support/open_app.ts";

const TIMEOUT_MS = 1_000;
/** More than run (4) and wait (64) by default. */
const BURST = 80;
/** Other programs may take the cores during one of the two that are compared, and not the other. */
const TRIES = 3;

Deno.test("a burst of different lists: as many succeed as in turn, the others are told at once", async () => {
  await using folder = await dataFolder();
  const data_dir = `${folder.path}/exports`;
  await generateExports(data_dir, {
    interactions: 800_000,
    customers: 80_000,
    format: "parquet",
  });
  await using opened = await openApp(data_dir, {
    QUERY_TIMEOUT_MS: String(TIMEOUT_MS),
    // From memory, all of the burst would be answered in time.
    SERVE_FROM: "query",
  });

  let asked = 0;
  async function ask() {
    const began = performance.now();
    const answer = await opened.app.request(
      `/api/v1/interactions?sort=-total&limit=${++asked}&start_date=2020-01-01`,
    );
    await answer.bytes();
    return {
      status: answer.status,
      ms: performance.now() - began,
      retry_after: answer.headers.get("Retry-After"),
    };
  }

  /** Asks one after another, then all at once, then one more. */
  async function measure() {
    let in_turn = 0;
    for (const end = performance.now() + TIMEOUT_MS;;) {
      const { status } = await ask();
      if (performance.now() > end) break;
      assertEquals(status, 200);
      in_turn++;
    }
    const seen = await Promise.all(Array.from({ length: BURST }, ask));
    return { in_turn, seen, after: await ask() };
  }
  type Measured = Awaited<ReturnType<typeof measure>>;

  /** Asserts that the burst did as well as the others. */
  function compare({ in_turn, seen, after }: Measured) {
    const of = (status: number) => seen.filter((one) => one.status === status);
    const label = `${in_turn} in turn; ${
      seen.map(({ status, ms }) => `${status} ${ms.toFixed(0)}`).join(", ")
    }`;
    // A fifth less may be other programs on the same cores.
    assert(of(200).length >= Math.floor(in_turn * 0.8), label);
    assert(of(503).length > 0, label);
    assertEquals(of(200).length + of(503).length, BURST, label);
    // Half of them know before the last one succeeds.
    const middle = of(503).map(({ ms }) => ms)
      .sort((a, b) => a - b)[of(503).length >> 1];
    assert(middle < Math.max(...of(200).map(({ ms }) => ms)), label);
    // Whatever the burst was, a quiet server answers.
    assertEquals(after.status, 200);
  }

  await ask();
  for (let tries = TRIES;; tries--) {
    const measured = await measure();
    for (const { status, retry_after } of measured.seen) {
      // A question that takes too long may be other programs, all else is not.
      assert([200, 503, 504].includes(status), `${status}`);
      assertEquals(retry_after, status === 503 ? "1" : null);
    }
    try {
      return compare(measured);
    } catch (error) {
      if (tries === 1) throw error;
    }
  }
});
