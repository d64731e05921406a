/** The charts: what is drawn is what is counted. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { Bars, Columns, HeatMap } from "../../dashboard/charts/charts.tsx";
import {
  foldColumns,
  listedOf,
  type NumberTable,
  pointText,
  TONES,
  tonesOf,
  topRows,
} from "../../dashboard/charts/number_table.ts";
import { localeOf } from "../../dashboard/locale.ts";

const locale = localeOf(["en"]);

function tableOf(values: readonly (readonly number[])[]): NumberTable {
  return {
    rows_title: "Type",
    columns_title: "Channel",
    columns: (values[0] ?? []).map((_, j) => ({
      label: `channel ${j}`,
      tone: Math.min(j + 1, TONES),
      href: null,
    })),
    rows: values.map((values, i) => ({
      label: `type ${i}`,
      href: i % 2 === 0 ? `?type=${i}` : null,
      values,
      total: values.reduce((a, b) => a + b, 0),
    })),
  };
}

const tables = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 20 }),
).chain(([columns, rows]) =>
  fc.array(
    fc.array(fc.nat({ max: 100_000 }), {
      minLength: columns,
      maxLength: columns,
    }),
    { minLength: rows, maxLength: rows },
  )
).map(tableOf);

/** Numbers of an attribute of the elements of a class, in their order. */
function lengths(svg: string, attribute: "width" | "height"): number[] {
  return Array.from(
    svg.matchAll(/<rect class="tone-\d"[^>]*>/g),
    ([rect]) =>
      Number(new RegExp(` ${attribute}="([\\d.]+)%?"`).exec(rect)![1]),
  );
}

Deno.test("lengths of lying bars are in proportion to the numbers", () => {
  fc.assert(fc.property(tables, (table) => {
    const svg = `${<Bars table={table} locale={locale} />}`;
    const most = Math.max(1, ...table.rows.map(({ total }) => total));
    const wanted = foldColumns(table).rows.flatMap(({ values }) => values)
      .filter((value) => value > 0).map((value) => 100 * value / most);
    const drawn = lengths(svg, "width");
    assertEquals(drawn.length, wanted.length);
    for (const [i, width] of drawn.entries()) {
      assert(Math.abs(width - wanted[i]) < 0.002, `${width} for ${wanted[i]}`);
    }
  }));
});

Deno.test("heights of standing bars are in proportion to the numbers", () => {
  fc.assert(fc.property(tables, (table) => {
    const svg = `${<Columns table={table} locale={locale} />}`;
    const values = foldColumns(table).rows.flatMap(({ values }) => values)
      .filter((value) => value > 0);
    const heights = lengths(svg, "height");
    assertEquals(heights.length, values.length);
    if (values.length === 0) return;
    const largest = Math.max(...values);
    const tallest = heights[values.indexOf(largest)];
    for (const [i, height] of heights.entries()) {
      assert(Math.abs(height - tallest * values[i] / largest) <= 0.11);
    }
  }));
});

Deno.test("a heat map is the darker the more, and zero has a step of its own", () => {
  const svg = `${(
    <HeatMap table={tableOf([[0, 1, 50], [51, 99, 100]])} locale={locale} />
  )}`;
  assertEquals(
    Array.from(svg.matchAll(/class="heat-(\d)"/g), ([, step]) => step),
    ["0", "1", "3", "3", "5", "5"],
  );
});

Deno.test("nothing is drawn by colour alone, nor by a style that the policy refuses", () => {
  const table = tableOf([[3, 4], [0, 5]]);
  for (const Chart of [Bars, Columns, HeatMap]) {
    const svg = `${<Chart table={table} locale={locale} />}`;
    assert(!svg.includes("style="));
    assertStringIncludes(svg, 'aria-hidden="true"');
    assertStringIncludes(svg, "type 0");
  }
});

