/** Small made-up exports of the ten systems of docs/exports/, written as these write them, with what they load as. */

import type { Files } from "./data_folder.ts";
import { sheetOf, xlsx } from "./xlsx_files.ts";

/** A question of the API, below `/api/v1/`, and the data of its answer. */
export type Asked = readonly [path: string, data: unknown];

/** The files of a system, the mapping of its page, and what they load as. */
export interface TypicalExport {
  readonly system: string;
  /** Its page in docs/exports/. */
  readonly page: string;
  readonly files: Files;
  /** The `tally.toml` of the page, to the letter. */
  readonly mapping: string;
  /** Customers as `id, name, type, occupation`, without what there is none of at the end. */
  readonly customers: readonly string[];
  /** Interactions as `customer, time, channel, topics`, in the time of Berlin. */
  readonly interactions: readonly string[];
  /** Rows set aside as `file:line column: reason`. */
  readonly set_aside?: readonly string[];
  /** Rows passed over, by file. */
  readonly passed_over?: Readonly<Record<string, number>>;
  readonly asked: readonly Asked[];
  /** The header of the customers' e-mail addresses, by which another system's interactions find them. */
  readonly email: string;
  /** What is asked with the interactions of another system beside these. */
  readonly mixed: { readonly with: string; readonly asked: Asked };
}

const PAGES = new URL("../../docs/exports/", import.meta.url);

/** The first TOML of a page. */
async function mappingOf(page: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(`${page}.md`, PAGES));
  return /^```toml\n([^]*?)^```$/m.exec(text)![1];
}

