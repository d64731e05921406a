/** Settings: every default, what counts as unset, and one line for each wrong one. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  changedSettings,
  collectorWarning,
  misspelt,
  readConfig,
  settings,
} from "../config.ts";

const SECRETS = [
  "ADMIN_KEY_SHA256",
  "REFRESH_WEBHOOK_URL",
  "REFRESH_WEBHOOK_SECRET",
  "CLICKHOUSE_URL",
  "CLICKHOUSE_PASSWORD",
];

Deno.test("readConfig, nothing set: every default", () => {
  assertEquals(readConfig({}), {
    PORT: 8000,
    LOG_REQUESTS: "errors",
    LOG_CUSTOMER_IDS: "off",
    HOST: "127.0.0.1",
    DRAIN_SECONDS: 5,
    DATA_DIR: "./data",
    DATE_ORDER: "DMY",
    TIME_ZONE: "UTC",
    CSV_ENCODING: "windows-1252",
    MAX_SET_ASIDE: 0.1,
    MAX_CHANNELS: 64,
    MAX_FILE_BYTES: 68_719_476_736,
    MAX_UPLOAD_BYTES: 1_073_741_824,
    UPLOAD_QUOTA_BYTES: 68_719_476_736,
    XLSX_MAX_BYTES: 1_073_741_824,
    ZIP_MAX_BYTES: 17_179_869_184,
    SET_ASIDE_KEPT: 10_000,
    REFRESH_SECONDS: 2,
    SETTLE_SECONDS: 15,
    CSV_FINAL_NEWLINE: "optional",
    HOLD_DROP: 0.3,
    EVENTS_MAX: 100,
    SERVE_FROM: "index",
    STORE: "duckdb",
    ROLE: "follower",
    CLICKHOUSE_URL: "http://localhost:8123",
    CLICKHOUSE_USER: "default",
    CLICKHOUSE_PASSWORD: "",
    CLICKHOUSE_DATABASE: "tally",
    CACHE_SECONDS: 5,
    CACHE_BYTES: 67_108_864,
    QUERY_TIMEOUT_MS: 2_000,
    DOWNLOAD_TIMEOUT_MS: 300_000,
    RATE_LIMIT: 0,
    RATE_BURST: 100,
    TRUSTED_PROXIES: 0,
    STALL_SECONDS: 30,
    QUERY_CONCURRENCY: Math.min(4, Math.max(2, navigator.hardwareConcurrency)),
    DOWNLOAD_CONCURRENCY: 2,
    QUERY_QUEUE: 64,
    DUCKDB_MEMORY_LIMIT: "600MB",
    DUCKDB_THREADS: navigator.hardwareConcurrency,
  });
});

Deno.test("readConfig, an empty value: as if it were not set", () => {
  const empty = Object.fromEntries(
    Object.keys(settings.shape).map((name) => [name, ""]),
  );
  assertEquals(readConfig(empty), readConfig({}));
});

Deno.test("readConfig, what is not a setting: ignored", () => {
  assertEquals(readConfig({ PATH: "/bin", port: "1" }), readConfig({}));
});

Deno.test("readConfig, right values", async (t) => {
  const cases: [name: string, text: string, value: unknown][] = [
    ["PORT", "0", 0],
    ["PORT", "65535", 65535],
    ["HOST", "0.0.0.0", "0.0.0.0"],
    ["ALLOWED_HOSTS", "*", ["*"]],
    ["ALLOWED_HOSTS", " tally.example.com , [::1]", [
      "tally.example.com",
      "[::1]",
    ]],
    ["DRAIN_SECONDS", "0", 0],
    ["DATA_DIR", "/data with spaces", "/data with spaces"],
    ["STAGING_DIR", "/scratch", "/scratch"],
    ["DATE_ORDER", "MDY", "MDY"],
    ["TIME_ZONE", "Europe/Zurich", "Europe/Zurich"],
    ["TIME_ZONE", "America/Argentina/Buenos_Aires", undefined],
    ["CSV_ENCODING", "shift_jis", "shift_jis"],
    ["CSV_ENCODING", "iso-8859-2", "iso-8859-2"],
    ["CSV_ENCODING", "CP1252", "windows-1252"],
    ["MAX_SET_ASIDE", "0", 0],
    ["MAX_SET_ASIDE", "1", 1],
    ["MAX_SET_ASIDE", "0.5", 0.5],
    ["MAX_SET_ASIDE", ".25", 0.25],
    ["MAX_SET_ASIDE", "1.0", 1],
    ["MAX_CHANNELS", "1", 1],
    ["MAX_FILE_BYTES", "1000", 1000],
    ["MAX_UPLOAD_BYTES", "1000", 1000],
    ["XLSX_MAX_BYTES", "1000", 1000],
    ["ZIP_MAX_BYTES", "1000", 1000],
    ["SET_ASIDE_KEPT", "0", 0],
    ["REFRESH_SECONDS", "1", 1],
    ["SETTLE_SECONDS", "60", 60],
    ["CSV_FINAL_NEWLINE", "required", "required"],
    ["HOLD", "on", "on"],
    ["HOLD_DROP", "0.05", 0.05],
    ["ADMIN_KEY_SHA256", "AB".repeat(32), "ab".repeat(32)],
    ["STATE_DIR", "/state", "/state"],
    [
      "REFRESH_WEBHOOK_URL",
      "https://example.com/hook",
      "https://example.com/hook",
    ],
    ["REFRESH_WEBHOOK_SECRET", "key", "key"],
    ["EVENTS_MAX", "0", 0],
    ["SERVE_FROM", "query", "query"],
    ["STORE", "clickhouse", "clickhouse"],
    ["ROLE", "loader", "loader"],
    ["CLICKHOUSE_URL", "https://ch.example:8443", "https://ch.example:8443"],
    ["CLICKHOUSE_USER", "tally_load", "tally_load"],
    ["CLICKHOUSE_PASSWORD", " a b", " a b"],
    ["CLICKHOUSE_DATABASE", "tally_2", "tally_2"],
    ["CLICKHOUSE_CLUSTER", "Tally_2", "Tally_2"],
    ["CACHE_SECONDS", "0", 0],
    ["CORS_ORIGINS", "*", ["*"]],
    ["CORS_ORIGINS", "https://www.example.com", ["https://www.example.com"]],
    [
      "CORS_ORIGINS",
      "http://localhost:3000, https://example.com",
      ["http://localhost:3000", "https://example.com"],
    ],
    [
      "CORS_ORIGINS",
      "https://WWW.Example.com:443,HTTP://b.example:80,https://münchen.example",
      [
        "https://www.example.com",
        "http://b.example",
        "https://xn--mnchen-3ya.example",
      ],
    ],
    ["DUCKDB_MEMORY_LIMIT", "1.5GB", "1.5GB"],
    ["DUCKDB_MEMORY_LIMIT", "512 MiB", "512 MiB"],
    ["DUCKDB_THREADS", "1", 1],
  ];
  for (const [name, text, value] of cases) {
    await t.step(`${name}=${text}`, () => {
      const config: Record<string, unknown> = readConfig({ [name]: text });
      assertEquals(config[name], value ?? text);
    });
  }
});

Deno.test("readConfig, wrong values: one line that names the setting and quotes the value, but of a secret", async (t) => {
  const cases: [name: string, text: string][] = [
    ["PORT", "http"],
    ["ADMIN_PORT", "65536"],
    ["LOG_REQUESTS", "some"],
    ["LOG_CUSTOMER_IDS", "yes"],
    ["PORT", "-1"],
    ["PORT", "65536"],
    ["PORT", "80.5"],
    ["PORT", "1e3"],
    ["PORT", "0x50"],
    ["PORT", " 80"],
    ["PORT", "8000\n"],
    ["PORT", "8000\nHOST=0"],
    ["PORT", "٨٠"],
    ["PORT", "99999999999999999999"],
    ["HOST", "local host"],
    ["ALLOWED_HOSTS", "tally.example.com:8000"],
    ["ALLOWED_HOSTS", "https://tally.example.com"],
    ["ALLOWED_HOSTS", "a,,b"],
    ["ALLOWED_HOSTS", "[1:2]"],
    ["HOST", "localhost\n"],
    ["DATE_ORDER", "YMD"],
    ["DATE_ORDER", "dmy"],
    ["TIME_ZONE", "Mars/Olympus"],
    ["TIME_ZONE", "+02:00"],
    ["TIME_ZONE", "Europe/Zurich; drop table x"],
    ["STAGING_DIR", "/what?"],
    ["CSV_ENCODING", "latin-99"],
    ["CSV_ENCODING", "replacement"],
    ["MAX_SET_ASIDE", "10%"],
    ["MAX_SET_ASIDE", "1.5"],
    ["MAX_SET_ASIDE", "-0.1"],
    ["MAX_SET_ASIDE", "0,1"],
    ["MAX_SET_ASIDE", "NaN"],
    ["DRAIN_SECONDS", "-1"],
    ["DRAIN_SECONDS", "3601"],
    ["MAX_CHANNELS", "0"],
    ["MAX_CHANNELS", "1001"],
    ["MAX_FILE_BYTES", "0"],
    ["MAX_UPLOAD_BYTES", "0"],
    ["REFRESH_SECONDS", "0"],
    ["SETTLE_SECONDS", "-1"],
    ["CSV_FINAL_NEWLINE", "no"],
    ["HOLD", "maybe"],
    ["HOLD_DROP", "30"],
    ["ADMIN_KEY_SHA256", "secret"],
    ["REFRESH_WEBHOOK_URL", "ftp://example.com"],
    ["EVENTS_MAX", "many"],
    ["MAX_FILE_BYTES", "1GB"],
    ["XLSX_MAX_BYTES", "0"],
    ["ZIP_MAX_BYTES", "0"],
    ["XLSX_MAX_BYTES", "1e9"],
    ["SET_ASIDE_KEPT", "-1"],
    ["SET_ASIDE_KEPT", "1000001"],
    ["SERVE_FROM", "pivot"],
    ["SERVE_FROM", "INDEX"],
    ["STORE", "ClickHouse"],
    ["STORE", "postgres"],
    ["ROLE", "leader"],
    ["CLICKHOUSE_URL", "localhost:8123"],
    ["CLICKHOUSE_URL", "tcp://localhost:9000"],
    ["CLICKHOUSE_URL", "http://user:word@localhost:8123"],
    ["CLICKHOUSE_URL", "http://localhost:8123/?user=tally&password=word"],
    ["CLICKHOUSE_URL", "http://localhost:8123/#a"],
    ["CLICKHOUSE_DATABASE", "system"],
    ["CLICKHOUSE_DATABASE", "information_schema"],
    ["CLICKHOUSE_DATABASE", "Tally"],
    ["CLICKHOUSE_DATABASE", "1tally"],
    ["CLICKHOUSE_DATABASE", "tally-a"],
    ["CLICKHOUSE_DATABASE", `t${"a".repeat(41)}`],
    ["CLICKHOUSE_CLUSTER", "a cluster"],
    ["CLICKHOUSE_CLUSTER", "a'"],
    ["CACHE_SECONDS", "5s"],
    ["CACHE_SECONDS", "31536001"],
    ["CORS_ORIGINS", "example.com"],
    ["CORS_ORIGINS", "https://example.com/"],
    ["CORS_ORIGINS", "https://a.example,*"],
    ["CORS_ORIGINS", "null"],
    ["CORS_ORIGINS", "https://a.example,"],
    ["CORS_ORIGINS", "https://user@a.example"],
    ["CORS_ORIGINS", "https://a.example?x"],
    ["CORS_ORIGINS", "https://a.example:99999"],
    ["CORS_ORIGINS", "https://*.example"],
    ["DUCKDB_MEMORY_LIMIT", "600"],
    ["DUCKDB_MEMORY_LIMIT", "80%"],
    ["DUCKDB_MEMORY_LIMIT", "-1GB"],
    ["DUCKDB_MEMORY_LIMIT", "0GB"],
    ["DUCKDB_MEMORY_LIMIT", "99999999999TB"],
    ["DUCKDB_THREADS", "0"],
    ["DUCKDB_THREADS", "all"],
    ["CACHE_BYTES", "64MB"],
    ["QUERY_TIMEOUT_MS", "0"],
    ["QUERY_TIMEOUT_MS", "2s"],
    ["DOWNLOAD_TIMEOUT_MS", "0"],
    ["QUERY_CONCURRENCY", "0"],
    ["DOWNLOAD_CONCURRENCY", "0"],
    ["QUERY_QUEUE", "-1"],
    ["RATE_LIMIT", "0.5"],
    ["RATE_LIMIT", "10/s"],
    ["RATE_BURST", "0"],
    ["TRUSTED_PROXIES", "10.0.0.1"],
    ["TRUSTED_PROXIES", "17"],
    ["STALL_SECONDS", "0"],
    ["UPLOAD_QUOTA_BYTES", "0"],
    ["MEMORY_LIMIT_MB", "0"],
    ["MEMORY_LIMIT_MB", "1GB"],
  ];
  for (const [name, text] of cases) {
    await t.step(`${name}=${JSON.stringify(text)}`, () => {
      const { message } = assertThrows(
        () => readConfig({ [name]: text }),
        Error,
      );
      assertEquals(
        message.slice(0, message.indexOf(": ")),
        SECRETS.includes(name) ? name : `${name}=${JSON.stringify(text)}`,
      );
      assertEquals(message.split("\n").length, 1);
    });
  }
  await t.step("every setting that can be wrong has a case", () => {
    const free_text = [
      "DATA_DIR",
      "API_KEYS_FILE",
      "STATE_DIR",
      "REFRESH_WEBHOOK_SECRET",
      "CLICKHOUSE_USER",
      "CLICKHOUSE_PASSWORD",
    ];
    const tried = new Set(cases.map(([name]) => name));
    assertEquals(
      Object.keys(settings.shape).filter((name) => !tried.has(name)),
      free_text,
    );
  });
});

Deno.test("settings, each: a meaning for the README", () => {
  for (const [name, setting] of Object.entries(settings.shape)) {
    assertEquals(typeof setting.description, "string", name);
  }
});

Deno.test("changedSettings: what differs from its default, in one line, and nothing of a secret", () => {
  assertEquals(changedSettings(readConfig({})), "");
  assertEquals(changedSettings(readConfig({ PORT: "8000", HOLD: "" })), "");
  assertEquals(
    changedSettings(readConfig({
      PORT: "80",
      DATA_DIR: "/my data\n",
      MAX_SET_ASIDE: "0.5",
      HOLD: "off",
      ADMIN_KEY_SHA256: "ab".repeat(32),
      REFRESH_WEBHOOK_URL: "https://user:password@example.com/token",
      REFRESH_WEBHOOK_SECRET: "password",
      CORS_ORIGINS: "https://a.example, https://b.example",
      CACHE_BYTES: "0",
    })),
    'PORT=80, DATA_DIR="/my data\\n", MAX_SET_ASIDE=0.5, HOLD=off, ADMIN_KEY_SHA256=set, REFRESH_WEBHOOK_URL=set, REFRESH_WEBHOOK_SECRET=set, CACHE_BYTES=0, CORS_ORIGINS=https://a.example,https://b.example',
  );
});

Deno.test("settings, those with a secret in them: marked as such", () => {
  const shape: Record<string, { meta(): unknown }> = settings.shape;
  assertEquals(
    Object.keys(shape).filter((name) =>
      (shape[name].meta() as { secret?: boolean }).secret
    ),
    SECRETS,
  );
});

Deno.test("a collector may delay the end by three times its timeout: said where that is long", () => {
  const seconds = (env: Readonly<Record<string, string>>) =>
    /up to ([\d.]+) s\./.exec(collectorWarning(env) ?? "")?.[1];
  const OTEL_DENO = "true";
  assertEquals(seconds({ OTEL_DENO }), "30");
  assertEquals(seconds({ OTEL_DENO, OTEL_EXPORTER_OTLP_TIMEOUT: "5s" }), "30");
  for (const [timeout, delay] of [["1001", "3.003"], ["60000", "180"]]) {
    assertEquals(
      seconds({ OTEL_DENO, OTEL_EXPORTER_OTLP_TIMEOUT: timeout }),
      delay,
    );
  }
  for (
    const env of [
      { OTEL_DENO, OTEL_EXPORTER_OTLP_TIMEOUT: "1000" },
      { OTEL_DENO: "false" },
      { OTEL_EXPORTER_OTLP_TIMEOUT: "60000" },
      {},
    ]
  ) assertEquals(collectorWarning(env), null);
});

Deno.test("misspelt: names that are nearly a setting", async (t) => {
  const cases: [name: string, meant: string][] = [
    ["CORS_ORIGIN", "CORS_ORIGINS"],
    ["CORS_ORGINS", "CORS_ORIGINS"],
    ["CORSORIGINS", "CORS_ORIGINS"],
    ["REFRESH_SECOND", "REFRESH_SECONDS"],
    ["REFRESH_SEC", "REFRESH_SECONDS"],
    ["Refresh_Seconds", "REFRESH_SECONDS"],
    ["refresh.seconds", "REFRESH_SECONDS"],
    ["TALLY_REFRESH_SECONDS", "REFRESH_SECONDS"],
    ["TALLY_CORS_ORIGIN", "CORS_ORIGINS"],
    ["TALLY_DATA_DIR", "DATA_DIR"],
    ["port", "PORT"],
    ["Host", "HOST"],
    ["hold", "HOLD"],
    ["data_dir", "DATA_DIR"],
    ["DATADIR", "DATA_DIR"],
    ["DATA-DIR", "DATA_DIR"],
    ["DATA_DRI", "DATA_DIR"],
    ["DATA_DIRS", "DATA_DIR"],
    ["STATE_DIRS", "STATE_DIR"],
    ["STAGEING_DIR", "STAGING_DIR"],
    ["TIMEZONE", "TIME_ZONE"],
    ["MAX_XLSX_BYTES", "XLSX_MAX_BYTES"],
    ["MAX_EVENTS", "EVENTS_MAX"],
    ["MAX_UPLOAD_BYTE", "MAX_UPLOAD_BYTES"],
    ["QUERY_TIMEOUT", "QUERY_TIMEOUT_MS"],
    ["ADMIN_KEY", "ADMIN_KEY_SHA256"],
    ["ADMIN_KEY_SHA", "ADMIN_KEY_SHA256"],
    ["REFRESH_WEBHOOK", "REFRESH_WEBHOOK_URL"],
    ["DUCKDB_THREAD", "DUCKDB_THREADS"],
    ["DUCKDB_MEMORY", "DUCKDB_MEMORY_LIMIT"],
    ["EXPORT_TIMEOUT_MS", "DOWNLOAD_TIMEOUT_MS"],
    ["EXPORT_CONCURRENCY", "DOWNLOAD_CONCURRENCY"],
    ["REJECTS_KEPT", "SET_ASIDE_KEPT"],
    ["MAX_REJECTED", "MAX_SET_ASIDE"],
  ];
  for (const [name, meant] of cases) {
    await t.step(name, () => {
      assertEquals(misspelt({ [name]: "1" }), [
        `${name} is not a setting; did you mean ${meant}?`,
      ]);
    });
  }
  await t.step(
    "every setting with one letter missing, but the shortest",
    () => {
      for (const name of Object.keys(settings.shape)) {
        if (name.length < 8) continue;
        for (let i = 0; i < name.length; i++) {
          const wrong = name.slice(0, i) + name.slice(i + 1);
          assertEquals(misspelt({ [wrong]: "1" }).length, 1, wrong);
        }
      }
    },
  );
  await t.step("a value that counts as not set: without a word", () => {
    assertEquals(misspelt({ CORS_ORIGIN: "", DATADIR: undefined }), []);
  });
  await t.step("a setting: without a word", () => {
    const all = Object.keys(settings.shape).map((name) => [name, "1"]);
    assertEquals(misspelt(Object.fromEntries(all)), []);
  });
});

/** What containers, Kubernetes, shells, CI systems and usual programs set. */
const USUAL = `
  PATH HOME HOSTNAME HOSTTYPE USER USERNAME LOGNAME SHELL SHLVL PWD OLDPWD LANG LANGUAGE LC_ALL LC_CTYPE TERM
  COLUMNS LINES EDITOR PAGER DISPLAY MAIL TZ TZDIR TMPDIR TEMP TMP COLORTERM NO_COLOR FORCE_COLOR DEBUG LS_COLORS _
  container CONTAINER_NAME IS_SANDBOX PORTS POST HOSTS HOSTALIASES HOLDS UPLOAD_DIR LOG_DIR TEMP_DIR BASE_DIR
  CERT_DIR WORK_DIR CACHE_DIR CONFIG_DIR HOME_DIR ROOT_DIR META_DIR DATA DATA_URL DATA_PATH DATA_HOME DATA_FILE
  DATABASE_URL STATE STATE_FILE STAGE STAGING
  KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT
  KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_ADDR KUBERNETES_PORT_443_TCP_PORT KUBERNETES_PORT_443_TCP_PROTO
  POD_NAME POD_NAMESPACE POD_IP NODE_NAME
  TALLY_PORT TALLY_SERVICE_HOST TALLY_SERVICE_PORT TALLY_SERVICE_PORT_HTTP TALLY_PORT_8000_TCP
  TALLY_PORT_8000_TCP_ADDR TALLY_PORT_8000_TCP_PORT TALLY_PORT_8000_TCP_PROTO TALLY_HOST TALLY_VERSION
  DATA_PORT DATA_SERVICE_HOST STATE_SERVICE_PORT QUERY_PORT QUERY_SERVICE_HOST CACHE_PORT CACHE_SERVICE_HOST
  EVENTS_PORT EVENTS_SERVICE_HOST WEB_PORT_80_TCP
  CI GITHUB_ACTIONS GITHUB_WORKFLOW GITHUB_RUN_ID GITHUB_REPOSITORY GITHUB_SHA GITHUB_REF GITHUB_TOKEN
  RUNNER_OS RUNNER_TEMP RUNNER_TOOL_CACHE GITLAB_CI CI_COMMIT_SHA CI_JOB_ID CI_PROJECT_DIR CI_REGISTRY
  JENKINS_URL BUILD_ID BUILD_NUMBER WORKSPACE CIRCLECI TRAVIS TF_BUILD AGENT_TEMPDIRECTORY BUILDKITE
  DENO_DIR DENO_INSTALL DENO_NO_UPDATE_CHECK DENO_VERSION DENO_AUTH_TOKENS NODE_ENV NODE_OPTIONS NODE_VERSION
  NPM_CONFIG_CACHE npm_config_port npm_config_user_agent npm_package_name PYTHONPATH JAVA_HOME GOPATH CARGO_HOME
  HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR
  AWS_REGION AWS_ACCESS_KEY_ID AWS_CONTAINER_CREDENTIALS_RELATIVE_URI GOOGLE_APPLICATION_CREDENTIALS K_SERVICE
  WEBSITE_HOSTNAME DYNO FLY_APP_NAME RENDER_SERVICE_ID RAILWAY_ENVIRONMENT
  XDG_DATA_HOME XDG_DATA_DIRS XDG_STATE_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR XDG_CONFIG_DIRS
  INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET WATCHDOG_USEC LISTEN_FDS STATE_DIRECTORY CACHE_DIRECTORY
  RUNTIME_DIRECTORY LOGS_DIRECTORY CONFIGURATION_DIRECTORY CREDENTIALS_DIRECTORY
  SSH_AUTH_SOCK SSH_CONNECTION GPG_TTY DBUS_SESSION_BUS_ADDRESS OTEL_EXPORTER_OTLP_ENDPOINT OTEL_SERVICE_NAME
  POSTGRES_HOST POSTGRES_PORT PGHOST PGPORT PGDATA REDIS_URL MYSQL_HOST MAX_CONNECTIONS MAX_UPLOAD_SIZE
  REFRESH_TOKEN ADMIN_USER ADMIN_PASSWORD CORS_ENABLED SERVE HOST_IP HOST_PORT PORT_HTTP DATE TIME ORDER ZONE
`.trim().split(/\s+/);

Deno.test("misspelt: what is usual in an environment is not told", async (t) => {
  for (const name of USUAL) {
    await t.step(name, () => assertEquals(misspelt({ [name]: "1" }), []));
  }
});
