# Tally in a container: no shell, no build tools, no root, and no more rights than it uses.

FROM denoland/deno:2.9.6 AS build
WORKDIR /app
COPY deno.json deno.lock ./
# Exactly the packages of deno.lock, and a stale one stops the build; then without
# those that only tests use, and without DuckDB for musl, which Deno installs too.
RUN deno ci \
  && deno remove --lockfile-only @std/assert fast-check read-excel-file write-excel-file \
  && deno install --frozen --node-modules-dir=auto \
  && rm -rf node_modules/.deno/*-musl@* \
  && mkdir /scratch /state

FROM denoland/deno:distroless-2.9.6
WORKDIR /app
COPY --from=build /app ./
COPY --from=build --chown=65532:65532 /scratch /scratch
COPY --from=build --chown=65532:65532 /state /state
COPY main.ts check_data.ts config.ts ./
COPY operator operator
COPY routes routes
COPY db db
COPY sql sql
COPY data /data

ENV DATA_DIR=/data STAGING_DIR=/scratch STATE_DIR=/state DENO_NO_UPDATE_CHECK=1
VOLUME /scratch /state
EXPOSE 8000
USER 65532:65532

HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD [ \
  "deno", "eval", \
  "const { ok } = await fetch(`http://127.0.0.1:${Deno.env.get('PORT') || 8000}/healthz`); Deno.exit(ok ? 0 : 1)" \
]

# It may read its SQL and the exports, write /scratch, /state and, where it is mounted
# writable, /data for uploads; listen, and call REFRESH_WEBHOOK_URL, whose host is not
# known here; and load DuckDB. It may not fetch code or start a program; variables
# that are not its settings look unset.
ENTRYPOINT [ \
  "deno", "run", "--no-prompt", "--cached-only", "--frozen", "--node-modules-dir=manual", \
  "--allow-read=/app/sql,/data,/scratch,/state", \
  "--allow-write=/data,/scratch,/state", \
  "--allow-net", \
  "--allow-ffi=/app/node_modules", \
  "--ignore-env", \
  "--allow-env=PORT,HOST,DATA_DIR,STAGING_DIR,DATE_ORDER,TIME_ZONE,CSV_ENCODING,MAX_SET_ASIDE,MAX_CHANNELS,MAX_FILE_BYTES,MAX_UPLOAD_BYTES,XLSX_MAX_BYTES,SET_ASIDE_KEPT,REFRESH_SECONDS,SETTLE_SECONDS,CSV_FINAL_NEWLINE,HOLD,HOLD_DROP,ADMIN_KEY_SHA256,STATE_DIR,REFRESH_WEBHOOK_URL,REFRESH_WEBHOOK_SECRET,EVENTS_MAX,SERVE_FROM,CACHE_SECONDS,CACHE_BYTES,QUERY_TIMEOUT_MS,DOWNLOAD_TIMEOUT_MS,QUERY_CONCURRENCY,DOWNLOAD_CONCURRENCY,QUERY_QUEUE,CORS_ORIGINS,DUCKDB_MEMORY_LIMIT,DUCKDB_THREADS", \
  "main.ts" \
]