/** One for each system. */
export const TYPICAL_EXPORTS: readonly TypicalExport[] = [
  {
    system: "HubSpot",
    page: "hubspot",
    mapping: await mappingOf("hubspot"),
    files: {
      "hubspot-crm-exports-all-contacts-2024-03-04.csv":
        `"Record ID","First Name","Last Name","Email","Phone Number","Contact owner","Lifecycle Stage","Job Title","Country/Region","Create Date"
"51","Brian","Halligan (Sample Contact)","bh@example.org","+1 555-123 4567","Tom","Lead","CEO","United States","2024-01-15 09:14"
"101","Ann","Lee","ann@example.org","","Mia","Customer","Salesperson","Canada","2024-01-16 09:14"
"151","Zoë","Öztürk","zoe@example.org","(555) 987-6543","Mia","Customer","","","2024-01-17 09:14"
`,
      "hubspot-crm-exports-activities-2024-03-04.csv":
        `"Activity ID","Activity date","Activity type","Activity assigned to","Associated Contact IDs","Status"
"9001","2024-03-02 16:05","Call","Tom","51","Completed"
"9002","2024-03-02 23:30","Email","Tom","51;101","Sent"
"9003","2024-02-30 10:00","Meeting","Mia","101","Completed"
"9004","2024-03-03 09:15","Note","Mia","151","Deleted"
"9001","2024-03-02 17:05","Call","Tom","51","Completed"
"9005","2024-03-03 09:15","Email","Mia","","Sent"
`,
    },
    customers: [
      "51, Halligan (Sample Contact), Lead, CEO",
      "101, Lee, Customer, Salesperson",
      "151, Öztürk, Customer",
    ],
    interactions: [
      "51, 2024-03-02 23:05, Call",
      "51, 2024-03-03 05:30, Email",
      "101, 2024-03-03 05:30, Email",
    ],
    set_aside: [
      "hubspot-crm-exports-activities-2024-03-04.csv:4 date_start: not a time of the form iso",
      "hubspot-crm-exports-activities-2024-03-04.csv:7 customers: no customer",
    ],
    passed_over: { "hubspot-crm-exports-activities-2024-03-04.csv": 1 },
    asked: [
      ["interactions/51", {
        customer_id: 51,
        interactions: { Call: 1, Email: 1 },
      }],
      ["metrics/interactions?by=country", [
        { country: "Canada", interactions: 1 },
        { country: "United States", interactions: 2 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Shopify",
      asked: ["interactions/101", {
        customer_id: 101,
        interactions: { Call: 0, Email: 1, pos: 1 },
      }],
    },
  },
  {
    system: "Salesforce",
    page: "salesforce",
    mapping: await mappingOf("salesforce"),
    files: {
      "Contact.csv":
        `"Id","Name","Title","Email","LeadSource","MailingCountry","OwnerId","Owner.Name"
"0035g00000XyZabAAF","Rose Gonzalez","SVP, Procurement","rose@example.org","Web","Chile","0055g00000AbCdeEAF","Tom"
"0035g00000XyZacAAF","Ann Lee","CFO","Ann@example.org","Referral","Canada","0055g00000AbCdfEAF","Mia"
`,
      // WhoId has 15 characters where a report or a formula wrote it.
      "Task.csv":
        `"Id","WhoId","CompletedDateTime","TaskSubtype","Subject","Status"
"00T5g00000AbCdeEAF","0035g00000XyZabAAF","2024-07-01T09:00:00.000Z","Call","Follow up","Completed"
"00T5g00000AbCdfEAF","0035g00000XyZac","2024-07-01T22:30:00.000+0000","Email","Quote","Completed"
"00T5g00000AbCdgEAF","0035g00000XyZacAAF","","Task","Visit","Not Started"
`,
    },
    customers: [
      "0035g00000XyZabAAF, Rose Gonzalez, Web, SVP, Procurement",
      "0035g00000XyZacAAF, Ann Lee, Referral, CFO",
    ],
    interactions: [
      "0035g00000XyZabAAF, 2024-07-01 11:00, Call",
      "0035g00000XyZacAAF, 2024-07-02 00:30, Email",
    ],
    passed_over: { "Task.csv": 1 },
    asked: [
      ["interactions/0035g00000XyZacAAF", {
        customer_id: "0035g00000XyZacAAF",
        interactions: { Call: 0, Email: 1 },
      }],
      ["metrics/interactions?by=owner,channel", [
        { owner: "Mia", channel: "Email", interactions: 1 },
        { owner: "Tom", channel: "Call", interactions: 1 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Shopify",
      asked: ["metrics/interactions?by=channel&country=Canada", [
        { channel: "Email", interactions: 1 },
        { channel: "pos", interactions: 1 },
      ]],
    },
  },
  {
    system: "Zendesk",
    page: "zendesk",
    mapping: await mappingOf("zendesk"),
    files: {
      "users-2024.csv": `id,name,email,role,locale,created_at
361530901234,Ann Lee,ann@example.org,end-user,en-US,2020-01-01T00:00:00Z
361530901236,Bo,bo@example.org,end-user,de,2020-01-01T00:00:00Z
361530901235,Agent Smith,smith@example.org,agent,en-US,2020-01-01T00:00:00Z
`,
      "tickets-2024.csv":
        `Summation column,Id,Requester,Requester id,Requester email,Assignee,Group,Subject,Status,Priority,Via,Ticket type,Created at,Product [list]
1,35436,Ann Lee,361530901234,ann@example.org,Agent Smith,Support,Hello,Open,Normal,web,Question,2024-01-15 23:30:00 UTC,Billing
1,35437,Ann Lee,361530901234,ann@example.org,Agent Smith,Support,Hello,Deleted,Normal,Mail,Question,2024-01-16 08:00:00 UTC,
1,35438,Unknown,361530901299,x@example.org,Agent Smith,Support,Hello,Solved,Normal,Mail,Question,2024-01-16 09:00:00 UTC,-
`,
    },
    customers: ["361530901234, Ann Lee", "361530901236, Bo"],
    interactions: [
      "361530901234, 2024-01-16 00:30, web, Billing",
      "361530901299, 2024-01-16 10:00, Mail",
    ],
    passed_over: { "users-2024.csv": 1, "tickets-2024.csv": 1 },
    asked: [
      ["interactions/361530901234?topic=Billing", {
        customer_id: 361530901234,
        interactions: { Mail: 0, web: 1 },
      }],
      ["metrics/interactions?by=language", [
        { language: "en-US", interactions: 1 },
        { language: null, interactions: 1 },
      ]],
    ],
    email: "email",
    mixed: {
      with: "Shopify",
      asked: ["interactions/361530901234", {
        customer_id: 361530901234,
        interactions: { Mail: 0, pos: 1, web: 1 },
      }],
    },
  },
  {
    system: "Intercom",
    page: "intercom",
    mapping: await mappingOf("intercom"),
    files: {
      "contacts.csv":
        `"Intercom User ID","Name","Email","Type","Owner","Country"
"5ba682d23d7cf92bef87bfd4","Russell Winfield","russ@example.org","user","Tom","Canada"
"5ba682d23d7cf92bef87bfd5","","","lead","Mia","Chile"
`,
      "conversations.csv":
        `"Conversation ID","User ID","Started at (unix)","Channel","Tags"
"1911149811","5ba682d23d7cf92bef87bfd4","1539897198","Messenger","billing, refund"
"1911149812","5ba682d23d7cf92bef87bfd5","1539897198.5","Email",""
`,
    },
    customers: [
      "5ba682d23d7cf92bef87bfd4, Russell Winfield, user",
      "5ba682d23d7cf92bef87bfd5, , lead",
    ],
    interactions: [
      "5ba682d23d7cf92bef87bfd4, 2018-10-18 23:13, Messenger, billing+refund",
      "5ba682d23d7cf92bef87bfd5, 2018-10-18 23:13, Email",
    ],
    asked: [
      ["interactions/5ba682d23d7cf92bef87bfd4?topic=refund", {
        customer_id: "5ba682d23d7cf92bef87bfd4",
        interactions: { Email: 0, Messenger: 1 },
      }],
      ["metrics/customers?by=country&channel=Email", [
        { country: "Chile", customers: 1 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Shopify",
      asked: ["metrics/interactions?by=owner,channel&owner=Tom", [
        { owner: "Tom", channel: "Messenger", interactions: 1 },
        { owner: "Tom", channel: "web", interactions: 1 },
      ]],
    },
  },
  {
    system: "Pipedrive",
    page: "pipedrive",
    mapping: await mappingOf("pipedrive"),
    files: {
      "people-1234-5.csv":
        `Person - ID;Person - Name;Person - Label;Person - Email - Work;Person - Owner
1;Ann Lee;Hot lead;ann@example.org;Tom
2;Xavier McLean;Customer;x@example.org;Mia
`,
      // The date and the time of an activity are two columns; the contact is a name.
      "activities-1234-6.csv":
        `Activity - ID;Activity - Type;Activity - Due date;Activity - Due time;Activity - Contact person;Activity - Done
11;Call;2024-05-01;14:30;Ann Lee;Done
12;Lunch;2024-05-02;;XAVIER MCLEAN ;Done
13;Call;2024-05-03;09:00;Somebody Else;Done
14;Call;2024-05-03;09:00;Ann Lee;To do
`,
    },
    customers: ["1, Ann Lee, Hot lead", "2, Xavier McLean, Customer"],
    interactions: ["1, 2024-05-01 16:30, Call", "2, 2024-05-02 00:00, Lunch"],
    set_aside: [
      'activities-1234-6.csv:4 customers: no customer with this "Person - Name"',
    ],
    passed_over: { "activities-1234-6.csv": 1 },
    asked: [
      ["interactions/2", {
        customer_id: 2,
        interactions: { Call: 0, Lunch: 1 },
      }],
      ["metrics/interactions?by=channel&owner=Tom", [
        { channel: "Call", interactions: 1 },
      ]],
    ],
    email: "Person - Email - Work",
    mixed: {
      with: "Shopify",
      asked: ["interactions/1", {
        customer_id: 1,
        interactions: { Call: 1, Lunch: 0, pos: 1 },
      }],
    },
  },
  {
    system: "Zoho",
    page: "zoho",
    mapping: await mappingOf("zoho"),
    files: {
      "Contacts_2024_01_05.csv":
        `Record Id,Contact Owner.id,Contact Owner,Lead Source,Full Name,Email,Title,Mailing Country
zcrm_3652397000000190001,zcrm_3652397000000180001,Tom,Web,Ann Lee,ann@example.org,Chemist,Canada
zcrm_3652397000000190002,zcrm_3652397000000180002,Mia,Trade Show,Leota (Sample),leota@example.org,,India
`,
      "Calls_2024_01_05.csv":
        `Record Id,Contact Name.id,Contact Name,Call Start Time,Call Type
zcrm_3652397000000200001,zcrm_3652397000000190001,Ann Lee,2024-01-05 16:05:00,Outbound
zcrm_3652397000000200002,zcrm_3652397000000190002,Leota (Sample),2024-01-05 23:59:59,Inbound
zcrm_3652397000000200003,,,2024-01-05 23:59:59,Missed
`,
    },
    customers: [
      "zcrm_3652397000000190001, Ann Lee, Web, Chemist",
      "zcrm_3652397000000190002, Leota (Sample), Trade Show",
    ],
    interactions: [
      "zcrm_3652397000000190001, 2024-01-05 11:35, Call, Outbound",
      "zcrm_3652397000000190002, 2024-01-05 19:29, Call, Inbound",
    ],
    set_aside: ["Calls_2024_01_05.csv:4 customers: no customer"],
    asked: [
      ["interactions/zcrm_3652397000000190001", {
        customer_id: "zcrm_3652397000000190001",
        interactions: { Call: 1 },
      }],
      ["metrics/interactions?by=country,topic", [
        { country: "Canada", topic: "Outbound", interactions: 1 },
        { country: "India", topic: "Inbound", interactions: 1 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Shopify",
      asked: ["interactions/zcrm_3652397000000190001", {
        customer_id: "zcrm_3652397000000190001",
        interactions: { Call: 1, pos: 1 },
      }],
    },
  },
  {
    system: "Freshdesk",
    page: "freshdesk",
    mapping: await mappingOf("freshdesk"),
    files: {
      // A flat export: the customer is in the row of the ticket.
      "tickets.csv":
        `"Ticket ID","Subject","Status","Source","Type","Created time","Contact ID","Full name","Email","Company Name"
"101","Hi","Open","Email","Question","2024-02-28 23:10:00","43012345678","Russell Winfield","russ@example.org","Acme"
"102","Re: Hi","Closed","Phone","Incident","2024-02-29 08:00:00","43012345678","Russell Winfield","russ@example.org","Acme"
"103","Spam","Spam","Email","","2024-02-29 08:01:00","43012345679","Win Money","win@example.org",""
"104","Chat","Closed","Chat","Question","2024-02-29 24:00:00","43012345680","Bo","bo@example.org",""
`,
    },
    customers: ["43012345678, Russell Winfield", "43012345680, Bo"],
    interactions: [
      "43012345678, 2024-02-29 08:10, Email, Question",
      "43012345678, 2024-02-29 17:00, Phone, Incident",
    ],
    set_aside: ["tickets.csv:5 date_start: not a time of the form iso"],
    passed_over: { "tickets.csv": 2 },
    asked: [
      ["interactions/43012345678", {
        customer_id: 43012345678,
        interactions: { Email: 1, Phone: 1 },
      }],
      ["metrics/interactions?by=topic&channel=Phone", [
        { topic: "Incident", interactions: 1 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Shopify",
      asked: ["interactions/43012345678", {
        customer_id: 43012345678,
        interactions: { Email: 1, Phone: 1, web: 1 },
      }],
    },
  },
  {
    system: "Dynamics 365",
    page: "dynamics",
    mapping: await mappingOf("dynamics"),
    files: {
      "All Contacts 5-1-2024 10-00-00 AM.xlsx": xlsx({
        "All Contacts": sheetOf(
          [
            "(Do Not Modify) Contact",
            "(Do Not Modify) Row Checksum",
            "(Do Not Modify) Modified On",
            "Full Name",
            "Email",
            "Relationship Type",
            "Job Title",
            "Address 1: Country/Region",
            "Owner",
          ],
          [
            "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1",
            "xyz==",
            45413.5,
            "Yvonne McKay (sample)",
            "yvonne@example.org",
            "Customer",
            "Purchasing Manager",
            "Chile",
            "Tom",
          ],
          [
            "a1e2f8c0-0b5e-ec11-8c62-00224822e2a2",
            "xyz==",
            45413.5,
            "Ann Lee",
            "ann@example.org",
            "Prospect",
            "Buyer",
            "Canada",
            "Mia",
          ],
        ),
      }),
      "All Activities 5-1-2024.xlsx": xlsx({
        "All Activities": sheetOf(
          [
            "(Do Not Modify) Activity",
            "Activity Type",
            "Regarding",
            "Actual End",
            "Activity Status",
          ],
          [
            "9f1f8c00-0b5e-ec11-8c62-00224822e2a1",
            "Phone Call",
            "Yvonne McKay (sample)",
            45413.75,
            "Completed",
          ],
          [
            "9f1f8c01-0b5e-ec11-8c62-00224822e2a1",
            "Email",
            "Yvonne McKay (sample)",
            45413.25,
            "Completed",
          ],
          [
            "9f1f8c02-0b5e-ec11-8c62-00224822e2a1",
            "Appointment",
            "Ann Lee",
            45414.25,
            "Scheduled",
          ],
        ),
      }),
    },
    customers: [
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1, Yvonne McKay (sample), Customer, Purchasing Manager",
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a2, Ann Lee, Prospect, Buyer",
    ],
    interactions: [
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1, 2024-05-01 13:00, Email",
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1, 2024-05-02 01:00, Phone Call",
    ],
    passed_over: { "All Activities 5-1-2024.xlsx, sheet All Activities": 1 },
    asked: [
      ["interactions/a1e2f8c0-0b5e-ec11-8c62-00224822e2a1", {
        customer_id: "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1",
        interactions: { Email: 1, "Phone Call": 1 },
      }],
      ["metrics/interactions?by=owner,day", [
        { owner: "Tom", day: "2024-05-01", interactions: 1 },
        { owner: "Tom", day: "2024-05-02", interactions: 1 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Shopify",
      asked: ["metrics/interactions?by=country,channel&start_date=2024-06-01", [
        { country: "Canada", channel: "pos", interactions: 1 },
      ]],
    },
  },
  {
    system: "Twilio",
    page: "twilio",
    mapping: await mappingOf("twilio"),
    files: {
      "contacts.csv": `Contact ID,Name,Phone,Email,Country
C-1,Ann Lee,+1 (415) 555-2671,ann@example.org,Canada
C-2,Bo,+44 20 7946 0958,bo@example.org,United Kingdom
C-3,Cy,+44 20 7946 0958,cy@example.org,United Kingdom
`,
      "call-log.csv": `Call Sid,Start Time,From,To,Direction,Duration,Status
CA1,10:15:00 PDT 2024-05-01,+15005550006,+14155552671,outbound-api,12,completed
CA2,2024-05-01T17:15:00Z,+15005550006,+14155552671,outbound-api,40,completed
CA3,2024-05-01T17:16:00Z,+15005550006,+442079460958,outbound-api,31,completed
CA4,2024-05-01T17:17:00Z,+15005550006,+33123456789,outbound-api,0,no-answer
CA5,2024-05-01T17:18:00Z,Anonymous,+15005550006,inbound,9,completed
CA6,2024-05-01T17:19:00Z,+15005550006,+14155552671,outbound-api,0,failed
`,
    },
    customers: ["C-1, Ann Lee", "C-2, Bo", "C-3, Cy"],
    interactions: ["C-1, 2024-05-01 19:15, Call"],
    set_aside: [
      "call-log.csv:2 date_start: not a time of the form iso",
      'call-log.csv:4 customers: ambiguous: several customers have this "Phone"',
      'call-log.csv:5 customers: no customer with this "Phone"',
      'call-log.csv:6 customers: no customer with this "Phone"',
    ],
    passed_over: { "call-log.csv": 1 },
    asked: [
      ["interactions/C-1", { customer_id: "C-1", interactions: { Call: 1 } }],
      ["metrics/interactions?by=country", [
        { country: "Canada", interactions: 1 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Shopify",
      asked: ["interactions/C-1", {
        customer_id: "C-1",
        interactions: { Call: 1, pos: 1 },
      }],
    },
  },
  {
    system: "Shopify",
    page: "shopify",
    mapping: await mappingOf("shopify"),
    files: {
      "customers_export.csv":
        `Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Country Code,Phone,Total Spent,Total Orders,Tags
'6940095463574,Russell,Winfield,russ@example.org,yes,CA,'+16135550135,99.50,2,vip
'6940095463575,Ann,Lee,ann@example.org,no,CL,,10.00,1,
`,
      "orders_export_1.csv":
        `Name,Email,Financial Status,Created at,Lineitem name,Source
#1001,russ@example.org,paid,2024-06-01 10:00:00 -0400,Shirt,web
#1001,russ@example.org,,2024-06-01 10:00:00 -0400,Socks,
#1002,Ann@Example.org,paid,2024-06-02 23:00:00 -0400,Shirt,pos
#1003,,paid,2024-06-03 10:00:00 -0400,Shirt,pos
`,
    },
    customers: [
      "6940095463574, Winfield, vip",
      "6940095463575, Lee",
    ],
    interactions: [
      "6940095463574, 2024-06-01 16:00, web, Shirt",
      "6940095463575, 2024-06-03 05:00, pos, Shirt",
    ],
    set_aside: ["orders_export_1.csv:5 customers: no customer"],
    passed_over: { "orders_export_1.csv": 1 },
    asked: [
      ["interactions/6940095463574", {
        customer_id: 6940095463574,
        interactions: { pos: 0, web: 1 },
      }],
      ["metrics/interactions?by=country,topic", [
        { country: "CA", topic: "Shirt", interactions: 1 },
        { country: "CL", topic: "Shirt", interactions: 1 },
      ]],
    ],
    email: "Email",
    mixed: {
      with: "Freshdesk",
      asked: ["interactions/6940095463574", {
        customer_id: 6940095463574,
        interactions: { Email: 1, Phone: 1, pos: 0, web: 1 },
      }],
    },
  },
];
