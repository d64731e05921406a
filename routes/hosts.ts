/** Which hosts are answered, so that a page cannot reach a server on a laptop under a name of its own. */

import type { Failure } from "./errors.ts";

/** Why a request is not answered under the host that it names; null when it is. */
export type HostCheck = (request: Request) => Failure | null;

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
/** A host and a port, as RFC 9110, 7.2 has them; names as they are used, with `_`. */
const AUTHORITY = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{0,5})?$/i;
/** What Deno puts into the URL of a request of HTTP/1 without a Host header. */
const NO_HOST = /^localhost(?::\d+)?$/;
/** Asked by address, by whoever keeps the process alive. */
const PROBES = ["/healthz", "/readyz"];

/** Whether a URL is that of a probe, which is answered under every host and without limit. */
export function isProbe(url: string): boolean {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  return PROBES.some((probe) =>
    url.startsWith(probe, path) &&
    (url.length === path + probe.length || url[path + probe.length] === "?")
  );
}

/**
 * The host of `authority`, which may have a port, in one spelling: lower case,
 * addresses in their shortest form, no dot at the end. Null when it is none.
 */
export function hostOf(authority: string): string | null {
  if (!AUTHORITY.test(authority)) return null;
  try {
    return new URL(`http://${authority}`).hostname.replace(/\.$/, "");
  } catch {
    return null;
  }
}

/** The hosts that are answered; null for every one. */
export function answeredHosts(
  { HOST, ALLOWED_HOSTS }: {
    readonly HOST: string;
    readonly ALLOWED_HOSTS?: readonly string[] | undefined;
  },
): readonly string[] | null {
  if (ALLOWED_HOSTS?.includes("*")) return null;
  if (ALLOWED_HOSTS) return ALLOWED_HOSTS.map((host) => hostOf(host)!);
  return /^(localhost|::1|127(\.\d+){3})$/.test(HOST)
    ? [...new Set([...LOOPBACK, hostOf(HOST.replace("::1", "[::1]"))!])]
    : null;
}

/** Checks that requests name one of `hosts`; null lets in all that are well-formed. */
export function createHostCheck(hosts: readonly string[] | null): HostCheck {
  // Nearly every request names the same host as the one before.
  let last_header: string | null = null;
  let last_start = "";

  return function check({ url, headers }) {
    const header = headers.get("host");
    if (
      header !== null && header === last_header && url.startsWith(last_start)
    ) return null;

    // Deno takes the URL's authority from the target if it has one, as it always has
    // in HTTP/2, else from the header as it stands: `a/b?c=` would decide the path.
    if (header !== null && header !== "" && hostOf(header) === null) {
      return wrong(`The Host header ${JSON.stringify(header)} is no host`);
    }
    const from = url.indexOf("//") + 2;
    const to = url.indexOf("/", from);
    const authority = url.slice(from, to < 0 ? undefined : to);
    const host = hostOf(authority);
    if (host === null) {
      return wrong(`The host ${JSON.stringify(authority)} is none`);
    }
    if (isProbe(url)) return null;
    if (header === "" || header === null && NO_HOST.test(authority)) {
      return wrong("The request has no Host header");
    }
    const named = header === null ? [host] : [hostOf(header)!, host];
    const other = hosts && named.find((one) => !hosts.includes(one));
    if (other) {
      return {
        status: 421,
        error:
          `Nothing is answered under the host ${other}. To allow it, add it to ALLOWED_HOSTS.`,
      };
    }
    if (header !== null) {
      last_header = header;
      last_start = url.slice(0, from) + authority + "/";
    }
    return null;
  };
}

function wrong(problem: string): Failure {
  return { status: 400, error: `${problem}. Send Host as host:port.` };
}
