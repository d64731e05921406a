/** The composition root: settings, socket, load, serve, drain. Nothing imports it. */

import {
  changedSettings,
  collectorWarning,
  type Config,
  misspelt,
  readConfig,
} from "./config.ts";
import { type FollowedCallers, openCallers } from "./access/follow_key_file.ts";
import { createServedStore } from "./create_store.ts";
import { createGiveWay } from "./db/duckdb/thread_priority.ts";
import { SettingError } from "./db/model/problems.ts";
import { Pressure } from "./db/serving/pressure.ts";
import { createSlots, slotMetrics } from "./db/serving/slots.ts";
import { createAdminPort } from "./routes/admin_port.ts";
import { createApp } from "./routes/app.ts";
import { createRequestLog } from "./routes/request_log.ts";
import { answeredHosts, createHostCheck } from "./routes/hosts.ts";
import { Underway } from "./routes/underway.ts";
import {
  listen,
  type Listener,
  type ListenOptions,
} from "./operator/listening.ts";
import { failWith, printEntry, printRequests } from "./operator/log.ts";
import {
  createMetrics,
  processMetrics,
  storeMetrics,
} from "./operator/metrics.ts";
import { memoryLimit } from "./operator/memory_limit.ts";
import { createRefreshLog } from "./operator/refresh_log.ts";
import { createEnding, stopOnSignals } from "./operator/stopping.ts";
import { prepareSpans } from "./operator/telemetry.ts";
import { accessText, startProgress } from "./operator/terminal.ts";
import { logRuntimeWarnings, logUnhandled } from "./operator/unhandled.ts";
import { createWebhook } from "./operator/webhook.ts";

/** How long a request may wait for its line in the log, in milliseconds. */
const FLUSH_MS = 250;

const listeners: Listener[] = [];

/** Ends the process because of something that no delivery of files can mend. */
function fail(text: string): never {
  // Under OTEL_DENO, Deno waits for the collector before it ends.
  for (const one of listeners) one.cut();
  failWith({ event: "start_failed", text });
}

function failSetting(error: unknown): never {
  if (!(error instanceof SettingError)) throw error;
  fail(`Wrong setting ${error.message}`);
}

const log = printEntry;
logRuntimeWarnings(log);

let config: Config;
try {
  config = readConfig();
} catch (error) {
  fail(`Wrong setting ${(error as Error).message}`);
}
for (const text of misspelt()) {
  log({ level: "warning", event: "unknown_setting", text });
}
const slow_end = collectorWarning();
if (slow_end !== null) {
  log({ level: "warning", event: "collector_timeout", text: slow_end });
}
const changed = changedSettings(config);

let followed: FollowedCallers;
try {
  followed = await openCallers({ ...config, log });
} catch (error) {
  failSetting(error);
}
const { callers } = followed;
const pressure = new Pressure({
  limit_bytes: memoryLimit(config.MEMORY_LIMIT_MB),
  log,
  giveWay: createGiveWay(),
});
const slots = createSlots(config, { isCalm: () => pressure.is_calm });
const store = createServedStore(config, {
  log,
  slots,
  pressure,
  hasAdmin: () => callers.has_admin,
});
const webhook = config.REFRESH_WEBHOOK_URL
  ? createWebhook({
    url: config.REFRESH_WEBHOOK_URL,
    secret: config.REFRESH_WEBHOOK_SECRET,
    log,
  })
  : null;
const ending = createEnding();
const underway = new Underway();
pressure.start(ending.finishing.signal);
const metrics = createMetrics();
metrics.add(
  ...storeMetrics(store),
  ...slotMetrics(slots),
  ...pressure.metrics,
  ...processMetrics(),
);
const requests = createRequestLog(config, { print: printRequests, log });
if (requests) {
  // It does not keep a process that is at its end.
  Deno.unrefTimer(setInterval(requests.flush, FLUSH_MS));
  addEventListener("unload", requests.end);
}
const hosts = answeredHosts(config);
const app = createApp({
  store,
  config,
  callers,
  log,
  requests,
  nameRoute: await prepareSpans(),
  metrics,
  pressure,
  has_admin_port: config.ADMIN_PORT !== undefined,
  ending: {
    draining: ending.draining.signal,
    finishing: ending.finishing.signal,
  },
  underway,
  checkHost: createHostCheck(hosts),
});

function listenOn(
  name: "PORT" | "ADMIN_PORT",
  { port, answer }: Pick<ListenOptions, "port" | "answer">,
): Listener {
  try {
    const listener = listen({ hostname: config.HOST, port, answer, log });
    listeners.push(listener);
    return listener;
  } catch (error) {
    const remedy = error instanceof Deno.errors.AddrInUse
      ? `Stop the process that listens there, or set ${name} to another port; 0 takes a free one`
      : error instanceof Deno.errors.PermissionDenied
      ? `Set ${name} to a port that this user may listen on, such as 8000`
      : "Set HOST to an address of this machine";
    const { message } = error as Error;
    fail(
      `Cannot listen on HOST=${config.HOST} ${name}=${port}: ${message}. ${remedy}.`,
    );
  }
}

// The sockets open before the load, so that whoever waits can ask.
const listener = listenOn("PORT", { port: config.PORT, answer: app.fetch });
const admin = config.ADMIN_PORT === undefined ? null : listenOn("ADMIN_PORT", {
  port: config.ADMIN_PORT,
  answer: createAdminPort(app, metrics),
});
const host = ["0.0.0.0", "::"].includes(config.HOST)
  ? "localhost"
  : config.HOST.includes(":")
  ? `[${config.HOST}]`
  : config.HOST;
const base_url = `http://${host}:${listener.port}`;

stopOnSignals({
  ending,
  drain_ms: config.DRAIN_SECONDS * 1_000,
  store,
  webhook,
  listeners,
  underway,
  requests,
  log,
});
// The keys are followed to the last answer.
ending.finishing.signal.addEventListener("abort", followed.stop);

// After the socket: the folders of a process that listens here already are its own.
try {
  await store.open();
} catch (error) {
  // Another loader would wait for the lease of this one.
  await store.close();
  failSetting(error);
}
// Not before: what keeps it from starting ends it.
logUnhandled(log);
const level = "info";
log({ level, event: "listening", text: `Listening on ${base_url}` });
if (admin) {
  const text = `Metrics are at http://${host}:${admin.port}/metrics`;
  log({ level, event: "listening_admin", text });
}
if (changed) log({ level, event: "settings", text: `Settings: ${changed}` });
log({ level, event: "access", text: accessText(hosts, callers) });
const progress = startProgress();
const logRefresh = createRefreshLog({ store, base_url, log });
store.refreshes.subscribe((refresh) => {
  progress.stop();
  logRefresh(refresh);
});
if (webhook) store.refreshes.subscribe(webhook.send);
Deno.addSignalListener("SIGHUP", () => store.refreshes.request());
store.watch(progress.step);
