# Tally in a container: no shell, no build tools, no root, and no more rights than it uses.

FROM denoland/deno:2.9.6 AS build
WORKDIR /app
COPY deno.json deno.lock ./
# Exactly the packages of deno.lock, and a stale one stops the build; then without
# those that only tests use, without DuckDB for musl, which Deno installs too, and
# without types and source maps, which nobody reads here.
RUN deno ci \
  && deno remove --lockfile-only @std/assert @std/yaml ajv fast-check read-excel-file write-excel-file \
  && deno install --frozen --node-modules-dir=auto \
  && rm -rf node_modules/.deno/*-musl@* node_modules/.deno/@types+* node_modules/@types \
  && find node_modules -type f \( -name "*.ts" -o -name "*.[cm]ts" -o -name "*.map" \) -delete \
  && mkdir /scratch /state /keys

FROM denoland/deno:distroless-2.9.6
WORKDIR /app
COPY --from=build /app ./
COPY --from=build --chown=65532:65532 /scratch /scratch
COPY --from=build --chown=65532:65532 /state /state
COPY --from=build --chown=65532:65532 /keys /keys
COPY main.ts check_data.ts suggest.ts key.ts erase.ts load.ts config.ts create_store.ts ./
COPY access access
COPY dashboard dashboard
COPY operator operator
COPY routes routes
COPY db db
COPY sql sql
COPY data /data

ENV HOST=0.0.0.0 DATA_DIR=/data STAGING_DIR=/scratch STATE_DIR=/state DENO_NO_UPDATE_CHECK=1 OTEL_EXPORTER_OTLP_TIMEOUT=1000
VOLUME /scratch /state /keys
EXPOSE 8000
USER 65532:65532
# The process drains: see "Stop" in docs/operations.md.
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD [ \
  "deno", "eval", \
  "const { ok } = await fetch(`http://127.0.0.1:${Deno.env.get('PORT') || 8000}/healthz`); Deno.exit(ok ? 0 : 1)" \
]

# Its rights are the permission set "image" of deno.json. It may read its SQL and the
# exports and the key file, write /scratch, /state and, where it is mounted writable,
# /data for uploads; listen, and call REFRESH_WEBHOOK_URL, whose host is not known here;
# load DuckDB, ask how much memory there is, and lower the priority of its threads. It
# may read the whole environment, not only its settings, so that the start
# can name a variable that is nearly one: keep secrets of other programs out of it. It
# may not fetch code or start a program. --quiet keeps out of the log that Deno calls
# permission sets experimental; errors are shown all the same.
ENTRYPOINT [ \
  "deno", "run", "--quiet", "--no-prompt", "--cached-only", "--frozen", \
  "--node-modules-dir=manual", "-P=image", "main.ts" \
]
