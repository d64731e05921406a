/** The alerts, the dashboard for Grafana and the documents name metrics and labels that a server has. */

import { assert, assertEquals } from "@std/assert";
import { logLines } from "./support/log_lines.ts";
import { type Scraped, scraped } from "./support/metric_lines.ts";
import { startServer, waitFor } from "./support/start_server.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

/** What Prometheus itself adds to each series. */
const OF_PROMETHEUS = ["job", "instance"];

async function scrapeOfServer(): Promise<Scraped> {
  await using server = await startServer({
    DATA_DIR: new URL("data", ROOT).pathname,
    ADMIN_PORT: "0",
    RATE_LIMIT: "1000000",
  });
  await (await waitFor(`${server.base_url}/readyz`, 200)).body?.cancel();
  const customer = await fetch(`${server.base_url}/api/v1/interactions/4`);
  await customer.body?.cancel();
  const [, { text }] = logLines(server.output.out);
  const answer = await fetch(/http:\S+$/.exec(text)![0]);
  return scraped(await answer.text());
}

const { types, samples } = await scrapeOfServer();

/** The labels of each series name that a scrape has, with their values. */
const labels = new Map<string, Map<string, Set<string>>>();
for (const series of samples.keys()) {
  const [, name, list = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(series)!;
  const of = labels.get(name) ?? new Map<string, Set<string>>();
  labels.set(name, of);
  for (const [, label, value] of list.matchAll(/(\w+)="([^"]*)"/g)) {
    of.set(label, (of.get(label) ?? new Set()).add(value));
  }
}

/** Fails where an expression names what no server has. */
function checkExpression(expression: string): void {
  const names = Array.from(
    expression.matchAll(/\b((?:tally|process)_\w+)(?:\{([^}]*)\})?/g),
  );
  assert(names.length > 0 || expression.startsWith("up{"), expression);
  const known = new Set(OF_PROMETHEUS);
  for (const [, name, selector = ""] of names) {
    const of = labels.get(name);
    assert(of, `${name} is no metric: ${expression}`);
    for (const label of of!.keys()) known.add(label);
    for (
      const [, label, is, value] of selector.matchAll(/(\w+)(=~?)"([^"]*)"/g)
    ) {
      if (OF_PROMETHEUS.includes(label)) continue;
      const values = of!.get(label);
      assert(values, `${name} has no label ${label}: ${expression}`);
      if (label === "route" && is === "=") {
        assert(values!.has(value), `no route ${value}: ${expression}`);
      }
    }
  }
  for (const [, list] of expression.matchAll(/\bby \(([^)]*)\)/g)) {
    for (const label of list.split(/, */)) {
      assert(known.has(label), `no label ${label}: ${expression}`);
    }
  }
}

Deno.test("every alert is of a metric that there is, and is in the documents", async () => {
  const rules = await read("deploy/prometheus-rules.yaml");
  const operations = await read("docs/operations.md");
  const alerts = rules.split(/^ {6}- alert: /m).slice(1);
  assert(alerts.length > 8);
  for (const alert of alerts) {
    const [name] = alert.split("\n");
    const [, folded, line] =
      /^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.+)$)/m.exec(alert) ?? [];
    const expression = folded ?? line;
    assert(expression, `${name} has no expression`);
    checkExpression(expression.trim());
    assert(
      /^ {8}labels: \{ severity: (critical|warning) \}$/m.test(alert),
      name,
    );
    assert(/^ {10}summary: ".+\."$/m.test(alert), name);
    assert(operations.includes(`| \`${name}\``), `${name} is not documented`);
  }
});

Deno.test("every panel of the dashboard is of metrics that there are, and all but a few are shown", async () => {
  const { panels } = JSON.parse(await read("deploy/grafana.json"));
  const all: string[] = [];
  for (const { title, targets } of panels) {
    assert(targets.length > 0, title);
    for (const { expr, legendFormat } of targets) {
      checkExpression(expr);
      all.push(expr);
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        const known = [
          ...OF_PROMETHEUS,
          ...[...labels.values()].flatMap((of) => [...of.keys()]),
        ];
        assert(known.includes(label), `${title}: no label ${label}`);
      }
    }
  }
  const shown = all.join("\n");
  assertEquals(
    [...types.keys()].filter((name) => !shown.includes(name)).sort(),
    [
      "tally_rate_limit_clients",
      "tally_refresh_seconds_total",
      "tally_runtime_info",
    ],
  );
});

Deno.test("docs/operations.md has every metric and every event", async () => {
  const operations = await read("docs/operations.md");
  const named = (section: string, pattern: RegExp) => {
    const from = operations.indexOf(`\n## ${section}\n`);
    const text = operations.slice(from, operations.indexOf("\n## ", from + 1));
    return Array.from(
      text.matchAll(/^\| (`.+?`(?:, `.+?`)*) +\|/gm),
      ([, cell]) => Array.from(cell.matchAll(pattern), ([, name]) => name),
    ).flat();
  };
  assertEquals(
    named("Metrics", /`((?:tally|process)_\w+)`/g).sort(),
    [...types.keys()].sort(),
  );

  const events = new Set<string>();
  for (
    const folder of [
      "",
      "access/",
      "db/clickhouse/",
      "db/duckdb/",
      "db/intake/",
      "db/refresh/",
      "db/serving/",
      "operator/",
      "routes/",
    ]
  ) {
    for await (const { name } of Deno.readDir(new URL(folder || ".", ROOT))) {
      if (!name.endsWith(".ts")) continue;
      const text = await read(folder + name);
      for (const [, event] of text.matchAll(/\bevent: "([a-z_]+)"/g)) {
        events.add(event);
      }
    }
  }
  for (const result of ["served", "unchanged", "held", "failed"]) {
    events.add(`refresh_${result}`);
  }
  const [heading, ...documented] = named("Logs", /`(\w+)`/g);
  assertEquals(heading, "event");
  assertEquals(documented.sort(), [...events].sort());
});
