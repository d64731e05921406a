/** Who may ask what: every endpoint with every kind of key and token, while keys are on and while they are off. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { SignJWT, UnsecuredJWT } from "jose";
import type { Callers } from "../../access/callers.ts";
import type { KeyFile } from "../../access/key_file.ts";
import type { CustomerId } from "../../db/model/customer_ids.ts";
import { endpoints } from "../../routes/app.ts";
import type { Endpoint } from "../../routes/endpoint.ts";
import type { Files } from "../support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256, keyFile } from "../support/keys.ts";
import { appOn, openApp } from "../support/open_app.ts";
import { textFiles } from "../support/text_ids.ts";

const FILES: Files = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n2,Sith,Blue\n",
  "interactions.csv":
    "Date Start,Interaction,Customers\n05/03/2020,Bird,1\n06/03/2020,Call,2\n",
};

/** A folder, and what its customers 1 and 2 are called there. */
interface Folder {
  readonly name: string;
  readonly files: Files;
  readonly ids: Readonly<Record<"1" | "2", CustomerId>>;
  /** A segment of a path that is no id. */
  readonly no_id: string;
}

const FOLDERS: readonly Folder[] = [
  { name: "ids are numbers", files: FILES, ids: { 1: 1, 2: 2 }, no_id: "x" },
  {
    name: "ids are texts",
    files: textFiles({
      records: [["a/b,c", "Ann", "Jedi", "Red"], ["every", "", "Sith", "Blue"]],
      interactions: [
        ["2020-03-05", "Bird", ["a/b,c"]],
        ["2020-03-06", "Call", ["every"]],
      ],
    }),
    ids: { 1: "a/b,c", 2: "every" },
    no_id: "%zz",
  },
];

/** A URL of the tables, with the ids of a folder. */
function inFolder({ ids, no_id }: Folder, url: string): string {
  return url.replace(
    /(interactions\/|customers\/|customer_id=)([12x])(?=[/?&]|$)/,
    (_, before, id: "1" | "2" | "x") =>
      before + (id === "x" ? no_id : encodeURIComponent(ids[id])),
  );
}

/**
 * The status for each caller. `unknown` is whoever has no key or token that works,
 * `some` a key with read and embed for customer 1, `token 1` and `token 2` are for
 * these customers.
 */
