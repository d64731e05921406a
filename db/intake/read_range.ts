/** Reads bytes in the middle of a file, all of them: one read may give only a part. */

/** The `length` bytes of a file from `offset` on, or as many as there are. */
export async function readRange(
  file: Deno.FsFile,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const count = await file.read(bytes.subarray(read));
    if (count === null) break;
    read += count;
  }
  return bytes.subarray(0, read);
}
