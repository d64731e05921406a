/** Makes up the widest exports that the file contract allows: as many names as a load takes, each of 200 letters. */

/** Most channels (with MAX_CHANNELS=1000), topics and types. */
const names = 1_000;
/** As many occupations as are names and not free text. */
const customers = 10_000;
const interactions = 30_000;

const padding = "x".repeat(200);
const name = (kind: string, i: number) => `${kind} ${i} ${padding}`;

function lines(
  header: string,
  { count, line }: {
    readonly count: number;
    readonly line: (i: number) => string;
  },
): string {
  return [header, ...Array.from({ length: count }, (_, i) => line(i)), ""]
    .join("\n");
}

/** The settings with which they are loaded. */
export const widest_settings = {
  MAX_CHANNELS: "1000",
  MAX_SET_ASIDE: "0.5",
  SET_ASIDE_KEPT: "1000000",
  DUCKDB_MEMORY_LIMIT: "2GB",
};

/** The files by name; a third of the interactions are set aside. */
export function widestExports(): Record<string, string> {
  return {
    "customers.csv": lines("Customer_Id,Occupation,Type", {
      count: customers,
      line: (i) =>
        `${i + 1},${name("occupation", i)},${name("type", i % names)}`,
    }),
    "interactions.csv": lines("Date Start,Interaction,Customers,Topic", {
      count: interactions,
      line: (i) =>
        i % 3 === 2
          ? `${padding},${name("channel", i % names)},1,`
          : `${1 + i % 28}/${1 + i % 12}/20${10 + i % 10},${
            name("channel", i * 7 % names)
          },${1 + i * 31 % customers},${name("topic", i * 13 % names)}`,
    }),
  };
}
