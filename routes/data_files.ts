/** `/api/v1/data/files`: the exports in the data folder: listed, delivered and removed by an administrator. */

import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { StoreError } from "../db/model/problems.ts";
import type { Preconditions, UploadOptions } from "../db/store.ts";
import { keyFailures } from "./access.ts";
import { EXAMPLE_META } from "./answer.ts";
import { metaOf, metaSchema } from "./data.ts";
import {
  endpoint,
  failure,
  type MomentReply,
  type StoreNow,
} from "./endpoint.ts";
import { NO_QUERY } from "./query_string.ts";

/** The path of a file that is delivered or checked. */
export const fileParamsSchema = z.object({
  name: z.string().meta({
    description:
      "A file name of the file contract, such as customers.csv, or one that tally.toml names; customers.csv.sha256, manifest.json or tally.toml",
  }),
});

/** The failure of a body that is packed. */
export const PACKED = failure(
  "It has a Content-Encoding: send the file as it is, or a .csv.gz under that name",
);

const fileSchema = z.object({
  name: z.string(),
  kind: z.enum(["export", "checksum", "manifest", "mapping"]).meta({
    description:
      "A checksum and a manifest describe the bytes of exports, and a mapping, tally.toml, how they are read",
  }),
  table: z.string().nullable(),
  bytes: z.int(),
  sha256: z.string().meta({
    description: "In double quotes, it is the ETag that If-Match asks for",
  }),
  modified_at: z.iso.datetime(),
});
const EXAMPLE = {
  name: "customers.csv",
  kind: "export",
  table: "customers",
  bytes: 243,
  sha256: "32584b1d26059495eccfe2b2a5a16f4c081e18fd16f31c7f562b57aaea6aa8c0",
  modified_at: "2024-05-01T10:00:00.000Z",
};

/** The endpoints. */
export const dataFilesEndpoints = [
  endpoint({
    access: "admin",
    path: "/api/v1/data/files",
    name: "listFiles",
    summary: "The exports in the data folder",
    description:
      "The files that are there now, served or not, with their checksums and the manifest.",
    query: NO_QUERY,
    answers: {
      200: {
        description: "Every file, by name",
        schema: z.object({ data: z.array(fileSchema), meta: metaSchema }),
        example: { data: [EXAMPLE], meta: EXAMPLE_META },
      },
      ...keyFailures,
      409: failure("The data folder changed while it was listed"),
      422: failure("A file may not be read"),
      503: failure("The data folder is missing"),
    },
    answerNow: async ({ store }) =>
      about(store, { data: await store.files.list() }),
  }),
  endpoint({
    method: "put",
    access: "admin",
    path: "/api/v1/data/files/:name",
    name: "uploadFile",
    summary: "Deliver an export",
    description:
      "The body is the file. It is checked as a load does and stored whole, or refused and not stored; the refresh that follows loads it. If-None-Match: * only creates a file; If-Match only replaces the file with that ETag. If the file has a .sha256 or is listed in manifest.json, send that one first: other bytes than it describes are refused.",
    params: fileParamsSchema,
    upload: "The file, as it is",
    answers: {
      202: {
        description: "The file is stored; a refresh follows",
        schema: z.object({ data: fileSchema, meta: metaSchema }),
        example: { data: EXAMPLE, meta: EXAMPLE_META },
      },
      400: failure(
        "The name is not that of an export, the upload was cut off, or it is a part of a file (Content-Range)",
      ),
      ...keyFailures,
      409: failure(
        "A .sha256 or manifest.json describes other bytes or may not be read, a folder has that name, or the data folder is read-only",
      ),
      412: failure("If-Match or If-None-Match does not hold"),
      413: failure("It has more than MAX_UPLOAD_BYTES"),
      415: PACKED,
      422: failure("The file breaks the file contract"),
      503: failure("Too many uploads at once, or the data folder is missing"),
      507: failure(
        "The disk is full, or all files would have more than UPLOAD_QUOTA_BYTES; nothing was kept",
      ),
    },
    async answerNow({ store, params: { name }, request }) {
      const body = uploadOf(request);
      const file = await store.files.put(name, body, uploadOptionsOf(request));
      const headers = { ETag: `"${file.sha256}"` };
      return { ...about(store, { data: file, status: 202 }), headers };
    },
  }),
  endpoint({
    method: "delete",
    access: "admin",
    path: "/api/v1/data/files/:name",
    name: "deleteFile",
    summary: "Remove an export",
    description:
      "A refresh without a required table fails, and the version that is served stays.",
    params: fileParamsSchema,
    answers: {
      202: {
        description: "The file is removed; a refresh follows",
        schema: z.object({
          data: z.object({ name: z.string() }),
          meta: metaSchema,
        }),
        example: { data: { name: "customers.csv" }, meta: EXAMPLE_META },
      },
      400: failure("The name is not that of an export"),
      ...keyFailures,
      404: failure("There is no such file"),
      409: failure("It is a folder, or the data folder is read-only"),
      412: failure("If-Match or If-None-Match does not hold"),
      503: failure("The data folder is missing"),
    },
    async answerNow({ store, params: { name }, request }) {
      await store.files.remove(name, preconditionsOf(request));
      return about(store, { data: { name }, status: 202 });
    },
  }),
] as const;

function about(
  store: StoreNow,
  { data, status = 200 }: {
    readonly data: unknown;
    readonly status?: 200 | 202;
  },
): MomentReply {
  const json = { data, meta: metaOf(store.snapshot) };
  return { of: "moment", status, json };
}

/** The file that a request sends. */
export function uploadOf(
  { headers, body }: Request,
): ReadableStream<Uint8Array> {
  // RFC 9110, 14.4: the body is a part, and would replace the whole file.
  if (headers.has("Content-Range")) {
    throw new StoreError(
      "invalid",
      "Content-Range: parts of a file are not taken. Send it whole.",
    );
  }
  const coding = headers.get("Content-Encoding") || "identity";
  if (coding.toLowerCase() !== "identity") {
    throw new HTTPException(415, {
      message:
        "Content-Encoding: packed bodies are not taken. Send the file as it is, or a file whose name ends with .csv.gz, without this header.",
    });
  }
  return body ?? new Blob([]).stream();
}

/** What a request says of the file that it sends. */
export function uploadOptionsOf(request: Request): UploadOptions {
  const length = request.headers.get("Content-Length");
  return {
    ...preconditionsOf(request),
    content_length: length === null ? undefined : Number(length),
  };
}

/** The conditions that a request sets for the file as it is now. */
function preconditionsOf({ headers }: Request): Preconditions {
  return {
    if_match: headers.get("If-Match") ?? undefined,
    if_none_match: headers.get("If-None-Match") ?? undefined,
  };
}
