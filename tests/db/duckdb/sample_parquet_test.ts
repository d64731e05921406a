/** How much is read of a Parquet file to draft a mapping, and what is said where it cannot be. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { openParquetSampler } from "../../../db/duckdb/sample_parquet.ts";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { parquetFiles } from "../../support/parquet_files.ts";

const ALL = { max_rows: 10_000, max_length: 1 << 22 };

async function sampled(
  bytes: Uint8Array,
  { share = ALL, memory_limit = "200MB" } = {},
) {
  await using folder = await dataFolder({ "calls.parquet": bytes });
  await using working = await dataFolder();
  await using sampler = await openParquetSampler(working.path, {
    memory_limit,
    threads: 1,
    data_dir: folder.path,
  });
  return await sampler.read(`${folder.path}/calls.parquet`, share);
}

Deno.test("no more rows are read than have so many characters", async () => {
  const { file } = await parquetFiles({
    file: "select i as id, repeat('x', 97) as note from range(100, 900) t(i)",
  });
  const read = async (share: typeof ALL) => {
    const { rows, is_whole } = await sampled(file, { share });
    return [rows.length, is_whole];
  };
  assertEquals(await read(ALL), [800, true]);
  // With what separates them, the cells of a row have 102.
  assertEquals(await read({ ...ALL, max_length: 1_020 }), [10, false]);
  assertEquals(await read({ ...ALL, max_rows: 20 }), [20, false]);
});

Deno.test("where memory is short, a sound file is not called damaged", async () => {
  const columns = Array.from(
    { length: 40 },
    (_, i) => `repeat(md5((i * 40 + ${i})::varchar), 15) as c${i}`,
  );
  const { file } = await parquetFiles({
    file: `select ${columns} from range(2000) t(i)`,
  });
  await assertRejects(
    () => sampled(file, { memory_limit: "20MB" }),
    StoreError,
    "too little memory for this data. Raise DUCKDB_MEMORY_LIMIT",
  );
  const { rows } = await sampled(file);
  assert(rows.length > 200);
});

Deno.test("of a file that is damaged further down, the rows above are read", async () => {
  const columns = Array.from({ length: 40 }, (_, i) => `i + ${i} as c${i}`);
  const { file } = await parquetFiles(
    { file: `select ${columns} from range(9000) t(i)` },
    "format parquet, row_group_size 2048",
  );
  const damaged = (at: number) => file.slice().fill(255, at, at + 1_000);
  const { rows, is_whole } = await sampled(
    damaged(Math.floor(0.7 * file.length)),
  );
  assert(rows.length >= 2_048 && rows.length < 9_000, `${rows.length}`);
  assertEquals([rows[7][0], is_whole], ["7", false]);
  await assertRejects(
    () => sampled(damaged(100)),
    StoreError,
    "not a sound Parquet file: ",
  );
});
