/** Settings: every default, what counts as unset, and one line for each wrong one. */

import { assertEquals, assertThrows } from "@std/assert";
import { readConfig, settings } from "../config.ts";

Deno.test("readConfig, nothing set: every default", () => {
  assertEquals(readConfig({}), {
    PORT: 8000,
    HOST: "0.0.0.0",
    DATA_DIR: "./data",
    DATE_ORDER: "DMY",
    TIME_ZONE: "UTC",
    CSV_ENCODING: "windows-1252",
    MAX_SET_ASIDE: 0.1,
    MAX_CHANNELS: 64,
    MAX_FILE_BYTES: 68_719_476_736,
    MAX_UPLOAD_BYTES: 1_073_741_824,
    XLSX_MAX_BYTES: 1_073_741_824,
    SET_ASIDE_KEPT: 10_000,
    REFRESH_SECONDS: 2,
    SETTLE_SECONDS: 15,
    CSV_FINAL_NEWLINE: "optional",
    HOLD_DROP: 0.3,
    EVENTS_MAX: 100,
    SERVE_FROM: "index",
    CACHE_SECONDS: 5,
    CACHE_BYTES: 67_108_864,
    QUERY_TIMEOUT_MS: 2_000,
    DOWNLOAD_TIMEOUT_MS: 300_000,
    QUERY_CONCURRENCY: 4,
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
    ["HOST", "127.0.0.1", "127.0.0.1"],
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
    ["CACHE_SECONDS", "0", 0],
    ["CORS_ORIGINS", "*", ["*"]],
    ["CORS_ORIGINS", "https://www.example.com", ["https://www.example.com"]],
    [
      "CORS_ORIGINS",
      "http://localhost:3000, https://example.com",
      ["http://localhost:3000", "https://example.com"],
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

Deno.test("readConfig, wrong values: one line that names the setting and quotes the value", async (t) => {
  const cases: [name: string, text: string][] = [
    ["PORT", "http"],
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
    ["XLSX_MAX_BYTES", "1e9"],
    ["SET_ASIDE_KEPT", "-1"],
    ["SET_ASIDE_KEPT", "1000001"],
    ["SERVE_FROM", "pivot"],
    ["SERVE_FROM", "INDEX"],
    ["CACHE_SECONDS", "5s"],
    ["CACHE_SECONDS", "31536001"],
    ["CORS_ORIGINS", "example.com"],
    ["CORS_ORIGINS", "https://example.com/"],
    ["CORS_ORIGINS", "https://a.example,*"],
    ["CORS_ORIGINS", "null"],
    ["DUCKDB_MEMORY_LIMIT", "600"],
    ["DUCKDB_MEMORY_LIMIT", "80%"],
    ["DUCKDB_MEMORY_LIMIT", "-1GB"],
    ["DUCKDB_THREADS", "0"],
    ["DUCKDB_THREADS", "all"],
    ["CACHE_BYTES", "64MB"],
    ["QUERY_TIMEOUT_MS", "0"],
    ["QUERY_TIMEOUT_MS", "2s"],
    ["DOWNLOAD_TIMEOUT_MS", "0"],
    ["QUERY_CONCURRENCY", "0"],
    ["DOWNLOAD_CONCURRENCY", "0"],
    ["QUERY_QUEUE", "-1"],
  ];
  for (const [name, text] of cases) {
    await t.step(`${name}=${JSON.stringify(text)}`, () => {
      const { message } = assertThrows(
        () => readConfig({ [name]: text }),
        Error,
      );
      assertEquals(
        message.slice(0, message.indexOf(": ")),
        `${name}=${JSON.stringify(text)}`,
      );
      assertEquals(message.split("\n").length, 1);
    });
  }
  await t.step("every setting that can be wrong has a case", () => {
    const free_text = [
      "HOST",
      "DATA_DIR",
      "STATE_DIR",
      "REFRESH_WEBHOOK_SECRET",
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
