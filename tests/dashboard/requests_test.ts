/** What the browser sends with a request: keys of any letters, as the server takes them. */

import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { authorizationOf } from "../../dashboard/requests.ts";
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
