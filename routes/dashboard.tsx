/** `/`: the dashboard, drawn here with its first numbers where reading is open, and what it is made of. */

import { parseAccept } from "hono/utils/accept";
import { raw } from "hono/html";
import { z } from "zod";
import { Page } from "../dashboard/page.tsx";
import {
  answeredOf,
  missingOf,
  startOf,
  type State,
  withAnswer,
} from "../dashboard/state.ts";
import { parseView } from "../dashboard/view.ts";
import script from "../dashboard/built/dashboard.js" with { type: "text" };
import style from "../dashboard/dashboard.css" with { type: "text" };
import icon from "../dashboard/icon.svg" with { type: "text" };
import { endpoint, type StreamReply } from "./endpoint.ts";
import { gzipped, takesGzip } from "./gzip.ts";

/** Asks the API, as a client does. */
export type Ask = (request: Request) => Response | Promise<Response>;

/** How long the page waits for its numbers, in milliseconds; the browser asks for those that come later. */
const NUMBERS_MS = 1_000;

/** The longest answers that are written into the page, where drawing holds up others; the browser asks for longer ones itself. */
const MOST_BYTES = 200_000;
/** Of the names and days of the data, without which nothing else is asked. */
const MOST_DIMENSION_BYTES = 1_000_000;

/** What the page may do: nothing but what its own server gives it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const ASSETS = {
  "dashboard.js": { media_type: "text/javascript", text: script },
  "dashboard.css": { media_type: "text/css", text: style },
  "icon.svg": { media_type: "image/svg+xml", text: icon },
} as const;

type AssetName = keyof typeof ASSETS;

/** Customers' numbers are nothing for a search engine. */
const ROBOTS = "User-agent: *\nDisallow: /\n";

/** The locales of a reader that are tried: a header may have thousands that are none. */
const MAX_LOCALES = 20;

const answers = { 200: { description: "The file", schema: z.string() } };

/** The page and its files; they are no part of the API, and /openapi.json does not have them. */
export function dashboardEndpoints(ask: Ask) {
  return [
    endpoint({
      access: "public",
      path: "/",
      name: "getDashboard",
      summary: "The dashboard",
      description: "A page for people.",
      answers,
      async answerNow({ request, callers }) {
        const locales = parseAccept(
          request.headers.get("accept-language") ?? "",
        )
          .slice(0, MAX_LOCALES)
          .map(({ type }) => type);
        const start = startOf(parseView(new URL(request.url).search), {
          is_open: callers.is_open,
          has_admin: callers.has_admin,
          locales,
          now: 0,
        });
        const state = await withNumbers(start, { ask, request });
        return textReply(request, {
          media_type: "text/html; charset=utf-8",
          text: documentOf(state),
          headers: {
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
          },
        });
      },
    }),
    ...(Object.keys(ASSETS) as AssetName[]).map((name) =>
      endpoint({
        access: "public",
        path: `/assets/${name}`,
        name: "getAsset",
        summary: "A file of the dashboard",
        description: "A script, a style or a picture.",
        answers,
        answerNow({ request }) {
          const { media_type, text } = ASSETS[name];
          return textReply(request, {
            media_type,
            text,
            compress: () => compressedOnce(name),
            headers: { "Cache-Control": cacheControl(request, name) },
          });
        },
      })
    ),
    endpoint({
      access: "public",
      path: "/favicon.ico",
      name: "getFavicon",
      summary: "The icon",
      description: "For browsers that ask for it at this path.",
      answers,
      answerNow: ({ request }) =>
        textReply(request, {
          media_type: ASSETS["icon.svg"].media_type,
          text: icon,
          headers: { "Cache-Control": "public, max-age=86400" },
        }),
    }),
    endpoint({
      access: "public",
      path: "/robots.txt",
      name: "getRobots",
      summary: "What search engines may read",
      description: "Nothing.",
      answers,
      answerNow: ({ request }) =>
        textReply(request, { media_type: "text/plain", text: ROBOTS }),
    }),
  ] as const;
}

