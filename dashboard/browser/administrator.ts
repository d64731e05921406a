/** What an administrator does: decides, and delivers a file after it was checked. */

/// <reference lib="dom" />

import type { Checked } from "../answers.ts";
import type { Upload, UploadStep } from "../state.ts";
import { Lost, type Result, resultOf, send } from "./api.ts";
import { askState } from "./numbers.ts";
import { state, update } from "./present.ts";

/** A browser sends no file that is another one than the reader chose. */
const CHANGED =
  "This file has changed or is gone since you chose it. Choose it again.";
const SAID: Readonly<Record<string, string>> = {
  refresh: "The folder is checked now. If it has new data, that shows here.",
  accept: "Accepted. It shows here as soon as it is served.",
  discard: "Discarded.",
  rollback: "The version before is served.",
};

/** Sends a decision, about the version that the page showed. */
export async function decide({ what, version }: DOMStringMap): Promise<void> {
  if (state.admin) update({ admin: { ...state.admin, said: null } });
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
  await sendFile(file, {
    step: "checking",
    method: "POST",
    to: "check",
    stepOf: ({ status, body }) =>
      status === 200
        ? { step: "checked", checked: (body as { data: Checked }).data }
        : refused(body),
  });
}

/** Delivers the file that was checked. */
export async function publish(): Promise<void> {
  await sendFile(dropped!, {
    step: "publishing",
    method: "PUT",
    to: "files",
    stepOf: ({ status, body }) =>
      status === 202 ? { step: "published" } : refused(body),
  });
}

/** Lets go of the file; the server has kept nothing of it. */
export function cancel(): void {
  dropped = null;
  showUpload(null);
}

function refused(body: unknown): UploadStep {
  return { step: "refused", error: (body as { error: string }).error };
}

/** Sends the file, and shows what becomes of it unless another one was dropped meanwhile. */
async function sendFile(
  file: File,
  { step, method, to, stepOf }: {
    readonly step: "checking" | "publishing";
    readonly method: string;
    readonly to: string;
    readonly stepOf: (result: Result) => UploadStep;
  },
): Promise<void> {
  const show = (next: UploadStep) => {
    if (dropped !== file) return;
    showUpload({ name: file.name, bytes: file.size, ...next });
  };
  show({ step });
  const path = `api/v1/data/${to}/${encodeURIComponent(file.name)}`;
  try {
    show(stepOf(await resultOf(await send(path, { method, body: file }))));
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    const is_readable = await file.slice(0, 1).arrayBuffer()
      .then(() => true, () => false);
    show({ step: "failed", error: is_readable ? error.message : CHANGED });
    askState();
  }
}

function showUpload(upload: Upload | null): void {
  if (state.admin) update({ admin: { said: null, upload } });
}
