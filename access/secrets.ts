/** Finds keys and tokens in a text where none may be, such as a URL, which logs and browsers keep. */

import { KEY_IN_TEXT } from "./api_key.ts";

/** A signed token: three parts in base64url, the first of them a JSON object. */
export const TOKEN = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;
/**
 * A token, also with letters before it. It is looked for where a part begins: a look at
 * each `eyJ` takes the square of the time in a text of nothing else.
 */
const TOKEN_IN_TEXT = /(?<![\w-])(?=[\w-]*eyJ[\w-])[\w-]+\.[\w-]+\.[\w-]+/;

/** Whether the query string of a URL has a key or a token in it, also percent-encoded. */
export function hasSecretInQuery(url: string): boolean {
  const start = url.indexOf("?");
  // The whole look is for the few URLs in which it could find something.
  if (start < 0 || !/eyJ|tly_|%/.test(url)) return false;
  return [...new URLSearchParams(url.slice(start))].flat().some(hasSecret);
}

/** Whether a text has something of the shape of a key or a token in it. */
export function hasSecret(text: string): boolean {
  return KEY_IN_TEXT.test(text) || TOKEN_IN_TEXT.test(text);
}
