/** Tables and ids that are known by what the files have in common, and by headers of other languages. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";
import { xlsx } from "../support/xlsx_files.ts";

Deno.test("a file of times whose values another file has is one of interactions", async () => {
  const { toml, sources, questions } = await suggest({
    "subscribed_members_export_9.csv":
      "Email Address,First Name,Last Name,Status,OPTIN_TIME\nann@x.org,Ann,Lee,subscribed,2024-01-01 10:00:00\nbo@x.org,Bo,Ray,subscribed,2024-01-02 10:00:00\n",
    "opens_campaign.csv":
      "Email Address,Timestamp,Campaign\nAnn@x.org,2024-02-01 10:00:00,Spring\nann@x.org,2024-02-02 10:00:00,Fall\n",
    "clicks_campaign.csv":
      "Email Address,Timestamp,Campaign\nbo@x.org,2024-02-01 11:00:00,Spring\n",
  });
  assertEquals(sources.map(({ files }) => files), [
    "subscribed_members_export_*.csv",
    "*_campaign.csv",
  ]);
  assertStringIncludes(toml, '\nid = { column = "Email Address", kind = ');
  assertStringIncludes(toml, "\n# CHOOSE: Which channel are these?");
  assert(
    questions.some(({ key, text }) =>
      key === "customers.id" && text.includes("does not say")
    ),
  );
});

Deno.test("headers that nobody knows are no hindrance where values say it", async () => {
  const files = {
    "顧客一覧.csv": "顧客番号,区分\n1001,法人\n1002,個人\n",
    "対応履歴.csv":
      "対応日時,顧客番号,Channel\n2024/03/02 18:53:20,1002,電話\n2024/12/05 00:55:32,1001,来店\n",
  };
  const { toml, questions } = await suggest(files);
  assert(questions.every(({ must_answer }) => !must_answer));
  await using folder = await loadTables({ ...files, "tally.toml": toml });
  assertEquals([folder.report.customers, folder.report.interactions], [2, 2]);
});

Deno.test("a unique column that is no address is the id, and an address before a telephone number", async () => {
  const idOf = async (header: string, ...rows: readonly string[]) => {
    const { toml, questions } = await suggest({
      "contacts.csv": `${header}\n${rows.join("\n")}\n`,
      "calls.csv":
        "Phone,Call Time,Code\n+12125550001,2024-01-31T10:00:00Z,K2\n+12125550002,2024-01-31T11:00:00Z,K1\n",
    });
    const [, id] = /^id = (?:\{ column = )?"(.*?)"/m.exec(toml)!;
    const asked = questions.find(({ key }) => key === "customers.id");
    return [id, asked?.text.replace(/^.*meant: /, "")];
  };
  const people = ["+1 (212) 555-0001", "+1 (212) 555-0002"];
  assertEquals(
    await idOf(
      "Email,Name,Phone Number",
      ...people.map((phone, i) => `u${i}@x.org,N${i},${phone}`),
    ),
    ["Email", '"Phone Number"'],
  );
  assertEquals(
    await idOf(
      "E-Mail,Kundennummer,Nachname,Telefon",
      ...people.map((phone, i) => `u${i}@x.org,K${i},N${i},${phone}`),
    ),
    ["Kundennummer", undefined],
  );
  // Another file names the customers by it.
  assertEquals(
    await idOf(
      "E-Mail,Reference,Surname",
      ...people.map((_, i) => `u${i}@x.org,K${i + 1},N${i}`),
    ),
    ["Reference", '"E-Mail"'],
  );
});

Deno.test("a telephone number is found where it is written as a number with .0", async () => {
  const { toml } = await suggest({
    "contacts.csv":
      "Id,Email,Phone\n1,ann@x.org,493012345678\n2,bo@x.org,493012345679\n",
    "calls.csv":
      "Number,Call Time\n493012345678.0,2024-01-31T10:00:00Z\n493012345679.0,2024-01-31T11:00:00Z\n",
  });
  assertStringIncludes(
    toml,
    'customer = { column = "Number", match = "Phone", match_as = "phone" }',
  );
});

Deno.test("a file with times that another one refers to is none of customers", async () => {
  const { sources } = await suggest({
    "contacts.csv": "Contact ID,Name\nC-1,Ann\nC-2,Bo\n",
    "tickets.csv":
      "Ticket ID,Contact ID,Created at\nT-1,C-1,2024-01-31T10:00:00Z\nT-2,C-2,2024-02-01T10:00:00Z\n",
    "replies.csv":
      "Ticket ID,Contact ID,Created at\nT-1,C-1,2024-01-31T11:00:00Z\nT-1,C-1,2024-02-01T12:00:00Z\n",
  });
  assertEquals(sources.map(({ key, files }) => [key, files]), [
    ["customers", "contacts.csv"],
    ["interactions[1]", "replies.csv"],
    ["interactions[2]", "tickets.csv"],
  ]);
});

Deno.test("headers in other languages are known", async () => {
  const table = [
    ["Kundennummer;Nachname;Kundenart", "Datum;Kundennummer;Art;Thema"],
    ["N° client;Nom;Catégorie", "Date d'appel;N° client;Canal;Sujet"],
    ["Nº cliente;Apellidos;Tipo", "Fecha;Nº cliente;Canal;Tema"],
    ["ID cliente;Cognome;Tipo cliente", "Data;ID cliente;Canale;Argomento"],
    ["Klantnummer;Achternaam;Soort", "Datum;Klantnummer;Kanaal;Onderwerp"],
  ];
  for (const [customers, interactions] of table) {
    const { toml, questions } = await suggest({
      "a.csv": `${customers}\nK-1;Ann;Gold\nK-2;Bo;Silver\n`,
      "b.csv":
        `${interactions}\n31.01.2024;K-1;Post;Auto\n01.02.2024;K-2;Post;Boot\n`,
    });
    const keys = Array.from(
      toml.matchAll(/^(\w+) = .*"(.*?)"/gm),
      ([, key]) => key,
    );
    assertEquals(keys, [
      ...["files", "id", "name", "type"],
      ...["files", "customer", "time", "channel", "topic"],
    ], toml);
    assertEquals(questions.map(({ key }) => key), [], toml);
  }
});

Deno.test("a header that names the id of a customer does so in every file", async () => {
  const ids = Array.from({ length: 60 }, (_, i) => 1000 + i);
  const headers = [
    "Customer number",
    "Customer No",
    "Client number",
    "Kontaktnummer",
  ];
  for (const header of headers) {
    const { toml, questions } = await suggest({
      "people.csv": `id,Name\n${ids.map((id) => `${id},N${id}\n`).join("")}`,
      "calls.csv": `${header},When\n${
        ids.map((id) => `${id},2024-01-31T10:00:00Z\n`).join("")
      }`,
    });
    assertStringIncludes(toml, `\ncustomer = "${header}"\n`);
    assert(questions.every(({ must_answer }) => !must_answer));
  }
});

Deno.test("a day and a time of day of a spreadsheet are one time", async () => {
  const styles =
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/></cellXfs>';
  const row = (line: number, customer: number, day: number, clock: number) =>
    `<row r="${line}"><c r="A${line}"><v>${customer}</v></c><c r="B${line}" s="1"><v>${day}</v></c><c r="C${line}" s="2"><v>${clock}</v></c></row>`;
  const header = ["Kunden-Nr.", "Datum", "Uhrzeit"].map((text, i) =>
    `<c r="${"ABC"[i]}1" t="inlineStr"><is><t>${text}</t></is></c>`
  ).join("");
  const files = {
    "Kunden.csv": "Kunden-Nr.;Name\n1;Ann\n2;Bo\n",
    "Anrufe.xlsx": xlsx({
      Anrufe: `<sheetData><row r="1">${header}</row>${row(2, 1, 45293, 0.25)}${
        row(3, 2, 45294, 0.75)
      }</sheetData>`,
    }, { styles }),
  };
  const { toml } = await suggest(files);
  assertStringIncludes(toml, '\ntime = { date = "Datum", time = "Uhrzeit" }\n');
  await using folder = await loadTables({ ...files, "tally.toml": toml });
  const rows = await folder.query(
    "select date_start::varchar as at from interactions order by all",
  );
  assertEquals(rows.map(({ at }) => at), [
    "2024-01-02 06:00:00",
    "2024-01-03 18:00:00",
  ]);
});

Deno.test("a file without a draft says what is missing", async () => {
  const { left } = await suggest({
    "a.csv": "Wann,Wer\n2024-01-31,x\n",
    "b.csv": "Foo,Bar\n1,2\n",
    "c.csv": new Uint8Array([0x81, 0x2c, 0x61, 0x0a, 0x31, 0x2c, 0x32, 0x0a]),
  });
  const reasons = Object.fromEntries(
    left.map(({ file, reason }) => [file, reason]),
  );
  assertStringIncludes(reasons["a.csv"], 'times in "Wann", and no column');
  assertStringIncludes(reasons["b.csv"], "no times, and no ids");
  assertStringIncludes(reasons["c.csv"], '"column 1": its header has broken');
});

Deno.test("small numbers are ids by their headers alone, and the reason says so", async () => {
  const drafted = (first: number, header: string) => {
    const ids = Array.from({ length: 60 }, (_, i) => first + i);
    return suggest({
      "osoby.csv": `Numer,Miasto\n${
        ids.map((id, i) => `${id},M${i % 5}\n`).join("")
      }`,
      "rozmowy.csv": `${header},Kiedy\n${
        ids.map((id) => `${id},2024-01-31 10:00\n`).join("")
      }`,
    });
  };
  const { left, sources } = await drafted(1000, "Odbiorca");
  assertEquals(sources, []);
  const reason = "do not show whether they are ids: give ids the same header";
  assertEquals(left.map(({ reason }) => reason), [
    `no times, and no ids of customers with a name. Numbers of up to five digits, as in "Numer", ${reason} in both files`,
    `times in "Kiedy", and no column that says which customer, by its header. Numbers of up to five digits, as in "Odbiorca", ${reason} in both files`,
  ]);
  for (
    const { toml, left } of [
      await drafted(1000, "Numer"),
      await drafted(100_000, "Odbiorca"),
    ]
  ) {
    assertEquals(left, []);
    assertStringIncludes(toml, "\ncustomer = ");
  }
});

Deno.test("a customer column that is missing is asked for once", async () => {
  const { questions } = await suggest({
    "people.csv": "id,Name\n1,Ann\n2,Bo\n",
    "calls.csv": "When,Ref\n2024-01-31T10:00:00Z,x\n",
  });
  assertEquals(
    questions.filter(({ text }) => /customer/.test(text)).map((
      { key, must_answer },
    ) => [key, must_answer]),
    [["interactions[1].customer", true]],
  );
});

Deno.test("columns that nothing uses are named, and customers that are not found", async () => {
  const { sources, questions } = await suggest({
    "people.csv": "Email,Name,Shoe\nann@x.org,Ann,12\nbo@x.org,Bo,13\n",
    "emails.csv":
      'Date,To,Subject,Empty\n2024-01-01,"Ann <ann@x.org>",A long way home\n2024-01-02,"Bo <bo@x.org>",B\n',
  });
  assertEquals(sources.map(({ unused }) => unused), [["Shoe"], ["Subject"]]);
  const { text } = questions.find(({ key }) =>
    key === "interactions[1].customer"
  )!;
  assertStringIncludes(text, "All are not found in the sample");
});

Deno.test("without a file of customers, lists of ids are several customers, and what may be one is asked", async (t) => {
  const several = "Some cells have several ids: each of them is a customer";
  const one = (separator: string) =>
    `Each cell is one customer. Take the other line if "${separator}" separates several`;
  const cases: readonly [
    cells: readonly string[],
    customer: string,
    asked: string | undefined,
    customers: number,
  ][] = [
    [["1001;1002", "1003", "1001"], ', separator = ";" }', several, 3],
    [["1001 / 1002", "1003"], ', separator = "/" }', several, 3],
    // By the rule for cells, which passes over what may be a number of thousands.
    [["1001,1002", "1003"], "", several, 3],
    [["1001;1002", "1003|1004", "1003"], "", several, 4],
    [["a@x.org,b@x.org", "b@x.org"], ', separator = "," }', several, 2],
    [["C-1;C-2", "C-3"], "", one(";"), 2],
    [["auth0|5f7c", "auth0|5f7d"], "", one("|"), 2],
    [["1001", "1002"], "", undefined, 2],
  ];
  for (const [cells, customer, asked, customers] of cases) {
    await t.step(cells.join(" "), async () => {
      const files = {
        "calls.csv": `Customers,Name,When,Channel\n${
          cells.map((cell) => `"${cell}",,2024-01-31,Call\n`).join("")
        }`,
      };
      const { toml, questions } = await suggest(files);
      assertStringIncludes(
        toml,
        `\ncustomer = ${
          customer === "" ? '"Customers"' : `{ column = "Customers"${customer}`
        }\n`,
      );
      assertEquals(questions.map(({ text }) => text), asked ? [asked] : []);
      await using folder = await loadTables({ ...files, "tally.toml": toml });
      assertEquals(folder.report.customers, customers);
      assertEquals(folder.report.files[0].rows_set_aside, 0);
    });
  }
  // A name is no name of several.
  const { sources } = await suggest({
    "calls.csv":
      "Customers,Name,When,Channel\n1001;1002,Ann,2024-01-31,Call\n1003,Bo,2024-01-31,Call\n",
  });
  assertEquals(sources.map(({ key }) => key), ["interactions[1]"]);
});
