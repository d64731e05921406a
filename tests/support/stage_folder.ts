/** The exports of a folder in staging, as a load gets them. */

import { readConfig } from "../../config.ts";
import { stagingSettings } from "../../create_store.ts";
import { FileHashes } from "../../db/intake/file_hashes.ts";
import { listExports } from "../../db/intake/find_files.ts";
import { findExports } from "../../db/intake/find_tables.ts";
import { StagedExports } from "../../db/intake/staging.ts";
import type { Settings } from "./load_folder.ts";

/** The exports of DATA_DIR, copied into `folder`, a new one, as they are needed; throws refusals. */
export async function stageFolder(
  folder: string,
  settings: Settings,
  { hashes = new FileHashes() }: { readonly hashes?: FileHashes } = {},
): Promise<StagedExports> {
  const config = readConfig(settings);
  const staging = { ...stagingSettings(config), folder, hashes };
  await Deno.mkdir(folder);
  const found = await findExports(await listExports(config.DATA_DIR), {
    data_dir: config.DATA_DIR,
    ...staging,
  });
  return new StagedExports(found, staging);
}
