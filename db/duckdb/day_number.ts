/** Days as numbers, without JavaScript's Date and its time zones. */

/** The last day number that 16 bits hold; data ends before it. */
export const LAST_DAY = 0xffff;

/** Days from 0000-03-01 to 1900-01-01. */
const DAYS_TO_1900 = 693_901;
const DAYS_IN_400_YEARS = 146_097;

/**
 * Days from 1900-01-01 to `date` (`YYYY-MM-DD`, a real day), held within -1 and
 * LAST_DAY. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
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

/** The date, `YYYY-MM-DD`, of a day number from 0 to LAST_DAY; dayNumber's inverse. */
export function dateOf(day_number: number): string {
  const days = day_number + DAYS_TO_1900;
  const era = Math.floor(days / DAYS_IN_400_YEARS);
  const day_of_era = days - era * DAYS_IN_400_YEARS;
  const year_of_era = Math.floor(
    (day_of_era - Math.floor(day_of_era / 1460) +
      Math.floor(day_of_era / 36524) - Math.floor(day_of_era / 146096)) / 365,
  );
  const day_of_year = day_of_era -
    (365 * year_of_era + Math.floor(year_of_era / 4) -
      Math.floor(year_of_era / 100));
  const month_from_march = Math.floor((5 * day_of_year + 2) / 153);
  const day = day_of_year - Math.floor((153 * month_from_march + 2) / 5) + 1;
  const month = month_from_march < 10
    ? month_from_march + 3
    : month_from_march - 9;
  const year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
  const pad = (value: number, width: number) =>
    String(value).padStart(width, "0");
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}
