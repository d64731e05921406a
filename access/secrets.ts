/** Finds keys and tokens in a text where none may be, such as a URL, which logs and browsers keep. */

import { KEY_IN_TEXT } from "./api_key.ts";

/** A signed token: three parts in base64url, the first of them a JSON object. */
export const TOKEN_IN_TEXT = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;

/** Whether a text has something of the shape of a key or a token in it. */
export function hasSecret(text: string): boolean {
  return KEY_IN_TEXT.test(text) || TOKEN_IN_TEXT.test(text);
}