Deno.test("hostile names are text in a chart", () => {
  const table = tableOf([[1]]);
  const label = `<script>alert("1")</script>`;
  const svg = `${(
    <Bars
      table={{ ...table, rows: [{ ...table.rows[0], label }] }}
      locale={locale}
    />
  )}`;
  assert(!svg.includes("<script"));
  assertStringIncludes(svg, "&lt;script&gt;");
});

Deno.test("a table with more columns than colours keeps its sums", () => {
  fc.assert(fc.property(tables, (table) => {
    const folded = foldColumns(table);
    assert(folded.columns.length <= TONES);
    for (const [i, { values, total }] of folded.rows.entries()) {
      assertEquals(values.reduce((a, b) => a + b, 0), total);
      assertEquals(total, table.rows[i].total);
    }
  }));
});

Deno.test("the most frequent rows are drawn", () => {
  const table = tableOf([[1], [9], [5]]);
  assertEquals(topRows(table, 2).rows.map(({ total }) => total), [9, 5]);
  assertEquals(topRows(table, 3), table);
});

Deno.test("colours follow the frequency, and the last one is for all beyond", () => {
  const names = Array.from({ length: 10 }, (_, i) => ({
    name: `${i}`,
    interactions: i,
  }));
  const tones = tonesOf(names);
  assertEquals(tones.get("9"), 1);
  assertEquals(tones.get("3"), 7);
  assertEquals([tones.get("2"), tones.get("0")], [TONES, TONES]);
  assertEquals(tonesOf(names.slice(0, 8)).get("0"), TONES);
});

Deno.test("a point is read out with its numbers", () => {
  const table = tableOf([[3, 0, 1_200]]);
  assertEquals(
    pointText(table, { row: 0, locale }),
    "type 0: 1,203 (channel 0 3, channel 2 1,200)",
  );
  assertEquals(
    pointText(table, { row: 0, column: 2, locale }),
    "type 0, channel 2: 1,200",
  );
});

Deno.test("each column of a heat map has its name, upright where there are many", () => {
  for (const count of [2, 4, 9, 20]) {
    const table = tableOf([Array.from({ length: count }, (_, i) => i)]);
    const svg = `${<HeatMap table={table} locale={locale} />}`;
    const [head] = svg.split('class="axis axis-end"');
    const names = Array.from(
      head.matchAll(/<text [^>]*>([^<]+)<\/text>/g),
      ([, name]) => name,
    );
    assertEquals(names, table.columns.map(({ label }) => label));
    assertEquals(head.includes("rotate(-90)"), count > 8);
    // The first cell begins below the longest name.
    const y = Number(/<rect class="heat-0"[^>]* y="(\d+)"/.exec(svg)![1]);
    assert(count > 8 ? y > 7 * "channel 19".length : y === 24, `${y}`);
  }
});

Deno.test("a table lists what a file has, and says how much more that is", () => {
  const labels = (
    values: readonly number[],
    { has_periods }: { readonly has_periods: boolean },
  ) => {
    const table = tableOf(values.map((value) => [value]));
    const listed = listedOf(table, {
      most_rows: 3,
      most_columns: 1,
      has_periods,
    });
    const rows = listed.rows.map(({ label }) => label.slice("type ".length));
    return [rows.join(" "), listed.more_rows];
  };
  // Those without numbers are listed where there is room.
  const names = { has_periods: false };
  assertEquals(labels([1, 0, 2], names), ["0 1 2", 0]);
  assertEquals(labels([1, 0, 2, 3], names), ["0 2 3", 0]);
  assertEquals(labels([1, 0, 2, 3, 4], names), ["0 2 3", 1]);
  // Of periods, the newest.
  const periods = { has_periods: true };
  assertEquals(labels([1, 0, 0, 2], periods), ["0 3", 0]);
  assertEquals(labels([1, 0, 2, 3, 4], periods), ["2 3 4", 1]);
  const wide = listedOf(tableOf([[1, 5, 3]]), {
    most_rows: 3,
    most_columns: 2,
    has_periods: false,
  });
  assertEquals([wide.rows[0].values, wide.more_columns], [[5, 3], 1]);
});
