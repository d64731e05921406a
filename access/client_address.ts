/** The address that a request comes from, as far as it can be believed, and the network that counts as one client. */

/** What says where a request comes from. */
export interface Origin {
  /** The address at the other end of the connection. */
  readonly peer: string;
  /** X-Forwarded-For; null without it. */
  readonly forwarded: string | null;
  /** How many proxies in front append to it what they see; nothing else in it is believed. */
  readonly trusted_proxies: number;
}

/**
 * The client of a request: an IPv4 address, or the /64 of an IPv6 address, which is
 * what one subscriber has at least. Where X-Forwarded-For has fewer addresses than
 * there are proxies, or none where the client's should be, it is the peer.
 */
export function clientOf(
  { peer, forwarded, trusted_proxies }: Origin,
): string {
  return forwarded !== null && trusted_proxies > 0 &&
      networkOf(forwarded.split(",").at(-trusted_proxies) ?? "") ||
    (networkOf(peer) ?? peer);
}

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;
/** As some proxies write a port behind an address. */
const WITH_PORT = /^\[([^\]]*)\](?::\d+)?$|^([^:]*):\d+$/;
/** The first six groups of an IPv4 address that is written as one of IPv6. */
const MAPPED = "0:0:0:0:0:ffff";

/** The network of an address, which may have a port; null where it is none. */
export function networkOf(text: string): string | null {
  const trimmed = text.trim();
  const [, in_brackets, before_port] = WITH_PORT.exec(trimmed) ?? [];
  const address = in_brackets ?? before_port ?? trimmed;
  if (IPV4.test(address)) return address;
  const groups = groupsOf(address.replace(/%.*$/, ""));
  if (!groups) return null;
  const names = groups.map((group) => group.toString(16));
  if (names.slice(0, 6).join(":") === MAPPED) {
    return groups.slice(6).flatMap((two) => [two >> 8, two & 255]).join(".");
  }
  return `${names.slice(0, 4).join(":")}::/64`;
}

/** The eight numbers of an IPv6 address; null where it is none. */
function groupsOf(address: string): number[] | null {
  if (address.length > 45 || !address.includes(":")) return null;
  const halves = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, ...bytes) => {
      const [a, b, c, d] = bytes.map(Number);
      return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
    },
  ).split("::").map((half) => half === "" ? [] : half.split(":"));
  if (halves.length > 2) return null;
  const [front, back = []] = halves;
  const missing = 8 - front.length - back.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...front, ...Array(missing).fill("0"), ...back];
  return groups.every((group) => /^[\da-f]{1,4}$/i.test(group))
    ? groups.map((group) => parseInt(group, 16))
    : null;
}
