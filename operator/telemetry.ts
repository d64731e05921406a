/** The OpenTelemetry that Deno has built in: its spans get a route, and no text that may name a customer or be a secret; the process ends although it sends its last ones. */

/** Is there where OTEL_DENO is on: Deno puts its providers under it. */
const PROVIDERS = Symbol.for("opentelemetry.js.api.1");

/** How long something may keep a process that is at its end, in milliseconds. */
const KEPT_MS = 500;

/** What Deno sets from a URL, a query or an error, of requests that come and of those that are sent. */
const HIDDEN = new Set([
  "url.full",
  "url.path",
  "url.query",
  "exception.message",
  "exception.stacktrace",
]);

/** Names the route in the span of the request that is being answered. */
export type NameRoute = (
  route: { readonly method: string; readonly path: string },
) => void;

/** Prepares the spans of the process; null where OpenTelemetry is off, which then costs nothing. */
export async function prepareSpans(): Promise<NameRoute | null> {
  if (!(PROVIDERS in globalThis)) return null;
  const { trace } = await import("@opentelemetry/api");
  // An attribute that is set again is sent twice, so it must not be set at all. All
  // spans are of one class, and this one is never sent, since it does not end.
  const spans = Object.getPrototypeOf(
    trace.getTracer("tally").startSpan("never sent"),
  );
  const { setAttribute, setStatus } = spans;
  spans.setAttribute = function (name: string, value: unknown) {
    return HIDDEN.has(name) ? this : setAttribute.call(this, name, value);
  };
  spans.setStatus = function ({ code }: { readonly code: number }) {
    return setStatus.call(this, { code });
  };
  return ({ method, path }) => {
    trace.getActiveSpan()?.setAttribute("http.route", path)
      .updateName(`${method} ${path}`);
  };
}

/**
 * Ends the process with 0. Where OpenTelemetry is on, it ends by itself when nothing
 * keeps it: in Deno 2.9, `Deno.exit` lets no JavaScript run while the last spans are
 * sent, and waits for it for ever where the interval of the metrics ends meanwhile.
 */
export function endProcess(): void {
  if (!(PROVIDERS in globalThis)) Deno.exit(0);
  Deno.unrefTimer(setTimeout(Deno.exit, KEPT_MS, 0));
}
