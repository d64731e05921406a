/** Exports whose downloads are larger than all buffers between server and client, and a client that reads as slowly as it likes. */

import type { Files } from "./data_folder.ts";

/** The number of customers, and of lines of the download. */
export const CUSTOMERS = 8_000;
const CHANNELS = 40;

/** The path of the download. */
export const LARGE_DOWNLOAD = "/api/v1/interactions?format=ndjson";

/** Exports of customers 1 to 8,000; the download has some 20 MB, since names of channels are long. */
export function largeExports(): Files {
  const ids = Array.from({ length: CUSTOMERS }, (_, i) => i + 1);
  const channel = (id: number) =>
    `channel ${id % CHANNELS} ${"with a long name ".repeat(3)}`;
  return {
    "customers.csv": `Customer_Id\n${ids.join("\n")}\n`,
    "interactions.csv": "Date Start,Interaction,Customers\n" +
      ids.map((id) => `01/02/2020,${channel(id)},${id}\n`).join(""),
  };
}

/** A download that was begun and is not read on before `rest` is called. */
export interface BegunDownload {
  /** Reads to the end: the number of lines, or "cut" when the connection broke. */
  rest(): Promise<number | "cut">;
}

/** Begins the download and reads its first piece, or as much as `read_bytes`. */
export async function beginDownload(
  base_url: string,
  { read_bytes = 1 }: { readonly read_bytes?: number } = {},
): Promise<BegunDownload> {
  const answer = await fetch(`${base_url}${LARGE_DOWNLOAD}`, {
    headers: { "Accept-Encoding": "identity" },
  });
  const reader = answer.body!.getReader();
  let bytes = 0;
  let lines = 0;
  /** Reads a piece; false at the end. */
  async function read(): Promise<boolean> {
    const { value } = await reader.read();
    if (!value) return false;
    bytes += value.length;
    for (const byte of value) if (byte === 10) lines++;
    return true;
  }
  while (bytes < read_bytes && await read());
  return {
    async rest() {
      try {
        while (await read());
      } catch {
        return "cut";
      }
      return lines;
    },
  };
}
