/**
 * Numbers of Tally in a web page that are all of one version, and never old. Copy this
 * file; it needs nothing else.
 *
 * const tally = follow({ url: "https://tally.example.com", show });
 * async function show() {
 *   const { data } = await tally.get("/api/v1/interactions/4");
 *   …
 * }
 */

/** Time until what failed is tried again: at first, and at most, in milliseconds. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** A stream says something every 15 seconds; one that is silent for longer is broken. */
const SILENCE_MS = 40_000;
/** The server takes no key, or not this one: a tab with another one may listen. */
const REFUSALS = [401, 403];
/** How often a question is asked of a version that was just named, before it is asked of any. */
const TURNS = 3;
const LOST = { event: "lost", data: {} };

/**
 * Follows a server. Tabs of one browser share one stream where they can, since a
 * browser has six connections to a server over HTTP/1.1.
 *
 * @param {object} options
 * @param {string} [options.url] of the server, without a slash at its end; "" is the page's own
 * @param {() => Record<string, string> | Promise<Record<string, string>>} [options.headers]
 *   for each request, such as `{ Authorization: "Bearer …" }` with a fresh token
 * @param {(data_version: string) => unknown} options.show
 *   called when a version is known for the first time, and whenever it is another; not
 *   before the call before has ended, and again when it failed
 * @param {(event: string, data: object) => unknown} [options.heard]
 *   called for each event of the stream, such as `held`, and for `lost` when it has ended or
 *   is refused
 */
export function follow(
  { url = "", headers = () => ({}), show, heard = () => {} },
) {
  const closing = new AbortController();
  const { signal } = closing;
  const seen = new Set();
  let version = null;
  let shown = null;
  let is_showing = false;
  let leads = false;

  function learn(next) {
    version = next;
    seen.add(next);
    if (!is_showing) showVersion();
  }

  async function showVersion() {
    is_showing = true;
    const waits = longerWaits();
    while (shown !== version && !signal.aborted) {
      const next = version;
      try {
        await show(next);
        shown = next;
      } catch (error) {
        console.warn(error);
        await waits.next();
      }
    }
    is_showing = false;
  }

  /**
   * The answer to a question, as JSON, of the version that the page shows. Its parameters
   * may be in the path, as in `"/api/v1/customers?q=ba"`, in the second argument, as in
   * `{ q: "ba" }`, or in both. A failure has the `Response` as its cause.
   */
  async function get(path, parameters = {}) {
    const [where] = path.split("?");
    let named = version;
    for (let turn = 0;; turn++) {
      const query = new URLSearchParams(path.slice(where.length));
      for (const [name, value] of new URLSearchParams(parameters)) {
        query.append(name, value);
      }
      if (named) query.set("data_version", named);
      const answer = await fetch(`${url}${where}?${query}`, {
        headers: await headers(),
        signal,
      });
      const body = await answer.json();
      if (answer.ok) return body;
      if (answer.status !== 410 || turn > TURNS) {
        throw new Error(body.error, { cause: answer });
      }
      // The event may be on its way. A version that was left is not news: behind a
      // load balancer, servers may differ for a moment.
      named = turn < TURNS
        ? /Ask for ([0-9a-f]{16})/.exec(body.error)?.[1]
        : null;
      if (named && !seen.has(named)) learn(named);
    }
  }

  const name = `tally ${new URL(url || "/", location.href)}`;
  const tabs = "BroadcastChannel" in globalThis
    ? new BroadcastChannel(name)
    : null;
  tabs?.addEventListener("message", ({ data: message }) => {
    if (message !== "which?") hear(message);
    else if (leads && version) tabs.postMessage(versionEvent(version));
  });

  function hear({ event, data }) {
    if (event === "version") learn(data.data_version);
    try {
      heard(event, data);
    } catch (error) {
      console.warn(error);
    }
  }

  const waits = longerWaits();

  async function lead() {
    leads = true;
    await listen({
      async open(silence) {
        const until = AbortSignal.any([signal, silence]);
        const own = await Promise.race([
          (async () => await headers())(),
          abortOf(until),
        ]).catch(() => null);
        // Without them this tab cannot ask, such as when its reader has logged out.
        return own && await fetch(`${url}/api/v1/data/events`, {
          headers: own,
          signal: until,
        });
      },
      onEvent(message) {
        hear(message);
        tabs?.postMessage(message);
      },
      signal,
      waits,
    });
    leads = false;
  }

  async function takeTurns() {
    while (!signal.aborted) {
      // Whoever has the lock listens for all; when its tab is closed, the next one does.
      if (tabs && navigator.locks) {
        await navigator.locks.request(name, { signal }, lead);
      } else await lead();
      // This tab is refused. Another one has the lock by now, if one waits.
      if (!signal.aborted) hear(LOST);
      await waits.next();
    }
  }

  tabs?.postMessage("which?");
  takeTurns().catch(() => {});

  return {
    get,
    close() {
      closing.abort();
      tabs?.close();
    },
  };
}

/**
 * Reads the stream, and opens it again whenever it ends, until `signal` is aborted or
 * the server refuses the sender.
 */
async function listen({ open, onEvent, signal, waits }) {
  while (!signal.aborted) {
    const silence = new AbortController();
    let timer;
    const isAlive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    try {
      isAlive();
      const answer = await open(silence.signal);
      if (!answer || REFUSALS.includes(answer.status)) return;
      // A proxy without its server, or no more places.
      if (!answer.ok) throw new Error(answer.statusText);
      for await (const { event, data } of eventsOf(answer.body, isAlive)) {
        waits.reset();
        onEvent({ event, data: JSON.parse(data) });
      }
    } catch {
      // The next turn says whether it was for a moment.
    } finally {
      clearTimeout(timer);
      // A stream that is not read to its end would keep its connection.
      silence.abort();
    }
    if (signal.aborted) return;
    onEvent(LOST);
    await waits.next();
  }
}

function versionEvent(data_version) {
  return { event: "version", data: { data_version } };
}

/** Fails when a signal is aborted. */
function abortOf(signal) {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason))
  );
}

/** Each wait is longer than the one before; not the same for all pages, so that they do not come back all at once. */
function longerWaits() {
  let most_ms = FIRST_WAIT_MS;
  return {
    reset() {
      most_ms = FIRST_WAIT_MS;
    },
    next() {
      const ms = most_ms * (0.5 + Math.random() / 2);
      most_ms = Math.min(2 * most_ms, LONGEST_WAIT_MS);
      return new Promise((resolve) => setTimeout(resolve, ms));
    },
  };
}

/** The events of a stream: https://html.spec.whatwg.org/#event-stream-interpretation */
async function* eventsOf(body, isAlive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    isAlive();
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const field = (name) =>
        block.split("\n").find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field("data");
      if (data !== undefined) yield { event: field("event"), data };
    }
  }
}
