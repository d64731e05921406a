/** Has an engine build versions of exports, each in a folder of its own. */

import type { Engine, EngineSnapshot } from "../../db/engine.ts";
import { dataFolder, type Files } from "../../tests/support/data_folder.ts";
import { stageFolder } from "../../tests/support/stage_folder.ts";

/** An engine that is closed, and its folders removed, at the end of its block. */
export interface VersionBuilder extends AsyncDisposable {
  build(files: Files): Promise<EngineSnapshot>;
}

/** The builder of an engine, which it closes. */
export async function createVersionBuilder(
  engine: Engine,
): Promise<VersionBuilder> {
  const work = await dataFolder();
  let number = 0;
  return {
    async build(files) {
      await using data = await dataFolder(files);
      const folder = `${work.path}/${++number}`;
      await using exports = await stageFolder(`${folder}-exports`, {
        DATA_DIR: data.path,
      });
      await Deno.mkdir(folder);
      return await engine.build(exports, {
        folder,
        strict: true,
        beside_readers: false,
        progress() {},
        signal: new AbortController().signal,
      });
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await work[Symbol.asyncDispose]();
    },
  };
}
