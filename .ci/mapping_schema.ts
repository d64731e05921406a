/** `deno task schema`: writes docs/tally.schema.json, with which editors complete and check a tally.toml. */

import { mappingJsonSchema } from "../db/mapping/mapping_file.ts";

await Deno.writeTextFile(
  new URL("../docs/tally.schema.json", import.meta.url),
  `${JSON.stringify(mappingJsonSchema(), null, 2)}\n`,
);
