/** Which files make one source: one channel, one kind of ids, and the files of the next months. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { channelsIn, namedAfter } from "../../db/suggest/known_headers.ts";
import type { Files } from "../support/data_folder.ts";
import { loadTables } from "../support/load_folder.ts";
import { suggest } from "../support/suggest_folder.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const CONTACTS = `Contact ID,Full Name\n${
  Array.from({ length: 9 }, (_, i) => `${i + 1},Name ${i + 1}\n`).join("")
}`;

/** Rows of interactions with ids from `first` up, each of another day and customer. */
function rows(first: number, count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const id = first + i;
    return `${id},${1 + id % 9},2024-01-${10 + id}T10:00:00Z\n`;
  }).join("");
}

/** The interactions that the draft for the files loads, without an answer. */
async function loaded(files: Files, toml: string): Promise<number> {
  await using folder = await loadTables({ ...files, "tally.toml": toml });
  return folder.report.interactions;
}

Deno.test("files of one header have the channels of their own names", async () => {
  const one = "Contact ID,When,Product\n1,2024-04-01T10:00:00Z,Boat\n";
  const { sources, toml } = await suggest({
    "contacts.csv": CONTACTS,
    "Call_2024-04.csv": one,
    "Call_2024-05.csv": one.replace("-04-", "-05-"),
    "Chat_2024-04.csv": one,
    "Email_2024-05.csv": one,
  });
  assertEquals(sources.map(({ files }) => files), [
    "contacts.csv",
    "Call_*.csv",
    "Chat_*.csv",
    "Email_*.csv",
  ]);
  assertEquals(toml.match(/^channel = .*/gm), [
    'channel = { value = "Call" }',
    'channel = { value = "Chat" }',
    'channel = { value = "Email" }',
  ]);
});

Deno.test("a name that speaks of two channels, or of none that is known, decides nothing", async () => {
  const opens = "Contact ID,When\n1,2024-04-01T10:00:00Z\n";
  const asked = async (...names: string[]) => {
    const { questions } = await suggest({
      "contacts.csv": CONTACTS,
      ...Object.fromEntries(names.map((name) => [name, opens])),
    });
    return questions.filter(({ key }) => key.endsWith(".channel"));
  };
  const [both] = await asked("calls and visits.csv");
  assert(both.must_answer);
  assertEquals(both.lines, [
    'channel = { value = "Call" }',
    'channel = { value = "Visit" }',
  ]);
  const [none] = await asked("opens_report.csv", "clicks_report.csv");
  assert(none.must_answer);
  assertStringIncludes(
    none.text,
    'channel = { file_name = "^(.*)_report\\\\.csv$" }',
  );
});

Deno.test("a column of channels is known by its values, and else it is asked for", async () => {
  const files = (
    header: string,
    kinds: readonly string[],
    name = "Call log.csv",
  ) => ({
    "contacts.csv": CONTACTS,
    [name]: `Contact ID,When,${header}\n${
      Array.from(
        { length: 8 },
        (_, i) =>
          `${i + 1},2024-04-0${i + 1}T10:00:00Z,${kinds[i % kinds.length]}\n`,
      ).join("")
    }`,
  });
  const { toml, questions: doubts } = await suggest(
    files("Sort", ["Call", "Visit"], "export.csv"),
  );
  assertStringIncludes(toml, '\nchannel = "Sort"\n');
  assert(doubts.some(({ text }) => text.includes("By its values")));

  for (
    const [header, ...kinds] of [
      ["Direction", "In", "Out"],
      ["Sort", "Call", "Visit"],
    ]
  ) {
    const { questions } = await suggest(files(header, kinds));
    const asked = questions.find(({ key }) =>
      key === "interactions[1].channel"
    );
    assertEquals(asked?.lines, ['channel = { value = "Call" }']);
    assertStringIncludes(asked!.text, `"${header}"`);
  }

  // The sheet says it, and not the file.
  const sheets = await suggest({
    "contacts.csv": CONTACTS,
    "visits.xlsx": xlsx({
      "Call log": sheetOf(
        ["Contact ID", "When"],
        ["1", "2024-04-01T10:00:00Z"],
      ),
      Notes: sheetOf(["Text"]),
    }),
  });
  const channel = sheets.sources[1].columns.find(({ key }) =>
    key === "channel"
  );
  assertEquals(channel?.evidence, "no column; by the name of the sheet");
  assertStringIncludes(sheets.toml, '\nchannel = { value = "Call" }\n');
});

