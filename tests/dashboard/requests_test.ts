/** What the browser sends with a request: keys of any letters, as the server takes them; and when it sends it again. */

import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { authorizationOf, pauseBefore } from "../../dashboard/requests.ts";
import { startServer } from "../support/start_server.ts";

Deno.test("a key of any letters is sent as the server takes it", async () => {
  // The last byte of the third one is that of a space which does not break, in Latin-1.
  for (const key of ["a key", "clé d’or", "à la Р", "пароль", "鍵🔑"]) {
    const ADMIN_KEY_SHA256 = createHash("sha256").update(key).digest("hex");
    await using server = await startServer({ ADMIN_KEY_SHA256 });
    const statusOf = async (sent: string) => {
      const answer = await fetch(`${server.base_url}/api/v1/data/files`, {
        headers: { Authorization: authorizationOf(sent) },
      });
      await answer.body?.cancel();
      return answer.status;
    };
    assertEquals([await statusOf(key), await statusOf(`“${key}”`)], [200, 401]);
  }
});

Deno.test("what is refused for now is sent again after the time that the server says", () => {
  const refused = (status: number, seconds?: number) =>
    new Response(null, {
      status,
      headers: seconds === undefined ? {} : { "Retry-After": `${seconds}` },
    });
  assertEquals(pauseBefore(refused(429, 2), 1), 2_000);
  assertEquals(pauseBefore(refused(503, 1), 9), 1_000);
  // Not for ever, not where it takes long, and not where it cannot help.
  assertEquals(pauseBefore(refused(503, 600), 1), null);
  assertEquals(pauseBefore(refused(429, 2), 10), null);
  assertEquals(pauseBefore(refused(503), 1), null);
  assertEquals(pauseBefore(refused(400, 1), 1), null);
});
