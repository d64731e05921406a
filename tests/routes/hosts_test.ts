/** Hosts: which are answered, however a request names them, and what is no host at all. */

import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "node:http2";
import { answeredHosts, createHostCheck, hostOf } from "../../routes/hosts.ts";
import { logLines } from "../support/log_lines.ts";
import { startServer } from "../support/start_server.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

Deno.test("hostOf, one spelling for each host", async (t) => {
  const cases: [authority: string, host: string | null][] = [
    ["localhost", "localhost"],
    ["LocalHost:8000", "localhost"],
    ["localhost.", "localhost"],
    ["tally.example.com.:443", "tally.example.com"],
    ["my_host:80", "my_host"],
    ["127.0.0.1:65535", "127.0.0.1"],
    ["127.1", "127.0.0.1"],
    ["[::1]:8000", "[::1]"],
    ["[0:0:0:0:0:0:0:1]", "[::1]"],
    ["[::FFFF:7f00:1]", "[::ffff:7f00:1]"],
    ["localhost:", "localhost"],
    ["", null],
    [":8000", null],
    ["localhost:99999", null],
    ["localhost:8o", null],
    ["::1", null],
    ["[::1", null],
    ["[g::1]", null],
    ["a/api/v1/x?y=", null],
    ["a?b", null],
    ["a#b", null],
    ["user@localhost", null],
    ["a b", null],
    ["a,b", null],
    ["localhost\\", null],
    ["h\u00f6st", null],
  ];
  for (const [authority, host] of cases) {
    await t.step(JSON.stringify(authority), () => {
      assertEquals(hostOf(authority), host);
    });
  }
});

Deno.test("answeredHosts, by the address that is listened on", async (t) => {
  const cases: [
    HOST: string,
    ALLOWED_HOSTS: string[] | undefined,
    hosts: string[] | null,
  ][] = [
    ["127.0.0.1", undefined, LOOPBACK],
    ["localhost", undefined, LOOPBACK],
    ["::1", undefined, LOOPBACK],
    ["127.0.0.2", undefined, [...LOOPBACK, "127.0.0.2"]],
    ["0.0.0.0", undefined, null],
    ["::", undefined, null],
    ["192.0.2.7", undefined, null],
    ["127.example.com", undefined, null],
    ["0.0.0.0", ["Tally.Example.com.", "[0::1]"], [
      "tally.example.com",
      "[::1]",
    ]],
    ["127.0.0.1", ["tally.example.com"], ["tally.example.com"]],
    ["127.0.0.1", ["*"], null],
  ];
  for (const [HOST, ALLOWED_HOSTS, hosts] of cases) {
    await t.step(`${HOST} ${ALLOWED_HOSTS ?? ""}`, () => {
      assertEquals(answeredHosts({ HOST, ALLOWED_HOSTS }), hosts);
    });
  }
});

/** A request as Deno makes it of what comes over the socket. */
function request(url: string, host: string | null): Request {
  const headers = new Headers(host === null ? {} : { Host: host });
  return { url, headers } as Request;
}

Deno.test("the host that a request names, in the header and in the URL", async (t) => {
  const cases: [url: string, host: string | null, status: number | null][] = [
    ["http://localhost:8000/a", "localhost:8000", null],
    ["http://LOCALHOST./a?b=//c", "LOCALHOST.", null],
    ["http://[::1]:8000/a", "[::1]:8000", null],
    ["http://127.0.0.1:9/a", "127.0.0.1:9", null],
    // HTTP/2 has no header.
    ["http://127.0.0.1:8000/a", null, null],
    ["http://evil.example/a", null, 421],
    ["http://evil.example/a", "evil.example", 421],
    ["http://localhost.evil.example/a", "localhost.evil.example", 421],
    ["http://127.0.0.1.evil.example/a", "127.0.0.1.evil.example", 421],
    // The target has a host of its own, which counts as well.
    ["http://evil.example/a", "localhost", 421],
    ["http://localhost/a", "evil.example", 421],
    ["http://localhost:8000/a", "", 400],
    ["http://localhost:8000/a", null, 400],
    ["http://localhost/healthz/api", "localhost/healthz", 400],
    ["http://a/api/v1/x?y=/a", "a/api/v1/x?y=", 400],
    ["http://user@localhost/a", "user@localhost", 400],
    ["http://a b/readyz", "a b", 400],
    // Whoever keeps the process alive asks by address.
    ["http://10.0.0.7:8000/healthz", "10.0.0.7:8000", null],
    ["http://10.0.0.7:8000/readyz?x=1", "10.0.0.7:8000", null],
    ["http://localhost:8000/readyz", null, null],
    ["http://10.0.0.7:8000/readyz/", "10.0.0.7:8000", 421],
    ["http://10.0.0.7:8000/api/v1/data?/readyz", "10.0.0.7:8000", 421],
    ["http://10.0.0.7:8000//readyz", "10.0.0.7:8000", 421],
  ];
  for (const [url, host, status] of cases) {
    await t.step(`${url} ${host}`, () => {
      // First, and after one that is answered.
      for (const before of [null, "localhost:8000"]) {
        const check = createHostCheck(LOOPBACK);
        if (before) check(request(`http://${before}/a`, before));
        const found = check(request(url, host));
        assertEquals(found?.status ?? null, status, found?.error);
        if (status === 421) {
          assertMatch(found!.error, /(evil|10\.).*ALLOWED_HOSTS/);
        }
      }
      // Where every host is answered, only what is none is not.
      const found = createHostCheck(null)(request(url, host));
      assertEquals(found?.status ?? null, status === 421 ? null : status);
    });
  }
});