const WITH_KEYS = `
request                                     unknown read download embed admin some token 1 token 2
get /api/v1/interactions                        401  200      403   403   200  403     403     403
get /api/v1/interactions?format=csv             401  403      200   403   200  403     403     403
get /api/v1/interactions?customer_id=1          401  200      403   403   200  200     403     403
get /api/v1/interactions?customer_id=1&explain=1 401 200      403   403   200  403     403     403
get /api/v1/interactions?customer_id=1&format=csv 401 403     200   403   200  403     403     403
get /api/v1/interactions?customer_id=1&type=Red   401 200     403   403   200  403     403     403
get /api/v1/interactions?customer_id=1&type=Green 401 400     400   403   400  403     403     403
get /api/v1/interactions/1                      401  200      403   403   200  200     200     404
get /api/v1/interactions/1?explain=1            401  200      403   403   200  403     403     403
get /api/v1/interactions/1?colour=red           401  400      403   403   400  400     400     400
get /api/v1/interactions/x                      401  400      403   403   400  400     400     400
get /api/v1/interactions/2                      401  200      403   403   200  404     404     200
get /api/v1/interactions/9                      401  404      403   403   404  404     404     404
get /api/v1/stats/interactions/1                401  200      403   403   200  200     200     404
get /api/v1/interactions/1/timeline             401  200      403   403   200  200     200     404
get /api/v1/interactions/1/timeline?format=xlsx 401  403      200   403   200  403     403     404
get /api/v1/interactions/1/topics               401  200      403   403   200  200     200     404
get /api/v1/interactions/1/topics?explain=1     401  200      403   403   200  403     403     403
get /api/v1/customers/1                         401  200      403   403   200  200     200     404
get /api/v1/customers/1?explain=1               401  200      403   403   200  403     403     403
get /api/v1/customers                           401  200      403   403   200  403     403     403
get /api/v1/customers?format=parquet            401  403      200   403   200  403     403     403
get /api/v1/metrics/interactions?by=channel     401  200      403   403   200  403     403     403
get /api/v1/metrics/interactions?colour=red     401  400      400   403   400  403     403     403
get /api/v1/metrics/customers?format=ndjson     401  403      200   403   200  403     403     403
get /api/v1/metrics                             401  200      403   403   200  403     403     403
get /api/v1/dimensions                          401  200      403   403   200  403     403     403
get /api/v1/stats/customers                     401  200      403   403   200  403     403     403
get /api/v1/data                                401  200      403   403   200  403     403     403
get /api/v1/data/history                        401  200      403   403   200  403     403     403
get /api/v1/data/set-aside                      401  200      403   403   200  403     403     403
get /api/v1/data/set-aside?format=csv           401  403      200   403   200  403     403     403
get /api/v1/data/events                         401  200      403   403   200  200     200     200
post /api/v1/data/refresh                       401  403      403   403   202  403     403     403
post /api/v1/data/accept                        401  403      403   403   409  403     403     403
post /api/v1/data/discard                       401  403      403   403   409  403     403     403
post /api/v1/data/rollback                      401  403      403   403   409  403     403     403
get /api/v1/data/files                          401  403      403   403   200  403     403     403
put /api/v1/data/files/customers.csv            401  403      403   403   202  403     403     403
delete /api/v1/data/files/products.csv          401  403      403   403   404  403     403     403
post /api/v1/data/check/customers.csv           401  403      403   403   200  403     403     403
post /api/v1/tokens?of=2                        401  403      403   201   201  404     403     403
post /api/v1/tokens?body=wrong                  401  403      403   400   400  400     403     403
post /api/v1/tokens                             401  403      403   201   201  201     403     403
get /healthz                                    200  200      200   200   200  200     200     200
get /readyz                                     200  200      200   200   200  200     200     200
get /openapi.json                               200  200      200   200   200  200     200     200
get /api/v1/none                                404  404      404   404   404  404     404     404
`;

/** The same without a key file: \`off\` without an administrator's key too, the others with it. */
const WITHOUT_KEYS = `
request                                         off none wrong admin
get /api/v1/interactions                        200  200   200   200
get /api/v1/interactions?format=csv             200  200   200   200
get /api/v1/interactions/1                      200  200   200   200
get /api/v1/interactions/1?explain=1            200  200   200   200
get /api/v1/stats/interactions/1                200  200   200   200
get /api/v1/interactions/1/timeline             200  200   200   200
get /api/v1/interactions/1/topics               200  200   200   200
get /api/v1/customers/1                         200  200   200   200
get /api/v1/customers                           200  200   200   200
get /api/v1/metrics/interactions?by=channel     200  200   200   200
get /api/v1/metrics/customers                   200  200   200   200
get /api/v1/metrics                             200  200   200   200
get /api/v1/dimensions                          200  200   200   200
get /api/v1/stats/customers                     200  200   200   200
get /api/v1/data                                200  200   200   200
get /api/v1/data/history                        200  200   200   200
get /api/v1/data/set-aside                      200  200   401   200
get /api/v1/data/events                         200  200   200   200
post /api/v1/data/refresh                       403  401   401   202
post /api/v1/data/accept                        403  401   401   409
post /api/v1/data/discard                       403  401   401   409
post /api/v1/data/rollback                      403  401   401   409
get /api/v1/data/files                          403  401   401   200
put /api/v1/data/files/customers.csv            403  401   401   202
delete /api/v1/data/files/products.csv          403  401   401   404
post /api/v1/data/check/customers.csv           403  401   401   200
post /api/v1/tokens                             409  409   409   409
get /healthz                                    200  200   200   200
get /readyz                                     200  200   200   200
`;

const bodiesOf = ({ files, ids }: Folder): Record<string, string> => ({
  "/api/v1/data/accept": '{"data_version":"0000000000000000"}',
  "/api/v1/data/discard": '{"data_version":"0000000000000000"}',
  "/api/v1/data/rollback": '{"data_version":"0000000000000000"}',
  "/api/v1/data/files/customers.csv": files["customers.csv"] as string,
  "/api/v1/data/check/customers.csv": files["customers.csv"] as string,
  "/api/v1/tokens": JSON.stringify({ customer_id: ids[1] }),
  "/api/v1/tokens?of=2": JSON.stringify({ customer_id: ids[2] }),
  "/api/v1/tokens?body=wrong": JSON.stringify({
    customer_id: ids[1],
    minutes: 61,
  }),
});

