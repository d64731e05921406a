/** `deno task audit`: fails when a package has a known weakness of high severity, and when nobody could say. */

const ROOT = new URL("../", import.meta.url);
const LEVEL = "high";

/** What a program leaves when it ends. */
interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function run(
  [program, ...args]: readonly string[],
  cwd: string | URL,
): Promise<Ended> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd,
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return { code, out: text(stdout), error: text(stderr) };
  } catch (error) {
    // What is not on the PATH is not among the programs that may be started, either.
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable
    ) return { code: 1, out: "", error: `${program} is not on the PATH` };
    throw error;
  }
}

/** Asks about the packages of deno.lock. */
function denoAudit(): Promise<Ended> {
  return run(["deno", "audit", `--level=${LEVEL}`], ROOT);
}

/** Asks about the pinned packages, and about those that npm takes for their dependencies. */
async function npmAudit(): Promise<Ended> {
  const { imports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const pinned = Object.values<string>(imports).map((specifier) =>
    /^npm:(@?[^@]+)@([^/]+)/.exec(specifier)!.slice(1)
  );
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/package.json`,
      JSON.stringify({ dependencies: Object.fromEntries(pinned) }),
    );
    const locked = await run(
      ["npm", "install", "--package-lock-only", "--ignore-scripts"],
      folder,
    );
    if (locked.code !== 0) return locked;
    return await run(["npm", "audit", `--audit-level=${LEVEL}`], folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The line in which both programs count; without it the registry has not answered. */
const COUNT =
  /^(No known|(found )?\d+)( (low|moderate|high|critical) severity)? vulnerabilit(y|ies)/im;

for (
  const [name, ask] of [
    ["deno audit", denoAudit],
    ["npm audit", npmAudit],
  ] as const
) {
  const { code, out, error } = await ask();
  if (COUNT.test(out)) {
    console.log(out);
    if (code === 0) {
      console.log(`Asked by ${name}: nothing of ${LEVEL} severity or above.`);
    } else {
      console.error(`Asked by ${name}: see above, of ${LEVEL} severity.`);
    }
    Deno.exit(code === 0 ? 0 : 1);
  }
  const [reason] = (error || out || `it ended with ${code}`).split("\n");
  console.error(`${name} has no answer: ${reason}`);
}
console.error(
  "The packages are not checked, since neither program could ask the registry.",
);
Deno.exit(1);
