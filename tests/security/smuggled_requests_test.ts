/** Requests over a socket that are no honest HTTP: one answer at most, and the server goes on. */

import { assert, assertEquals } from "@std/assert";
import { dataFolder, namesIn } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { rawExchange } from "../support/raw_exchange.ts";
import { startServer, waitFor } from "../support/start_server.ts";
import { latin } from "../support/text_bytes.ts";
import { exportsOf } from "../support/watched_store.ts";

const PATH = "/api/v1/stats/customers";
const UPLOAD = "/api/v1/data/files/customers.csv";

/** What a case sends, and the statuses that may come back: none is the end of the connection. */
type Case = readonly [
  name: string,
  text: string,
  ...statuses: (number | null)[],
];

/** Every request here ends its connection, as the last one on it. */
function casesFor(host: string): Case[] {
  const end = `Host: ${host}\r\nConnection: close\r\n`;
  const hidden =
    `DELETE ${UPLOAD} HTTP/1.1\r\n${end}Authorization: Bearer ${ADMIN_KEY}\r\n\r\n`;
  const get = (...lines: string[]) =>
    [`GET ${PATH} HTTP/1.1`, ...lines, end].join("\r\n") + "\r\n";
  /** A request with a body in which, by the other reading, another request begins. */
  const post = (...lines: string[]) =>
    [`POST ${PATH} HTTP/1.1`, `Host: ${host}`, ...lines].join("\r\n") +
    `\r\n\r\n0\r\n\r\n${hidden}`;
  const many = Array.from({ length: 10_000 }, (_, i) => `X-${i}: a`);
  const size = hidden.length;
  return [
    [
      "both lengths",
      post("Content-Length: 5", "Transfer-Encoding: chunked"),
      400,
    ],
    [
      "both lengths, the other way",
      post("Transfer-Encoding: chunked", `Content-Length: ${size + 5}`),
      400,
    ],
    [
      "two lengths that differ",
      post("Content-Length: 5", `Content-Length: ${size + 5}`),
      400,
    ],
    ["two lengths in a list", post(`Content-Length: 5, ${size + 5}`), 400],
    ["a length with a sign", post("Content-Length: +5"), 400],
    ["a length below zero", post("Content-Length: -1"), 400],
    ["a length in hex", post("Content-Length: 0x5"), 400],
    ["a length of 30 digits", post(`Content-Length: ${"9".repeat(30)}`), 400],
    ["a space before the colon", post("Content-Length : 5"), 400],
    ["an encoding that is none", post("Transfer-Encoding: xchunked"), 400],
    [
      "two encodings",
      post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
      400,
    ],
    [
      "an encoding behind a vertical tab",
      post("Transfer-Encoding: \x0bchunked"),
      400,
    ],
    [
      "an encoding in a folded line",
      post("Transfer-Encoding:\r\n chunked"),
      400,
    ],
    [
      "an encoding in HTTP/1.0",
      post("Transfer-Encoding: chunked").replace("1.1", "1.0"),
      400,
    ],
    [
      "a chunk of a wrong size",
      post("Transfer-Encoding: chunked").replace("\r\n0\r\n", "\r\n-1\r\n"),
      400,
      null,
    ],
    ["a folded line", get("X-Folded: a\r\n b"), 400],
    ["a bare CR", get("X-A: b\rX-C: d"), 400],
    ["a bare CR in an id", get("X-Request-Id: a\rSet-Cookie: a=b"), 400],
    ["a NUL in a value", get("X-A: a\0b"), 400],
    ["a NUL in a name", get("X\0A: b"), 400],
    ["a NUL in the target", get().replace(PATH, `${PATH}\0`), 400],
    ["a space in the target", get().replace(PATH, `${PATH} x`), 400],
    ["a line without a colon", get("no header"), 400],
    ["a header without a name", get(": x"), 400],
    ["two hosts", get(`Host: ${host}`), 400],
    ["another version", get().replace("1.1", "2.0"), 400],
    ["no version", get().replace(" HTTP/1.1", ""), 400],
    [
      "a TLS hello",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      400,
      null,
    ],
    ["a header of 1 MB", get(`X-A: ${"a".repeat(1_000_000)}`), 400, null],
    ["10,000 headers", get(...many), 400, null],
    [
      "100 kB of tags",
      get(`If-None-Match: ${'"a",'.repeat(25_000)}"b"`),
      400,
      200,
      null,
    ],
    [
      "a target of 100 kB",
      get().replace(PATH, `/${"a".repeat(100_000)}`),
      400,
      414,
      null,
    ],
    [
      "a target of another host",
      get().replace(PATH, `http://evil.example${PATH}`),
      421,
    ],
    [
      "a target of this host",
      get().replace(PATH, `http://${host}${PATH}`),
      200,
    ],
    [
      "a target that is a file",
      get().replace(PATH, "file:///etc/passwd"),
      400,
      404,
    ],
    [
      "a target that is a host",
      get().replace(`GET ${PATH}`, `CONNECT ${host}`),
      400,
      404,
    ],
    [
      "a method that tells what it got",
      get("X-Secret: s").replace("GET", "TRACE"),
      405,
    ],
    ["many ranges", get(`Range: bytes=${"0-,".repeat(1_000)}0-`), 200],
    [
      "an id with an encoded line break",
      get("X-Request-Id: a%0d%0aSet-Cookie: a=b"),
      200,
    ],
    ["an origin that is none", get("Origin: http://\x80<script>"), 200],
    // RFC 9112, 2.2: a line may also end with LF alone.
    ["LF for every line", get().replaceAll("\r\n", "\n"), 200],
    ["empty lines before it", `\r\n\r\n${get()}`, 200],
  ];
}

Deno.test("requests that are no honest HTTP", async (t) => {
  await using folder = await dataFolder(exportsOf(1));
  await using server = await startServer({
    DATA_DIR: folder.path,
    ADMIN_KEY_SHA256,
  });
  const { base_url } = server;
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();
  const { host } = new URL(base_url);

  for (const [name, text, ...expected] of casesFor(host)) {
    await t.step(name, async () => {
      const { statuses, text: answer } = await rawExchange(
        base_url,
        latin(text),
      );
      assert(statuses.length <= 1, answer);
      assert(expected.includes(statuses[0] ?? null), answer || "no answer");
      assertEquals(/Set-Cookie|X-Secret/i.test(answer), false, answer);
      const next = await fetch(`${base_url}${PATH}`);
      assertEquals(await next.json(), { message: "Number of Rows", rows: 1 });
    });
  }
  await t.step("a body of a GET is no request", async () => {
    const inner = `DELETE ${UPLOAD} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const { statuses } = await rawExchange(
      base_url,
      latin(
        `GET ${PATH} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      ),
    );
    assertEquals(statuses, [200]);
  });
  await t.step(
    "two honest requests on a connection have two answers",
    async () => {
      const get = (last: string) =>
        `GET ${PATH} HTTP/1.1\r\nHost: ${host}\r\n${last}\r\n`;
      const { statuses } = await rawExchange(
        base_url,
        latin(get("") + get("Connection: close\r\n")),
      );
      assertEquals(statuses, [200, 200]);
    },
  );
  assertEquals(await namesIn(folder.path), [
    "customers.csv",
    "interactions.csv",
  ]);
  assertEquals(server.output.error, "");
  assertEquals(await server.stop(), 0);
});
