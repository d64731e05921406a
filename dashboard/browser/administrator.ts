/** What an administrator does: decides, and delivers a file after it was checked. */

/// <reference lib="dom" />

import type { Checked } from "../answers.ts";
import type { Upload } from "../state.ts";
import { resultOf, send } from "./api.ts";
import { askState } from "./numbers.ts";
import { state, update } from "./present.ts";

const SAID: Readonly<Record<string, string>> = {
  refresh: "The folder is being checked.",
  accept: "Accepted. It shows here as soon as it is served.",
  discard: "Discarded.",
  rollback: "The version before is served.",
};

/** Sends a decision, about the version that the page showed. */
export async function decide({ what, version }: DOMStringMap): Promise<void> {
  const { status, body } = await resultOf(
    await send(`api/v1/data/${what}`, {
      method: "POST",
      ...version && {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ data_version: version }),
      },
    }),
  );
  const { error } = body as { readonly error: string };
  const said = status < 300 ? SAID[what!] : error;
  if (state.admin) update({ admin: { ...state.admin, said } });
  askState();
}

/** The file that was dropped last. */
let dropped: File | null = null;

/** Has the server say what would become of the data with a file. */
export async function check(file: File): Promise<void> {
  dropped = file;
  const about = { name: file.name, bytes: file.size };
  showUpload({ ...about, step: "checking" });
  const { status, body } = await sendFile("POST", { to: "check", file });
  if (dropped !== file) return;
  const { data, error } = body as {
    readonly data: Checked;
    readonly error: string;
  };
  showUpload(
    status === 200
      ? { ...about, step: "checked", checked: data }
      : { ...about, step: "refused", error },
  );
}

/** Delivers the file that was checked. */
export async function publish(): Promise<void> {
  const file = dropped!;
  const about = { name: file.name, bytes: file.size };
  showUpload({ ...about, step: "publishing" });
  const { status, body } = await sendFile("PUT", { to: "files", file });
  const { error } = body as { readonly error: string };
  showUpload(
    status === 202
      ? { ...about, step: "published" }
      : { ...about, step: "refused", error },
  );
}

/** Lets go of the file; the server has kept nothing of it. */
export function cancel(): void {
  dropped = null;
  showUpload(null);
}

async function sendFile(
  method: string,
  { to, file }: { readonly to: string; readonly file: File },
) {
  const path = `api/v1/data/${to}/${encodeURIComponent(file.name)}`;
  return await resultOf(await send(path, { method, body: file }));
}

function showUpload(upload: Upload | null): void {
  if (state.admin) update({ admin: { ...state.admin, upload } });
}