/** The state with the answers that come in time; in words of the API, as the browser would have asked. */
async function withNumbers(
  start: State,
  { ask, request }: { readonly ask: Ask; readonly request: Request },
): Promise<State> {
  let state = start;
  let is_late = false;
  const host = request.headers.get("host");
  async function askMissing() {
    await Promise.all(
      missingOf(state).map(async ([slot, question]) => {
        const url = new URL(`/${question}`, request.url);
        const response = await ask(
          new Request(url, { headers: host === null ? {} : { host } }),
        );
        const { status } = response;
        const bytes = await response.bytes();
        const most = slot === "dimensions" ? MOST_DIMENSION_BYTES : MOST_BYTES;
        if (is_late || bytes.length > most) return;
        // Too much is asked at once. The browser asks again for what stays open here.
        if (status === 503 && slot !== "data") return;
        const body = JSON.parse(new TextDecoder().decode(bytes));
        const answered = answeredOf(question, {
          status,
          body,
          came_at: start.now,
        });
        state = withAnswer(state, { slot, answered });
      }),
    );
  }
  // The first answers have the days of the data, by which the others are asked.
  const asked = askMissing().then(() => is_late ? undefined : askMissing());
  let timer;
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, NUMBERS_MS);
  });
  await Promise.race([asked, late]);
  is_late = true;
  clearTimeout(timer);
  return state;
}

function documentOf(state: State): string {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Tally</title>
        <link rel="icon" type="image/svg+xml" href={assetHref("icon.svg")} />
        <link rel="stylesheet" href={assetHref("dashboard.css")} />
        <script type="module" src={assetHref("dashboard.js")} />
      </head>
      <body>
        <div id="page">
          <Page state={state} />
        </div>
        <script type="application/json" id="state">
          {raw(JSON.stringify(state).replaceAll("<", "\\u003c"))}
        </script>
      </body>
    </html>
  );
  return `<!doctype html>${page}`;
}

const versions = Object.fromEntries(
  await Promise.all(
    Object.entries(ASSETS).map(async ([name, { text }]) => {
      const bytes = new TextEncoder().encode(text);
      const digest = new Uint8Array(
        await crypto.subtle.digest("SHA-256", bytes),
      );
      return [name, digest.toHex().slice(0, 16)];
    }),
  ),
) as Record<AssetName, string>;

function assetHref(name: AssetName): string {
  return `assets/${name}?v=${versions[name]}`;
}

/** For ever where the address names the bytes; another program's page may name others. */
function cacheControl({ url }: Request, name: AssetName): string {
  return new URL(url).searchParams.get("v") === versions[name]
    ? "public, max-age=31536000, immutable"
    : "no-cache";
}

type Compressed = ReturnType<typeof gzipped>;

function compressed(text: string): Compressed {
  return gzipped([new TextEncoder().encode(text)]);
}

const compressed_assets = new Map<
  AssetName,
  Promise<Uint8Array<ArrayBuffer>>
>();

/** A file of the page, compressed when it is first asked for. */
function compressedOnce(name: AssetName): Compressed {
  const bytes = compressed_assets.get(name) ??
    new Response(compressed(ASSETS[name].text)).bytes();
  compressed_assets.set(name, bytes);
  return ReadableStream.from(async function* () {
    yield await bytes;
  }());
}

function textReply(
  request: Request,
  { media_type, text, compress = compressed, headers = {} }: {
    readonly media_type: string;
    readonly text: string;
    readonly compress?: (text: string) => Compressed;
    readonly headers?: Readonly<Record<string, string>>;
  },
): StreamReply {
  const gzip = takesGzip(request.headers.get("accept-encoding"));
  return {
    of: "stream",
    media_type,
    vary: "Accept-Encoding",
    headers: {
      ...headers,
      ...gzip && { "Content-Encoding": "gzip" },
    },
    body: gzip ? compress(text) : text,
  };
}
