/** Shows values of exports as evidence, without what nobody should read in a terminal. */

import { harmless } from "../model/names.ts";

const SECRET_HEADER =
  /token|secret|passw|pwd|api.?key|private.?key|credential|authori[sz]ation|cookie|session|signature|iban|card|cvv|ssn|salt|hash/i;
/** How keys and tokens that programs know begin; what follows is long, as no word of a header is. */
const KEY =
  /^((sk|pk|rk)[-_](?=\w*\d)|gh[opsu]_|github_pat_|glpat-|xox[abp]-|AIza|ya29\.|eyJ|SG\.|shp(at|ss)_|Bearer |Basic )[\w.~+\/=-]{16,}/;
const AWS_KEY = /^A[KS]IA[0-9A-Z]{16}$/;
const HEX_KEY = /^[0-9a-f]{32,}$/i;
/** A private key, or an address with a password or a key in it. */
const SECRET_TEXT = /^-----BEGIN|:\/\/[^/\s]*@|[?&](key|token|sig|code)=/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PHONE_HEADER =
  /phone|mobile|telef|téléf|téléph|rufnummer|handy|msisdn|whatsapp|(?<![a-z])(tel|fax|cell)(?![a-z])/i;
const DATE =
  /^(\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|\d{1,2}[-./]\d{4})(?!\d)/;
/** Digits in groups of three. */
const AMOUNT = /^\d{1,3}( \d{3})+$/;
const NOTE_LENGTH = 40;
const NOTE_WORDS = 6;

/** A value as evidence shows it: in whole, in part, or only what it is. */
export function shownValue(value: string, header: string): string {
  if (isPrivate(value, header)) return "(not shown)";
  if (isNote(value)) return `(a text of ${value.length} characters)`;
  // Enough to see the form, and not whose it is.
  if (value.split(/[;,|]|(?=\+)/).some((one) => isPhone(one, header))) {
    return JSON.stringify(`${value.slice(0, 4)}…`);
  }
  const at = value.indexOf("@");
  if (at > 0) {
    return JSON.stringify(`${harmless(value[0])}…${harmless(value.slice(at))}`);
  }
  return JSON.stringify(harmless(value).replaceAll("\n", " "));
}

/** Whether a value has the form of a telephone number, as ids, dates and amounts have it not. */
function isPhone(value: string, header: string): boolean {
  const text = value.trim()
    .replace(/^[a-z]+:/i, "").replace(/\s*(ext\.?|x)\s*\d+$/i, "");
  if (!/^[+(]?[\d\s().\/-]+$/.test(text)) return false;
  const digits = text.match(/\d/g)?.length ?? 0;
  if (digits < 6 || digits > 15) return false;
  if (/^[+(]/.test(text)) return true;
  if (DATE.test(text)) return false;
  if (PHONE_HEADER.test(header)) return true;
  // Dialled with a 0 before it: in groups, or as long as no padded id is.
  if (/^0 ?0? ?[1-9]/.test(text)) return /\D/.test(text) || digits >= 10;
  return /^(1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}$/.test(text) ||
    digits >= 9 && /^\d+([ \/]+\d+){2,}$/.test(text) && !AMOUNT.test(text);
}

/** Whether a value, or its header, is that of a secret. */
export function isPrivate(value: string, header: string): boolean {
  return SECRET_HEADER.test(header) || isSecret(value);
}

/** Whether a value is a text that somebody wrote, and no name of something. */
export function isNote(value: string): boolean {
  return value.length > NOTE_LENGTH || value.split(/\s+/).length > NOTE_WORDS;
}

/** Whether a text has the form of a key or a token that programs know. */
export function isKey(value: string): boolean {
  return [KEY, AWS_KEY, HEX_KEY, SECRET_TEXT].some((form) => form.test(value));
}

function isSecret(value: string): boolean {
  if (UUID.test(value)) return false;
  if (isKey(value)) return true;
  // Keys are long, have no words in them, and mix what names do not.
  return /^[\w+/=.~-]{20,}$/.test(value) && /[a-z]/.test(value) &&
    /[A-Z]/.test(value) && (value.match(/\d/g)?.length ?? 0) >= 3;
}

/** A header as it is shown: in one line, and cut. */
export function shownHeader(header: string): string {
  const text = harmless(header).replaceAll("\n", " ");
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
