/** Writes bytes to a file, all of them: one write may take only a part. */

/** Writes `bytes` where the file stands. */
export async function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await file.write(bytes.subarray(done));
  }
}
