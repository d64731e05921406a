/** The composition root of `deno task key`: makes, lists, revokes and replaces the keys of the key file. */

import { z } from "zod";
import { keyIdOf } from "./access/api_key.ts";
import { SCOPES } from "./access/grant.ts";
import {
  changeKey,
  emptyKeyFile,
  endOf,
  KeyFileError,
  type KeyRecord,
  parseKeyFile,
  readKeyText,
  requireKey,
  updateKeyFile,
  withKey,
} from "./access/key_file.ts";
import { readSetting } from "./config.ts";
import { splitElements } from "./db/model/comma_list.ts";
import { type CustomerId, isCustomerId } from "./db/model/customer_ids.ts";
import { readArguments } from "./operator/command_line.ts";
import { aligned, fail, print } from "./operator/terminal.ts";

const USAGE = `Usage:
  deno task key create --name NAME --scopes SCOPES [--customers IDS] [--expires DATE]
  deno task key list
  deno task key revoke ID
  deno task key rotate ID [--days DAYS]

SCOPES  some of ${SCOPES.join(", ")}, separated by commas
IDS     customer_ids, separated by commas, one with a comma in double quotes; the default is all customers
DATE    YYYY-MM-DD, the beginning of that day in UTC, or a time with its offset, such as 2027-01-01T10:00Z or 2027-01-01T10:00+02:00
DAYS    how long the old key still works beside the new one, where 0 revokes it; the default is 7

--file FILE is the key file; the default is that of API_KEYS_FILE, or keys.json.`;

const DAY_MS = 86_400_000;

const optionsSchema = z.object({
  name: z.string("--name is missing").trim().min(1, "--name is empty")
    .max(100, "--name has more than 100 characters")
    .regex(/^\P{C}*$/u, "--name has characters that cannot be seen"),
  scopes: z.string("--scopes is missing").transform((text) => text.split(","))
    .pipe(z.array(
      z.enum(SCOPES, `--scopes must be some of ${SCOPES.join(", ")}`),
    )),
  customers: z.string().normalize("NFC").transform(splitElements).refine(
    (ids) => ids?.every((id) => isCustomerId(id, "text")),
    "--customers must be customer_ids such as 1,2,3",
  ).transform((ids) => [...new Set(ids!.map(idOf))])
    .nullable().default(null),
  // The seconds, and the T before the time, may be left out.
  expires: z.string().transform((text) =>
    text.replace(/^([\d-]+)[ T](\d\d:\d\d)(?=Z|[+-])/, "$1T$2:00")
      .replace(" ", "T")
  ).pipe(z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error:
      "--expires must be a date such as 2027-01-01, or a time with its offset, such as 2027-01-01T10:00Z",
  })).transform((text) => new Date(text)).refine(
    (date) => date.getTime() > Date.now(),
    "--expires is in the past",
  ).nullable().default(null),
}).refine(
  ({ scopes, customers }) =>
    !customers || scopes.every((one) => one === "read" || one === "embed"),
  "--customers goes with the scopes read and embed: the others are about all customers",
);
const daysSchema = z.string()
  .regex(/^\d{1,4}$/, "--days must be a whole number from 0 to 9999")
  .default("7")
  .transform(Number);

// The data says whether it is a number; as one it is written as before.
function idOf(text: string): CustomerId {
  return isCustomerId(text, "integer") ? Number(text) : text;
}

/** What was typed after the name of the command. */
interface Typed {
  readonly file: string;
  /** The id of a key; the empty text where there is none. */
  readonly id: string;
  readonly options: Readonly<Record<string, string | undefined>>;
}

async function create({ file, options }: Typed): Promise<void> {
  const { expires, ...given } = check(optionsSchema, options);
  const expires_at = expires?.toISOString() ?? null;
  let text = "";
  await updateKeyFile(file, (before = emptyKeyFile()) => {
    const added = withKey(before, { ...given, expires_at });
    text = added.text;
    return added.file;
  });
  show(text, file);
}

