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

/** Begins the download and reads its first piece. */
export async function beginDownload(base_url: string): Promise<BegunDownload> {
  const answer = await fetch(`${base_url}${LARGE_DOWNLOAD}`, {
    headers: { "Accept-Encoding": "identity" },
  });
  const reader = answer.body!.getReader();
  let { value } = await reader.read();
  return {
    async rest() {
      let lines = 0;
      try {
        for (; value; { value } = await reader.read()) {
          for (const byte of value) if (byte === 10) lines++;
        }
      } catch {
        return "cut";
      }
      return lines;
    },
  };
}
