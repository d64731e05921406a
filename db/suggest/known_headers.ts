/** The headers under which systems export what Tally counts, by role; the best first. */

import { foldHeader } from "../model/contract.ts";

/** What a column may be for. */
export type Role = keyof typeof KNOWN;

/** Headers that name the id of a customer, in the file of customers and in others. */
const CUSTOMER_IDS = [
  "customerid",
  "contactid",
  "intercomuserid",
  "personid",
  "userid",
  "accountid",
  "clientid",
  "customernumber",
  "clientnumber",
  "clientno",
  "customerno",
  // In German, French, Spanish, Italian and Dutch.
  ...("kundennummer kundennr kundenid kundenno kontaktid kontaktnummer " +
    "mitgliedsnummer nclient noclient numeroclient idclient codeclient " +
    "ncliente nocliente idcliente numerocliente codigocliente " +
    "codicecliente klantnummer klantnr klantid").split(" "),
];

/** Written as `foldHeader` leaves them, without accents and signs. */
const KNOWN = {
  customer_id: [
    ...CUSTOMER_IDS,
    "recordid",
    "contact",
    "id",
    "number",
    "no",
    "personalnummer",
  ],
  name: [
    "fullname",
    "name",
    "customername",
    "contactname",
    "displayname",
    "lastname",
    "surname",
    "company",
    "companyname",
    // In German, French, Spanish, Italian and Dutch.
    ...("nachname firma firmenname nom nomcomplet raisonsociale apellidos " +
      "apellido nombrecompleto nombre cognome ragionesociale nome " +
      "achternaam naam bedrijfsnaam").split(" "),
  ],
  occupation: [
    "occupation",
    "jobtitle",
    "title",
    "profession",
    "position",
    // In German, French, Spanish, Italian and Dutch.
    ...("beruf profesion professione beroep").split(" "),
  ],
  type: [
    "customertype",
    "contacttype",
    "relationshiptype",
    "lifecyclestage",
    "type",
    "label",
    "segment",
    "category",
    "leadsource",
    "tier",
    "tags",
    // In German, French, Spanish, Italian and Dutch.
    ...("kundenart kundentyp kundengruppe typ typeclient categorie " +
      "tipocliente tipo categoria klanttype soort").split(" "),
  ],
  person_role: ["role", "userrole"],
  interaction_id: [
    "activityid",
    "interactionid",
    "ticketid",
    "conversationid",
    "callsid",
    "messagesid",
    "callid",
    "messageid",
    "taskid",
    "eventid",
    "caseid",
    "recordid",
    "id",
    "sid",
    "activity",
    "casenumber",
    // In German, French, Spanish, Italian and Dutch.
    ...("vorgangsnummer ticketnummer anrufid ndemande nticket idllamada " +
      "idchiamata").split(" "),
  ],
  customer: [
    // The account, the user and others stand beside these.
    "associatedcontactids",
    "associatedcontactid",
    "whoid",
    "requesterid",
    "contactname.id",
    ...CUSTOMER_IDS,
    "customers",
    "customer",
    "contact",
    "contactperson",
    "regarding",
    "to",
    "from",
    "email",
    "requester",
    "contactemail",
    "customeremail",
    "phone",
    "contactname",
    "client",
    "person",
    "patient",
    "member",
    "user",
    // In German, French, Spanish, Italian and Dutch.
    ...("kunde kontakt cliente klant emailaddress courriel correo").split(" "),
  ],
  time: [
    "datestart",
    "activitydate",
    "starttime",
    "startdate",
    "callstarttime",
    "startedat",
    "completeddatetime",
    "createdat",
    "createdtime",
    "createdon",
    "createdate",
    "createddate",
    "timestamp",
    "datesent",
    "sentat",
    "sent",
    "actualend",
    "actualstart",
    "activitytime",
    "eventtime",
    "duedate",
    "date",
    "datetime",
    "time",
    "when",
    "day",
    // In German, French, Spanish, Italian and Dutch.
    ...("datum zeitpunkt datumuhrzeit datedecreation datedappel fecha " +
      "fechahora fechayhora dataora dataeora datumtijd").split(" "),
  ],
  clock: [
    "duetime",
    "time",
    "clock",
    "starttime",
    "timeofday",
    // In German, French, Spanish, Italian and Dutch.
    ...("uhrzeit zeit heure hora ora tijd saat").split(" "),
  ],
  channel: [
    "channel",
    "interaction",
    "interactiontype",
    "communicationchannel",
    "activitytype",
    "tasksubtype",
    "via",
    "source",
    "medium",
    "event",
    "eventtype",
    "type",
    // In German, French, Spanish, Italian and Dutch.
    ...("kind kanal kontaktart art canal moyen canale kanaal typ tipo").split(
      " ",
    ),
  ],
  topic: [
    "topic",
    "topics",
    "product",
    "products",
    "productofdiscussion",
    "lineitemname",
    "calltype",
    "category",
    "tags",
    "reason",
    "type",
    // In German, French, Spanish, Italian and Dutch.
    ...("thema produkt produkte sujet produit motif tema producto motivo " +
      "prodotto argomento onderwerp").split(" "),
  ],
  status: [
    "status",
    "activitystatus",
    "ticketstatus",
    "state",
    "done",
    // In German, French, Spanish, Italian and Dutch.
    ...("statut estado stato").split(" "),
  ],
  deleted: ["isdeleted", "deleted", "isarchived", "istest", "test", "isspam"],
  first_line: ["financialstatus"],
} as const satisfies Record<string, readonly string[]>;