type Ask = (
  request: Request,
) => Response | Promise<Response>;

interface Row {
  readonly method: string;
  readonly url: string;
  readonly expected: readonly [caller: string, status: number][];
}

function rowsOf(table: string): Row[] {
  const [heads, ...lines] = table.trim().split("\n");
  const callers = heads.split(/(?<!token) +/).slice(1);
  return lines.map((line) => {
    const [method, url, ...statuses] = line.split(/ +/);
    const expected = statuses.map((status, i): [string, number] => [
      callers[i],
      Number(status),
    ]);
    return { method, url, expected };
  });
}

/** Sends what a row of a table says; the answer, of an endless stream its beginning. */
async function send(
  ask: Ask,
  { folder, method, url, headers = {} }: {
    readonly folder: Folder;
    readonly method: string;
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
) {
  const [path] = url.split("?");
  const bodies = bodiesOf(folder);
  const body = bodies[url] ?? bodies[path];
  const answer = await ask(
    new Request(`http://localhost${inFolder(folder, url)}`, {
      method: method.toUpperCase(),
      headers: {
        ...headers,
        ...body?.startsWith("{") && { "Content-Type": "application/json" },
      },
      body,
    }),
  );
  const is_endless = answer.headers.get("content-type") === "text/event-stream";
  const text = is_endless ? "" : await answer.text();
  if (is_endless) await answer.body?.cancel();
  return { status: answer.status, headers: answer.headers, text };
}

/** The headers that each caller of the table may send. */
async function callersOf(
  callers: Callers,
  { file, keys, ids }: Pick<Folder, "ids"> & {
    readonly file: KeyFile;
    readonly keys: Readonly<Record<string, string>>;
  },
): Promise<Record<string, Record<string, string>[]>> {
  const secret = Buffer.from(file.token_secret, "base64url");
  const idOf = (name: string) => file.keys.find((one) => one.name === name)!.id;
  const now = Math.floor(Date.now() / 1_000);
  const token = (
    claims: Record<string, unknown>,
    signed_with: Uint8Array = secret,
  ) =>
    new SignJWT({
      iss: "tally",
      sub: String(ids[1]),
      key: idOf("embed"),
      iat: now,
      exp: now + 60,
      ...claims,
    }).setProtectedHeader({ alg: "HS256" }).sign(signed_with);
  const mint = async (customer_id: CustomerId) => {
    const grant = await callers.identify(
      new Headers({ "X-API-Key": keys.embed }),
    );
    return (await callers.mint(grant, { customer_id, minutes: 5 }))!.token;
  };
  const token_1 = await mint(ids[1]);
  const [head, claims, signature] = token_1.split(".");
  const other_claims = Buffer.from(
    JSON.stringify({
      iss: "tally",
      sub: String(ids[2]),
      key: idOf("embed"),
      exp: now + 9,
    }),
  ).toString("base64url");
  const bearer = (text: string) => ({ Authorization: `Bearer ${text}` });
  const both = (text: string) => [bearer(text), { "X-API-Key": text }];
  const last = keys.read.slice(-1);
  return {
    unknown: [
      {},
      { Authorization: keys.read },
      { Authorization: `Basic ${keys.read}` },
      bearer("nothing of ours"),
      ...both(keys.expired),
      ...both(keys.revoked),
      // Its checksum is wrong, and a key whose checksum is right is not known.
      bearer(keys.read.slice(0, -1) + (last === "a" ? "b" : "a")),
      bearer(keyFile({ stray: { scopes: ["admin"] } }).keys.stray),
      bearer(file.keys[0].sha256),
      // The first of the two headers counts, right or wrong.
      { ...bearer(keys.read), "X-API-Key": "wrong" },
      bearer(await token({ exp: now - 1 })),
      bearer(await token({ exp: undefined })),
      bearer(await token({ iat: undefined })),
      bearer(await token({ iat: now + 7_200, exp: now + 7_260 })),
      bearer(await token({ iss: "other" })),
      bearer(await token({ sub: ".." })),
      bearer(await token({ sub: "" })),
      bearer(await token({ key: idOf("revoked") })),
      bearer(await token({ key: idOf("expired") })),
      // Of keys that may not mint, or not for this customer.
      bearer(await token({ key: idOf("read") })),
      bearer(await token({ key: idOf("some"), sub: String(ids[2]) })),
      bearer(await token({}, new Uint8Array(32))),
      bearer(`${head}.${other_claims}.${signature}`),
      bearer(`${head}.${claims}.${signature.slice(0, -2)}AA`),
      bearer(
        new UnsecuredJWT({ key: idOf("embed") }).setIssuer("tally")
          .setSubject(String(ids[1])).setExpirationTime("5m").encode(),
      ),
    ],
    read: both(keys.read),
    download: both(keys.download),
    embed: both(keys.embed),
    admin: [...both(keys.admin), ...both(ADMIN_KEY)],
    some: both(keys.some),
    "token 1": [...both(token_1), bearer(await token({}))],
    "token 2": both(await mint(ids[2])),
  };
}

for (const folder of FOLDERS) {
  Deno.test(`with keys, each caller gets what the table says, whatever was answered before; ${folder.name}`, (t) =>
    tableHolds(t, folder));
}

async function tableHolds(t: Deno.TestContext, folder: Folder): Promise<void> {
  const { ids } = folder;
  const past = "2020-01-01T00:00:00.000Z";
  const { file, keys } = keyFile({
    read: { scopes: ["read"] },
    download: { scopes: ["download"] },
    embed: { scopes: ["embed"] },
    admin: { scopes: ["admin"] },
    some: { scopes: ["read", "embed"], customers: [ids[1]] },
    expired: { scopes: ["admin"], expires_at: past },
    revoked: { scopes: ["admin"], revoked_at: past },
  });
  await using opened = await openApp(folder.files, { ADMIN_KEY_SHA256 }, {
    key_file: file,
  });
  const { app, callers } = opened;
  const ask: Ask = (request) => app.fetch(request);
  const by_caller = await callersOf(callers, { file, keys, ids });
  const rows = rowsOf(WITH_KEYS);

  for (const pass of ["nothing is cached", "all is cached"]) {
    for (const { method, url, expected } of rows) {
      await t.step(`${method} ${url}, ${pass}`, async () => {
        const admin = { Authorization: `Bearer ${ADMIN_KEY}` };
        const asked = { folder, method, url };
        const known = await send(ask, { ...asked, headers: admin });
        const etag = known.headers.get("ETag");
        for (const [caller, status] of expected) {
          for (const headers of by_caller[caller]) {
            const what = `${caller} ${JSON.stringify(headers)}`;
            const answer = await send(ask, { ...asked, headers });
            assertEquals(answer.status, status, `${what}: ${answer.text}`);
            if (status === 401) {
              assertEquals(
                answer.headers.get("WWW-Authenticate"),
                'Bearer realm="Tally"',
              );
            }
            if (method !== "get" || !etag) continue;
            const again = await send(ask, {
              ...asked,
              headers: { ...headers, "If-None-Match": etag },
            });
            assertEquals(again.status, status === 200 ? 304 : status, what);
          }
        }
      });
    }
  }
  assertEquals(opened.logged, []);
}

Deno.test("of a batch, a limited key sees its own customers, whoever asked before", async (t) => {
  const { file, keys } = keyFile({
    all: { scopes: ["read"] },
    some: { scopes: ["read"], customers: [1] },
  });
  // So many that the answer is long enough to be compressed.
  const nobody = Array.from(
    { length: 98 },
    (_, i) => Number.MAX_SAFE_INTEGER - 97 + i,
  );
  const path = `/api/v1/interactions?customer_id=1,2,${nobody}`;
  const told = {
    all: { seen: [1, 2], unknown: nobody },
    some: { seen: [1], unknown: [2, ...nobody] },
  };
  const orders = [["all", "some"], ["some", "all"]] as const;
  for (const SERVE_FROM of ["index", "query"]) {
    for (const encoding of ["identity", "gzip"]) {
      for (const order of orders) {
        await t.step(`${SERVE_FROM}, ${encoding}, ${order}`, async () => {
          await using opened = await openApp(FILES, { SERVE_FROM }, {
            key_file: file,
          });
          for (const caller of [...order, ...order]) {
            const answer = await opened.app.request(path, {
              headers: {
                "X-API-Key": keys[caller],
                "Accept-Encoding": encoding,
              },
            });
            const is_gzip = answer.headers.get("Content-Encoding") === "gzip";
            assertEquals(is_gzip, encoding === "gzip");
            const body = is_gzip
              ? answer.body!.pipeThrough(new DecompressionStream("gzip"))
              : answer.body!;
            const { data, meta } = await new Response(body).json();
            const seen = data.map((row: { customer_id: number }) =>
              row.customer_id
            );
            const unknown = meta.unknown_customer_ids;
            assertEquals({ seen, unknown }, told[caller]);
          }
        });
      }
    }
  }
});

Deno.test("of a batch of texts, a limited key sees its own, and learns of no others", async () => {
  const { file, keys } = keyFile({
    all: { scopes: ["read"] },
    some: { scopes: ["read"], customers: ["a", "007", 7] },
  });
  await using opened = await openApp(
    textFiles({
      records: ["a", "a,b", "b", "007", "7"].map((id) => [id, "", "", ""]),
      interactions: [["2020-01-01", "Call", ["a"]]],
    }),
    {},
    { key_file: file },
  );
  const seenBy = async (key: string, list: string) => {
    const answer = await opened.app.request(
      `/api/v1/interactions?customer_id=${encodeURIComponent(list)}`,
      { headers: { "X-API-Key": key } },
    );
    const { data, meta } = await answer.json();
    const seen = data.map((row: { customer_id: string }) => row.customer_id);
    return [seen, meta.unknown_customer_ids];
  };
  // Whether a customer is called "a,b", the limited key does not learn.
  assertEquals(await seenBy(keys.all, "a,b"), [["a,b"], []]);
  assertEquals(await seenBy(keys.some, "a,b"), [["a"], ["b"]]);
  assertEquals(await seenBy(keys.some, "7,007,07"), [["007", "7"], ["07"]]);
  assertEquals(await seenBy(keys.all, "A,b"), [["b"], ["A"]]);
});

Deno.test("a limited key learns no names that other customers have", async (t) => {
  const { file, keys } = keyFile({
    all: { scopes: ["read"] },
    some: { scopes: ["read"], customers: [1] },
  });
  await using opened = await openApp(
    {
      "customers.csv": "Id,Country\n1,\n2,France\n",
      "interactions.csv": "Customer,When,By\n1,2020-03-05,Bird\n",
      "products.csv": "Month,Product\n3-2020,Sand\n",
      "tally.toml": `
        [[customers]]
        files = "customers.csv"
        id = "Id"
        attributes = { country = "Country" }
        [[interactions]]
        files = "interactions.csv"
        customer = "Customer"
        time = "When"
        channel = "By"
      `,
    },
    {},
    { key_file: file },
  );
  const about_all =
    "This is about all customers, and the key or token is for some of them only.";
  const cases: [path: string, all: string, some: string][] = [
    ...["type", "country"].map((name): [string, string, string] => [
      `?customer_id=1&${name}=zzz`,
      `Unknown ${name} "zzz". Known: ${name === "type" ? "none" : "France"}.`,
      about_all,
    ]),
    ["?customer_id=1&country=France", "", about_all],
    ...["?customer_id=1&", "/1?", "/1/timeline?", "/1/topics?"].map(
      (path): [string, string, string] => [
        `${path}topic=zzz`,
        'Unknown topic "zzz". Known: Sand.',
        'Unknown topic "zzz".',
      ],
    ),
  ];
  for (const [path, ...expected] of cases) {
    await t.step(path, async () => {
      const said = await Promise.all(
        [keys.all, keys.some].map(async (key) => {
          const answer = await opened.app.request(
            `/api/v1/interactions${path}`,
            { headers: { "X-API-Key": key } },
          );
          return (await answer.json()).error ?? "";
        }),
      );
      assertEquals(said, expected);
    });
  }
});

Deno.test("without keys reading is open, and only the administrator changes something", async (t) => {
  await using opened = await openApp(FILES);
  const on = appOn(opened.store, { ADMIN_KEY_SHA256 }).app;
  const headers: Record<string, Record<string, string>[]> = {
    off: [{}, { Authorization: "Basic abc" }],
    none: [{}, { Authorization: "Basic abc" }, { Authorization: ADMIN_KEY }],
    wrong: [
      { Authorization: "Bearer wrong" },
      { Authorization: `Bearer ${ADMIN_KEY_SHA256}` },
      { Authorization: `bearer ${ADMIN_KEY} `.repeat(2) },
      { "X-API-Key": "wrong" },
    ],
    admin: [
      { Authorization: `Bearer ${ADMIN_KEY}` },
      { "X-API-Key": ADMIN_KEY },
    ],
  };
  for (const { method, url, expected } of rowsOf(WITHOUT_KEYS)) {
    await t.step(`${method} ${url}`, async () => {
      for (const [caller, status] of expected) {
        const app = caller === "off" ? opened.app : on;
        for (const sent of headers[caller]) {
          const ask: Ask = (request) => app.fetch(request);
          const answer = await send(ask, {
            folder: FOLDERS[0],
            method,
            url,
            headers: sent,
          });
          assertEquals(answer.status, status, `${caller}: ${answer.text}`);
          if (status === 403) {
            assertStringIncludes(answer.text, "ADMIN_KEY_SHA256");
          }
          if (status === 409 && url === "/api/v1/tokens") {
            assertStringIncludes(answer.text, "API_KEYS_FILE");
          }
        }
      }
    });
  }
});

Deno.test("a body that is not sent as JSON is told so, and no field is blamed", async (t) => {
  const { file, keys } = keyFile({ every: { scopes: ["admin", "embed"] } });
  await using opened = await openApp(FILES, {}, { key_file: file });
  const bodies: readonly (readonly [string | undefined, string | undefined])[] =
    [
      ["application/x-www-form-urlencoded", "customer_id=4"],
      ["text/plain;charset=UTF-8", '{"customer_id":4}'],
      ["application/jsonp", '{"customer_id":4}'],
      [undefined, undefined],
    ];
  const paths = (endpoints as readonly Endpoint[])
    .filter(({ body }) => body).map(({ path }) => path);
  assertEquals(paths.length, 4);
  for (const path of paths) {
    await t.step(path, async () => {
      for (const [type, body] of bodies) {
        const answer = await opened.app.request(path, {
          method: "POST",
          headers: {
            "X-API-Key": keys.every,
            ...type && { "Content-Type": type },
          },
          body,
        });
        assertEquals([answer.status, await answer.json()], [400, {
          error: "Send a JSON body with Content-Type: application/json.",
        }]);
      }
    });
  }
  await t.step("as JSON, its fields are checked", async () => {
    for (
      const type of ["application/json; charset=utf-8", "Application/JSON"]
    ) {
      const answer = await opened.app.request("/api/v1/tokens", {
        method: "POST",
        headers: { "X-API-Key": keys.every, "Content-Type": type },
        body: '{"customer_id":0}',
      });
      assertStringIncludes((await answer.json()).error, "customer_id must be");
    }
  });
  await t.step("what is no object has no fields", async () => {
    for (const path of paths) {
      for (const body of ["[]", "[1]", "null", "1", '""']) {
        const answer = await opened.app.request(path, {
          method: "POST",
          headers: {
            "X-API-Key": keys.every,
            "Content-Type": "application/json",
          },
          body,
        });
        assertEquals([answer.status, await answer.json()], [400, {
          error: "Send a JSON object as the body.",
        }]);
      }
    }
  });
});

Deno.test("the tables have every endpoint", () => {
  const wanted = (endpoints as readonly Endpoint[])
    .map(({ method, path }) => `${method} ${path}`);
  for (const table of [WITH_KEYS, WITHOUT_KEYS]) {
    const rows = rowsOf(table);
    const missing = wanted.filter((one) => {
      const [method, path] = one.split(" ");
      const pattern = new RegExp(
        `^${path.replaceAll(/:\w+/g, "[^/?]+")}(\\?|$)`,
      );
      return !rows.some((row) =>
        row.method === method && pattern.test(row.url)
      );
    });
    assertEquals(missing, []);
  }
});
