/** The address that a request comes from, as far as it can be believed, and the network that counts as one client. */

/** The other end of a connection. */
export interface Peer {
  readonly remoteAddr: Deno.Addr;
}

/** What says where a request comes from. */
export interface Origin {
  /** The other end of the connection, whose address is read only where it counts: Deno makes it then. */
  readonly peer: Peer | undefined;
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
  networks: Networks,
): string {
  if (forwarded !== null) {
    const network = networks.of(fromEnd(forwarded, trusted_proxies));
    if (network !== null) return network;
  }
  const address = peer?.remoteAddr as Deno.NetAddr | undefined;
  if (address === undefined) return "no address";
  const { hostname } = address;
  return networks.of(hostname) ?? hostname;
}

/** The part of a list that is so many from its end; empty where it has fewer, and at 0. */
function fromEnd(list: string, position: number): string {
  let end = list.length;
  for (let left = position; end >= 0; left--) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    if (left === 1) return list.slice(comma + 1, end);
    end = comma;
  }
  return "";
}

/** So many are remembered: those of a flood of clients push each other out. */
const MOST_NETWORKS = 1_024;
/** A longer text is no address, and may be kept in memory by whoever sends it. */
const LONGEST_TEXT = 64;

/** The networks of addresses, remembered by their text: a page asks several times. */
export class Networks {
  readonly #known = new Map<string, string | null>();

  /** As `networkOf`. */
  of(text: string): string | null {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const network = networkOf(text);
    if (text.length > LONGEST_TEXT) return network;
    if (this.#known.size === MOST_NETWORKS) this.#known.clear();
    this.#known.set(text, network);
    return network;
  }
}

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** As some proxies write a port behind an address. */
const WITH_PORT = /^\[([^\]]*)\](?::\d+)?$|^([^:]*):\d+$/;
/** IPv4 in the last two groups of an address of IPv6. */
const DOTTED_END = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/;
/** The longest address: of IPv6, with IPv4 in it. */
const LONGEST = 45;

/** The network of an address, which may have a port; null where it is none. */
export function networkOf(text: string): string | null {
  const address = withoutPort(text.trim());
  if (IPV4.test(address)) return address;
  const zone = address.indexOf("%");
  const groups = groupsOf(zone < 0 ? address : address.slice(0, zone));
  if (!groups) return null;
  const [a, b, c, d, e, f, g, h] = groups;
  if ((a | b | c | d | e) === 0 && f === 0xffff) {
    return `${g >> 8}.${g & 255}.${h >> 8}.${h & 255}`;
  }
  return `${hex(a)}:${hex(b)}:${hex(c)}:${hex(d)}::/64`;
}

function hex(group: number): string {
  return group.toString(16);
}

function withoutPort(text: string): string {
  // Nearly all are without one.
  const colon = text.indexOf(":");
  const may_have = text[0] === "[" ||
    colon >= 0 && colon === text.lastIndexOf(":");
  if (!may_have) return text;
  const [, in_brackets, before_port] = WITH_PORT.exec(text) ?? [];
  return in_brackets ?? before_port ?? text;
}

/** The eight numbers of an IPv6 address; null where it is none. */
function groupsOf(address: string): number[] | null {
  if (address.length > LONGEST || !address.includes(":")) return null;
  const [front, back, more] = plain(address).split("::");
  if (more !== undefined) return null;
  const first = numbersOf(front);
  if (back === undefined) return first?.length === 8 ? first : null;
  const last = numbersOf(back);
  if (!first || !last || first.length + last.length > 7) return null;
  while (first.length + last.length < 8) first.push(0);
  return [...first, ...last];
}

function plain(address: string): string {
  if (!address.includes(".")) return address;
  return address.replace(DOTTED_END, (_, ...bytes) => {
    const [a, b, c, d] = bytes.map(Number);
    return `${hex(a * 256 + b)}:${hex(c * 256 + d)}`;
  });
}

/** The numbers between colons; null where one is none. */
function numbersOf(half: string): number[] | null {
  if (half === "") return [];
  const numbers: number[] = [];
  for (const group of half.split(":")) {
    const is_plain = group.length <= 4 && /^[\da-fA-F]+$/.test(group);
    if (!is_plain) return null;
    numbers.push(parseInt(group, 16));
  }
  return numbers;
}
