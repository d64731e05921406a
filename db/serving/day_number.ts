/** Days as numbers, without JavaScript's Date and its time zones. */

/** The last day number that 16 bits hold; data ends before it. */
export const LAST_DAY = 0xffff;

/** Days from 0000-03-01 to 1900-01-01. */
const DAYS_TO_1900 = 693_901;

/**
 * Days from 1900-01-01 to `date` (`YYYY-MM-DD`, a real day), limited to -1 at
 * least and LAST_DAY at most. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
export function dayNumber(date: string): number {
  const digit = (position: number) => date.charCodeAt(position) - 48;
  const month = digit(5) * 10 + digit(6);
  const day = digit(8) * 10 + digit(9);
  // Years begin in March, so that the leap day is the last of its year.
  const year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3) -
    (month <= 2 ? 1 : 0);
  const leap_days = Math.floor(year / 4) - Math.floor(year / 100) +
    Math.floor(year / 400);
  const day_of_year = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const days = year * 365 + leap_days + day_of_year - DAYS_TO_1900;
  return Math.min(Math.max(days, -1), LAST_DAY);
}