/** Sends `head` as it stands, and answers the status of what comes back. */
async function statusOf(base_url: string, head: string): Promise<number> {
  const { hostname, port } = new URL(base_url);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  await socket.write(new TextEncoder().encode(`${head}\r\n\r\n`));
  const buffer = new Uint8Array(1 << 12);
  const length = await socket.read(buffer);
  const text = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  return Number(/^HTTP\/1\.[01] (\d+)/.exec(text)?.[1]);
}

/** The status of a question over HTTP/2, in which the authority is in the URL. */
async function statusOfHttp2(
  base_url: string,
  authority: string,
): Promise<number> {
  const session = connect(base_url);
  try {
    const stream = session.request({
      ":path": "/api/v1/dimensions",
      ":authority": authority,
    });
    return await new Promise<number>((resolve, reject) => {
      stream.on("response", (headers) => resolve(Number(headers[":status"])));
      stream.on("error", reject);
      stream.end();
    });
  } finally {
    session.destroy();
  }
}

Deno.test("the real process, on a loopback address", async (t) => {
  await using server = await startServer({});
  const { base_url } = server;
  const { host, port } = new URL(base_url);
  const path = "/api/v1/data/files";
  // 403: it is answered, and administration is off.
  const heads: [head: string, status: number][] = [
    [`GET ${path} HTTP/1.1\r\nHost: ${host}`, 403],
    [`GET ${path} HTTP/1.1\r\nHost: LOCALHOST.:${port}`, 403],
    [`GET ${path} HTTP/1.1`, 400],
    [`GET ${path} HTTP/1.0`, 400],
    [`GET ${path} HTTP/1.1\r\nHost:`, 400],
    [`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}`, 400],
    [`GET /x HTTP/1.1\r\nHost: ${host}${path}?y=`, 400],
    [`GET ${path} HTTP/1.1\r\nHost: evil.example`, 421],
    [`GET http://evil.example${path} HTTP/1.1\r\nHost: ${host}`, 421],
    [`GET http://${host}${path} HTTP/1.1\r\nHost: evil.example`, 421],
    [`GET http://${host}${path} HTTP/1.1\r\nHost: ${host}`, 403],
    ["GET /healthz HTTP/1.1\r\nHost: 10.0.0.7", 200],
    ["GET /healthz HTTP/1.0", 200],
  ];
  for (const [head, status] of heads) {
    await t.step(JSON.stringify(head), async () => {
      assertEquals(await statusOf(base_url, head), status);
    });
  }
  await t.step("HTTP/2", async () => {
    assertMatch(String(await statusOfHttp2(base_url, host)), /^(200|503)$/);
    assertEquals(await statusOfHttp2(base_url, "evil.example"), 421);
    // What Deno puts there when HTTP/1 has no Host header.
    assertEquals(await statusOfHttp2(base_url, `localhost:${port}`), 400);
  });
  await t.step("the terminal says who may ask", () => {
    const access = logLines(server.output.out)
      .find(({ event }) => event === "access");
    assertEquals(
      access?.text,
      "Reading is open to all who reach it; administration is off (ADMIN_KEY_SHA256). Hosts answered: localhost, 127.0.0.1, [::1] (ALLOWED_HOSTS).",
    );
  });
});
