/** The file contract: file names that are tables, header names that are columns. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  matchHeader,
  type PassedOver,
  requireColumns,
  type TableName,
  tableOf,
  TABLES,
} from "../../../db/model/contract.ts";
import { messageOfRefusal } from "../../support/load_folder.ts";

Deno.test("tableOf, names of files", async (t) => {
  const cases: [stem: string, table: TableName | undefined][] = [
    ["customers", "customers"],
    ["CUSTOMERS", "customers"],
    ["Cus to_mers", "customers"],
    ["external_interactions", "interactions"],
    ["External Interactions", "interactions"],
    ["external-interactions", "interactions"],
    ["interactions", "interactions"],
    ["products_of_discussion", "products"],
    ["Products Of Discussion", "products"],
    ["products", "products"],
    ["channels", "channels"],
    // A suffix of digits, - and _ is one of several files.
    ["interactions_2024-01", "interactions"],
    ["interactions2024", "interactions"],
    ["interactions-1_2-3", "interactions"],
    ["customers_", "customers"],
    // Anything else is not.
    ["customers (1)", undefined],
    ["customers copy", undefined],
    ["interactions_old", undefined],
    ["interactions_2024a", undefined],
    ["2024_interactions", undefined],
    ["my customers", undefined],
    // Singular names are the tables too.
    ["customer", "customers"],
    ["Interaction", "interactions"],
    ["external_interaction", "interactions"],
    ["interaction 2024", "interactions"],
    ["product", "products"],
    ["Product of Discussion", "products"],
    ["channel", "channels"],
    // What cannot be seen does not matter, nor does full width.
    ["custo\u00admers\u200b", "customers"],
    ["ｃｕｓｔｏｍｅｒｓ", "customers"],
    ["customeres", undefined],
    ["custömers", undefined],
    ["interactions_٢", undefined],
    ["__proto__", undefined],
    ["constructor", undefined],
    ["", undefined],
  ];
  for (const [stem, table] of cases) {
    await t.step(JSON.stringify(stem), () => {
      assertEquals(tableOf(stem), table);
    });
  }
});

Deno.test("matchHeader, which header is which column", async (t) => {
  type Positions = Record<string, number>;
  const cases: [
    name: string,
    table: TableName,
    headers: string[],
    positions: Positions,
    unknown: string[],
    passed_over?: PassedOver[],
  ][] = [
    [
      "the names of the contract",
      "interactions",
      ["Date Start", "Interaction", "Customers"],
      { date_start: 0, interaction: 1, customers: 2 },
      [],
    ],
    [
      "in another order, with others between",
      "interactions",
      ["Notes", "Customers", "Date Start", "Agent", "Interaction"],
      { date_start: 2, interaction: 4, customers: 1 },
      ["Notes", "Agent"],
    ],
    [
      "case, spaces and underscores",
      "interactions",
      ["DATE_START", " inter action ", "__Customers\u00a0"],
      { date_start: 0, interaction: 1, customers: 2 },
      [],
    ],
    [
      "date_start, Event, Customer, Product",
      "interactions",
      ["date_start", "Event", "Customer", "Product"],
      { date_start: 0, interaction: 1, customers: 2, topic: 3 },
      [],
    ],
    [
      "date, Channel, Customer_Id, Topic",
      "interactions",
      ["date", "Channel", "Customer_Id", "Topic"],
      { date_start: 0, interaction: 1, customers: 2, topic: 3 },
      [],
    ],
    [
      "timestamp, Customer Id",
      "interactions",
      ["timestamp", "Interaction", "Customer Id"],
      { date_start: 0, interaction: 1, customers: 2 },
      [],
    ],
    [
      "an alias beside the preferred name is passed over",
      "interactions",
      [
        "Timestamp",
        "Date",
        "Date Start",
        "Channel",
        "Event",
        "Interaction",
        "Customer_Id",
        "Customer",
        "Customers",
        "Product",
        "Topic",
      ],
      { date_start: 2, interaction: 5, customers: 8, topic: 10 },
      [],
      [
        { used: "Date Start", passed_over: "Timestamp" },
        { used: "Date Start", passed_over: "Date" },
        { used: "Interaction", passed_over: "Channel" },
        { used: "Interaction", passed_over: "Event" },
        { used: "Customers", passed_over: "Customer_Id" },
        { used: "Customers", passed_over: "Customer" },
        { used: "Topic", passed_over: "Product" },
      ],
    ],
    [
      "among aliases the first of the contract is used, wherever it stands",
      "interactions",
      ["Date", "Timestamp", "Event", "Channel", "Customer", "Customer_Id"],
      { date_start: 1, interaction: 3, customers: 5 },
      [],
      [
        { used: "Timestamp", passed_over: "Date" },
        { used: "Channel", passed_over: "Event" },
        { used: "Customer_Id", passed_over: "Customer" },
      ],
    ],
    [
      "the same, the other way round",
      "interactions",
      ["Customer_Id", "Customer", "Channel", "Event", "Timestamp", "Date"],
      { date_start: 4, interaction: 2, customers: 0 },
      [],
      [
        { used: "Timestamp", passed_over: "Date" },
        { used: "Channel", passed_over: "Event" },
        { used: "Customer_Id", passed_over: "Customer" },
      ],
    ],
    [
      "what cannot be seen, and full width",
      "interactions",
      [
        "\u200edate\u00ad start",
        "Inter\ufe0faction",
        "\u2060Ｃｕｓｔｏｍｅｒｓ\u200d",
      ],
      { date_start: 0, interaction: 1, customers: 2 },
      [],
    ],
    ["Customer Id", "customers", ["Customer Id"], { customer_id: 0 }, []],
    [
      "id; Occupation and Type need not be there",
      "customers",
      ["ID", "Type"],
      { customer_id: 0, type: 1 },
      [],
    ],
    [
      "Month, Topic",
      "products",
      ["Month", "Topic"],
      { date: 0, product: 1 },
      [],
    ],
    [
      "Date, Product",
      "products",
      ["Product", "Date"],
      { date: 1, product: 0 },
      [],
    ],
    ["Channel alone", "channels", ["channel"], { channel: 0 }, []],
    [
      "Channel and Aliases",
      "channels",
      ["ALIASES", "Channel"],
      { channel: 1, aliases: 0 },
      [],
    ],
    [
      "unknown columns twice and without a name",
      "channels",
      ["Channel", "", "x", "x", "__proto__"],
      { channel: 0 },
      ["", "x", "x", "__proto__"],
    ],
  ];
  for (
    const [name, table, headers, positions, unknown, passed_over = []] of cases
  ) {
    await t.step(`${table}: ${name}`, () => {
      const match = matchHeader(TABLES[table], headers);
      assertEquals(match, {
        positions,
        unknown,
        passed_over,
        missing: [],
        doubled: [],
      });
    });
  }
});

Deno.test("requireColumns, headers that are refused", async (t) => {
  const cases: [
    name: string,
    table: TableName,
    headers: string[],
    message: string,
  ][] = [
    [
      "a required column is missing",
      "customers",
      ["Name", "Type"],
      'x.csv, line 1: no column Customer_Id among "Name", "Type". Name the columns as docs/file-contract.md says.',
    ],
    [
      "a name that is misspelt",
      "interactions",
      ["Timestamp", "Interacton", "Kunde"],
      'x.csv, line 1: no column Interaction, Customers among "Timestamp", "Interacton", "Kunde". Did you mean Interaction by "Interacton"? Name the columns as docs/file-contract.md says.',
    ],
    [
      "the words of a name in another order, and with others beside",
      "interactions",
      ["Start Date", "Interaction Type", "Customer Number"],
      'x.csv, line 1: no column Date Start, Interaction, Customers among "Start Date", "Interaction Type", "Customer Number". Did you mean Date Start by "Start Date", Interaction by "Interaction Type", Customers by "Customer Number"? Name the columns as docs/file-contract.md says.',
    ],
    [
      "what cannot be seen is written out",
      "customers",
      ["Na\u200bme", "Customer_Ids"],
      'x.csv, line 1: no column Customer_Id among "Na\\u{200b}me", "Customer_Ids". Did you mean Customer_Id by "Customer_Ids"? Name the columns as docs/file-contract.md says.',
    ],
    [
      "two required columns are missing",
      "interactions",
      ["When", "What", "Customers"],
      'x.csv, line 1: no column Date Start, Interaction among "When", "What", "Customers". Name the columns as docs/file-contract.md says.',
    ],
    [
      "an empty file",
      "channels",
      [""],
      'x.csv, line 1: no column Channel among "". Name the columns as docs/file-contract.md says.',
    ],
    [
      "one name twice",
      "customers",
      ["Customer_Id", "Type", "customer id"],
      'x.csv, line 1: two columns named "customer id". Rename or remove one of them.',
    ],
    [
      "quotes and line breaks in a name stay in the line",
      "channels",
      ['"\n'],
      'x.csv, line 1: no column Channel among "\\"\\n". Name the columns as docs/file-contract.md says.',
    ],
  ];
  for (const [name, table, headers, message] of cases) {
    await t.step(name, async () => {
      const match = matchHeader(TABLES[table], headers);
      assertEquals(
        await messageOfRefusal(() =>
          Promise.try(requireColumns, headers, match, { file: "x.csv" })
        ),
        message,
      );
    });
  }
  await t.step("of many or long names only the beginning is told", async () => {
    const headers = Array.from({ length: 5000 }, () => "x".repeat(5000));
    const match = matchHeader(TABLES.channels, headers);
    const message = await messageOfRefusal(() =>
      Promise.try(requireColumns, headers, match, { file: "x.csv" })
    );
    assertEquals(message.length < 2000, true);
    assertStringIncludes(message, `" and 4980 more. Name`);
  });
});
