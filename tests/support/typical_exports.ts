/** Small samples of the exports of ten systems, written as these write them, each with a tally.toml that maps it. */

import type { Files } from "./data_folder.ts";
import { sheetOf, xlsx } from "./xlsx_files.ts";

/** The files of a system, a mapping of them, and what they load as. */
export interface TypicalExport {
  readonly system: string;
  readonly files: Files;
  readonly mapping: string;
  /** Customers as `id, name, type, occupation`, without what there is none of at the end. */
  readonly customers: readonly string[];
  /** Interactions as `customer, time, channel, topics`, in the time of Berlin. */
  readonly interactions: readonly string[];
  /** Rows set aside as `file:line column: reason`. */
  readonly set_aside?: readonly string[];
  /** Rows passed over, by file. */
  readonly passed_over?: Readonly<Record<string, number>>;
}

/** One for each system. */
export const TYPICAL_EXPORTS: readonly TypicalExport[] = [
  {
    system: "HubSpot",
    files: {
      "hubspot-crm-exports-contacts-2024-03-04.csv":
        `"Record ID","First Name","Last Name","Email","Phone Number","Lifecycle Stage","Job Title"
"51","Brian","Halligan (Sample Contact)","bh@hubspot.com","+1 555-123 4567","Lead","CEO"
"101","Maria","Johnson","emailmaria@hubspot.com","","Customer","Salesperson"
"151","Zoë","Öztürk","zoe@example.org","(555) 987-6543","Customer",""
`,
      "hubspot-crm-exports-activities-2024-03-04.csv":
        `"Activity ID","Activity date","Activity type","Activity assigned to","Associated Contact IDs","Status","Product"
"9001","03/02/2024 04:05 PM","Call","Ann","51","Completed","Basic"
"9002","03/02/2024 11:30 PM","Email","Ann","51;101","Sent",""
"9003","02/30/2024 10:00 AM","Meeting","Bob","101","Completed",""
"9004","03/03/2024 09:15 AM","Note","Bob","151","Deleted",""
"9001","03/02/2024 05:05 PM","Call","Ann","51","Completed","Basic;Pro"
"9005","03/03/2024 09:15 AM","Email","Bob","","Sent",""
`,
    },
    mapping: `
[customers]
files = "hubspot-*contacts*.csv"
id = { column = "Record ID", kind = "text" }
name = "Last Name"
type = "Lifecycle Stage"
occupation = "Job Title"

[[interactions]]
files = "hubspot-*activities*.csv"
id = "Activity ID"
customer = { column = "Associated Contact IDs", separator = ";" }
time = { column = "Activity date", format = "%m/%d/%Y %I:%M %p", zone = "America/New_York" }
channel = "Activity type"
topic = "Product"
skip_where = { Status = ["Deleted"] }
`,
    customers: [
      "101, Johnson, Customer, Salesperson",
      "151, Öztürk, Customer",
      "51, Halligan (Sample Contact), Lead, CEO",
    ],
    interactions: [
      "101, 2024-03-03 05:30, Email",
      "51, 2024-03-02 23:05, Call, Basic+Pro",
      "51, 2024-03-03 05:30, Email",
    ],
    set_aside: [
      "hubspot-crm-exports-activities-2024-03-04.csv:4 date_start: not a time of the form %m/%d/%Y %I:%M %p",
      "hubspot-crm-exports-activities-2024-03-04.csv:7 customers: no customer",
    ],
    passed_over: { "hubspot-crm-exports-activities-2024-03-04.csv": 1 },
  },
  {
    system: "Salesforce",
    files: {
      "Contact.csv": `"Id","Name","Type__c","Title"
"0035g00000XyZabAAF","Rose Gonzalez","Prospect","SVP, Procurement"
"0035g00000XyZacAAF","Sean Forbes","Customer","CFO"
`,
      // Of the data loader, in UTC; of a report, with 15 characters and a footer.
      "Task.csv": `"Id","WhoId","ActivityDate","Type","Subject","IsDeleted"
"00T5g00000AbCdeEAF","0035g00000XyZabAAF","2024-07-01T09:00:00.000Z","Call","Follow up","false"
"00T5g00000AbCdfEAF","0035g00000XyZacAAF","2024-07-01T22:30:00.000+0000","Email","Quote","false"
"00T5g00000AbCdgEAF","0035g00000XyZacAAF","2024-07-02T08:00:00.000Z","Email","Spam","true"
`,
      "report1720000000.csv": `"Contact ID","Date","Type"
"0035g00000XyZab","7/3/2024","Call"
"0035g00000XyZab","7/4/2024","Call"
"Grand Summaries","",""
"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved.","",""
`,
    },
    mapping: `
[customers]
files = "Contact.csv"
id = { column = "Id", kind = "salesforce" }
name = "Name"
type = "Type__c"
occupation = "Title"

[[interactions]]
files = "Task*.csv"
id = "Id"
customer = "WhoId"
time = { column = "ActivityDate", format = "iso" }
channel = "Type"
skip_where = { IsDeleted = [true] }

[[interactions]]
files = "report*.csv"
footer_rows = 2
customer = "Contact ID"
time = { column = "Date", format = "MDY" }
channel = "Type"
`,
    customers: [
      "0035g00000XyZabAAF, Rose Gonzalez, Prospect, SVP, Procurement",
      "0035g00000XyZacAAF, Sean Forbes, Customer, CFO",
    ],
    interactions: [
      "0035g00000XyZabAAF, 2024-07-01 11:00, Call",
      "0035g00000XyZabAAF, 2024-07-03 00:00, Call",
      "0035g00000XyZabAAF, 2024-07-04 00:00, Call",
      "0035g00000XyZacAAF, 2024-07-02 00:30, Email",
    ],
    passed_over: { "Task.csv": 1, "report1720000000.csv": 2 },
  },
  {
    system: "Zendesk",
    files: {
      "users-2024.csv": `id,name,email,role,created_at
361530901234,Ada Lovelace,ada@example.org,end-user,2020-01-01T00:00:00Z
361530901235,Agent Smith,smith@example.org,agent,2020-01-01T00:00:00Z
`,
      "tickets-2024.csv":
        `Id,Requester id,Requester,Created at,Via,Status,Product - [list]
35436,361530901234,Ada Lovelace,2024-01-15 23:30:00 UTC,web,Open,Billing
35437,361530901234,Ada Lovelace,2024-01-16 08:00:00 UTC,Mail,Deleted,
35438,361530901299,Unknown,2024-01-16 09:00:00 UTC,Mail,Solved,-
`,
    },
    mapping: `
[customers]
files = "users*.csv"
id = "id"
name = "name"
keep_where = { role = ["end-user"] }

[[interactions]]
files = "tickets*.csv"
id = "Id"
customer = "Requester id"
time = "Created at"
channel = "Via"
topic = "Product - [list]"
skip_where = { Status = ["deleted", "suspended"] }
`,
    customers: ["361530901234, Ada Lovelace"],
    interactions: [
      "361530901234, 2024-01-16 00:30, web, Billing",
      "361530901299, 2024-01-16 10:00, Mail",
    ],
    passed_over: { "users-2024.csv": 1, "tickets-2024.csv": 1 },
  },
  {
    system: "Intercom",
    files: {
      "contacts.csv": `"Intercom User ID","Name","Email","Type"
"5ba682d23d7cf92bef87bfd4","Hoban Washburn","hoban@serenity.com","user"
"5ba682d23d7cf92bef87bfd5","","","lead"
`,
      "conversations.csv":
        `"Conversation ID","User ID","Started at (unix)","Channel","Tags"
"1911149811","5ba682d23d7cf92bef87bfd4","1539897198","Messenger","billing, refund"
"1911149812","5ba682d23d7cf92bef87bfd5","1539897198.5","Email",""
`,
    },
    mapping: `
[customers]
files = "contacts.csv"
id = { column = "Intercom User ID", kind = "text" }
name = "Name"
type = "Type"

[[interactions]]
files = "conversations.csv"
id = "Conversation ID"
customer = "User ID"
time = { column = "Started at (unix)", format = "epoch_s" }
channel = "Channel"
topic = { column = "Tags", separator = "," }
`,
    customers: [
      "5ba682d23d7cf92bef87bfd4, Hoban Washburn, user",
      "5ba682d23d7cf92bef87bfd5, , lead",
    ],
    interactions: [
      "5ba682d23d7cf92bef87bfd4, 2018-10-18 23:13, Messenger, billing+refund",
      "5ba682d23d7cf92bef87bfd5, 2018-10-18 23:13, Email",
    ],
  },
  {
    system: "Pipedrive",
    files: {
      "people-1234-5.csv":
        `Person - ID;Person - Name;Person - Label;Person - Email
1;Phyllis Yang;Hot lead;p@x.org
2;Xavier McLean;Customer;x@x.org
`,
      // The date and the time of an activity are two columns; the contact is a name.
      "activities-1234-6.csv":
        `Activity - ID;Activity - Type;Activity - Due date;Activity - Due time;Activity - Contact person;Activity - Status
11;Call;2024-05-01;14:30;Phyllis Yang;Done
12;Lunch;2024-05-02;;XAVIER MCLEAN ;Done
13;Call;2024-05-03;09:00;Somebody Else;Done
14;Call;2024-05-03;09:00;Phyllis Yang;To do
`,
    },
    mapping: `
[customers]
files = "people-*.csv"
id = "Person - ID"
name = "Person - Name"
type = "Person - Label"

[[interactions]]
files = "activities-*.csv"
id = "Activity - ID"
customer = { column = "Activity - Contact person", match = "Person - Name" }
time = { date = "Activity - Due date", time = "Activity - Due time", zone = "UTC" }
channel = "Activity - Type"
keep_where = { "Activity - Status" = ["done"] }
`,
    customers: ["1, Phyllis Yang, Hot lead", "2, Xavier McLean, Customer"],
    interactions: ["1, 2024-05-01 16:30, Call", "2, 2024-05-02 00:00, Lunch"],
    set_aside: [
      'activities-1234-6.csv:4 customers: no customer with this "Person - Name"',
    ],
    passed_over: { "activities-1234-6.csv": 1 },
  },
  {
    system: "Zoho",
    files: {
      "Contacts_2024_01_05.csv": `Record Id,Full Name,Lead Source,Title
zcrm_3652397000000190001,Venere (Sample),Web,Chemist
zcrm_3652397000000190002,Leota (Sample),Trade Show,
`,
      "Calls_2024_01_05.csv":
        `Record Id,Contact Name.id,Contact Name,Call Start Time,Call Type
zcrm_3652397000000200001,zcrm_3652397000000190001,Venere (Sample),2024-01-05 16:05:00,Outbound
zcrm_3652397000000200002,zcrm_3652397000000190002,Leota (Sample),2024-01-05 23:59:59,Inbound
zcrm_3652397000000200003,,,2024-01-05 23:59:59,Missed
`,
    },
    mapping: `
[customers]
files = "Contacts_*.csv"
id = { column = "Record Id", kind = "text" }
name = "Full Name"
type = "Lead Source"
occupation = "Title"

[[interactions]]
files = "Calls_*.csv"
id = "Record Id"
customer = "Contact Name.id"
time = { column = "Call Start Time", zone = "Asia/Kolkata" }
channel = { value = "Call" }
topic = "Call Type"
`,
    customers: [
      "zcrm_3652397000000190001, Venere (Sample), Web, Chemist",
      "zcrm_3652397000000190002, Leota (Sample), Trade Show",
    ],
    interactions: [
      "zcrm_3652397000000190001, 2024-01-05 11:35, Call, Outbound",
      "zcrm_3652397000000190002, 2024-01-05 19:29, Call, Inbound",
    ],
    set_aside: ["Calls_2024_01_05.csv:4 customers: no customer"],
  },
  {
    system: "Freshdesk",
    files: {
      // A flat export: the customer is in the row of the ticket.
      "tickets.csv":
        `"Ticket ID","Subject","Status","Source","Type","Created time","Contact ID","Full name","Company"
"101","Hi","Open","Email","Question","2024-02-28 23:10:00","43012345678","Anna Ågren","Acme"
"102","Re: Hi","Closed","Phone","Incident","2024-02-29 08:00:00","43012345678","Anna Ågren","Acme"
"103","Spam","Spam","Email","","2024-02-29 08:01:00","43012345679","Win Money",""
"104","Chat","Closed","Chat","Question","2024-02-29 24:00:00","43012345680","Bo",""
`,
    },
    mapping: `
[customers]
files = "tickets*.csv"
id = "Contact ID"
name = "Full name"
skip_where = { Status = ["spam"] }

[[interactions]]
files = "tickets*.csv"
id = "Ticket ID"
customer = "Contact ID"
time = { column = "Created time", format = "%Y-%m-%d %H:%M:%S", zone = "America/Los_Angeles" }
channel = "Source"
topic = "Type"
skip_where = { Status = ["spam"] }
`,
    customers: ["43012345678, Anna Ågren", "43012345680, Bo"],
    interactions: [
      "43012345678, 2024-02-29 08:10, Email, Question",
      "43012345678, 2024-02-29 17:00, Phone, Incident",
    ],
    set_aside: [
      "tickets.csv:5 date_start: not a time of the form %Y-%m-%d %H:%M:%S",
    ],
    passed_over: { "tickets.csv": 2 },
  },
  {
    system: "Dynamics",
    files: {
      "All Contacts 5-1-2024 10-00-00 AM.xlsx": xlsx({
        "All Contacts": sheetOf(
          [
            "(Do Not Modify) Contact",
            "(Do Not Modify) Row Checksum",
            "(Do Not Modify) Modified On",
            "Full Name",
            "Relationship Type",
            "Job Title",
          ],
          [
            "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1",
            "xyz==",
            45413.5,
            "Yvonne McKay (sample)",
            "Customer",
            "Purchasing Manager",
          ],
        ),
      }),
      "All Activities 5-1-2024.xlsx": xlsx({
        "All Activities": sheetOf(
          ["Activity", "Activity Type", "Regarding", "Actual End", "Status"],
          [
            "9f1f8c00-0b5e-ec11-8c62-00224822e2a1",
            "Phone Call",
            "A1E2F8C0-0B5E-EC11-8C62-00224822E2A1",
            45413.75,
            "Completed",
          ],
          [
            "9f1f8c01-0b5e-ec11-8c62-00224822e2a1",
            "Email",
            "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1",
            45413.25,
            "Completed",
          ],
        ),
      }),
    },
    mapping: `
[customers]
files = "All Contacts*.xlsx"
sheet = "All Contacts"
id = { column = "(Do Not Modify) Contact", kind = "text" }
name = "Full Name"
type = "Relationship Type"
occupation = "Job Title"

[[interactions]]
files = "All Activities*.xlsx"
id = "Activity"
customer = { column = "Regarding", match = "(Do Not Modify) Contact" }
time = { column = "Actual End", format = "excel", zone = "America/Chicago" }
channel = "Activity Type"
`,
    customers: [
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1, Yvonne McKay (sample), Customer, Purchasing Manager",
    ],
    interactions: [
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1, 2024-05-01 13:00, Email",
      "a1e2f8c0-0b5e-ec11-8c62-00224822e2a1, 2024-05-02 01:00, Phone Call",
    ],
  },
  {
    system: "Twilio",
    files: {
      "people.csv":
        "Number,Phone\nC-1,+1 (415) 555-2671\nC-2,+44 20 7946 0958\nC-3,+44 20 7946 0958\n",
      "call-log.csv": `Call log of account AC0001

Period: May 2024
Call Sid,Start Time,To,Direction,Status
CA1,10:15:00 PDT 2024-05-01,+14155552671,outbound-api,completed
CA2,2024-05-01T17:15:00Z,+14155552671,outbound-api,completed
CA3,2024-05-01T17:16:00Z,+442079460958,outbound-api,completed
CA4,2024-05-01T17:17:00Z,+33123456789,outbound-api,no-answer
CA5,2024-05-01T17:18:00Z,Anonymous,inbound,completed
`,
    },
    mapping: `
[customers]
files = "people.csv"
id = { column = "Number", kind = "text" }

[[interactions]]
files = "call-log*.csv"
header_row = 4
id = "Call Sid"
customer = { column = "To", match = "Phone", match_as = "phone" }
time = { column = "Start Time", format = "iso" }
channel = { value = "Call" }
skip_where = { Status = ["failed"] }
`,
    customers: ["C-1", "C-2", "C-3"],
    interactions: ["C-1, 2024-05-01 19:15, Call"],
    set_aside: [
      "call-log.csv:5 date_start: not a time of the form iso",
      'call-log.csv:7 customers: ambiguous: several customers have this "Phone"',
      'call-log.csv:8 customers: no customer with this "Phone"',
      'call-log.csv:9 customers: no customer with this "Phone"',
    ],
  },
  {
    system: "Shopify",
    files: {
      "customers_export.csv":
        `Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,Total Orders,Tags
'6940095463574,Russell,Winfield,russ@example.org,yes,'+16135550135,2,vip
'6940095463575,Ann,Lee,ann@example.org,no,,0,
`,
      "orders_export_1.csv":
        `Name,Email,Financial Status,Created at,Source,Lineitem name
#1001,russ@example.org,paid,2024-06-01 10:00:00 -0400,web,Shirt
#1001,russ@example.org,,2024-06-01 10:00:00 -0400,,Socks
#1002,Ann@Example.org,paid,2024-06-02 23:00:00 -0400,pos,Shirt
#1003,,paid,2024-06-03 10:00:00 -0400,pos,Shirt
`,
    },
    mapping: `
[customers]
files = "customers_export*.csv"
id = { column = "Customer ID", pattern = "(\\\\d+)" }
name = "Last Name"
type = "Tags"

[[interactions]]
files = "orders_export*.csv"
customer = { column = "Email", match = "Email" }
time = "Created at"
channel = "Source"
topic = "Lineitem name"
skip_where = { "Financial Status" = [""] }
`,
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
  },
];
