/** Which time zones there are. */

/** Whether a text is the name of an IANA time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    // Offsets such as +02:00 are none of the database of zones.
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}
