/** How much memory the process may take, by the setting or by its container. */

import { assertEquals } from "@std/assert";
import { memoryLimit, shareOf } from "../../operator/memory_limit.ts";

Deno.test("the setting, in millions of bytes, whatever the container has", () => {
  assertEquals(memoryLimit(512), 512_000_000);
});

Deno.test("90 % of a container's limit; nothing where it has none", () => {
  assertEquals(shareOf(1_073_741_824), 966_367_641);
  // As version 1 of cgroups says it, and as systems without any do.
  assertEquals(shareOf(9_223_372_036_854_771_712), null);
  assertEquals(shareOf(0), null);
  assertEquals(shareOf(undefined), null);
});

Deno.test({
  name: "without the right to ask the system there is none",
  permissions: { sys: false },
  fn: () => assertEquals(memoryLimit(undefined), null),
});
