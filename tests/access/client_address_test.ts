/** Which client a request comes from: addresses, networks, and whom X-Forwarded-For is believed. */

import { assertEquals } from "@std/assert";
import { clientOf, networkOf, Networks } from "../../access/client_address.ts";

Deno.test("networkOf: IPv4 as it is, IPv6 by its /64, ports and zones left out, else null", async (t) => {
  const cases: [text: string, network: string | null][] = [
    ["192.0.2.1", "192.0.2.1"],
    [" 192.0.2.1 ", "192.0.2.1"],
    ["192.0.2.1:5678", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"],
    ["[2001:db8::1]", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["", null],
    ["unknown", null],
    ["_hidden", null],
    ["1.2.3", null],
    ["::1::", null],
    ["1:2:3:4:5:6:7:8:9", null],
    ["1:2:3:4:5:6:7:8::", null],
    ["1:2:3", null],
    ["2001:db8::12345", null],
    ["2001:db8::g", null],
    [":".repeat(10_000), null],
    ["1".repeat(10_000), null],
  ];
  for (const [text, network] of cases) {
    await t.step(text.slice(0, 40), () => {
      assertEquals(networkOf(text), network);
    });
  }
});

Deno.test("clientOf: as many addresses of X-Forwarded-For are believed as there are proxies", () => {
  const peer = "10.0.0.9";
  const networks = new Networks();
  const at = (hostname: string) => ({
    remoteAddr: { transport: "tcp" as const, hostname, port: 1 },
  });
  const of = (trusted_proxies: number, forwarded: string | null) =>
    clientOf({ peer: at(peer), forwarded, trusted_proxies }, networks);

  // Never by default, whatever a client writes.
  assertEquals(of(0, "192.0.2.1"), peer);
  assertEquals(of(0, null), peer);
  // A proxy appends whom it sees; what was there before, the client wrote.
  assertEquals(of(1, "192.0.2.1"), "192.0.2.1");
  assertEquals(of(1, "203.0.113.7, 192.0.2.1"), "192.0.2.1");
  assertEquals(of(2, "203.0.113.7, 192.0.2.1, 10.0.0.1"), "192.0.2.1");
  assertEquals(of(1, "2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
  // Fewer than there are proxies: it did not come through all of them.
  assertEquals(of(2, "192.0.2.1"), peer);
  assertEquals(of(1, null), peer);
  assertEquals(of(1, ""), peer);
  assertEquals(of(1, "192.0.2.1, unknown"), peer);
  assertEquals(of(1, ","), peer);
  assertEquals(of(2, ","), peer);
  assertEquals(of(2, "192.0.2.1,"), "192.0.2.1");
  assertEquals(of(1, ",192.0.2.1"), "192.0.2.1");
  assertEquals(of(3, ",192.0.2.1"), peer);
  const rest = { forwarded: null, trusted_proxies: 0 };
  assertEquals(
    clientOf({ peer: at("::ffff:10.0.0.9"), ...rest }, networks),
    peer,
  );
  assertEquals(clientOf({ peer: undefined, ...rest }, networks), "no address");
});

Deno.test("Networks: the same as networkOf, also of more than are remembered", () => {
  const networks = new Networks();
  const texts = Array.from({ length: 3_000 }, (_, i) => `2001:db8:${i}::${i}`);
  for (const text of [...texts, "unknown", "", ":".repeat(10_000), ...texts]) {
    assertEquals(networks.of(text), networkOf(text));
    assertEquals(networks.of(text), networkOf(text));
  }
});
