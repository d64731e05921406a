/** Recognises the sample that comes with Tally, which must not be taken for real data. */

import type { FileReport } from "../model/report.ts";
import { openRegularFile } from "./open_regular_file.ts";

/** The list of the sample's files, in the form of sha256sum; hidden, so that intake ignores it. */
const LIST = ".sample.sha256";
const LIST_MAX_BYTES = 1 << 16;

/** The facts about a loaded file. */
export type LoadedFile = Pick<FileReport, "file" | "sha256">;

/** The files that the data folder lists as the sample; empty where it lists none. */
export async function readSampleList(
  data_dir: string,
): Promise<readonly LoadedFile[]> {
  try {
    using file = await openRegularFile(`${data_dir}/${LIST}`);
    if ((await file.stat()).size > LIST_MAX_BYTES) return [];
    return sampleList(await new Response(file.readable).text());
  } catch {
    // Not there, or not readable: a fault of the folder is reported by the load.
    return [];
  }
}

/** The lines of sha256sum's text. */
export function sampleList(text: string): LoadedFile[] {
  return Array.from(
    text.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm),
    ([, sha256, file]) => ({ sha256, file }),
  );
}

/**
 * What to say of the sample's files among those that were loaded, unchanged; null
 * when none is.
 */
export function sampleNotice(
  loaded: readonly LoadedFile[],
  listed: readonly LoadedFile[],
): string | null {
  const isListed = ({ file, sha256 }: LoadedFile) =>
    listed.some((one) => one.file === file && one.sha256 === sha256);
  const of_sample = loaded.filter(isListed);
  if (of_sample.length === 0) return null;
  return of_sample.length === loaded.length
    ? "This is the sample that comes with Tally. Set DATA_DIR to a folder with your own exports, or mount it there in a container."
    : `${
      of_sample.map(({ file }) => file).join(", ")
    } of the sample that comes with Tally is loaded beside your own exports. Remove it, or set DATA_DIR to another folder.`;
}
