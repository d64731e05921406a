/** Two answers to one question: what may differ does, and what may not is found and placed. */

import { assertEquals } from "@std/assert";
import { zipSync } from "fflate";
import {
  differenceOf,
  type Parting,
  type Side,
} from "../../../operator/compare/differences.ts";

const XLSX =
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PARQUET = "application/vnd.apache.parquet";

interface Told {
  readonly status?: number;
  readonly type?: string;
  readonly file?: string;
  readonly version?: string;
}

function side(
  body: string | Uint8Array<ArrayBuffer>,
  {
    status = 200,
    type = "application/json",
    file,
    version = "aaaaaaaaaaaaaaaa",
  }: Told = {},
): Side {
  return {
    answer: {
      status,
      headers: new Headers({
        "Content-Type": type,
        "X-Request-Id": crypto.randomUUID(),
        ...file && { "Content-Disposition": file },
      }),
      body: typeof body === "string" ? new TextEncoder().encode(body) : body,
      ms: 1,
    },
    version: { data_version: version, loaded_at: "", api_version: "1" },
  };
}

const OTHER = { version: "bbbbbbbbbbbbbbbb" };
const sheet = (text: string, mtime: string) =>
  new Uint8Array(zipSync({
    "xl/sheet1.xml": [new TextEncoder().encode(text), { mtime }],
  }));

const SAME: Record<string, [path: string, Side, Side]> = {
  "versions, times of the load and cursors": [
    "/api/v1/customers",
    side(
      '{"data":[],"meta":{"data_version":"aaaaaaaaaaaaaaaa","loaded_at":"1","next":"x"}}',
    ),
    side(
      '{"data":[],"meta":{"data_version":"bbbbbbbbbbbbbbbb","loaded_at":"2","next":"y"}}',
      OTHER,
    ),
  ],
  "the version in an error": [
    "/x",
    side('{"error":"Ask for aaaaaaaaaaaaaaaa"}', { status: 410 }),
    side('{"error":"Ask for bbbbbbbbbbbbbbbb"}', { status: 410, ...OTHER }),
  ],
  "the version in the name of a file": [
    "/x?format=csv",
    side("a\n", { type: "text/csv", file: "x-aaaaaaaaaaaaaaaa.csv" }),
    side("a\n", { type: "text/csv", file: "x-bbbbbbbbbbbbbbbb.csv", ...OTHER }),
  ],
  "the SQL of explain": [
    "/x?explain=1",
    side(
      '{"data":1,"meta":{"loaded_at":"1","explain":{"filters":{},"sql":["a"]}}}',
    ),
    side(
      '{"data":1,"meta":{"loaded_at":"2","explain":{"filters":{},"sql":["b"]}}}',
    ),
  ],
  "the seconds of a report, and what is about refreshes": [
    "/api/v1/data",
    side(
      '{"data":{"age_seconds":1,"report":{"rows":1,"files":[{"seconds":1}]}}}',
    ),
    side(
      '{"data":{"age_seconds":9,"report":{"rows":1,"files":[{"seconds":9}]}}}',
    ),
  ],
  "the order of keys in a report, which ClickHouse may have kept": [
    "/api/v1/data",
    side('{"data":{"report":{"rows":1,"files":[{"a":1,"b":{"c":2,"d":3}}]}}}'),
    side('{"data":{"report":{"files":[{"b":{"d":3,"c":2},"a":1}],"rows":1}}}'),
  ],
  "the time of writing of a sheet": [
    "/x?format=xlsx",
    side(sheet("a", "2020-01-01"), { type: XLSX }),
    side(sheet("a", "2021-01-01"), { type: XLSX }),
  ],
};

Deno.test("what may differ is no difference", async (t) => {
  for (const [name, [path, reference, compared]] of Object.entries(SAME)) {
    await t.step(name, () => {
      assertEquals(differenceOf(path, { reference, compared }), null);
    });
  }
});