Deno.test("topics, statuses, addresses and words within words say no channel", async () => {
  const drafted = async (file: string, header: string, ...values: string[]) => {
    const { toml } = await suggest({
      "contacts.csv": CONTACTS,
      [file]: `Contact ID,When,${header}\n${
        values.map((value, i) =>
          `${i + 1},2024-04-0${i + 1}T10:00:00Z,${value}`
        )
          .join("\n")
      }\n`,
    });
    return toml.match(/^(channel|topic) = .*|^# CHOOSE: Which channel/gm);
  };
  const orders = ["Order status", "Order return", "Complaint"];
  const disorders = ["Sleep disorder", "Eating disorder"];
  const agents = ["bob@callcenter.example", "ann@call.example"];
  assertEquals(await drafted("calls.csv", "Reason", ...orders), [
    'channel = { value = "Call" }',
    'topic = "Reason"',
  ]);
  assertEquals(await drafted("visits.csv", "Category", ...disorders), [
    'channel = { value = "Visit" }',
    'topic = "Category"',
  ]);
  assertEquals(await drafted("visits.csv", "Agent", ...agents), [
    'channel = { value = "Visit" }',
  ]);
  // Nothing else says the channel, and these do not either.
  assertEquals(await drafted("export.csv", "Reason", ...orders), [
    "# CHOOSE: Which channel",
    'topic = "Reason"',
  ]);
  for (
    const [header, ...values] of [
      ["Status", "Task open", "Task closed"],
      ["Agent", ...agents],
      ["Diagnosis", ...disorders],
      ["Device", "iPhone 14", "iPhone 15"],
    ]
  ) {
    assertEquals(await drafted("export.csv", header, ...values), [
      "# CHOOSE: Which channel",
    ], header);
  }
});

Deno.test("a name speaks of channels in whole words, in the plural, and in German compounds", () => {
  const names: readonly [channel: string | undefined, ...names: string[]][] = [
    ["Call", "calls_2024", "CallLog", "CALLS2024", "Call-Center", "PhoneCalls"],
    ["Call", "phonecalls", "Telefonanruf", "Kundenanrufe", "Telefonate"],
    ["Call", "te\u0301le\u0301phone", "appels", "Llamadas", "chiamate"],
    ["Email", "E-Mails", "eMail", "EMAILS", "mail_export", "Courriels"],
    ["Visit", "visits", "Hausbesuche", "Besuchsbericht"],
    ["Chat", "LiveChats", "livechat", "Conversations"],
    ["Ticket", "tickets", "support_cases", "CaseExport"],
    [undefined, "Historically", "Locally", "Medically", "Recall", "Headphones"],
    [undefined, "Showcase", "Staircase", "Border", "disorders", "Multitasking"],
    [undefined, "Rappel", "Chateau", "Voicemail", "iPhone"],
  ];
  for (const [channel, ...texts] of names) {
    for (const text of texts) {
      assertEquals(channelsIn(text).at(0), channel, text);
    }
  }
});

Deno.test("the name of a file says its table, and no word within a word does", () => {
  const names: readonly [ReturnType<typeof namedAfter>, ...names: string[]][] =
    [
      [
        "interactions",
        "calls.csv",
        "CallLog.csv",
        "OpenTickets.csv",
        "myCases.csv",
      ],
      ["customers", "customerlist.csv", "newcontacts.csv", "AppUsers.csv"],
      [null, "catalog.csv", "Showcase.csv", "Border.csv", "prevention.csv"],
      [null, "cheerleaders.csv", "blog.csv"],
    ];
  for (const [table, ...files] of names) {
    for (const file of files) assertEquals(namedAfter(file), table, file);
  }
});

Deno.test("months in letters are one source, whose ids count once", async () => {
  const header = "Call ID,Contact ID,Start Time\n";
  const files = {
    "contacts.csv": CONTACTS,
    "calls_february.csv": header + rows(4, 6),
    "calls_january.csv": header + rows(0, 6),
  };
  const { sources, toml, questions } = await suggest(files);
  assertEquals(
    sources.map(({ files, rows_seen }) => [files, rows_seen]),
    [["contacts.csv", 9], ["calls_*.csv", 12]],
  );
  assertEquals(await loaded(files, toml), 10);
  assert(!questions.some(({ text }) => text.includes("counts twice")));
});

Deno.test("files that no glob takes together have their own rows, and a question", async () => {
  const header = "Call ID,Contact ID,Start Time\n";
  const { sources, questions } = await suggest({
    "contacts.csv": CONTACTS,
    "calls_north.csv": header + rows(0, 3),
    "calls_south.csv": header + rows(3, 4),
    "calls_codes.csv": "Code,Meaning\nx,y\n",
  });
  assertEquals(
    sources.map(({ files, rows_seen }) => [files, rows_seen]),
    [["contacts.csv", 9], ["calls_north.csv", 3], ["calls_south.csv", 4]],
  );
  assertEquals(
    questions.filter(({ text }) => text.includes("counts twice"))
      .map(({ key }) => key),
    ["interactions[1]", "interactions[2]"],
  );
});

Deno.test("where one id stands for two things, files of other names are other sources", async () => {
  const files = {
    "crm_contacts.csv": "ID,Name,Email\n1,Ann,a@x.org\n2,Bo,b@x.org\n",
    "desk_contacts.csv": "ID,Name,Email\n1,Cy,c@x.org\n2,Di,d@x.org\n",
    "crm_events.csv":
      "Event ID,Email,Date,Channel,A,B,C,D\n1,a@x.org,2024-01-01,Call\n2,b@x.org,2024-01-02,Call\n",
    "desk_events.csv":
      "Event ID,Email,Date,Channel,A,B,C,D\n1,c@x.org,2024-03-01,Chat\n2,d@x.org,2024-03-02,Chat\n",
  };
  const { sources, questions } = await suggest(files);
  assertEquals(sources.map(({ files }) => files), [
    "crm_contacts.csv",
    "desk_contacts.csv",
    "crm_events.csv",
    "desk_events.csv",
  ]);
  assert(questions.some(({ text }) => text.includes("a prefix")));
});
