/** The composition root: settings, socket, load, serve, drain. Nothing imports it. */

import {
  changedSettings,
  type Config,
  misspelt,
  readConfig,
} from "./config.ts";
import { type FollowedCallers, openCallers } from "./access/follow_key_file.ts";
import { createStore } from "./create_store.ts";
import { SettingError } from "./db/model/problems.ts";
import { createApp } from "./routes/app.ts";
import { answeredHosts, createHostCheck } from "./routes/hosts.ts";
import {
  accessText,
  fail,
  refreshText,
  startProgress,
  summary,
} from "./operator/terminal.ts";
import { createWebhook } from "./operator/webhook.ts";

/** How long running requests may take to end after SIGTERM, in milliseconds. */
const DRAIN_MS = 5_000;

function failSetting(error: unknown): never {
  if (!(error instanceof SettingError)) throw error;
  fail(`Wrong setting ${error.message}`);
}

let config: Config;
try {
  config = readConfig();
} catch (error) {
  fail(`Wrong setting ${(error as Error).message}`);
}
for (const text of misspelt()) console.error(text);
const changed = changedSettings(config);

let followed: FollowedCallers;
try {
  followed = await openCallers({ ...config, log: console.error });
} catch (error) {
  failSetting(error);
}
const { callers } = followed;
const store = createStore(config, { hasAdmin: () => callers.has_admin });
const webhook = config.REFRESH_WEBHOOK_URL
  ? createWebhook({
    url: config.REFRESH_WEBHOOK_URL,
    secret: config.REFRESH_WEBHOOK_SECRET,
    log: console.error,
  })
  : null;
const stopping = new AbortController();
const hosts = answeredHosts(config);
const app = createApp({
  store,
  config,
  callers,
  log: console.error,
  stopping: stopping.signal,
  checkHost: createHostCheck(hosts),
});

// HEAD is answered as GET: Deno omits the body and sends its true length.
function answer(request: Request): Response | Promise<Response> {
  return app.fetch(
    request.method === "HEAD"
      ? new Request(request, { method: "GET" })
      : request,
  );
}

/** After a failure of the listener, such as too many open files, in milliseconds. */
const LISTEN_AGAIN_MS = 1_000;

// Deno ends its listener for good when one connection cannot be accepted.
function listen(port: number): Deno.HttpServer<Deno.NetAddr> {
  const made = Deno.serve({
    hostname: config.HOST,
    port,
    onListen: () => {},
  }, answer);
  made.finished.catch((error) => {
    if (stopping.signal.aborted) return;
    console.error(`Listening again, since it ended: ${error.message}`);
    setTimeout(() => server = listen(made.addr.port), LISTEN_AGAIN_MS);
  });
  return made;
}

// The socket opens before the load, so that whoever waits can ask.
let server: Deno.HttpServer<Deno.NetAddr>;
try {
  server = listen(config.PORT);
} catch (error) {
  fail(
    `Cannot listen on HOST=${config.HOST} PORT=${config.PORT}: ${
      (error as Error).message
    }`,
  );
}
const host = ["0.0.0.0", "::"].includes(config.HOST)
  ? "localhost"
  : config.HOST.includes(":")
  ? `[${config.HOST}]`
  : config.HOST;
const base_url = `http://${host}:${server.addr.port}`;

async function stop(): Promise<void> {
  setTimeout(() => Deno.exit(1), DRAIN_MS);
  stopping.abort();
  followed.stop();
  await webhook?.close();
  await server.shutdown();
  await store.close();
  Deno.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, stop);
}

// After the socket: the folders of a process that listens here already are its own.
try {
  await store.open();
} catch (error) {
  failSetting(error);
}
console.log(`Listening on ${base_url}`);
if (changed) console.log(`Settings: ${changed}`);
console.log(accessText(hosts, callers));
const progress = startProgress();
let served: string | null = null;
store.refreshes.subscribe((refresh) => {
  progress.stop();
  const { snapshot, notice } = store;
  if (served !== null) console.log(refreshText(refresh, served));
  else if (snapshot) console.log(summary({ snapshot, notice }, base_url));
  else console.error(`Not ready. ${refresh.reasons.join("\n")}`);
  served = snapshot?.data_version ?? null;
});
if (webhook) store.refreshes.subscribe(webhook.send);
Deno.addSignalListener("SIGHUP", () => store.refreshes.request());
store.watch(progress.step);