const PARTED: Record<string, [path: string, Side, Side, Parting]> = {
  "the status": [
    "/x",
    side('{"data":1}'),
    side('{"error":"no"}', { status: 400 }),
    {
      where: "status",
      reference: '200 {"data":1}',
      compared: '400 {"error":"no"}',
    },
  ],
  "the media type": [
    "/x",
    side("1"),
    side("1", { type: "text/csv" }),
    {
      where: "Content-Type",
      reference: "application/json",
      compared: "text/csv",
    },
  ],
  "a count": [
    "/x",
    side('{"data":[{"a":1},{"a":{"b":2}}]}'),
    side('{"data":[{"a":1},{"a":{"b":3}}]}'),
    { where: "data[1].a.b", reference: "2", compared: "3" },
  ],
  "a field that one lacks": [
    "/x",
    side('{"data":{"a":null}}'),
    side('{"data":{}}'),
    { where: "data.a", reference: "null", compared: "nothing" },
  ],
  "a number that is a text": [
    "/x",
    side('{"data":1}'),
    side('{"data":"1"}'),
    { where: "data", reference: "1", compared: '"1"' },
  ],
  "another page after this one": [
    "/x",
    side('{"meta":{"next":"x"}}'),
    side('{"meta":{"next":null}}'),
    { where: "meta.next", reference: '"<cursor>"', compared: "null" },
  ],
  "the order of keys": [
    "/x",
    side('{"a":1,"b":2}'),
    side('{"b":2,"a":1}'),
    {
      where: "line 1, character 2",
      reference: '{"a":1,"b":2}',
      compared: '{"b":2,"a":1}',
    },
  ],
  "the text of an error": [
    "/x",
    side('{"error":"one"}', { status: 400 }),
    side('{"error":"other"}', { status: 400 }),
    { where: "error", reference: '"one"', compared: '"other"' },
  ],
  "what explain says of filters": [
    "/x?explain=1",
    side('{"meta":{"explain":{"filters":{"a":1},"sql":[]}}}'),
    side('{"meta":{"explain":{"filters":{"a":2},"sql":[]}}}'),
    { where: "meta.explain.filters.a", reference: "1", compared: "2" },
  ],
  "a row of a report": [
    "/api/v1/data",
    side('{"data":{"report":{"rows":1}}}'),
    side('{"data":{"report":{"rows":2}}}'),
    { where: "rows", reference: "1", compared: "2" },
  ],
  "a line of CSV": [
    "/x?format=csv",
    side("a\r\nb\r\n", { type: "text/csv" }),
    side("a\r\nc\r\n", { type: "text/csv" }),
    {
      where: "line 2, character 3",
      reference: "a\r\nb\r\n",
      compared: "a\r\nc\r\n",
    },
  ],
  "the byte order mark of CSV": [
    "/x?format=csv&bom=1",
    side("\ufeffa", { type: "text/csv" }),
    side("a", { type: "text/csv" }),
    { where: "line 1, character 0", reference: "\ufeffa", compared: "a" },
  ],
  "a cell of a sheet": [
    "/x?format=xlsx",
    side(sheet("a", "2020-01-01"), { type: XLSX }),
    side(sheet("b", "2020-01-01"), { type: XLSX }),
    {
      where: "xl/sheet1.xml, byte 0",
      reference: "1 bytes, a",
      compared: "1 bytes, b",
    },
  ],
  "a byte of Parquet": [
    "/x?format=parquet",
    side(new Uint8Array([80, 65]), { type: PARQUET }),
    side(new Uint8Array([80, 65, 66]), { type: PARQUET }),
    { where: "byte 2", reference: "2 bytes, PA", compared: "3 bytes, PAB" },
  ],
};

Deno.test("what may not differ is found, and where", async (t) => {
  for (const [name, [path, ...sides]] of Object.entries(PARTED)) {
    const [reference, compared, parting] = sides;
    await t.step(name, () => {
      assertEquals(differenceOf(path, { reference, compared }), parting);
    });
  }
});