async function rotate({ file, id, options: { days } }: Typed): Promise<void> {
  const left = check(daysSchema, days);
  const now = Date.now();
  let text = "";
  let end = "";
  await updateKeyFile(file, (before = emptyKeyFile()) => {
    const old = requireKey(before, id);
    if (endOf(old) <= now) {
      throw new KeyFileError(`key ${id} has ended: create another one`);
    }
    // Its end is that of the rotation, and no longer the one that its successor has.
    if (old.replaced_by !== undefined) {
      throw new KeyFileError(
        `key ${id} was rotated, to ${old.replaced_by}: rotate that one, or create another one`,
      );
    }
    const added = withKey(before, old);
    text = added.text;
    end = new Date(Math.min(now + left * DAY_MS, endOf(old))).toISOString();
    const replaced_by = keyIdOf(text)!;
    return changeKey(added.file, {
      ...old,
      // An end that is now would be later by a clock that is behind this one.
      ...left === 0 ? { revoked_at: end } : { expires_at: end },
      replaced_by,
    });
  });
  show(text, file);
  console.error(
    left === 0
      ? `The old key ${id} has ended. Running servers refuse it within seconds.`
      : `The old key ${id} works beside it until ${end}.`,
  );
}

async function revoke({ file, id }: Typed): Promise<void> {
  const now = new Date().toISOString();
  await updateKeyFile(file, (before = emptyKeyFile()) => {
    const old = requireKey(before, id);
    return changeKey(before, { ...old, revoked_at: old.revoked_at ?? now });
  });
  console.error(
    `Key ${id} is revoked. Running servers refuse it within seconds.`,
  );
}

async function list({ file }: Typed): Promise<void> {
  const { keys } = parseKeyFile(await readKeyText(file));
  const rows = [
    ["id", "name", "scopes", "customers", "created", "ends", "state"],
    ...keys.map(cellsOf),
  ];
  print(aligned(rows).join("\n"));
}

function cellsOf(key: KeyRecord): string[] {
  const { id, name, scopes, customers, created_at, expires_at, revoked_at } =
    key;
  return [
    id,
    name,
    scopes.join(","),
    customers === null ? "all" : String(customers.length),
    created_at.slice(0, 10),
    (revoked_at ?? expires_at ?? "").slice(0, 16),
    revoked_at ? "revoked" : endOf(key) <= Date.now() ? "expired" : "works",
  ];
}

// The key alone on the standard output, so that a script can take it.
function show(text: string, file: string): void {
  console.error(
    `This key is shown once; ${file} has only its SHA-256. Send it as Authorization: Bearer or as X-API-Key.`,
  );
  print(text);
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  return result.success ? result.data : fail(result.error.issues[0].message);
}

const COMMANDS = {
  create: {
    run: create,
    takes_id: false,
    options: Object.keys(optionsSchema.shape),
  },
  list: { run: list, takes_id: false, options: [] },
  revoke: { run: revoke, takes_id: true, options: [] },
  rotate: { run: rotate, takes_id: true, options: ["days"] },
} as const;

const args = readArguments({
  name: { type: "string" },
  scopes: { type: "string" },
  customers: { type: "string" },
  expires: { type: "string" },
  days: { type: "string" },
  file: { type: "string" },
}, USAGE);
const {
  values: { file = readSetting("API_KEYS_FILE") ?? "keys.json", ...options },
} = args;
const [name, id = "", ...rest] = args.positionals;
const command = Object.hasOwn(COMMANDS, name ?? "")
  ? COMMANDS[name as keyof typeof COMMANDS]
  : fail(USAGE);
const strange = Object.keys(options)
  .find((one) => !(command.options as readonly string[]).includes(one));
if (strange) fail(`${name} has no option --${strange}.\n${USAGE}`);
if (rest.length > 0 || command.takes_id !== (id !== "")) fail(USAGE);
try {
  await command.run({ file, id, options });
} catch (error) {
  if (!(error instanceof KeyFileError)) throw error;
  fail(`${file}: ${error.message}.`);
}
