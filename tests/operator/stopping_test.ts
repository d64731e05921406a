/** The end of the process as a value: which phase follows, and the last line. */

import { assertEquals } from "@std/assert";
import {
  type Phase,
  phaseAfter,
  type StopEvent,
  stoppedEntry,
} from "../../operator/stopping.ts";
import { Underway } from "../../routes/underway.ts";

Deno.test("phaseAfter: every signal and every end of a time", async (t) => {
  const table: [Phase, StopEvent, Phase][] = [
    ["serving", "SIGTERM", "draining"],
    ["serving", "SIGINT", "finishing"],
    ["draining", "SIGTERM", "draining"],
    ["draining", "SIGINT", "finishing"],
    ["draining", "time is over", "finishing"],
    ["finishing", "SIGTERM", "finishing"],
    ["finishing", "SIGINT", "closing"],
    ["finishing", "time is over", "closing"],
    ["closing", "SIGTERM", "closing"],
    ["closing", "SIGINT", "closing"],
    ["closing", "time is over", "abandoned"],
    ["abandoned", "SIGINT", "abandoned"],
  ];
  for (const [phase, event, next] of table) {
    await t.step(`${phase}, ${event}`, () => {
      assertEquals(phaseAfter(phase, event, { drains: true }), next);
    });
  }
  await t.step("with nobody to drain", () => {
    const drains = { drains: false };
    assertEquals(phaseAfter("serving", "SIGTERM", drains), "finishing");
    assertEquals(phaseAfter("serving", "SIGINT", drains), "finishing");
  });
});

Deno.test("the last line counts what was cut off", async (t) => {
  const table: [[string, number][], string][] = [
    [[], "Stopped after 0.1 s."],
    [[["download", 1]], "Stopped after 0.1 s. Cut off: 1 download."],
    [
      [["answer", 1], ["upload", 3]],
      "Stopped after 0.1 s. Cut off: 1 answer, 3 uploads.",
    ],
  ];
  for (const [cut, text] of table) {
    await t.step(text, () => {
      assertEquals(stoppedEntry(new Map(cut), 0.1), {
        level: cut.length > 0 ? "warning" : "info",
        event: "stopped",
        text,
        seconds: 0.1,
        cut_off: Object.fromEntries(cut),
      });
    });
  }
});

Deno.test("what is under way: cut off once, counted by kind; uploads are waited for", async () => {
  const underway = new Underway();
  assertEquals(underway.cutOff(), new Map());
  await underway.uploadsEnded();

  const cut: string[] = [];
  const ended = underway.begin("answer", () => cut.push("ended"));
  ended[Symbol.dispose]();
  const download = underway.begin("download", ({ message }) => {
    cut.push(message);
    download[Symbol.dispose]();
  });
  const uploads = [underway.begin("upload"), underway.begin("upload")];
  let waits = true;
  const waiting = underway.uploadsEnded().then(() => waits = false);
  uploads[0][Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(waits, true);
  assertEquals(
    underway.cutOff(),
    new Map([["download", 1], ["upload", 1]] as const),
  );
  assertEquals(cut, ["The process stops. Ask again."]);
  uploads[1][Symbol.dispose]();
  await waiting;
  assertEquals(underway.cutOff(), new Map());
});