/** How well a header is known in a role: from 0, the best, up; null where it is not. */
export function rankOf(role: Role, header: string): number | null {
  const known: readonly string[] = KNOWN[role];
  const ranks = formsOf(header).map((form) => known.indexOf(form))
    .filter((rank) => rank >= 0);
  return ranks.length > 0 ? Math.min(...ranks) : null;
}

/** A header as it is, and without what some systems put before or behind it. */
function formsOf(header: string): string[] {
  const forms = [header, withoutMarks(header), bareHeader(header)]
    .map(foldHeader);
  const plain = forms.map((form) =>
    form.normalize("NFD").replaceAll(/[\p{M}.°'’-]/gu, "")
  );
  return [...new Set([...forms, ...plain])];
}

function withoutMarks(header: string): string {
  return header.replace(/^\(do not modify\)\s*/i, "")
    .replace(/__c$/i, "").replace(/\s*[([][^()[\]]*[)\]]\s*$/, "")
    .replace(/\s+-$/, "");
}

/** A header without what some systems put before or behind it, such as `Person - `. */
export function bareHeader(header: string): string {
  return withoutMarks(header).replace(/^\w+ - /, "");
}

/** The words of a header, in lower case: two of `OwnerId`. */
export function wordsOf(header: string): string[] {
  return withSpaces(header).toLowerCase()
    .split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

/** What one groups customers by: the usual name and the headers for it; the best first. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  country: [
    "country",
    "country/region",
    "countryname",
    "mailingcountry",
    "billingcountry",
    "addresscountry",
    "address1:country/region",
    "defaultaddresscountrycode",
    "countrycode",
  ],
  owner: [
    "owner",
    "contactowner",
    "accountowner",
    "owner.name",
    "ownername",
    "accountmanager",
    "salesrep",
    "assignedto",
    "assignee",
  ],
  segment: ["segment", "customersegment", "marketsegment"],
  lifecycle_stage: ["lifecyclestage", "stage"],
  lead_status: ["leadstatus"],
  lead_source: ["leadsource", "originalsource", "originaltrafficsource"],
  source: ["source"],
  plan: ["plan", "planname", "subscription", "subscriptionplan"],
  tier: ["tier", "customertier", "accounttier"],
  language: [
    "language",
    "preferredlanguage",
    "languageoverride",
    "browserlanguage",
    "locale",
  ],
  industry: ["industry", "sector", "industrysector"],
  region: ["region", "state", "state/region", "province", "mailingstate"],
};

/** The attribute that a header is known for, and how good it is, from 0 up; null where it is none. */
export function attributeOf(
  header: string,
): { readonly name: string; readonly rank: number } | null {
  const forms = formsOf(header);
  const found = Object.entries(ATTRIBUTES).flatMap(([name, headers], group) =>
    headers.flatMap((known, i) =>
      forms.includes(known) ? [{ name, rank: group + i / 100 }] : []
    )
  );
  return found.at(0) ?? null;
}

/** Whether a header speaks of a time, whatever else it says. */
export function speaksOfTime(header: string): boolean {
  return rankOf("time", header) !== null ||
    /date|time|datum|zeit|fecha|tijd|heure|\bat\b|\bon\b|when|unix|epoch/i
      .test(header);
}

/** What the name of a file says about its rows. Short words are within others: a case in a showcase. */
const INTERACTION_WORDS =
  /(?<!\p{L})(call|case|chat|event|log|note|order|report|task|visit)|mail|message|meeting|ticket|activit|conversation|interaction|appointment|phonecall/iu;
const CUSTOMER_WORDS =
  /(?<!\p{L})(lead|user)|contact|customer|people|person|client|member|patient|subscriber|account/iu;

/** Whether the name of a file is one of customers, or of interactions; null where it is neither. */
export function namedAfter(file: string): "customers" | "interactions" | null {
  // Of "call log of contacts" both are true; the first word tells.
  const words = withSpaces(file);
  const customer = words.search(CUSTOMER_WORDS);
  const interaction = words.search(INTERACTION_WORDS);
  if (customer < 0 && interaction < 0) return null;
  if (interaction < 0) return "customers";
  if (customer < 0) return "interactions";
  return customer < interaction ? "customers" : "interactions";
}

/** What a header says before or behind what is counted; in "case number" it is an id. */
const NUMBER_OF =
  /^(number|no|nr|num|sum|total|counts?) (of )?|\bcounts?$|^(anzahl|nombre|aantal)\b|^n[uú]mero d/i;
/** Interactions in the plural: how many, in a column of numbers. */
const MANY =
  /\b(calls|e-?mails|mails|messages|meetings|visits|chats|tickets|orders|activities|tasks|conversations|events|interactions|contacts|appointments|cases|anrufe|besuche|kontakte|appels|visites|llamadas|visitas|chiamate|visite|gesprekken|bezoeken)\b/i;
const ANY_NUMBER = /^(count|anzahl|nombre|aantal|cantidad)$/i;

/** Whether a header says how many interactions there are: surely, perhaps, or not at all. */
export function saysCount(header: string): "surely" | "perhaps" | null {
  const text = wordsOf(header).join(" ");
  if (ANY_NUMBER.test(text)) return "surely";
  const is_number = NUMBER_OF.test(text) || header.startsWith("#");
  const rest = text.replace(NUMBER_OF, "").trim();
  const counted = MANY.test(rest) ||
    is_number && /\bcounts?$/i.test(text) && channelsIn(rest).length > 0;
  if (counted && (is_number || wordsOf(header).length === 1)) return "surely";
  return is_number || counted ? "perhaps" : null;
}

/** The words of each channel; in German they begin and end longer ones, such as `Telefonanruf`. */
const NOUNS = ([
  [
    "calls?|(tele)?phones?|phone-?calls?|calllogs?|téléphones?|appels?|llamadas?|chiamat[ae]|\\p{L}*(telefon|anruf)\\p{L}*",
    "Call",
  ],
  ["e-?mails?|mails?|courriels?|correos?", "Email"],
  ["meetings?|appointments?", "Meeting"],
  ["visits?|\\p{L}*besuch\\p{L}*", "Visit"],
  ["(live|web)?chats?|conversations?", "Chat"],
  ["sms|messages?", "Message"],
  ["tickets?|cases?", "Ticket"],
  ["orders?", "Order"],
  ["tasks?", "Task"],
] as const).map(([words, noun]) => ({
  word: new RegExp(`(?<!\\p{L})(${words})(?!\\p{L})`, "iu"),
  noun,
}));

/** The channels that a text speaks of: the name of a file or a sheet, or a value. */
export function channelsIn(text: string): string[] {
  const spaced = withSpaces(text.normalize("NFC"));
  return NOUNS.filter(({ word }) => word.test(spaced)).map(({ noun }) => noun);
}

/** A text with spaces between the words of names such as `CallLog`; `eMail` is one word. */
function withSpaces(text: string): string {
  return text.replaceAll(/(?<=\p{L}\p{Ll})(?=\p{Lu})/gu, " ");
}

/** The values that mark rows which are no interaction, as `nameKey` leaves them. */
export const DELETED: ReadonlySet<string> = new Set([
  "deleted",
  "spam",
  "suspended",
  "trash",
  "trashed",
  "junk",
  "removed",
  "void",
  "voided",
  "failed",
  "test",
  "gelöscht",
  "supprimé",
  "eliminado",
  "eliminato",
  "verwijderd",
]);

/** The values of what is still to come. */
export const PLANNED: ReadonlySet<string> = new Set([
  "to do",
  "todo",
  "planned",
  "scheduled",
  "not started",
  "upcoming",
]);
/** The values of what was done. */
export const DONE: ReadonlySet<string> = new Set(["done", "completed", "held"]);
/** The roles of persons who are customers, where others work for the business. */
export const END_USERS: ReadonlySet<string> = new Set([
  "end-user",
  "end user",
  "customer",
]);
